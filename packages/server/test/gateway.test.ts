/** The socket: login, live delivery, flow control, and what is refused. (spec/socket.md, delivery.md) */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLOSE_CODE, loginSignedBytes, MAX_FRAME_BYTES } from '@couplet/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { DEFAULT_LIMITS, NO_LIMITS } from '../src/index.ts'
import {
  connect,
  dataFolder,
  envelope,
  freshBytes,
  idOf,
  logIn,
  makeIdentity,
  register,
  startServer,
  type TestIdentity,
  type TestServer,
  TestSocket,
} from './support.ts'

let server: TestServer
let ana: TestIdentity
let ben: TestIdentity
let cyd: TestIdentity

beforeEach(() => start({}))

afterEach(() => server.close())

async function start(options: Parameters<typeof startServer>[0]): Promise<void> {
  server = await startServer({ limits: NO_LIMITS, ...options })
  ana = await register(server, '+12025550101')
  ben = await register(server, '+12025550102')
  cyd = await register(server, '+12025550103')
}

async function restart(options: Parameters<typeof startServer>[0]): Promise<void> {
  await server.close()
  await start(options)
}

/** Logged in, and past what was waiting. */
async function online(identity: TestIdentity): Promise<TestSocket> {
  const socket = await connect(server, identity)
  await socket.take('caught-up')
  return socket
}

const deliveries = (socket: TestSocket) => socket.frames.filter(({ type }) => type === 'deliver')

describe('login', () => {
  it("welcomes with capacity, window and the server's time", async () => {
    const socket = new TestSocket(server)
    await logIn(server, socket, ana)
    const welcome = await socket.take('welcome')
    expect(welcome).toMatchObject({ capacity: 2, window: 64 })
    expect(Math.abs(welcome.now - Date.now())).toBeLessThan(5000)
  })

  it.each([
    'a wrong signature',
    'a signature for another server',
    'an unknown identity',
    'an old challenge',
  ])('refuses %s', async (what) => {
    const socket = new TestSocket(server)
    const { challenge } = await socket.take('challenge')
    const who = what === 'an unknown identity' ? makeIdentity('+12025550109') : ana
    const signed = loginSignedBytes({
      serverName: what === 'a signature for another server' ? 'evil.example' : server.name,
      challenge: what === 'an old challenge' ? freshBytes(32) : challenge,
      identityId: who.identityId,
    })
    const signature = Uint8Array.from(who.sign(signed))
    if (what === 'a wrong signature') signature[10]! ^= 1
    socket.send({ type: 'login', identityId: who.identityId, signature })
    expect(await socket.take('error')).toMatchObject({ ref: 0, code: 'unauthenticated' })
    expect(await socket.closed).toBe(CLOSE_CODE.unauthenticated)
  })

  it('gives every connection another challenge', async () => {
    const sockets = [new TestSocket(server), new TestSocket(server)]
    const [one, two] = await Promise.all(sockets.map((socket) => socket.take('challenge')))
    expect(one!.challenge).not.toEqual(two!.challenge)
    for (const socket of sockets) socket.cut()
  })

  it('takes nothing before it', async () => {
    const socket = new TestSocket(server)
    await socket.take('challenge')
    socket.putting(ben, envelope())
    expect((await socket.take('error')).code).toBe('unauthenticated')
    expect(await socket.closed).toBe(CLOSE_CODE.unauthenticated)
  })

  it('must come in time', async () => {
    await restart({ timing: { loginMs: 100 } })
    const socket = new TestSocket(server)
    expect(await socket.closed).toBe(CLOSE_CODE.timeout)
    expect(socket.frames.map(({ type }) => type)).not.toContain('error')
  })

  it('of the same user again replaces the older connection, which is told', async () => {
    const older = await online(ana)
    const newer = await online(ana)
    expect(await older.closed).toBe(CLOSE_CODE.replaced)
    const bens = await online(ben)
    bens.putting(ana, envelope())
    await newer.take('deliver')
  })

  it('needs the path and the subprotocol', async () => {
    for (const [path, protocols] of [
      ['/v1/other', ['couplet.v1']],
      ['/v1/socket', ['couplet.v0']],
      ['/v1/socket', []],
    ] as const) {
      const socket = new WebSocket(server.url.replace('http', 'ws') + path, [...protocols])
      const status = await new Promise((resolve) => {
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
        socket.on('error', () => {})
      })
      expect([path, status]).toEqual([path, path === '/v1/other' ? 404 : 400])
      socket.terminate()
    }
  })
})

describe('delivery', () => {
  it('what waits comes oldest first, then caught-up, then what is live', async () => {
    const anas = await online(ana)
    const [first, second, third] = [envelope(), envelope(2048), envelope(65_536)]
    await anas.put(ben, first)
    await anas.put(ben, second)
    const bens = await connect(server, ben)
    await bens.take('caught-up')
    expect(deliveries(bens)).toMatchObject([{ envelope: first }, { envelope: second }])
    anas.putting(ben, third)
    await bens.take('deliver', (frame) => frame.envelope.length === 65_536)
  })

  it('a third message evicts the oldest, and its sender hears it at once', async () => {
    const [anas, cyds] = [await online(ana), await online(cyd)]
    const oldest = envelope()
    await anas.put(ben, oldest)
    await anas.put(ben, envelope())
    expect(await cyds.put(ben, envelope())).toEqual({ kind: 'stored' })
    const notice = await anas.take('notice')
    expect(notice).toEqual({ type: 'notice', id: idOf(oldest), status: { kind: 'evicted' } })
  })

  it('a sender who was away learns of an eviction by asking', async () => {
    const anas = await online(ana)
    const oldest = envelope()
    await anas.put(ben, oldest)
    await anas.close()
    const cyds = await online(cyd)
    await cyds.put(ben, envelope())
    await cyds.put(ben, envelope())
    const again = await online(ana)
    expect(await again.status([idOf(oldest)])).toEqual([{ kind: 'evicted' }])
  })

  it('an unanswered live message is stored within the commit window, and stays', async () => {
    const [anas, bens] = [await online(ana), await online(ben)]
    const message = envelope()
    expect(await anas.put(ben, message)).toEqual({ kind: 'stored' })
    await bens.take('deliver')
    bens.cut()
    const again = await connect(server, ben)
    expect((await again.take('deliver')).envelope).toEqual(message)
  })

  it('an answer without a receipt is settled; a nack gives its reason', async () => {
    const [anas, bens] = [await online(ana), await online(ben)]
    const [settled, refused] = [envelope(), envelope()]
    const refs = [anas.putting(ben, settled), anas.putting(ben, refused)]
    await bens.take('deliver')
    await bens.take('deliver')
    bens.send({ type: 'ack', id: idOf(settled) })
    bens.send({ type: 'nack', id: idOf(refused), reason: 'retired-prekey' })
    expect(await anas.outcome(refs[0]!)).toEqual({ kind: 'settled' })
    expect(await anas.outcome(refs[1]!)).toEqual({ kind: 'refused', reason: 'retired-prekey' })
    expect(await anas.status([idOf(settled), idOf(refused)])).toEqual([
      { kind: 'settled' },
      { kind: 'refused', reason: 'retired-prekey' },
    ])
  })

  it('a repeated put gets the answer of the first, whatever it was', async () => {
    const [anas, bens] = [await online(ana), await online(ben)]
    const [live, waiting] = [envelope(), envelope()]
    const receipt = freshBytes(32)
    const ref = anas.putting(ben, live)
    await bens.take('deliver')
    await bens.ack(idOf(live), receipt)
    const delivered = { kind: 'delivered', receipt }
    expect(await anas.outcome(ref)).toEqual(delivered)
    expect(await anas.put(ben, live, 'if-room')).toEqual(delivered)
    expect(deliveries(bens)).toEqual([])

    expect(await anas.put(ben, waiting)).toEqual({ kind: 'stored' })
    expect(await anas.put(ben, waiting)).toEqual({ kind: 'duplicate' })
    await bens.take('deliver')
    await sleep(50)
    expect(deliveries(bens)).toEqual([])
  })

  it('a receipt that is released later upgrades a settled message', async () => {
    const [anas, bens] = [await online(ana), await online(ben)]
    const message = envelope()
    const ref = anas.putting(ben, message)
    await bens.take('deliver')
    await bens.ack(idOf(message))
    expect(await anas.outcome(ref)).toEqual({ kind: 'settled' })
    const receipt = freshBytes(32)
    await bens.ack(idOf(message), receipt)
    expect((await anas.take('notice')).status).toEqual({ kind: 'delivered', receipt })
  })

  it('to oneself', async () => {
    const anas = await online(ana)
    const note = envelope()
    const ref = anas.putting(ana, note)
    await anas.take('deliver')
    await anas.ack(idOf(note), freshBytes(32))
    expect((await anas.outcome(ref)).kind).toBe('delivered')
  })

  it('to nobody is an error with the ref of the put, and harms nothing else', async () => {
    const anas = await online(ana)
    const ref = anas.putting(makeIdentity('+12025550109'), envelope())
    expect(await anas.take('error')).toMatchObject({ ref, code: 'unknown-recipient' })
    expect(await anas.put(ben, envelope())).toEqual({ kind: 'stored' })
  })
})

it('puts reach a mailbox in their order, from the first one to a stranger on', async () => {
  const folder = dataFolder()
  await restart({ data: folder })
  const anas = await online(ana)
  const all = Array.from({ length: 400 }, () => envelope())
  const refs = all.map((one) => anas.putting(ben, one))
  for (const ref of refs) await anas.outcome(ref)
  const bens = await online(ben)
  expect(deliveries(bens)).toMatchObject([{ envelope: all[398] }, { envelope: all[399] }])
  await server.close()
  rmSync(folder, { recursive: true })
})

describe('privacy', () => {
  it('status knows only what the asker itself sent', async () => {
    const [anas, bens, cyds] = [await online(ana), await online(ben), await online(cyd)]
    const [waiting, live] = [envelope(), envelope()]
    await bens.close()
    await anas.put(ben, waiting)
    const again = await connect(server, ben)
    await again.take('caught-up')
    const ref = anas.putting(ben, live)
    await again.take('deliver', (frame) => Buffer.compare(frame.envelope, live) === 0)
    await again.ack(idOf(live), freshBytes(32))
    await anas.outcome(ref)
    const ids = [idOf(waiting), idOf(live)]
    const unknown = [{ kind: 'unknown' }, { kind: 'unknown' }]
    expect(await cyds.status(ids)).toEqual(unknown)
    expect(await again.status(ids)).toEqual(unknown)
  })

  it('an acknowledgement reaches only the mailbox of who sends it', async () => {
    const [anas, cyds] = [await online(ana), await online(cyd)]
    const message = envelope()
    await anas.put(ben, message)
    await cyds.ack(idOf(message), freshBytes(32))
    await anas.ack(idOf(message), freshBytes(32))
    expect(await anas.status([idOf(message)])).toEqual([{ kind: 'waiting' }])
    expect(await anas.comes('notice')).toBe(false)
  })

  it('nobody can answer for an envelope that is held for another', async () => {
    await restart({ commitWindowMs: 500 })
    const [anas, bens, cyds] = [await online(ana), await online(ben), await online(cyd)]
    const message = envelope()
    const ref = anas.putting(ben, message)
    await bens.take('deliver')
    await cyds.ack(idOf(message), freshBytes(32))
    expect(await anas.outcome(ref)).toEqual({ kind: 'stored' })
  })
})

describe('eviction while under way', () => {
  it('is not announced when the answer comes: the sender hears delivered', async () => {
    const [anas, cyds, bens] = [await online(ana), await online(cyd), await online(ben)]
    const message = envelope()
    await anas.put(ben, message)
    await cyds.put(ben, envelope())
    await cyds.put(ben, envelope())
    await sleep(50)
    expect(anas.frames.some(({ type }) => type === 'notice')).toBe(false)
    const receipt = freshBytes(32)
    await bens.ack(idOf(message), receipt)
    expect((await anas.take('notice')).status).toEqual({ kind: 'delivered', receipt })
    expect(await anas.status([idOf(message)])).toEqual([{ kind: 'delivered', receipt }])
  })

  it('is announced when the connection ends without it', async () => {
    const [anas, cyds, bens] = [await online(ana), await online(cyd), await online(ben)]
    await anas.put(ben, envelope())
    await cyds.put(ben, envelope())
    await cyds.put(ben, envelope())
    expect(await anas.comes('notice')).toBe(false)
    bens.cut()
    expect((await anas.take('notice')).status).toEqual({ kind: 'evicted' })
  })
})

describe('the window', () => {
  it('nothing is pushed past it, and acknowledgements open it', async () => {
    await restart({ window: 3, capacity: 10 })
    const [anas, bens] = [await online(ana), await online(ben)]
    const all = Array.from({ length: 8 }, () => envelope())
    for (const one of all) await anas.put(ben, one)
    await sleep(100)
    expect(deliveries(bens)).toHaveLength(3)

    const got: Uint8Array[] = []
    for (let count = 0; count < 8; count++) {
      const { envelope: one } = await bens.take('deliver')
      got.push(one)
      await bens.ack(idOf(one), freshBytes(32))
    }
    expect(got).toEqual(all)
  })

  it('what waited at login comes through it, too, and caught-up only after all of it', async () => {
    await restart({ window: 2, capacity: 5 })
    const anas = await online(ana)
    const all = Array.from({ length: 5 }, () => envelope())
    for (const one of all) await anas.put(ben, one)
    const bens = await connect(server, ben)
    for (const [index, one] of all.entries()) {
      const delivered = await bens.take('deliver')
      expect(delivered.envelope).toEqual(one)
      const caughtUp = bens.frames.some(({ type }) => type === 'caught-up')
      if (index < all.length - 2) expect(caughtUp).toBe(false)
      await bens.ack(idOf(one))
    }
    await bens.take('caught-up')
    expect(deliveries(bens)).toEqual([])
  })

  it('a flood past it keeps nothing in memory but the mailbox: the newest arrive', async () => {
    await restart({ window: 4 })
    const [anas, bens] = [await online(ana), await online(ben)]
    const all = Array.from({ length: 200 }, () => envelope())
    const refs = all.map((one) => anas.putting(ben, one))
    for (const ref of refs) await anas.outcome(ref)
    expect(deliveries(bens)).toHaveLength(4)
    for (let count = 0; count < 6; count++) {
      await bens.ack(idOf((await bens.take('deliver')).envelope))
    }
    await sleep(50)
    expect(deliveries(bens)).toEqual([])
    const { length } = (await anas.status(all.map(idOf).slice(0, 200))).filter(
      ({ kind }) => kind === 'settled',
    )
    expect(length).toBe(6)
  })
})

describe('a resend to a full mailbox', () => {
  it('is full when the owner is away, and room is told when there is some', async () => {
    const [anas, cyds] = [await online(ana), await online(cyd)]
    await cyds.put(ben, envelope())
    await cyds.put(ben, envelope())
    expect(await anas.put(ben, envelope(), 'if-room')).toEqual({ kind: 'full' })
    expect(await anas.comes('room')).toBe(false)
    const bens = await connect(server, ben)
    await bens.ack(idOf((await bens.take('deliver')).envelope))
    expect((await anas.take('room')).recipient).toEqual(ben.identityId)
    expect(await anas.put(ben, envelope(), 'if-room')).not.toEqual({ kind: 'full' })
  })

  it('is passed through when the owner is connected, and answered by the owner', async () => {
    const [anas, cyds, bens] = [await online(ana), await online(cyd), await online(ben)]
    await cyds.put(ben, envelope())
    await cyds.put(ben, envelope())
    const resend = envelope()
    const ref = anas.putting(ben, resend, 'if-room')
    await bens.take('deliver', (frame) => Buffer.compare(frame.envelope, resend) === 0)
    expect(await anas.comes('put-result')).toBe(false)
    const receipt = freshBytes(32)
    await bens.ack(idOf(resend), receipt)
    expect(await anas.outcome(ref)).toEqual({ kind: 'delivered', receipt })
    expect(await anas.put(ben, resend, 'if-room')).toEqual({ kind: 'delivered', receipt })
    expect(await cyds.comes('notice')).toBe(false)
  })

  it('is full when that connection ends without an answer', async () => {
    const [anas, cyds, bens] = [await online(ana), await online(cyd), await online(ben)]
    await cyds.put(ben, envelope())
    await cyds.put(ben, envelope())
    const resend = envelope()
    const ref = anas.putting(ben, resend, 'if-room')
    await bens.take('deliver', (frame) => Buffer.compare(frame.envelope, resend) === 0)
    await sleep(100)
    bens.cut()
    expect(await anas.outcome(ref)).toEqual({ kind: 'full' })
    const again = await connect(server, ben)
    await again.take('caught-up')
    expect(deliveries(again)).toHaveLength(2)
  })

  it('gets through beside a flood of fresh messages when both ends are connected', async () => {
    const [anas, cyds, bens] = [await online(ana), await online(cyd), await online(ben)]
    const over = new AbortController()
    const flood = (async () => {
      while (!over.signal.aborted) {
        for (let count = 0; count < 40; count++) cyds.putting(ben, envelope())
        await sleep(1)
      }
    })()
    const reading = (async () => {
      while (!over.signal.aborted) {
        const { envelope: one } = await bens.take('deliver')
        bens.send({ type: 'ack', id: idOf(one), receipt: freshBytes(32) })
      }
    })()
    const resend = envelope()
    let outcome = await anas.put(ben, resend, 'if-room')
    for (let tries = 0; outcome.kind === 'full' && tries < 20; tries++) {
      outcome = await anas.put(ben, resend, 'if-room')
    }
    over.abort()
    await Promise.allSettled([flood, reading])
    expect(['delivered', 'stored']).toContain(outcome.kind)
  })
})

describe('what is refused', () => {
  it.each([
    ['an unknown type', Uint8Array.of(0x7f)],
    ['nothing', new Uint8Array(0)],
    ['a frame that is too short', Uint8Array.of(0x03, 1, 2)],
    ['an envelope of another size', new Uint8Array(38 + 1000).fill(0x02, 0, 1)],
    ['a second login', new Uint8Array(97).fill(0x01, 0, 1)],
    ['a frame of the server', Uint8Array.of(0x84)],
    ['ref 0, which is for the connection', Uint8Array.of(0x05, 0, 0, 0, 0, 0, 0)],
  ])('%s: malformed, and the connection ends', async (_what, bytes) => {
    const anas = await online(ana)
    anas.webSocket.send(bytes)
    expect(await anas.take('error')).toMatchObject({ ref: 0, code: 'malformed' })
    expect(await anas.closed).toBe(CLOSE_CODE.malformed)
  })

  it('text', async () => {
    const anas = await online(ana)
    anas.webSocket.send('hello')
    expect(await anas.take('error')).toMatchObject({ code: 'malformed' })
    expect(await anas.closed).toBe(CLOSE_CODE.malformed)
  })

  it('a frame over the limit: too-large', async () => {
    const anas = await online(ana)
    anas.webSocket.send(new Uint8Array(MAX_FRAME_BYTES + 1).fill(0x02, 0, 1))
    expect(await anas.take('error')).toMatchObject({ ref: 0, code: 'too-large' })
    expect(await anas.closed).toBe(1009)
  })

  it('a frame far over the limit: not even read', async () => {
    const anas = await online(ana)
    anas.webSocket.send(new Uint8Array(4 * 1024 * 1024))
    expect([1006, 1009]).toContain(await anas.closed)
  })
})

describe('peers that are not well', () => {
  it('a peer that answers no ping is cut', async () => {
    await restart({ timing: { pingMs: 200 } })
    const anas = await online(ana)
    const bens = new TestSocket(server)
    await bens.take('challenge')
    anas.webSocket.pause()
    await sleep(650)
    anas.webSocket.resume()
    expect([CLOSE_CODE.timeout, 1006]).toContain(await anas.closed)
    expect(bens.webSocket.readyState).toBe(WebSocket.OPEN)
    bens.cut()
  })

  it('a reader that does not read is cut, its messages kept, and the sender not held up', async () => {
    await restart({ timing: { slowReaderMs: 300 }, capacity: 500, window: 500 })
    const [anas, bens] = [await online(ana), await online(ben)]
    bens.webSocket.pause()
    // More than the kernel's buffers take.
    const all = Array.from({ length: 400 }, () => envelope(65_536))
    for (const one of all) expect(await anas.put(ben, one)).toEqual({ kind: 'stored' })
    await sleep(500)
    bens.webSocket.resume()
    expect([CLOSE_CODE.tooSlow, 1006]).toContain(await bens.closed)
    const again = await connect(server, ben)
    for (const one of all) {
      expect((await again.take('deliver')).envelope.length).toBe(one.length)
    }
  })
})

it('a status question about nothing is answered: a sign of life', async () => {
  const anas = await online(ana)
  expect(await anas.status([])).toEqual([])
})

describe('stopping', () => {
  it('answers what was accepted, says goodbye, and does so once', async () => {
    await restart({ commitWindowMs: 10_000 })
    const [anas, bens] = [await online(ana), await online(ben)]
    const ref = anas.putting(ben, envelope())
    await bens.take('deliver')
    const closing = server.close()
    expect(await anas.outcome(ref)).toEqual({ kind: 'stored' })
    expect(await anas.closed).toBe(CLOSE_CODE.stopping)
    expect(await bens.closed).toBe(CLOSE_CODE.stopping)
    await closing
    await server.close()
  })
})

it('messages expire: gone for the recipient, evicted for the sender', async () => {
  let now = Date.now()
  await restart({ clock: { now: () => now }, expiryIntervalMs: 50 })
  const anas = await online(ana)
  const message = envelope()
  await anas.put(ben, message)
  now += 30 * 24 * 60 * 60 * 1000
  const notice = await anas.take('notice')
  expect(notice).toMatchObject({ id: idOf(message), status: { kind: 'evicted' } })
  const bens = await online(ben)
  expect(deliveries(bens)).toEqual([])
})

describe('limits', () => {
  it('puts: 60 at once, then an error that says how long to wait; nothing of them happened', async () => {
    await restart({ limits: { ...DEFAULT_LIMITS, strangerSendsFromOne: undefined }, capacity: 100 })
    const anas = await online(ana)
    const all = Array.from({ length: 61 }, () => envelope())
    const refs = all.map((one) => anas.putting(ben, one))
    const refused = await anas.take('error')
    expect(refused).toMatchObject({ ref: refs[60], code: 'rate-limited', retryAfter: 1 })
    for (const ref of refs.slice(0, 60)) expect(await anas.outcome(ref)).toEqual({ kind: 'stored' })
    expect(await anas.status([idOf(all[60]!)])).toEqual([{ kind: 'unknown' }])
    await sleep(1100)
    expect(await anas.put(ben, all[60]!)).toEqual({ kind: 'stored' })
  })

  it('status questions, too', async () => {
    await restart({ limits: { ...NO_LIMITS, questions: { burst: 2, periodMs: 60_000 } } })
    const anas = await online(ana)
    for (let time = 0; time < 2; time++) await anas.status([freshBytes(32)])
    anas.send({ type: 'status', ref: 77, ids: [freshBytes(32)] })
    expect(await anas.take('error')).toMatchObject({
      ref: 77,
      code: 'rate-limited',
      retryAfter: 30,
    })
  })

  it('sockets from one address; one that closes makes room', async () => {
    await restart({ limits: { ...NO_LIMITS, connectionsPerAddress: 2 } })
    const first = await online(ana)
    await online(ben)
    const refused = new TestSocket(server)
    expect(await refused.closed).toBe(1006)
    await first.close()
    await online(cyd)
  })
})

describe('client versions', () => {
  it.each([
    ['0.9.9', 'too old'],
    ['1.0.0-rc.1', 'welcome'],
    ['1.0.1', 'welcome'],
    ['whatever', 'welcome'],
  ])('%s at a server that asks for 1.0.0: %s', async (version, answer) => {
    await restart({ minimumClient: '1.0.0' })
    const socket = new TestSocket(server, ['couplet.v1', `couplet.client.${version}`])
    if (answer === 'welcome') {
      await logIn(server, socket, ana)
      await socket.take('welcome')
    } else {
      expect(await socket.closed).toBe(CLOSE_CODE.tooOld)
      expect(socket.frames.at(-1)).toMatchObject({ type: 'error', ref: 0, code: 'client-too-old' })
    }
  })
})
