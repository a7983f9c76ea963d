/** The door for sockets: upgrades, pings, and closing them all. (spec/socket.md) */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  CLOSE_CODE,
  MAX_FRAME_BYTES,
  type ServerName,
  SOCKET_PATH,
  SOCKET_PROTOCOL,
  WireError,
} from '@couplet/wire'
import { type WebSocket, WebSocketServer } from 'ws'
import { clientAddress, type TrustedProxies } from './addresses.ts'
import { requireVersion, type Version, versionInSubprotocols } from './client-version.ts'
import { Connection, type ConnectionServices } from './connection.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import { asWireError } from './http-errors.ts'
import { refuseConnection } from './http-server.ts'
import type { ServerNames } from './server-names.ts'

/** What is asked of a socket before it is one. */
export interface GatewayDoors {
  readonly names: ServerNames
  readonly limits: ConnectionLimits
  readonly proxies: TrustedProxies
  readonly minimumClient: Version
}

export class Gateway {
  readonly #services: ConnectionServices
  readonly #doors: GatewayDoors
  readonly #connections = new Set<Connection>()
  readonly #pings: NodeJS.Timeout
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    handleProtocols: () => SOCKET_PROTOCOL,
  })
  #stopping = false

  constructor(services: ConnectionServices, doors: GatewayDoors) {
    this.#services = services
    this.#doors = doors
    this.#pings = setInterval(() => {
      for (const connection of this.#connections) connection.ping()
    }, services.timing.pingMs)
    this.#pings.unref()
  }

  /** For the HTTP server's event `upgrade`. */
  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const socket = duplex as Socket
    let release: () => void
    try {
      this.#admit(request)
      release = this.#doors.limits.take(clientAddress(request, this.#doors.proxies))
    } catch (error) {
      socket.on('error', () => socket.destroy())
      refuseConnection(socket, asWireError(error) ?? new WireError('internal', 'the server failed'))
      return
    }
    socket.once('close', release)
    socket.setNoDelay(true)
    const serverNames = this.#doors.names(request.headers.host)
    const isTooOld = this.#isTooOld(request)
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = this.#open(webSocket, socket, serverNames)
      if (isTooOld) connection.refuse('client-too-old', CLOSE_CODE.tooOld)
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

  /** On its own: what a connection keeps must not keep the request, which is as large. */
  #open(webSocket: WebSocket, socket: Socket, serverNames: readonly ServerName[]): Connection {
    const connection: Connection = new Connection(this.#services, {
      webSocket,
      socket,
      serverNames,
      onClosed: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    return connection
  }

  /** @throws {WireError} when this is no upgrade to a socket of ours. */
  #admit(request: IncomingMessage): void {
    if (this.#stopping) throw new WireError('unavailable', 'the server is stopping')
    if (request.url !== SOCKET_PATH) throw new WireError('not-found', 'there is nothing here')
    if (!offeredBy(request).includes(SOCKET_PROTOCOL)) {
      throw new WireError('malformed', `the subprotocol must be ${SOCKET_PROTOCOL}`)
    }
  }

  /** Told on the socket: a browser does not show why an upgrade was refused. */
  #isTooOld(request: IncomingMessage): boolean {
    try {
      requireVersion(versionInSubprotocols(offeredBy(request)), this.#doors.minimumClient)
      return false
    } catch {
      return true
    }
  }
}

function offeredBy(request: IncomingMessage): readonly string[] {
  const header = request.headers['sec-websocket-protocol'] ?? ''
  return header.split(',').map((protocol) => protocol.trim())
}

/** A frame over the limit, but not by much, gets an answer before the connection ends. */
const MAX_MESSAGE_BYTES: number = 2 * MAX_FRAME_BYTES
/** Each costs more than its bytes. Who splits a message at all does so at some kilobytes. */
const MAX_FRAGMENTS = 16
