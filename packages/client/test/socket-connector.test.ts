import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Bytes,
  CLOSE_CODE,
  type ClientFrame,
  decodeClientFrame,
  encodeServerFrame,
  loginSignedBytes,
  type ServerFrame,
} from '@couplet/wire'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import { ClientError } from '../src/errors.ts'
import type { Clock, Connection, ConnectionEvents, RequestSigner } from '../src/ports.ts'
import { createSocketConnector } from '../src/socket-connector.ts'

const keys = generateKeyPairSync('ed25519')
const signer: RequestSigner = {
  identityId: new Uint8Array(32).fill(7),
  sign: (message) => new Uint8Array(sign(null, message, keys.privateKey)),
}
const WELCOME: ServerFrame = { type: 'welcome', capacity: 2, window: 64, now: 1_000_500 }
const ENVELOPE: Bytes = new Uint8Array(1024).fill(5)

let http: Server
let sockets: WebSocketServer
let url: string
let clock: TestClock
let logins: boolean[]
/** What the server does with a connection, by itself and with each frame; set by each test. */
let onConnect: (peer: Peer) => void
let onFrame: (peer: Peer, frame: ClientFrame) => void

beforeEach(async () => {
  clock = new TestClock()
  logins = []
  onConnect = challenge
  onFrame = welcome
  http = createServer()
  sockets = new WebSocketServer({ server: http, path: '/v1/socket', perMessageDeflate: false })
  sockets.on('connection', (socket, request) => {
    const peer = new Peer(socket, request.headers.host ?? '')
    latestPeer = peer
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(true)
      onFrame(peer, decodeClientFrame(data))
    })
    onConnect(peer)
  })
  http.listen(0, 'localhost')
  await once(http, 'listening')
  url = `http://localhost:${(http.address() as AddressInfo).port}`
})

afterEach(() => {
  for (const socket of sockets.clients) socket.terminate()
  sockets.close()
  http.closeAllConnections()
  http.close()
})

describe('connecting', () => {
  test('proves the identity to the server that the URL names, and learns its clock', async () => {
    const { connection } = await open()
    expect(logins).toEqual([true])
    expect(connection).toMatchObject({ capacity: 2, clockOffset: 500 })
    await connection.close()
  })

  test('names the server as its Host header does, however the URL is written', async () => {
    url = `${url.replace('localhost', 'LOCALHOST')}/`
    await open()
    expect(logins).toEqual([true])
  })

  test('fails where nobody listens', async () => {
    http.close()
    sockets.close()
    await once(http, 'close')
    const error = await failed(open(), 'unreachable')
    expect(error.message).toBe(`the server at ${url} does not answer`)
  })

  test('fails where no Couplet server is', async () => {
    const web = createServer((_, response) => response.writeHead(200).end('<html>'))
    web.listen(0, 'localhost')
    await once(web, 'listening')
    url = `http://localhost:${(web.address() as AddressInfo).port}`
    await failed(open(), 'unreachable')
    web.closeAllConnections()
    web.close()
  })

  test.each<[string, (peer: Peer) => void]>([
    [
      'with an error',
      (peer) => peer.send({ type: 'error', ref: 0, code: 'unauthenticated', retryAfter: 0 }),
    ],
    ['with a close code', (peer) => peer.socket.close(CLOSE_CODE.unauthenticated)],
  ])('fails when the identity is refused %s', async (_, refuse) => {
    onFrame = refuse
    const events = new Events()
    await failed(open(events), 'unauthenticated')
    expect(events.log).toEqual([])
  })

  test('fails with the reason and the time that the server gives', async () => {
    onConnect = (peer) => peer.send({ type: 'error', ref: 0, code: 'rate-limited', retryAfter: 9 })
    const error = await failed(open(), 'rate-limited')
    expect(error.details).toEqual({ retryAfter: 9 })
  })

  test.each<[string, (peer: Peer) => void]>([
    ['welcomes at once', (peer) => peer.send(WELCOME)],
    ['delivers before the login', (peer) => peer.send(delivery())],
    ['asks twice', (peer) => [challenge(peer), challenge(peer)]],
    ['sends text', (peer) => peer.socket.send('hello')],
    ['sends nonsense', (peer) => peer.socket.send(Buffer.of(1, 2, 3))],
  ])('fails when the server %s', async (_, misbehave) => {
    onConnect = misbehave
    onFrame = () => undefined
    await failed(open(), 'unexpected-answer')
  })

  test.each<[string, () => void]>([
    ['after the connection', () => (onConnect = () => undefined)],
    ['after the login', () => (onFrame = () => undefined)],
  ])('fails when nothing comes %s', async (_, prepare) => {
    prepare()
    const opening = failed(open(), 'timed-out')
    await until(() => sockets.clients.size === 1)
    clock.tick(14_999)
    await delay(20)
    clock.tick(1)
    await opening
    await until(() => sockets.clients.size === 0)
    expect(clock.pending).toBe(0)
  })

  test('fails when the server accepts and then says nothing at all', async () => {
    const silent = createTcpServer(() => undefined)
    silent.listen(0, 'localhost')
    await once(silent, 'listening')
    url = `http://localhost:${(silent.address() as AddressInfo).port}`
    const opening = failed(open(), 'timed-out')
    clock.tick(15_000)
    await opening
    silent.close()
  })
})

describe('a connection', () => {
  test('asks, and gives each answer to whom it belongs', async () => {
    const { connection } = await open()
    const waiting: ClientFrame[] = []
    onFrame = (_, frame) => waiting.push(frame)
    const recipient = new Uint8Array(32).fill(1)
    const receipt = new Uint8Array(32).fill(9)
    const ids = [new Uint8Array(32).fill(2), new Uint8Array(32).fill(3)]
    const answers = Promise.all([
      connection.put(recipient, ENVELOPE, 'evict'),
      connection.status(ids),
      connection.put(recipient, ENVELOPE, 'if-room'),
    ])
    await until(() => waiting.length === 3)
    const [first, question, second] = waiting as Exclude<
      ClientFrame,
      { type: 'login' | 'ack' | 'nack' }
    >[]
    expect(first).toMatchObject({ type: 'put', mode: 'evict', recipient: Buffer.from(recipient) })
    expect(question).toMatchObject({ type: 'status', ids: ids.map((id) => Buffer.from(id)) })
    expect(second).toMatchObject({ mode: 'if-room', envelope: Buffer.from(ENVELOPE) })
    // In another order than they were asked.
    const peer = latest()
    peer.send({ type: 'put-result', ref: second!.ref, outcome: { kind: 'full' } })
    peer.send({
      type: 'status-result',
      ref: question!.ref,
      statuses: [
        { kind: 'delivered', receipt },
        { kind: 'refused', reason: 'late' },
      ],
    })
    peer.send({ type: 'put-result', ref: first!.ref, outcome: { kind: 'stored' } })
    expect(await answers).toEqual([
      { kind: 'stored' },
      [
        { kind: 'delivered', receipt },
        { kind: 'refused', reason: 'late' },
      ],
      { kind: 'full' },
    ])
  })

  test('passes on that a question was refused, and goes on', async () => {
    const { connection } = await open()
    onFrame = (peer, frame) => {
      const { ref } = frame as { ref: number }
      if (frame.type === 'status') peer.send({ type: 'status-result', ref, statuses: [] })
      else peer.send({ type: 'error', ref, code: 'unknown-recipient', retryAfter: 0 })
    }
    const put = connection.put(signer.identityId, ENVELOPE, 'evict')
    expect((await failed(put, 'unknown-recipient')).details).toEqual({})
    expect(await connection.status([])).toEqual([])
  })

  test('resolves acknowledgements when they are applied, several for one id', async () => {
    const { connection } = await open()
    const frames: ClientFrame[] = []
    onFrame = (_, frame) => frames.push(frame)
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const receipt = new Uint8Array(32).fill(3)
    const applied: string[] = []
    const all = Promise.all([
      connection.ack(a, receipt).then(() => applied.push('a')),
      connection.ack(b, undefined).then(() => applied.push('b')),
      connection.nack(a, 'late').then(() => applied.push('a again')),
    ])
    await until(() => frames.length === 3)
    expect(frames).toEqual([
      { type: 'ack', id: Buffer.from(a), receipt: Buffer.from(receipt) },
      { type: 'ack', id: Buffer.from(b), receipt: undefined },
      { type: 'nack', id: Buffer.from(a), reason: 'late' },
    ])
    latest().send({ type: 'acked', id: a })
    await until(() => applied.length === 2)
    expect(applied).toEqual(['a', 'a again'])
    latest().send({ type: 'acked', id: b })
    await all
    // One more, for the second frame about `a`, is nothing unusual.
    latest().send({ type: 'acked', id: a })
    onFrame = (peer, frame) =>
      peer.send({ type: 'status-result', ref: (frame as { ref: number }).ref, statuses: [] })
    await connection.status([])
  })

  test('tells what happens, with bytes of its own', async () => {
    const { connection, events } = await open()
    const id = new Uint8Array(32).fill(4)
    latest().send(delivery())
    latest().send({ type: 'caught-up' })
    latest().send({ type: 'notice', id, status: { kind: 'evicted' } })
    latest().send({ type: 'room', recipient: id })
    await until(() => events.log.length === 4)
    expect(events.log).toEqual([
      ['deliver', { sender: signer.identityId, storedAt: 77, envelope: ENVELOPE }],
      ['caughtUp'],
      ['notice', id, { kind: 'evicted' }],
      ['room', id],
    ])
    const { envelope } = events.log[0]![1] as { envelope: Bytes }
    expect(envelope.buffer.byteLength).toBe(1024)
    await connection.close()
  })

  test('begins to tell only when the caller has the connection', async () => {
    const frames = [WELCOME, delivery(), { type: 'caught-up' } as const]
    onFrame = (peer) => {
      // In one segment, so that they arrive together.
      peer.socket.send(encodeServerFrame(frames[0]!))
      for (const frame of frames.slice(1)) peer.socket.send(encodeServerFrame(frame))
    }
    let connection: Connection | undefined
    const known: boolean[] = []
    const events = new Events(() => known.push(connection !== undefined))
    connection = (await open(events)).connection
    await until(() => events.log.length === 2)
    expect(events.kinds).toEqual(['deliver', 'caughtUp'])
    expect(known).toEqual([true, true])
  })

  test('tells what came together with the end, before the end', async () => {
    onFrame = (peer) => {
      for (const frame of [WELCOME, delivery()]) peer.socket.send(encodeServerFrame(frame))
      peer.socket.close(CLOSE_CODE.stopping)
    }
    const { events } = await open()
    await events.ended
    expect(events.kinds).toEqual(['deliver', 'closed'])
  })

  test('may be used from any handler', async () => {
    let connection: Connection | undefined
    const answers: unknown[] = []
    const events = new Events((kind) => {
      if (kind === 'deliver') void connection!.close().then(() => answers.push('closed'))
    })
    connection = (await open(events)).connection
    latest().send(delivery())
    latest().send(delivery())
    await events.ended
    expect(events.kinds).toEqual(['deliver', 'closed'])
    await until(() => answers.length === 1)
  })
})

describe('the end of a connection', () => {
  test.each<[number, string]>([
    [CLOSE_CODE.replaced, 'replaced'],
    [CLOSE_CODE.unauthenticated, 'unauthenticated'],
    [CLOSE_CODE.malformed, 'lost'],
    [CLOSE_CODE.timeout, 'lost'],
    [CLOSE_CODE.stopping, 'lost'],
    [CLOSE_CODE.tooSlow, 'lost'],
    [1000, 'lost'],
    [1011, 'lost'],
  ])('with code %d is %s', async (code, kind) => {
    const { events } = await open()
    latest().socket.close(code)
    expect(await events.ended).toEqual({ kind })
  })

  test('rejects everything that is open, first, and whatever is asked later', async () => {
    const { connection, events } = await open()
    onFrame = () => undefined
    const id = new Uint8Array(32)
    const ask = () => [
      connection.put(id, ENVELOPE, 'evict'),
      connection.status([id]),
      connection.ack(id, undefined),
      connection.nack(id, 'late'),
      connection.ack(id, id),
    ]
    const order: string[] = []
    const open1 = ask().map((work) =>
      failed(work, 'unreachable').then(() => order.push('rejected')),
    )
    latest().socket.terminate()
    expect(await events.ended).toEqual({ kind: 'lost' })
    await Promise.all(open1)
    for (const work of ask()) {
      expect((await failed(work, 'unreachable')).message).toContain(url)
    }
    await connection.close()
    expect(events.kinds).toEqual(['closed'])
    expect(clock.pending).toBe(0)
  })

  test('by us is a normal close, once, and nothing is told after it', async () => {
    const { connection, events } = await open()
    const closed = once(latest().socket, 'close')
    const open1 = failed(connection.status([]), 'unreachable')
    const closing = Promise.all([connection.close(), connection.close()])
    latest().send(delivery())
    await closing
    await open1
    expect(await events.ended).toEqual({ kind: 'closed-by-us' })
    expect(events.kinds).toEqual(['closed'])
    expect((await closed)[0]).toBe(1000)
    await connection.close()
    expect(events.kinds).toEqual(['closed'])
  })

  test('by us does not wait for ever', async () => {
    const { connection, events } = await open()
    latest().socket.pause()
    const closing = connection.close()
    await delay(20)
    expect(events.kinds).toEqual([])
    clock.tick(2000)
    await closing
    expect(await events.ended).toEqual({ kind: 'closed-by-us' })
  })

  test.each<[string, (peer: Peer) => void]>([
    ['nonsense', (peer) => peer.socket.send(Buffer.of(0x99))],
    ['text', (peer) => peer.socket.send('hello')],
    ['an empty frame', (peer) => peer.socket.send(Buffer.of())],
    ['a second welcome', (peer) => peer.send(WELCOME)],
    [
      'an answer to nothing',
      (peer) => peer.send({ type: 'put-result', ref: 9, outcome: { kind: 'stored' } }),
    ],
    [
      'an error about nothing',
      (peer) => peer.send({ type: 'error', ref: 9, code: 'internal', retryAfter: 0 }),
    ],
    [
      'an answer of another kind',
      (peer) => peer.send({ type: 'put-result', ref: 1, outcome: { kind: 'stored' } }),
    ],
    ['too few statuses', (peer) => peer.send({ type: 'status-result', ref: 1, statuses: [] })],
  ])('comes when the server sends %s', async (_, misbehave) => {
    const { connection, events } = await open()
    const closed = once(latest().socket, 'close')
    onFrame = (peer) => misbehave(peer)
    await failed(connection.status([new Uint8Array(32)]), 'unreachable')
    expect(await events.ended).toEqual({ kind: 'lost' })
    expect((await closed)[0]).toBe(CLOSE_CODE.malformed)
  })

  test('whatever frames come, nothing is left open and nothing is thrown', async () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .tuple(
          fc.constantFrom(0x85, 0x86, 0x87, 0x88, 0x89, 0x8f),
          fc.uint8Array({ maxLength: 40 }),
        )
        .map(([type, rest]) => Uint8Array.of(type, 0, 0, 0, ...rest)),
      fc.constantFrom<ServerFrame>(delivery(), { type: 'caught-up' }).map(encodeServerFrame),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 6 }), async (frames) => {
        onFrame = welcome
        const { connection, events } = await open()
        onFrame = () => undefined
        const questions = Promise.allSettled([
          connection.status([]),
          connection.put(signer.identityId, ENVELOPE, 'evict'),
          connection.ack(signer.identityId, undefined),
        ])
        for (const bytes of frames) latest().socket.send(bytes)
        latest().socket.close(1000)
        const reason = await events.ended
        for (const result of await questions) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ClientError)
        }
        expect(reason).toEqual({ kind: 'lost' })
        expect(events.kinds.filter((kind) => kind === 'closed')).toHaveLength(1)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 150 },
    )
  })
})

describe('a silent connection', () => {
  let asked: number
  beforeEach(() => {
    asked = 0
  })

  const answering: typeof onFrame = (peer, frame) => {
    if (frame.type !== 'status') return
    expect(frame.ids).toEqual([])
    asked++
    peer.send({ type: 'status-result', ref: frame.ref, statuses: [] })
  }

  test('is asked after 45 seconds whether it lives, again and again', async () => {
    const { events } = await open()
    onFrame = answering
    clock.tick(44_999)
    await delay(20)
    expect(asked).toBe(0)
    clock.tick(1)
    for (let i = 1; i <= 3; i++) {
      await until(() => asked === i)
      // Let the answer arrive; then its deadline passes, and the rest of the next 45 seconds.
      await delay(20)
      clock.tick(20_000)
      clock.tick(25_000)
    }
    expect(events.kinds).toEqual([])
  })

  test('is not asked while frames come', async () => {
    const { events } = await open()
    onFrame = answering
    for (let i = 1; i <= 6; i++) {
      clock.tick(30_000)
      latest().send({ type: 'caught-up' })
      await until(() => events.log.length === i)
    }
    expect(asked).toBe(0)
  })

  test('is lost when no answer comes in 20 seconds', async () => {
    const { connection, events } = await open()
    onFrame = () => {
      asked++
    }
    const closed = once(latest().socket, 'close')
    clock.tick(45_000)
    await until(() => asked === 1)
    const put = failed(connection.put(signer.identityId, ENVELOPE, 'evict'), 'unreachable')
    clock.tick(19_999)
    await delay(20)
    expect(events.kinds).toEqual([])
    clock.tick(1)
    expect(await events.ended).toEqual({ kind: 'lost' })
    await put
    expect((await closed)[0]).toBe(CLOSE_CODE.timeout)
    expect(clock.pending).toBe(0)
  })

  test('lives when anything else comes instead of the answer', async () => {
    const { events } = await open()
    onFrame = (peer) => peer.send({ type: 'caught-up' })
    clock.tick(45_000)
    await until(() => events.log.length === 1)
    clock.tick(20_000)
    expect(events.kinds).toEqual(['caughtUp'])
  })
})

/** One connection as the server sees it. */
class Peer {
  readonly socket: ServerSocket
  readonly host: string
  readonly challenge: Bytes = new Uint8Array(randomBytes(32))

  constructor(socket: ServerSocket, host: string) {
    this.socket = socket
    this.host = host
  }

  send(frame: ServerFrame): void {
    this.socket.send(encodeServerFrame(frame))
  }
}

let latestPeer: Peer | undefined

function latest(): Peer {
  return latestPeer!
}

function challenge(peer: Peer): void {
  peer.send({ type: 'challenge', challenge: peer.challenge })
}

/** Checks a login like a server, and lets everybody in. */
function welcome(peer: Peer, frame: ClientFrame): void {
  if (frame.type !== 'login') return
  const message = loginSignedBytes({
    serverName: peer.host,
    challenge: peer.challenge,
    identityId: frame.identityId,
  })
  logins.push(verify(null, message, keys.publicKey, frame.signature))
  peer.send(WELCOME)
}

function delivery(): ServerFrame {
  return { type: 'deliver', sender: signer.identityId, storedAt: 77, envelope: ENVELOPE }
}

async function open(events: Events = new Events()) {
  const connector = createSocketConnector({ url, clock })
  return { connection: await connector.connect(signer, events), events }
}

class Events implements ConnectionEvents {
  readonly log: unknown[][] = []
  readonly ended: Promise<unknown>
  #end: (reason: unknown) => void = () => undefined
  readonly #onEvent: (kind: string) => void

  constructor(onEvent: (kind: string) => void = () => undefined) {
    this.#onEvent = onEvent
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  get kinds(): unknown[] {
    return this.log.map(([kind]) => kind)
  }

  deliver(...rest: unknown[]): void {
    this.#note('deliver', rest)
  }

  caughtUp(): void {
    this.#note('caughtUp', [])
  }

  notice(...rest: unknown[]): void {
    this.#note('notice', rest)
  }

  room(...rest: unknown[]): void {
    this.#note('room', rest)
  }

  closed(reason: unknown): void {
    this.#note('closed', [reason])
    this.#end(reason)
  }

  #note(kind: string, rest: unknown[]): void {
    this.log.push([kind, ...rest])
    this.#onEvent(kind)
  }
}

/** A clock that moves when it is told to. */
class TestClock implements Clock {
  #now = 1_000_000
  readonly #tasks = new Map<object, { readonly at: number; readonly task: () => void }>()

  now(): number {
    return this.#now
  }

  schedule(delayMs: number, task: () => void): () => void {
    const key = {}
    this.#tasks.set(key, { at: this.#now + delayMs, task })
    return () => this.#tasks.delete(key)
  }

  get pending(): number {
    return this.#tasks.size
  }

  tick(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#tasks].filter(([, { at }]) => at <= end)
      const [next] = due.sort(([, a], [, b]) => a.at - b.at)
      if (!next) break
      this.#tasks.delete(next[0])
      this.#now = next[1].at
      next[1].task()
    }
    this.#now = end
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(1)
}

async function failed(work: Promise<unknown>, code: string): Promise<ClientError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ClientError)
  expect((error as ClientError).code).toBe(code)
  return error as ClientError
}
