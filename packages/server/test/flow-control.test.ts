/**
 * Flow control under volume, over real sockets: whoever reads slowly, answers nothing or writes too
 * fast costs the server a bounded number of frames, and no envelope ends without a word.
 * (delivery.md, "Live delivery")
 */
import { type PutOutcome, type ServerFrame, toHex } from '@couplet/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { NO_LIMITS } from '../src/index.ts'
import {
  connect,
  envelope,
  freshBytes,
  idOf,
  register,
  startServer,
  type TestIdentity,
  type TestServer,
  type TestSocket,
} from './support.ts'

let server: TestServer
let ben: TestIdentity
let anas: TestSocket
let bens: TestSocket

afterEach(() => server.close())

/** Ana and Ben, both online. */
async function start(options: Parameters<typeof startServer>[0] = {}): Promise<void> {
  server = await startServer({ limits: NO_LIMITS, ...options })
  const ana = await register(server, '+12025550101')
  ben = await register(server, '+12025550102')
  anas = await connect(server, ana)
  bens = await connect(server, ben)
  await bens.take('caught-up')
}

describe('a burst of 10,000 to a user who is online', () => {
  it('each put has one answer, each envelope one end: delivered once, or reported evicted', async () => {
    await start()
    const reader = new Reader(bens)
    const sender = new Sender(anas)
    sender.burst(10_000)
    // Not before the window is full: the mailbox has to let some go.
    await until(() => sender.count('evicted') > 0)
    expect(reader.got.length).toBe(WINDOW)
    reader.answerAll()
    await until(() => sender.ended === 10_000)

    expect(sender.contradictions).toEqual([])
    expect(reader.mostUnanswered).toBeLessThanOrEqual(WINDOW)
    expect(new Set(reader.got).size).toBe(reader.got.length)
    expect(sender.idsThat('delivered')).toEqual(reader.got.toSorted())
    expect(sender.count('delivered') + sender.count('evicted')).toBe(10_000)
    expect(reader.got).toContain(sender.ids.at(-1))
  }, 30_000)
})

describe('a reader', () => {
  it('that answers nothing gets a window; the mailbox keeps its capacity, the rest is reported', async () => {
    await start()
    const reader = new Reader(bens)
    const sender = new Sender(anas)
    sender.burst(500)
    await until(() => sender.answered === 500)
    await until(() => sender.count('evicted') >= 500 - WINDOW - CAPACITY)
    expect(sender.count('evicted')).toBe(500 - WINDOW - CAPACITY)
    expect(reader.got).toEqual(sender.ids.slice(0, WINDOW))

    bens.cut()
    await until(() => sender.count('evicted') === 500 - CAPACITY)
    const again = await connect(server, ben)
    const next = new Reader(again)
    await again.take('caught-up')
    expect(next.got).toEqual(sender.ids.slice(-CAPACITY))
    next.answerAll()
    await until(() => sender.ended === 500)
    expect(sender.contradictions).toEqual([])
  })

  it('that stops reading is not written to without end, and gets the newest when it reads', async () => {
    await start({ window: 2000 })
    const reader = new Reader(bens)
    bens.webSocket.pause()
    const sender = new Sender(anas)
    // 64 MiB: more than the kernel takes for both ends.
    sender.burst(1000, 65_536)
    await until(() => sender.answered === 1000)
    bens.webSocket.resume()
    reader.answerAll()
    await until(() => sender.ended === 1000)
    expect(reader.got.length).toBeLessThan(700)
    expect(reader.got.slice(-CAPACITY)).toEqual(sender.ids.slice(-CAPACITY))
    expect(sender.idsThat('delivered')).toEqual(reader.got.toSorted())
    expect(sender.contradictions).toEqual([])
  }, 30_000)
})

it('a sender faster than everything is not read from past a mebibyte of open work', async () => {
  // Nothing is written before Ben answers: each put stays open.
  await start({ window: 500, capacity: 500, commitWindowMs: 600_000 })
  const reader = new Reader(bens)
  const sender = new Sender(anas)
  sender.burst(200, 65_536)
  await until(() => reader.got.length >= 16)
  const cyds = await connect(server, await register(server, '+12025550103'))
  for (let trip = 0; trip < 50; trip++) await cyds.status([freshBytes(32)])
  // 16 fit; the one that passes the limit; and what was in the same read of the socket.
  expect(reader.got.length).toBeLessThanOrEqual(20)
  expect(sender.answered).toBe(0)
  reader.answerAll()
  await until(() => sender.ended === 200)
  expect(sender.idsThat('delivered')).toEqual(sender.ids.toSorted())
})

/** Of a server that was told nothing else. */
const WINDOW = 64
const CAPACITY = 2

/** Counts what it is given, and answers it from when it is asked to. */
class Reader {
  /** Ids in hex, in the order in which they came. */
  readonly got: string[] = []
  mostUnanswered = 0
  readonly #socket: TestSocket
  readonly #unanswered: Uint8Array[] = []
  #answers = false

  constructor(socket: TestSocket) {
    this.#socket = socket
    for (const frame of socket.frames) this.#hear(frame)
    hear(socket, (frame) => this.#hear(frame))
  }

  answerAll(): void {
    this.#answers = true
    for (const id of this.#unanswered.splice(0)) {
      this.#socket.send({ type: 'ack', id, receipt: id })
    }
  }

  #hear(frame: ServerFrame): void {
    if (frame.type !== 'deliver') return
    const id = idOf(frame.envelope)
    this.got.push(toHex(id))
    this.#unanswered.push(id)
    this.mostUnanswered = Math.max(this.mostUnanswered, this.#unanswered.length)
    if (this.#answers) this.answerAll()
  }
}

/** Puts without waiting, and keeps the account of what became of each. */
class Sender {
  /** In hex, in the order in which they were put. */
  readonly ids: string[] = []
  /** Second answers to one put, second ends of one envelope, answers to nothing. */
  readonly contradictions: string[] = []
  readonly #socket: TestSocket
  readonly #idOfRef = new Map<number, string>()
  readonly #answered = new Set<number>()
  readonly #ends = new Map<string, string>()

  constructor(socket: TestSocket) {
    this.#socket = socket
    hear(socket, (frame) => this.#hear(frame))
  }

  get answered(): number {
    return this.#answered.size
  }

  get ended(): number {
    return this.#ends.size
  }

  burst(count: number, size?: number): void {
    for (let i = 0; i < count; i++) {
      const bytes = envelope(size)
      const id = toHex(idOf(bytes))
      this.ids.push(id)
      this.#idOfRef.set(this.#socket.putting(ben, bytes), id)
    }
  }

  count(end: PutOutcome['kind']): number {
    return this.idsThat(end).length
  }

  /** Sorted. */
  idsThat(end: PutOutcome['kind']): string[] {
    return this.ids.filter((id) => this.#ends.get(id) === end).toSorted()
  }

  #hear(frame: ServerFrame): void {
    if (frame.type === 'error') this.contradictions.push(`error ${frame.code}`)
    else if (frame.type === 'notice') this.#end(toHex(frame.id), frame.status.kind)
    else if (frame.type === 'put-result') {
      const id = this.#idOfRef.get(frame.ref)
      if (!id || this.#answered.has(frame.ref)) this.contradictions.push(`ref ${frame.ref}`)
      this.#answered.add(frame.ref)
      if (frame.outcome.kind !== 'stored') this.#end(id ?? '', frame.outcome.kind)
    }
  }

  #end(id: string, end: string): void {
    const earlier = this.#ends.get(id)
    if (earlier) this.contradictions.push(`${id}: ${earlier}, then ${end}`)
    this.#ends.set(id, end)
  }
}

function hear(socket: TestSocket, heard: (frame: ServerFrame) => void): void {
  socket.webSocket.on('message', () => heard(socket.frames.at(-1)!))
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { interval: 20, timeout: 25_000 }).toBe(true)
}
