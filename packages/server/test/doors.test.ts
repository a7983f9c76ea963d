/**
 * The doors, as clients and strangers meet them: who may register from where, the lock, lookups,
 * and connections that want to cost more than they bring. (spec/http-api.md; docs/configuration.md)
 */
import { createECDH } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLOSE_CODE, SOCKET_PATH, SOCKET_PROTOCOL } from '@couplet/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createInvitation } from '../src/admission.ts'
import { freshCodeKey } from '../src/code-key.ts'
import { CODE_TRIES } from '../src/code-tries.ts'
import { NO_LIMITS, operatorOf, trustedProxies } from '../src/index.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import { MemoryBus } from '../src/memory-bus.ts'
import { memoryStore } from '../src/memory-store.ts'
import type { Store } from '../src/ports.ts'
import { HASH_PLACES, LOCK_TRIES, placed } from '../src/registration-lock.ts'
import {
  type Answer,
  connect,
  envelope,
  logIn,
  makeIdentity,
  openRegistration,
  problemOf,
  proofOf,
  register,
  request,
  signedHeaders,
  startServer,
  type TestIdentity,
  type TestServer,
  TestSocket,
  verifyCode,
} from './support.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let server: TestServer
let now = Date.now()
const clock = { now: () => now }

afterEach(() => server.close())

function codeFor(phone: string): string {
  return server.codes.get(phone)!.at(-1)!
}

/** Asks for a code from somewhere, as a proxy tells it. */
function openFrom(address: string, identity: TestIdentity): Promise<Answer> {
  return openRegistration(server, identity, {}, { 'x-forwarded-for': address })
}

function numbered(index: number): string {
  return `+1202555${String(2000 + index)}`
}

/** One registration from each. */
async function statusesFrom(addresses: readonly string[]): Promise<number[]> {
  const all: number[] = []
  for (const [index, address] of addresses.entries()) {
    all.push((await openFrom(address, makeIdentity(numbered(index)))).status)
  }
  return all
}

async function account(identity: TestIdentity): Promise<Record<string, unknown>> {
  const headers = signedHeaders(server, identity, 'GET', '/v1/account', '', now)
  return (await request(server, 'GET', '/v1/account', undefined, headers)).body
}

/** Somebody who has intercepted a code. Each PIN with a registration of its own. */
async function take(pin?: string, thief = makeIdentity(ANA)): Promise<Answer> {
  const opened = await openRegistration(server, thief)
  const proof = proofOf(server, thief, opened)
  const body = { code: codeFor(ANA), proof, ...(pin !== undefined && { pin }) }
  return request(server, 'POST', `/v1/registrations/${opened.body.id}/verify`, body)
}

/** A stranger on TCP. Answers what came before the end. */
function talk(talker: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connectTcp(server.port, '127.0.0.1', () => talker(socket))
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

/** Goes on for ever. */
function drip(socket: Socket, text: string): void {
  const dripping = setInterval(() => socket.write(text), 20)
  socket.on('close', () => clearInterval(dripping))
}

/** Under a WebSocket of the client. */
function rawOf(webSocket: WebSocket): Socket {
  return Reflect.get(webSocket, '_socket') as Socket
}

describe('registrations from one place', () => {
  const limits = { ...NO_LIMITS, registrations: { burst: 2, periodMs: 60 * MINUTE } }

  it('are counted for each /24 and /48, as trusted proxies tell', async () => {
    server = await startServer({ limits, proxies: trustedProxies(['loopback']) })
    const blocks = ['203.0.113.1', '203.0.113.99', '203.0.113.7', '203.0.112.7']
    expect(await statusesFrom(blocks)).toEqual([201, 201, 429, 201])
    const six = ['2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:3::9', '2001:db8:2::1']
    expect(await statusesFrom(six)).toEqual([201, 201, 429, 201])
    // What the client itself claims stands before what the proxy has seen.
    expect(await statusesFrom(['198.51.100.1, 203.0.113.1'])).toEqual([429])
  })

  it('from whom nobody trusts are counted where they come from, whatever they claim', async () => {
    server = await startServer({ limits })
    expect(await statusesFrom(['203.0.113.1', '198.51.100.1', '192.0.2.1'])).toEqual([
      201, 201, 429,
    ])
  })

  it('are refused when the store cannot count: no code leaves', async () => {
    const store = memoryStore({ capacity: 2 })
    const records = { ...store.records, get: () => Promise.reject(new Error('disk')) }
    const broken: Store = { ...store, records }
    server = await startServer({ engine: { store: broken, codeKey: freshCodeKey() } })
    expect((await openRegistration(server, makeIdentity(ANA))).status).toBe(500)
    expect(server.codes.size).toBe(0)
  })
})

describe('who may register', () => {
  it('by list: whoever stands on it now, blanks and remarks aside', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'couplet-list-'))
    const allowlist = join(folder, 'numbers')
    try {
      writeFileSync(allowlist, `# family\n+1 202 555 0101   # Ana\n`)
      server = await startServer({ registration: 'allowlist', allowlist })
      await register(server, ANA)
      const refused = problemOf(await openRegistration(server, makeIdentity(BEN)))
      expect(refused).toMatchObject({ status: 403, code: 'registration-closed' })
      writeFileSync(allowlist, `${BEN}\n`)
      await register(server, BEN)
      const early = makeIdentity(BEN)
      const opened = await openRegistration(server, early)
      writeFileSync(allowlist, '# nobody\n')
      const late = await verifyCode(server, early, opened, codeFor(BEN))
      expect(problemOf(late)).toMatchObject({ status: 403, code: 'registration-closed' })
      writeFileSync(allowlist, `${BEN}\n`)
      expect((await verifyCode(server, early, opened, codeFor(BEN))).status).toBe(200)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('by invitation: as often as it says, also of two at the same moment, and not too late', async () => {
    now = Date.now()
    const store = memoryStore({ capacity: 2 })
    const engine = { store, codeKey: freshCodeKey() }
    server = await startServer({ registration: 'invite', engine, clock })
    const expiresAt = now + DAY
    const code = await createInvitation(store.records, { uses: 1, expiresAt, now })
    const [ana, ben] = [makeIdentity(ANA), makeIdentity(BEN)]
    expect((await openRegistration(server, ana)).status).toBe(403)
    expect((await openRegistration(server, ana, { invitation: 'ABCD-EFGH' })).status).toBe(403)

    const typed = ` ${code.toLowerCase().replaceAll('-', ' ')}`
    const both = [
      await openRegistration(server, ana, { invitation: typed }),
      await openRegistration(server, ben, { invitation: code }),
    ]
    expect(both.map(({ status }) => status)).toEqual([201, 201])
    const answers = await Promise.all([
      verifyCode(server, ana, both[0]!, codeFor(ANA)),
      verifyCode(server, ben, both[1]!, codeFor(BEN)),
    ])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403])

    // Withdrawn while the code was under way.
    const withdrawn = await createInvitation(store.records, { uses: 9, expiresAt, now })
    const cyd = makeIdentity(numbered(3))
    const opened = await openRegistration(server, cyd, { invitation: withdrawn })
    await operatorOf(engine, clock).revoke(withdrawn)
    const answer = await verifyCode(server, cyd, opened, codeFor(cyd.phone))
    expect(problemOf(answer).code).toBe('registration-closed')

    const late = await createInvitation(store.records, { uses: 9, expiresAt, now })
    now += DAY
    expect((await openRegistration(server, ben, { invitation: late })).status).toBe(403)
  })
})

describe('the registration lock', () => {
  const PIN = 'a pin of ours'

  function asked(identity: TestIdentity): Promise<Answer> {
    const body = JSON.stringify({ pin: PIN })
    const path = '/v1/registration-lock'
    const headers = signedHeaders(server, identity, 'PUT', path, body, now)
    return request(server, 'PUT', path, body, headers)
  }

  async function lock(identity: TestIdentity): Promise<void> {
    expect((await asked(identity)).status).toBe(204)
  }

  it('ten tries, then one a day; the owner is told, and is not locked out', async () => {
    now = Date.now()
    server = await startServer({ clock, limits: NO_LIMITS })
    const ana = await register(server, ANA)
    await lock(ana)
    // Without a PIN nothing is used up.
    expect(problemOf(await take())).toMatchObject({ code: 'registration-locked', triesLeft: 10 })
    // All at once: each is counted before it is looked at.
    const wrong = await Promise.all(Array.from({ length: 12 }, (_, one) => take(`wrong ${one}`)))
    const left = wrong.map((answer) => problemOf(answer).triesLeft!).toSorted((a, b) => a - b)
    expect(left).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect((await account(ana)).lock).toEqual({ triesLeft: 0, failures: 10, failedAt: now })

    // The right one is too early, too.
    expect(problemOf(await take(PIN))).toMatchObject({ triesLeft: 0, retryAfter: DAY / 1000 })
    now += DAY
    expect(problemOf(await take('wrong again')).retryAfter).toBe(DAY / 1000)
    expect(problemOf(await take(PIN)).code).toBe('registration-locked')
    expect((await account(ana)).lock).toMatchObject({ failures: 11, failedAt: now })
    // The owner registers the same identity again without it.
    const own = await openRegistration(server, ana)
    expect((await verifyCode(server, ana, own, codeFor(ANA))).status).toBe(200)

    now += DAY
    const heir = makeIdentity(ANA)
    expect((await take(PIN, heir)).body).toMatchObject({ replaced: true })
    // It goes on guarding the number, and says nothing of tries before its new owner.
    expect((await account(heir)).lock).toEqual({ triesLeft: 10, failures: 0 })
  }, 60_000)

  it('is set by one account only so often', async () => {
    now = Date.now()
    const limits = { ...NO_LIMITS, pins: { burst: 1, periodMs: 60 * MINUTE } }
    server = await startServer({ clock, limits })
    const [ana, ben] = [await register(server, ANA), await register(server, BEN)]
    await lock(ana)
    expect(problemOf(await asked(ana)).code).toBe('rate-limited')
    await lock(ben)
  })

  it('takes no try, of code or PIN, from whom it has no time for', async () => {
    now = Date.now()
    server = await startServer({ clock, limits: NO_LIMITS })
    const ana = await register(server, ANA)
    await lock(ana)
    const thief = makeIdentity(ANA)
    const opened = await openRegistration(server, thief)
    const proof = proofOf(server, thief, opened)
    const path = `/v1/registrations/${opened.body.id}/verify`
    const verify = (pin: string, code = codeFor(ANA)): Promise<Answer> =>
      request(server, 'POST', path, { code, proof, pin })

    const busy = Promise.withResolvers<void>()
    const others = Array.from({ length: HASH_PLACES }, () => placed(() => busy.promise))
    expect(problemOf(await verify('wrong')).code).toBe('unavailable')
    expect(problemOf(await asked(ana)).code).toBe('unavailable')
    busy.resolve()
    await Promise.all(others)

    expect((await account(ana)).lock).toMatchObject({ triesLeft: LOCK_TRIES, failures: 0 })
    const wrong = codeFor(ANA) === '000000' ? '000001' : '000000'
    expect(problemOf(await verify(PIN, wrong)).triesLeft).toBe(CODE_TRIES - 1)
    expect((await account(ana)).lock).toMatchObject({ triesLeft: LOCK_TRIES })
  })

  it('ends when its owner has not been seen for a week', async () => {
    now = Math.ceil(Date.now() / DAY) * DAY
    server = await startServer({ clock, limits: NO_LIMITS })
    const ana = await register(server, ANA)
    await lock(ana)
    now += 5 * DAY
    // Being connected is being seen.
    await (await connect(server, ana)).close()
    now += 7 * DAY
    expect(problemOf(await take()).code).toBe('registration-locked')
    now += DAY
    expect((await take()).body).toMatchObject({ replaced: true })
  })
})

it('what waits for an account is counted, not read', async () => {
  now = Date.now()
  const store = memoryStore({ capacity: 2 })
  store.mailboxes.fetch = () => Promise.reject(new Error('read'))
  server = await startServer({ clock, engine: { store, codeKey: freshCodeKey() } })
  const ana = await register(server, ANA)
  for (let time = 0; time < 3; time++) {
    const { identityId: sender } = makeIdentity(BEN)
    const one = { id: sender, sender, storedAt: now, envelope: envelope() }
    await store.mailboxes.put(ana.identityId, one, 'evict')
  }
  expect((await account(ana)).waiting).toBe(2)
})

describe('lookups', () => {
  it('ask the store the same for a number that is known and one that is not', async () => {
    const store = memoryStore({ capacity: 2 })
    const asked: string[] = []
    const directory = new Proxy(store.directory, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
        return (...args: unknown[]) => {
          asked.push(String(name))
          return method.apply(target, args)
        }
      },
    })
    server = await startServer({
      engine: { store: { ...store, directory }, codeKey: freshCodeKey() },
    })
    const ana = await register(server, ANA)
    const look = async (phone: string): Promise<{ status: number; asked: string[] }> => {
      asked.length = 0
      const path = `/v1/directory/${phone}`
      const headers = signedHeaders(server, ana, 'GET', path)
      const { status } = await request(server, 'GET', path, undefined, headers)
      return { status, asked: [...asked] }
    }
    const [known, unknown] = [await look(ANA), await look(BEN)]
    expect([known.status, unknown.status]).toEqual([200, 404])
    expect(known.asked).toEqual(unknown.asked)
  })

  it('are limited for each address, too, whoever asks; and before anything is looked at', async () => {
    server = await startServer({
      limits: { ...NO_LIMITS, lookupsFromAddress: { burst: 3, periodMs: 60 * MINUTE } },
    })
    const people = [await register(server, ANA), await register(server, BEN)]
    const statuses: number[] = []
    for (const [who, phone] of [ANA, numbered(1), BEN, ANA, numbered(2)].entries()) {
      const path = `/v1/directory/${phone}`
      const headers = signedHeaders(server, people[who % 2]!, 'GET', path)
      statuses.push((await request(server, 'GET', path, undefined, headers)).status)
    }
    expect(statuses).toEqual([200, 404, 200, 429, 429])
  })

  it('of an account that has used its own up take nothing from others at its address', async () => {
    const hour = 60 * MINUTE
    const lookups = { burst: 1, periodMs: hour }
    const lookupsFromAddress = { burst: 2, periodMs: hour }
    server = await startServer({ limits: { ...NO_LIMITS, lookups, lookupsFromAddress } })
    const [ana, ben] = [await register(server, ANA), await register(server, BEN)]
    const path = `/v1/directory/${ANA}`
    const statuses: number[] = []
    for (const asker of [ana, ana, ana, ben]) {
      const headers = signedHeaders(server, asker, 'GET', path)
      statuses.push((await request(server, 'GET', path, undefined, headers)).status)
    }
    expect(statuses).toEqual([200, 429, 429, 200])
  })
})

describe('several processes', () => {
  let store: Store
  let bus: MemoryBus
  const others: TestServer[] = []
  afterEach(async () => {
    for (const other of others.splice(0)) await other.close()
  })

  /** Two that serve from one store, as workers do; clients take them for one server. */
  async function start(limits: Partial<typeof NO_LIMITS>): Promise<readonly TestServer[]> {
    store = memoryStore({ capacity: 20 })
    bus = new MemoryBus()
    const codeKey = freshCodeKey()
    const publicUrl = 'https://chat.example'
    for (let one = 0; one < 2; one++) {
      const engine = { store, codeKey, bus: bus.end() }
      const started = await startServer({ engine, publicUrl, limits: { ...NO_LIMITS, ...limits } })
      others.push({ ...started, name: 'chat.example' })
    }
    server = others.pop()!
    return [server, ...others]
  }

  it('let go of whom an operator blocks or removes from elsewhere', async () => {
    const both = await start({})
    const [ana, ben] = [await register(server, ANA), await register(server, BEN)]
    const [anas, bens] = [await connect(both[0]!, ana), await connect(both[1]!, ben)]
    const operator = operatorOf({ store, bus: bus.end(), codeKey: freshCodeKey() }, clock)
    expect(await operator.block(ANA)).toBe(true)
    expect(await anas.closed).toBe(CLOSE_CODE.unauthenticated)
    for (const one of both) {
      const socket = new TestSocket(one)
      await logIn(one, socket, ana)
      expect(await socket.closed).toBe(CLOSE_CODE.unauthenticated)
    }
    await bens.put(ana, envelope())
    expect(await operator.remove(BEN)).toBe(true)
    expect(await bens.closed).toBe(CLOSE_CODE.unauthenticated)
    expect(await operator.remove(BEN)).toBe(false)
    expect(await operator.unblock(ANA)).toBe(true)
    expect((await connect(both[1]!, ana)).frames).toBeDefined()
  })

  it('count lookups together', async () => {
    const both = await start({ lookups: { burst: 4, periodMs: 60 * MINUTE } })
    const ana = await register(server, ANA)
    const path = `/v1/directory/${ANA}`
    const statuses: number[] = []
    for (let time = 0; time < 6; time++) {
      const headers = signedHeaders(server, ana, 'GET', path)
      statuses.push((await request(both[time % 2]!, 'GET', path, undefined, headers)).status)
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429])
  })

  it('know what an account has left to send when it comes back to another', async () => {
    const both = await start({ sends: { burst: 3, periodMs: 60 * MINUTE } })
    const [ana, ben] = [await register(server, ANA), await register(server, BEN)]
    const outcomes: string[] = []
    for (let time = 0; time < 4; time++) {
      const anas = await connect(both[time % 2]!, ana)
      const ref = anas.putting(ben, envelope())
      const answer = await Promise.race([
        anas.take('put-result', (frame) => frame.ref === ref),
        anas.take('error'),
      ])
      outcomes.push(answer.type)
      await anas.close()
    }
    expect(outcomes).toEqual(['put-result', 'put-result', 'put-result', 'error'])
  })
})

it('registrations that began while everybody could need an invitation once it is asked for', async () => {
  const store = memoryStore({ capacity: 2 })
  const shared = { store: { ...store, close: async () => {} }, codeKey: freshCodeKey() }
  server = await startServer({ engine: shared, publicUrl: 'https://chat.example' })
  const ana = makeIdentity(ANA)
  const opened = await openRegistration(server, ana)
  const code = codeFor(ANA)
  await server.close()
  const registration = 'invite'
  server = await startServer({ engine: shared, publicUrl: 'https://chat.example', registration })
  const named = { ...server, name: 'chat.example' }
  const answer = await verifyCode(named, ana, opened, code)
  expect(problemOf(answer).code).toBe('registration-closed')
})

describe('signed requests', () => {
  const once = { burst: 1, periodMs: 60 * MINUTE }
  const ROUTES = [
    ['GET', `/v1/directory/${BEN}`, undefined],
    ['PUT', '/v1/prekeys', {}],
    ['GET', '/v1/account', undefined],
    ['DELETE', '/v1/account', undefined],
    ['PUT', '/v1/registration-lock', {}],
    ['DELETE', '/v1/registration-lock', undefined],
    ['PUT', '/v1/push', {}],
    ['DELETE', '/v1/push', undefined],
  ] as const

  async function ask(who: TestIdentity, [method, path, body]: (typeof ROUTES)[number]) {
    const text = body && JSON.stringify(body)
    const headers = signedHeaders(server, who, method, path, text)
    return problemOf(await request(server, method, path, text, headers))
  }

  it('of one account are limited, whatever they ask for', async () => {
    server = await startServer({ limits: { ...NO_LIMITS, requests: once } })
    const [ana, ben] = [await register(server, ANA), await register(server, BEN)]
    const headers = signedHeaders(server, ana, 'GET', '/v1/account')
    expect((await request(server, 'GET', '/v1/account', undefined, headers)).status).toBe(200)
    for (const route of ROUTES) {
      expect(await ask(ana, route)).toMatchObject({ code: 'rate-limited' })
    }
    // All that there are, as the description of the API has them.
    const { paths } = (await request(server, 'GET', '/openapi.json')).body as unknown as {
      readonly paths: Record<string, Record<string, { readonly security?: unknown }>>
    }
    const described = Object.values(paths).flatMap((path) => Object.values(path))
    expect(described.filter(({ security }) => security)).toHaveLength(ROUTES.length)
    expect((await ask(ben, ROUTES[1])).code).toBe('malformed')
  })

  it('that publish prekeys are limited by themselves: each is written', async () => {
    server = await startServer({ limits: { ...NO_LIMITS, prekeys: once } })
    const ana = await register(server, ANA)
    const put = ROUTES[1]
    expect([(await ask(ana, put)).code, (await ask(ana, put)).code]).toEqual([
      'malformed',
      'rate-limited',
    ])
    expect((await ask(ana, ROUTES[0])).code).toBe('unknown-recipient')
  })
})

it('changes of push subscriptions are limited', async () => {
  server = await startServer({
    limits: { ...NO_LIMITS, subscriptions: { burst: 1, periodMs: 60 * MINUTE } },
  })
  const ana = await register(server, ANA)
  const subscribe = async (): Promise<string> => {
    const body = JSON.stringify({})
    const headers = signedHeaders(server, ana, 'PUT', '/v1/push', body)
    return problemOf(await request(server, 'PUT', '/v1/push', body, headers)).code
  }
  expect([await subscribe(), await subscribe()]).toEqual(['malformed', 'rate-limited'])
})

it('changes of push subscriptions are limited by nothing but what is configured', async () => {
  server = await startServer({ limits: NO_LIMITS })
  const ana = await register(server, ANA)
  const browser = createECDH('prime256v1').generateKeys().toString('base64url')
  const auth = Buffer.alloc(16, 1).toString('base64url')
  const body = JSON.stringify({ endpoint: 'https://push.example/ana', p256dh: browser, auth })
  const statuses = new Set<number>()
  for (let time = 0; time <= DEFAULT_LIMITS.subscriptions!.burst; time++) {
    const headers = signedHeaders(server, ana, 'PUT', '/v1/push', body)
    statuses.add((await request(server, 'PUT', '/v1/push', body, headers)).status)
  }
  expect([...statuses]).toEqual([204])
})

describe('connections', () => {
  const quick = { headersMs: 300, requestMs: 600, keepAliveMs: 300, checkMs: 50 }

  it('that say nothing, or go on for ever, are cut', async () => {
    server = await startServer({ httpTiming: quick, timing: { loginMs: 300, pingMs: 200 } })
    const answers = await Promise.all([
      talk(() => {}),
      talk((socket) => {
        socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n')
        drip(socket, 'X-More: x\r\n')
      }),
      talk((socket) => {
        const head = 'POST /v1/registrations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json'
        socket.write(`${head}\r\nContent-Length: 5000\r\n\r\n`)
        drip(socket, ' ')
      }),
      talk((socket) => socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')),
    ])
    expect(answers[3]).toMatch(/^HTTP\/1\.1 200 /)
    // One that is logged in, and sends a frame that never ends.
    const ana = await register(server, ANA)
    const socket = new TestSocket(server)
    await logIn(server, socket, ana)
    await socket.take('welcome')
    const raw = rawOf(socket.webSocket)
    raw.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4]))
    socket.webSocket.pong = () => {}
    drip(raw, 'x')
    expect([CLOSE_CODE.timeout, 1006]).toContain(await socket.closed)
  })

  it('with headers beyond any need are refused', async () => {
    server = await startServer()
    const headers = { 'x-much': 'x'.repeat(9000) }
    expect((await request(server, 'GET', '/livez', undefined, headers)).status).toBe(400)
  })

  it('of one address are counted before they say a word; a proxy speaks for many', async () => {
    const limits = { ...NO_LIMITS, connectionsPerAddress: 2 }
    server = await startServer({ limits })
    const held: Socket[] = []
    const isOpen = (): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = connectTcp(server.port, '127.0.0.1')
        socket.on('error', () => {})
        socket.on('close', () => resolve(false))
        socket.on('data', () => resolve(true))
        socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
        held.push(socket)
      })
    const open = []
    for (let time = 0; time < 6; time++) open.push(await isOpen())
    expect(open).toEqual([true, true, true, true, false, false])
    for (const socket of held) socket.destroy()
    await expect.poll(isOpen).toBe(true)
    for (const socket of held) socket.destroy()
    await server.close()

    server = await startServer({ limits, proxies: trustedProxies(['loopback']) })
    for (let time = 0; time < 6; time++) expect(await isOpen()).toBe(true)
    for (const socket of held) socket.destroy()
  })

  it('are not compressed, whatever they offer: no bomb is unpacked', async () => {
    server = await startServer()
    const url = server.url.replace('http', 'ws') + SOCKET_PATH
    const socket = new WebSocket(url, [SOCKET_PROTOCOL], { perMessageDeflate: true })
    await new Promise((resolve) => socket.once('open', resolve))
    expect(socket.extensions).toBe('')
    const raw = rawOf(socket)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    // A frame that says it is compressed.
    raw.write(Buffer.from([0xc2, 0x81, 0, 0, 0, 0, 0]))
    expect(await closed).toBe(1002)
  })

  it('of a stranger flood nobody out: who is registered is served beside them', async () => {
    server = await startServer({ limits: { ...NO_LIMITS, connections: 3 } })
    const [ana, ben] = [await register(server, ANA), await register(server, BEN)]
    const [anas, bens] = [await connect(server, ana), await connect(server, ben)]
    const third = new TestSocket(server)
    await third.take('challenge')
    expect(await new TestSocket(server).closed).toBe(1006)
    const put = anas.putting(ben, envelope())
    await bens.take('deliver')
    expect((await anas.outcome(put)).kind).toBe('stored')
    third.cut()
  })
})
