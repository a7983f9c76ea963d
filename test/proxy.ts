/** A TCP proxy on loopback that a test can make deaf in one direction. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class TcpProxy {
  /** Set: what clients send is swallowed from now on. */
  swallowUpstream = false
  /** Called with every chunk that the server sends. */
  onDownstream: (chunk: Buffer) => void = () => {}
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: number) {
    this.#server = createServer((client) => this.#join(client, target))
  }

  static async to(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(Number(new URL(url).port))
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, 'localhost', resolve)
    })
    return proxy
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #join(client: Socket, target: number): void {
    const upstream = connect(target, 'localhost')
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk) => {
      if (!this.swallowUpstream) upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      this.onDownstream(chunk)
      client.write(chunk)
    })
  }
}
