/**
 * What listens under the HTTP API: one server for each address, all alike. `localhost` is two
 * addresses, and which of them a program takes is its own choice: whatever is counted, refused or
 * waited for at one of them is so at the other.
 */
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

export class Listeners {
  /** The one that the framework knows. */
  readonly first: Server
  readonly #make: () => Server
  readonly #all: Server[] = []
  readonly #sockets = new Set<Socket>()
  #admit: (socket: Socket) => void = () => {}

  /** @param make - a server that listens nowhere yet. */
  constructor(make: () => Server) {
    this.#make = make
    this.first = this.#add()
  }

  get all(): readonly Server[] {
    return this.#all
  }

  /** @param admit - sees each connection before it has said a word, and destroys what is too much. */
  onConnection(admit: (socket: Socket) => void): void {
    this.#admit = admit
  }

  /**
   * @param port - 0 takes a free one.
   * @returns the port.
   * @throws the error of `listen`.
   */
  async listen(app: FastifyInstance, host: string, port: number): Promise<number> {
    const [main, ...others] = host === 'localhost' ? LOCALHOST : [host]
    await app.listen({ host: main!, port })
    const taken = (this.first.address() as AddressInfo).port
    try {
      for (const address of others) await this.#listenToo(address, taken)
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      // A free port was found for one address; whether it is free at the other, nobody asked.
      if (code !== 'EADDRINUSE' || port !== 0) {
        await app.close()
        throw error
      }
    }
    return taken
  }

  /**
   * Listens no more, and waits for the answers to what was asked. Whoever has not gone by then is cut.
   *
   * @param patience - resolves when there is nothing more to wait for.
   */
  async close(app: FastifyInstance, patience: Promise<void>): Promise<void> {
    const closed = [app.close(), ...this.#all.slice(1).map(closeServer)]
    // Who has an answer could ask for more: there is no more.
    const idle = setInterval(() => {
      for (const server of this.#all) server.closeIdleConnections()
    }, IDLE_LOOK_MS)
    void this.#cutAfter(patience)
    await Promise.all(closed).finally(() => clearInterval(idle))
  }

  async #cutAfter(patience: Promise<void>): Promise<void> {
    await patience
    for (const socket of this.#sockets) socket.destroy()
  }

  #add(): Server {
    const server = this.#make()
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      this.#admit(socket)
    })
    this.#all.push(server)
    return server
  }

  async #listenToo(address: string, port: number): Promise<void> {
    const server = this.#add()
    for (const event of ['upgrade', 'clientError']) {
      server.on(event, (...heard: readonly unknown[]) => this.first.emit(event, ...heard))
    }
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host: address, port }, resolve)
      })
    } catch (error) {
      this.#all.splice(this.#all.indexOf(server), 1)
      // A machine without IPv6.
      if (!NO_NETWORK.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

const LOCALHOST: readonly string[] = ['127.0.0.1', '::1']
const IDLE_LOOK_MS = 50
const NO_NETWORK: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])
