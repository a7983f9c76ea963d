/**
 * What the servers are made to do. Every workload counts the server's CPU, from /proc, and the time
 * by the clock; the driver's own work is in the clock, not in the CPU.
 */
import { cpuMs, residentBytes, untilIdle } from './processes.ts'
import type { Client, RunningServer } from './subject.ts'

export interface Cost {
  readonly operations: number
  readonly wallMs: number
  readonly cpuMs: number
}

/** Of messages that were accepted before a `kill -9`. */
export interface Survival {
  readonly accepted: number
  readonly lost: number
}

/** Users of the live relay, in pairs that write to each other. */
export const LIVE_USERS = 200
/** Messages under way in each direction of a pair. */
const WINDOW = 1
/** For each absent user: what a mailbox holds. */
const STORED_EACH = 2
const SENDERS = 20
/** The first of those who are away, behind everybody who is here. */
export const FIRST_ABSENT: number = LIVE_USERS + SENDERS
/** Messages that one sender has under way to the absent. */
const STORE_WINDOW = 16
const LOGINS_AT_ONCE = 20

/** People who are there write to each other, as fast as it goes. One operation: one message. */
export class LiveRelay {
  readonly #server: RunningServer
  readonly #clients: Client[] = []
  #running = false
  #underWay = 0
  #arrived = 0
  #quiet: (() => void) | undefined

  constructor(server: RunningServer) {
    this.#server = server
  }

  async connect(): Promise<void> {
    for (let user = 0; user < LIVE_USERS; user++) {
      const onMessage = (): void => this.#next(user)
      this.#clients.push(await this.#server.connect(user, { onMessage }))
    }
  }

  async run(durationMs: number): Promise<Cost> {
    this.#arrived = 0
    this.#running = true
    const before = cpuMs(this.#server.process.pid)
    const start = performance.now()
    for (let user = 0; user < LIVE_USERS; user++) {
      for (let i = 0; i < WINDOW; i++) this.#send(user)
    }
    await new Promise((resolve) => setTimeout(resolve, durationMs))
    this.#running = false
    await new Promise<void>((resolve) => {
      this.#quiet = resolve
    })
    const wallMs = performance.now() - start
    return { operations: this.#arrived, wallMs, cpuMs: cpuMs(this.#server.process.pid) - before }
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  #send(user: number): void {
    this.#underWay++
    this.#clients[user]!.send(user ^ 1)
  }

  /** A message arrived at `user`: its author sends the next one. */
  #next(user: number): void {
    this.#arrived++
    this.#underWay--
    if (this.#running) this.#send(user ^ 1)
    else if (this.#underWay === 0) this.#quiet?.()
  }
}

/** Two messages to each of many who are away. One operation: one message. */
export async function storeForAbsent(
  server: RunningServer,
  absent: readonly number[],
  senders: readonly number[],
): Promise<Cost> {
  let accepted = 0
  let told = false
  const wanted = absent.length * STORED_EACH
  const done = Promise.withResolvers<void>()
  const queue = absent.flatMap((user) => Array.from({ length: STORED_EACH }, () => user))
  const clients = await Promise.all(
    senders.map(async (sender) => {
      const client: Client = await server.connect(sender, {
        onMessage: () => {},
        onAccepted() {
          told = true
          if (++accepted === wanted) done.resolve()
          const next = queue.pop()
          if (next !== undefined) client.send(next)
        },
      })
      return client
    }),
  )
  await untilIdle(server.process.pid)
  const before = cpuMs(server.process.pid)
  const start = performance.now()
  for (let i = 0; i < STORE_WINDOW * clients.length && queue.length > 0; i++) {
    clients[i % clients.length]!.send(queue.pop()!)
  }
  // A protocol without acknowledgements cannot say when it is done: it gets everything at once, and
  // the server is done when it does nothing any more.
  await Promise.race([done.promise, new Promise((resolve) => setTimeout(resolve, SILENCE_MS))])
  if (!told) {
    for (let i = 0; queue.length > 0; i++) clients[i % clients.length]!.send(queue.pop()!)
    await untilIdle(server.process.pid)
  } else await inTime(done.promise, `answers to ${wanted} messages`)
  const wallMs = performance.now() - start
  const cost = { operations: wanted, wallMs, cpuMs: cpuMs(server.process.pid) - before }
  await Promise.all(clients.map((client) => client.close()))
  return cost
}

/**
 * Messages for the absent are accepted, and in that moment the server is killed. What is there when
 * it has been started again?
 */
export async function survival(
  server: RunningServer,
  absent: readonly number[],
  senders: readonly number[],
): Promise<Survival> {
  const accepted = absent.length * STORED_EACH
  let missing = accepted
  const all = Promise.withResolvers<void>()
  const onAccepted = (): void => {
    if (--missing === 0) all.resolve()
  }
  const clients = await Promise.all(
    senders.map((sender) => server.connect(sender, { onMessage: () => {}, onAccepted })),
  )
  for (const [index, user] of absent.entries()) {
    for (let i = 0; i < STORED_EACH; i++) clients[index % clients.length]!.send(user)
  }
  await Promise.race([all.promise, Promise.all(clients.map(hasBeenRead))])
  await server.process.kill()
  await server.process.restart()
  let arrived = 0
  await inParallel(absent, LOGINS_AT_ONCE, async (user) => {
    const waiting = await arrivals(server, user)
    arrived += waiting
  })
  return { accepted, lost: accepted - arrived }
}

/** Never, where the server says by itself what it has accepted. */
function hasBeenRead(client: Client): Promise<void> {
  return client.processed?.() ?? new Promise(() => {})
}

/** How many messages wait for somebody: all that can, or as many as come until nothing more does. */
async function arrivals(server: RunningServer, user: number): Promise<number> {
  let arrived = 0
  const all = Promise.withResolvers<void>()
  const onMessage = (): void => {
    if (++arrived === STORED_EACH) all.resolve()
  }
  const client = await server.connect(user, { onMessage })
  await Promise.race([all.promise, new Promise((resolve) => setTimeout(resolve, SILENCE_MS))])
  await client.close()
  return arrived
}

/** Those who were away come back. One operation: one login with its messages. */
export async function drain(server: RunningServer, absent: readonly number[]): Promise<Cost> {
  await untilIdle(server.process.pid)
  const before = cpuMs(server.process.pid)
  const start = performance.now()
  await inParallel(absent, LOGINS_AT_ONCE, async (user) => {
    let missing = STORED_EACH
    const all = Promise.withResolvers<void>()
    const onMessage = (): void => {
      if (--missing === 0) all.resolve()
    }
    const client = await server.connect(user, { onMessage })
    await inTime(all.promise, `${missing} of ${STORED_EACH} messages for user ${user}`)
    await client.close()
  })
  const wallMs = performance.now() - start
  return { operations: absent.length, wallMs, cpuMs: cpuMs(server.process.pid) - before }
}

/** One operation: a connection, a login, a goodbye. */
export async function logins(server: RunningServer, users: readonly number[]): Promise<Cost> {
  const before = cpuMs(server.process.pid)
  const start = performance.now()
  await inParallel(users, LOGINS_AT_ONCE, async (user) => {
    const client = await server.connect(user, { onMessage: () => {} })
    await client.close()
  })
  const wallMs = performance.now() - start
  return { operations: users.length, wallMs, cpuMs: cpuMs(server.process.pid) - before }
}

/**
 * @returns bytes of resident memory for each connection that is logged in and silent: what the second half of
 *   them adds to the first, with which a server also grows as every program does that begins to work.
 */
export async function idleMemory(server: RunningServer, users: readonly number[]): Promise<number> {
  const half = Math.floor(users.length / 2)
  const clients: Client[] = []
  const connect = async (some: readonly number[]): Promise<number> => {
    await inParallel(some, LOGINS_AT_ONCE, async (user) => {
      clients.push(await server.connect(user, { onMessage: () => {} }))
    })
    await untilIdle(server.process.pid)
    return residentBytes(server.process.pid)
  }
  const before = await connect(users.slice(0, half))
  const grown = (await connect(users.slice(half))) - before
  await Promise.all(clients.map((client) => client.close()))
  return grown / (users.length - half)
}

/** Those who write to the absent: others than those of the live relay, whose connections stay. */
export function sendingUsers(): number[] {
  return Array.from({ length: SENDERS }, (_, sender) => LIVE_USERS + sender)
}

async function inParallel<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
}

/** What does not come at all is a fault, and ends the benchmark. */
async function inTime(expected: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE_MS)
  })
  await Promise.race([expected, late]).finally(() => clearTimeout(timer))
}

const PATIENCE_MS = 60_000
/** A server with acknowledgements has sent one by then. */
const SILENCE_MS = 1000
