/**
 * A bad line between one person and the server, in user space: each connection through it gets one
 * fault, which a seed decides. While it is calm it only passes on.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Random } from './random.ts'

/** What one connection suffers. Bytes count in both directions together. */
type Fault =
  | { readonly kind: 'none' }
  /** Gone as soon as it is there. */
  | { readonly kind: 'refused' }
  /** Cut after so many bytes, in the middle of a frame as likely as not. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** After so many bytes one direction, or both, goes nowhere; nobody is told for a while. */
  | {
      readonly kind: 'half-open'
      readonly afterBytes: number
      readonly deaf: readonly Direction[]
      readonly forMs: number
    }
  | { readonly kind: 'delayed'; readonly ms: number }
  /** A few bytes at a time. */
  | { readonly kind: 'trickle'; readonly bytes: number; readonly everyMs: number }
  /**
   * What lost packets are to those who use a stream: now and then everything waits until one of
   * them has been sent again, and the two directions drift apart.
   */
  | { readonly kind: 'lossy'; readonly chance: number }
  /** What was sent before the line broke arrives long after it, behind what the next one brought. */
  | { readonly kind: 'late'; readonly afterBytes: number; readonly ms: number }

type Direction = 'up' | 'down'

export interface ProxyOptions {
  /** Where a new connection goes. */
  readonly targetPort: () => number
  readonly random: Random
  /** Longest time that a half-open connection goes unnoticed. */
  readonly halfOpenMs: number
}

export class FaultProxy {
  /** Connections that it ended, or never let through. */
  cuts = 0
  calm = true
  readonly #options: ProxyOptions
  readonly #server: Server
  readonly #lines = new Set<Line>()

  private constructor(options: ProxyOptions) {
    this.#options = options
    this.#server = createServer((client) => this.#accept(client))
  }

  static async listen(options: ProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, 'localhost', resolve)
    })
    return proxy
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  /** No more faults; lines that have one are cut a last time. */
  calmDown(): void {
    this.calm = true
    for (const line of this.#lines) if (line.fault.kind !== 'none') line.cut()
  }

  close(): void {
    this.#server.close()
    for (const line of this.#lines) line.cut()
  }

  #accept(client: Socket): void {
    const { targetPort, random, halfOpenMs } = this.#options
    const fault: Fault = this.calm ? { kind: 'none' } : chooseFault(random, halfOpenMs)
    if (fault.kind === 'refused') {
      this.cuts++
      client.resetAndDestroy()
      return
    }
    // Its own choices: how many packets there are must not decide what the next line suffers.
    const own = Random.of(random.integer(0, 2 ** 31))
    const line = new Line(client, targetPort(), fault, { random: own, onCut: () => this.cuts++ })
    this.#lines.add(line)
    void line.over.then(() => this.#lines.delete(line))
  }
}

function chooseFault(random: Random, halfOpenMs: number): Fault {
  const kind = random.weighted(WEIGHTS)
  // Small numbers are as likely as large ones: half a login, or many messages.
  const afterBytes = Math.floor(2 ** (4 + random.fraction() * 14))
  switch (kind) {
    case 'none':
    case 'refused':
      return { kind }
    case 'cut':
      return { kind, afterBytes }
    case 'half-open': {
      const deaf = random.pick<readonly Direction[]>([['up'], ['down'], ['up', 'down']])
      return { kind, afterBytes, deaf, forMs: random.integer(500, halfOpenMs) }
    }
    case 'delayed':
      return { kind, ms: random.integer(5, 400) }
    case 'trickle':
      return { kind, bytes: random.integer(40, 1000), everyMs: random.integer(2, 10) }
    case 'lossy':
      return { kind, chance: random.fraction() / 2 }
    case 'late':
      return { kind, afterBytes, ms: random.integer(200, 3000) }
  }
}

/** First time until a lost packet is sent again, as most systems have it, and the longest in all. */
const RETRANSMISSION_MS = 200
const MAX_RETRANSMISSION_MS = 3000

const WEIGHTS = {
  none: 8,
  refused: 1,
  cut: 4,
  'half-open': 1,
  delayed: 3,
  trickle: 2,
  lossy: 2,
  late: 2,
} as const

/** One connection and its fault. */
class Line {
  readonly fault: Fault
  readonly over: Promise<void>
  readonly #client: Socket
  readonly #server: Socket
  readonly #random: Random
  readonly #onCut: () => void
  readonly #timers = new Set<NodeJS.Timeout>()
  #bytes = 0
  #struck = false
  #ended = Promise.withResolvers<void>()

  constructor(
    client: Socket,
    targetPort: number,
    fault: Fault,
    { random, onCut }: { readonly random: Random; readonly onCut: () => void },
  ) {
    this.fault = fault
    this.over = this.#ended.promise
    this.#client = client
    this.#server = connect(targetPort, 'localhost')
    this.#random = random
    this.#onCut = onCut
    this.#flow('up', client, this.#server)
    this.#flow('down', this.#server, client)
    client.on('close', () => this.#clientGone())
    this.#server.on('close', () => this.#end())
    for (const socket of [client, this.#server]) {
      socket.setNoDelay()
      socket.on('error', () => {})
    }
  }

  cut(): void {
    this.#onCut()
    this.#end()
  }

  #end(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#client.destroy()
    this.#server.destroy()
    this.#ended.resolve()
  }

  #flow(direction: Direction, from: Socket, to: Socket): void {
    const pipe = new SlowPipe(to, (ms, task) => this.#after(ms, task))
    from.on('data', (chunk: Buffer) => {
      const { fault } = this
      switch (fault.kind) {
        case 'delayed':
          pipe.send(chunk, fault.ms)
          break
        case 'trickle':
          for (let at = 0; at < chunk.length; at += fault.bytes) {
            pipe.send(chunk.subarray(at, at + fault.bytes), 0, fault.everyMs)
          }
          break
        case 'lossy':
          pipe.send(chunk, this.#retransmissionMs(fault.chance))
          break
        case 'cut':
          to.write(chunk.subarray(0, Math.max(0, fault.afterBytes - this.#bytes)))
          this.#count(chunk, fault.afterBytes, () => this.cut())
          break
        case 'half-open': {
          const isDeaf = this.#bytes > fault.afterBytes && fault.deaf.includes(direction)
          if (!isDeaf) to.write(chunk)
          this.#count(chunk, fault.afterBytes, () => this.#after(fault.forMs, () => this.cut()))
          break
        }
        case 'late':
          pipe.send(chunk, direction === 'up' && this.#struck ? fault.ms : 0)
          this.#count(chunk, fault.afterBytes, () => this.#breakLate(fault.ms))
          break
        case 'none':
        case 'refused':
          to.write(chunk)
      }
    })
  }

  /** Each packet that is lost once more doubles the time until the next try. */
  #retransmissionMs(chance: number): number {
    let ms = 0
    for (let next = RETRANSMISSION_MS; this.#random.chance(chance); next *= 2) ms += next
    return Math.min(ms, MAX_RETRANSMISSION_MS)
  }

  #count({ length }: Buffer, limit: number, strike: () => void): void {
    this.#bytes += length
    if (this.#struck || this.#bytes <= limit) return
    this.#struck = true
    strike()
  }

  /** From now on what goes up is late; soon the client is cut off, and what is under way arrives. */
  #breakLate(ms: number): void {
    this.#after(ms / 2, () => {
      this.#onCut()
      this.#client.destroy()
    })
  }

  #clientGone(): void {
    if (this.fault.kind === 'late' && this.#struck) this.#after(this.fault.ms, () => this.#end())
    else this.#end()
  }

  #after(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      task()
    }, ms)
    this.#timers.add(timer)
  }
}

/** Bytes keep their order, however late they are. */
class SlowPipe {
  readonly #to: Socket
  readonly #after: (ms: number, task: () => void) => void
  readonly #queue: { readonly at: number; readonly bytes: Buffer }[] = []
  #freeAt = 0

  constructor(to: Socket, after: (ms: number, task: () => void) => void) {
    this.#to = to
    this.#after = after
  }

  /** @param gapMs - time from the bytes before to these. */
  send(bytes: Buffer, delayMs: number, gapMs = 0): void {
    const now = performance.now()
    const at = Math.max(this.#freeAt + gapMs, now + delayMs)
    this.#freeAt = at
    this.#queue.push({ at, bytes })
    if (this.#queue.length === 1) this.#wait()
  }

  #wait(): void {
    const [next] = this.#queue
    if (!next) return
    const pass = () => {
      this.#queue.shift()
      if (!this.#to.destroyed) this.#to.write(next.bytes)
      this.#wait()
    }
    const left = next.at - performance.now()
    if (left <= 0) pass()
    else this.#after(left, pass)
  }
}
