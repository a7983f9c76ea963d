/**
 * People in this process: real clients over a real server and real sockets, with stores in memory,
 * so that a test can look inside, stop the clock, and stand between a client and its server.
 */

import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import {
  type ClientPorts,
  type Clock,
  type Couplet,
  createHttpApi,
  createSocketConnector,
  type IncomingMessage,
  memoryStore,
  openClient,
  type Platform,
  requestCode,
  requirePhoneNumber,
  type Store,
  storeRegistration,
  submitCode,
} from '@couplet/client'
import type { Primitives } from '@couplet/protocol'
import { exportExchangeKey, importExchangeKey, nodePrimitives } from '@couplet/protocol/node'
import { createServer, type Server, type ServerOptions } from '@couplet/server'
import type { Bytes, DirectoryEntry } from '@couplet/wire'

/** A server in this process that hands its codes to the test. */
export class TestServer {
  readonly codes = new Map<string, string>()
  readonly #options: Partial<ServerOptions>
  #server: Server | undefined
  #port = 0

  constructor(options: Partial<ServerOptions> = {}) {
    this.#options = options
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  /** Starts, or starts again on the same port. */
  async start(): Promise<this> {
    this.#server = await createServer({
      port: this.#port,
      codeSender: {
        development: true,
        send: async (phone: string, code: string) => {
          this.codes.set(phone, code)
        },
      },
      ...this.#options,
    })
    this.#port = this.#server.port
    return this
  }

  /** Starts again on the same port, otherwise. Without a data folder it has forgotten everybody. */
  startWith(options: Partial<ServerOptions>): Promise<TestServer> {
    const next = new TestServer({ ...this.#options, ...options })
    next.#port = this.#port
    return next.start()
  }

  async stop(): Promise<void> {
    await this.#server?.close()
    // Whoever keeps a connection to it is in this same process, and hears of its end in the next turns.
    for (let turn = 0; turn < 3; turn++) await setImmediate()
  }
}

/** The clock of this machine, which a test may set forward, and whose timers may run faster. */
export class TestClock implements Clock {
  offset = 0
  readonly #speed: number

  constructor(speed = 1) {
    this.#speed = speed
  }

  now(): number {
    return Date.now() + this.offset
  }

  schedule(delayMs: number, task: () => void): () => void {
    const timer = setTimeout(task, Math.min(delayMs / this.#speed, 2 ** 31 - 1))
    timer.unref()
    return () => clearTimeout(timer)
  }
}

export interface PersonOptions {
  readonly primitives?: Primitives
  readonly clock?: Clock
  /** For a server that asks for one. */
  readonly invitation?: string | undefined
  /** Wraps what the client is given, to stand between it and its server. */
  readonly ports?: (ports: ClientPorts) => Partial<ClientPorts>
}

/** A registered person. `open` gives a client, again after `close`: the store stays. */
export class TestPerson {
  readonly phone: string
  readonly ports: ClientPorts
  #couplet: Couplet | undefined

  private constructor(phone: string, ports: ClientPorts) {
    this.phone = phone
    this.ports = ports
  }

  static async register(
    server: Pick<TestServer, 'url' | 'codes'>,
    phone: string,
    options: PersonOptions = {},
  ): Promise<TestPerson> {
    const person = await TestPerson.begin(server, phone, options)
    await submitCode(person.ports, person.store, server.codes.get(phone)!)
    return person
  }

  /** Has asked for a code, and not typed it in yet. */
  static async begin(
    server: Pick<TestServer, 'url' | 'codes'>,
    phone: string,
    options: PersonOptions = {},
  ): Promise<TestPerson> {
    const clock = options.clock ?? new TestClock()
    const primitives = options.primitives ?? nodePrimitives
    const platform: Platform = {
      primitives,
      random: (length) => new Uint8Array(randomBytes(length)),
      clock,
      exportExchangeKey,
      importExchangeKey: async (exported) => importExchangeKey(exported),
    }
    const basic: ClientPorts = {
      store: reopenable(memoryStore()),
      platform,
      // The way to the server keeps true time, whatever the client believes.
      createApi: (url) =>
        createHttpApi({
          url,
          clock: new TestClock(),
          sha256: (data) => primitives.sha256(data),
        }),
      createConnector: (url) => createSocketConnector({ url, clock: new TestClock() }),
    }
    const ports = { ...basic, ...options.ports?.(basic) }
    const registration = await requestCode(ports, {
      phone: requirePhoneNumber(phone),
      server: server.url,
      earlier: undefined,
      invitation: options.invitation,
    })
    await storeRegistration(ports.store, registration)
    return new TestPerson(phone, ports)
  }

  /** The same home under another number. */
  under(phone: string): TestPerson {
    return new TestPerson(phone, this.ports)
  }

  get couplet(): Couplet {
    if (!this.#couplet) throw new Error('test: not open')
    return this.#couplet
  }

  /** What a directory would say of this person. */
  async directoryEntry(): Promise<DirectoryEntry> {
    return this.store.transaction(async (transaction) => {
      const account = await transaction.get<{ identity: Bytes }>('account', 'own')
      const [prekeys] = await transaction.list<{ signed: Bytes }>('prekeys', 'own')
      return { identity: account!.identity, prekeys: prekeys!.value.signed }
    })
  }

  get store(): Store {
    return this.ports.store
  }

  async open(): Promise<Couplet> {
    this.#couplet = await openClient(this.ports)
    return this.#couplet
  }

  async online(): Promise<Couplet> {
    const couplet = await this.open()
    await couplet.connect()
    await couplet.settled()
    return couplet
  }

  async offline(): Promise<void> {
    await this.#couplet?.close()
    this.#couplet = undefined
  }

  /** Loses its sessions with its first contact, as a device that was restored has. */
  async forgetSessions(): Promise<void> {
    await this.store.transaction(async (transaction) => {
      for (const { position } of await transaction.list('sessions', '1')) {
        await transaction.delete('sessions', '1', position)
      }
    })
  }

  /** Comes online, reads what there is, and goes away again. */
  async receive(): Promise<IncomingMessage[]> {
    await this.online()
    const messages: IncomingMessage[] = []
    for await (const message of this.couplet.messages({ follow: false })) messages.push(message)
    await this.offline()
    return messages
  }

  /** Sends while online, and goes away again. */
  async send(to: TestPerson, ...texts: string[]): Promise<void> {
    const couplet = await this.online()
    for (const text of texts) await (await couplet.send(to.phone, text)).sent
    await couplet.settled()
    await this.offline()
  }
}

/** Reads messages as they come, until there are so many. */
export async function read(couplet: Couplet, count: number): Promise<IncomingMessage[]> {
  const messages: IncomingMessage[] = []
  if (count === 0) return messages
  for await (const message of couplet.messages()) {
    messages.push(message)
    if (messages.length === count) {
      // Asking for one more marks the last as seen; nobody waits for it.
      break
    }
  }
  return messages
}

/** Waits until something is true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('test: waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A store that outlives its client, as a disk does. */
function reopenable(store: Store): Store {
  return {
    transaction: (work) => store.transaction(work),
    scrub: () => store.scrub(),
    close: async () => {},
  }
}
