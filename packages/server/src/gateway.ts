/** The door for sockets: upgrades, pings, and closing them all. (spec/socket.md) */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { MAX_FRAME_BYTES, SOCKET_PATH, SOCKET_PROTOCOL, WireError } from '@couplet/wire'
import { WebSocketServer } from 'ws'
import { Connection, type ConnectionServices } from './connection.ts'
import { rawProblem } from './http-server.ts'
import type { ServerNames } from './server-names.ts'

export class Gateway {
  readonly #services: ConnectionServices
  readonly #serverNames: ServerNames
  readonly #connections = new Set<Connection>()
  readonly #pings: NodeJS.Timeout
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => SOCKET_PROTOCOL,
  })
  #stopping = false

  constructor(services: ConnectionServices, names: ServerNames) {
    this.#services = services
    this.#serverNames = names
    this.#pings = setInterval(() => {
      for (const connection of this.#connections) connection.ping()
    }, services.timing.pingMs)
    this.#pings.unref()
  }

  /** For the HTTP server's event `upgrade`. */
  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const refusal = this.#refusal(request)
    if (refusal) {
      duplex.on('error', () => duplex.destroy())
      duplex.end(rawProblem(refusal))
      return
    }
    const socket = duplex as Socket
    socket.setNoDelay(true)
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection: Connection = new Connection(this.#services, {
        webSocket,
        socket,
        serverNames: this.#serverNames(request.headers.host),
        onClosed: () => this.#connections.delete(connection),
      })
      this.#connections.add(connection)
    })
  }

  /** Connections take no more frames; what is under way is still answered. */
  stopReading(): void {
    this.#stopping = true
    for (const connection of this.#connections) connection.stopReading()
  }

  close(): void {
    clearInterval(this.#pings)
    for (const connection of this.#connections) connection.close('stopping')
  }

  #refusal(request: IncomingMessage): WireError | undefined {
    if (this.#stopping) return new WireError('unavailable', 'the server is stopping')
    if (request.url !== SOCKET_PATH) return new WireError('not-found', 'there is nothing here')
    const protocols = request.headers['sec-websocket-protocol']?.split(',') ?? []
    if (!protocols.some((protocol) => protocol.trim() === SOCKET_PROTOCOL)) {
      return new WireError('malformed', `the subprotocol must be ${SOCKET_PROTOCOL}`)
    }
    return undefined
  }
}

/** A frame over the limit, but not by much, gets an answer before the connection ends. */
const MAX_MESSAGE_BYTES: number = 2 * MAX_FRAME_BYTES
