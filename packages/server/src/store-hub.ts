/**
 * One store for several workers of a machine: the hub owns it, workers call it over a link, and
 * learn from it who the other workers are.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Link } from './link.ts'
import { MeshBus } from './mesh-bus.ts'
import type { Engine, Store } from './ports.ts'
import { methodsOf, type StorePorts } from './store-calls.ts'

type ToHub =
  | { readonly kind: 'join'; readonly worker: number; readonly path: string }
  | {
      readonly kind: 'call'
      readonly number: number
      readonly port: keyof StorePorts
      readonly method: string
      readonly args: readonly unknown[]
    }

type FromHub =
  /** The others, to be connected to before anything is served. */
  | {
      readonly kind: 'welcome'
      readonly codeKey: Uint8Array
      readonly peers: readonly { readonly worker: number; readonly path: string }[]
    }
  | { readonly kind: 'answer'; readonly number: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly number: number; readonly error: string }

/** What the hub knows of one worker. */
interface Joined {
  readonly worker: number
  readonly path: string
}

export class StoreHub {
  /** For `joinHub`. */
  readonly path: string
  readonly #folder: string
  readonly #engine: Engine
  readonly #server: Server
  readonly #joined = new Map<Link, Joined>()

  private constructor(engine: Engine) {
    this.#engine = engine
    // Only this user gets in: whoever does may ask the store for anything.
    this.#folder = mkdtempSync(join(tmpdir(), 'couplet-hub-'))
    chmodSync(this.#folder, 0o700)
    this.path = socketPath(this.#folder, 'hub')
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** The hub closes the engine's store when it is closed. */
  static async start(engine: Engine): Promise<StoreHub> {
    const hub = new StoreHub(engine)
    await new Promise<void>((resolve, reject) => {
      hub.#server.once('error', reject)
      hub.#server.listen(hub.path, resolve)
    })
    return hub
  }

  /** After the workers have ended. */
  async close(): Promise<void> {
    for (const link of this.#joined.keys()) link.end()
    await new Promise((resolve) => this.#server.close(resolve))
    await this.#engine.store.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #accept(socket: Socket): void {
    const link: Link = new Link(
      socket,
      (message) => this.#receive(link, message as ToHub),
      () => this.#joined.delete(link),
    )
  }

  #receive(link: Link, message: ToHub): void {
    if (message.kind === 'join') {
      const peers = [...this.#joined.values()]
      this.#joined.set(link, { worker: message.worker, path: message.path })
      const { codeKey } = this.#engine
      link.send({ kind: 'welcome', codeKey, peers } satisfies FromHub)
      return
    }
    const { number } = message
    this.#call(message).then(
      (value) => link.send({ kind: 'answer', number, value } satisfies FromHub),
      (error: unknown) =>
        link.send({ kind: 'failed', number, error: (error as Error).message } satisfies FromHub),
    )
  }

  #call({ port, method, args }: ToHub & { kind: 'call' }): Promise<unknown> {
    const { store } = this.#engine
    const target = (port === 'self' ? store : store[port]) as unknown as Record<
      string,
      (...args: readonly unknown[]) => Promise<unknown>
    >
    return target[method]!(...args)
  }
}

/**
 * The engine of a worker: the hub's store from afar, and the bus to the other workers.
 *
 * @param worker - its number, of no other worker at any time.
 */
export async function joinHub(hubPath: string, worker: number): Promise<Engine> {
  const folder = join(hubPath, '..')
  const path = socketPath(folder, `worker-${worker}`)
  const bus = await MeshBus.listen(worker, path)
  const remote = await RemoteStore.connect(hubPath)
  const { codeKey, peers } = await remote.join(worker, path)
  await Promise.all(peers.map((peer) => bus.connect(peer.worker, peer.path)))
  return { store: remote.store, bus, codeKey }
}

interface OpenCall {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

class RemoteStore {
  readonly store: Store
  readonly #link: Link
  readonly #open = new Map<number, OpenCall>()
  readonly #welcome = Promise.withResolvers<FromHub & { kind: 'welcome' }>()
  readonly #failed = Promise.withResolvers<Error>()
  #lastNumber = 0
  #state: 'open' | 'closed' = 'open'

  private constructor(socket: Socket) {
    this.#link = new Link(
      socket,
      (message) => this.#receive(message as FromHub),
      () => this.#ended(),
    )
    const self = this.#port('self') as unknown as Pick<Store, 'probe'> &
      Required<Pick<Store, 'isCurrent'>>
    this.store = {
      mailboxes: this.#port('mailboxes') as unknown as Store['mailboxes'],
      directory: this.#port('directory') as unknown as Store['directory'],
      registrations: this.#port('registrations') as unknown as Store['registrations'],
      records: this.#port('records') as unknown as Store['records'],
      probe: () => self.probe(),
      isCurrent: () => self.isCurrent(),
      failed: this.#failed.promise,
      close: async () => {
        this.#state = 'closed'
        this.#link.end()
      },
    }
  }

  static connect(path: string): Promise<RemoteStore> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new RemoteStore(socket)))
      socket.once('error', reject)
    })
  }

  join(worker: number, path: string): Promise<FromHub & { kind: 'welcome' }> {
    this.#link.send({ kind: 'join', worker, path } satisfies ToHub)
    return this.#welcome.promise
  }

  #port(port: keyof StorePorts): Record<string, unknown> {
    const entries = methodsOf(port).map((method) => [
      method,
      (...args: readonly unknown[]) => this.#call(port, method, args),
    ])
    return Object.fromEntries(entries) as Record<string, unknown>
  }

  #call(port: keyof StorePorts, method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#state !== 'open') return Promise.reject(new Error('the store is closed'))
    const number = ++this.#lastNumber
    return new Promise((resolve, reject) => {
      this.#open.set(number, { resolve, reject })
      this.#link.send({ kind: 'call', number, port, method, args } satisfies ToHub)
    })
  }

  #receive(message: FromHub): void {
    if (message.kind === 'welcome') {
      this.#welcome.resolve(message)
      return
    }
    const call = this.#open.get(message.number)
    this.#open.delete(message.number)
    if (message.kind === 'answer') call?.resolve(message.value)
    else call?.reject(new Error(message.error))
  }

  #ended(): void {
    const error = new Error('the store is gone')
    this.#welcome.reject(error)
    for (const { reject } of this.#open.values()) reject(error)
    this.#open.clear()
    if (this.#state === 'open') this.#failed.resolve(error)
    this.#state = 'closed'
  }
}

/** Windows has no sockets in the file system, but names for pipes. */
function socketPath(folder: string, name: string): string {
  if (process.platform !== 'win32') return join(folder, name)
  return join('\\\\?\\pipe', folder, name)
}
