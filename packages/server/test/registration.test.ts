/** The rules of registration, as a client meets them. (spec/http-api.md, "Registration") */
import { rmSync } from 'node:fs'
import { toBase64Url } from '@couplet/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CodeTransport, sturdyCodeSender } from '../src/code-transport.ts'
import { webhookTransport } from '../src/code-webhook.ts'
import { Meter, NO_LIMITS, trustedProxies } from '../src/index.ts'
import {
  type Answer,
  connect,
  dataFolder,
  envelope,
  freshBytes,
  idOf,
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
  verifyCode,
} from './support.ts'

const PHONE = '+12025550101'
let now = Date.now()
let server: TestServer
let meter: Meter

beforeEach(async () => {
  now = Date.now()
  server = await startServer({ clock: { now: () => now } })
})

afterEach(() => server.close())

/** Another server, with other options. */
async function restart(options: Parameters<typeof startServer>[0]): Promise<void> {
  await server.close()
  meter = new Meter()
  server = await startServer({ clock: { now: () => now }, meter, ...options })
}

/** Asks for a code from somewhere, as a trusted proxy tells it. */
function openFrom(address: string, identity = makeIdentity(PHONE)): Promise<Answer> {
  return openRegistration(server, identity, {}, { 'x-forwarded-for': address })
}

/** A code that is not the right one. */
function wrong(code: string, by = 1): string {
  return String((Number(code) + by) % 1_000_000).padStart(6, '0')
}

function codeFor(phone: string): string {
  return server.codes.get(phone)!.at(-1)!
}

async function opened(identity: TestIdentity): Promise<Answer> {
  const answer = await openRegistration(server, identity)
  expect(answer.status).toBe(201)
  return answer
}

describe('what is registered', () => {
  it.each([
    ['not a number', 'ana'],
    ['too short for its country', '+120255501'],
    ['without the plus', '12025550101'],
    ['with spaces', '+1 202 555 0101'],
    ['of no country', '+9995550101123'],
  ])('refuses a number %s', async (_what, phone) => {
    const answer = await openRegistration(server, makeIdentity(PHONE), { phone })
    expect(answer.status).toBe(400)
    expect(problemOf(answer).code).toBe('invalid-phone-number')
    expect(server.codes.size).toBe(0)
  })

  it.each(['+12025550101', '+447700900123', '+4915112345678', '+5511961234567'])(
    'takes %s, reserved test ranges included',
    async (phone) => {
      expect((await openRegistration(server, makeIdentity(phone))).status).toBe(201)
    },
  )

  it('refuses a record of another number, and one that was changed', async () => {
    const other = await openRegistration(server, makeIdentity('+12025550102'), { phone: PHONE })
    expect(problemOf(other).code).toBe('invalid-identity')
    const damaged = Uint8Array.from(makeIdentity(PHONE).signedIdentity)
    damaged[200]! ^= 1
    const answer = await openRegistration(server, makeIdentity(PHONE), {
      identity: toBase64Url(damaged),
    })
    expect(problemOf(answer).code).toBe('invalid-identity')
  })

  it('refuses prekeys of another identity, expired ones, and ones that last too long', async () => {
    const ana = makeIdentity(PHONE)
    const day = 24 * 60 * 60 * 1000
    for (const prekeys of [
      makeIdentity(PHONE).prekeys(1),
      ana.prekeys(1, now),
      ana.prekeys(1, now + 31 * day + 1000),
    ]) {
      const answer = await openRegistration(server, ana, { prekeys: toBase64Url(prekeys) })
      expect(problemOf(answer).code).toBe('invalid-identity')
    }
    expect(server.codes.size).toBe(0)
  })
})

describe('the code', () => {
  it('is six digits, and another one each time', async () => {
    await restart({ limits: NO_LIMITS })
    const ana = makeIdentity(PHONE)
    for (let time = 0; time < 8; time++) {
      await opened(ana)
      now += 600_000
    }
    const codes = server.codes.get(PHONE)!
    for (const code of codes) expect(code).toMatch(/^[0-9]{6}$/)
    expect(new Set(codes).size).toBeGreaterThan(6)
  })

  it('wrong: says how many tries are left, and changes nothing', async () => {
    const ana = makeIdentity(PHONE)
    const registration = await opened(ana)
    const answer = await verifyCode(server, ana, registration, wrong(codeFor(PHONE)))
    expect(answer.status).toBe(403)
    expect(problemOf(answer)).toMatchObject({ code: 'wrong-code', triesLeft: 4 })
    expect((await verifyCode(server, ana, registration, codeFor(PHONE))).status).toBe(200)
  })

  it('wrong five times, slower and slower: void, even for the right code', async () => {
    const ana = makeIdentity(PHONE)
    const registration = await opened(ana)
    const waits: (number | undefined)[] = []
    for (const triesLeft of [4, 3, 2, 1, 0]) {
      const answer = await verifyCode(server, ana, registration, wrong(codeFor(PHONE)))
      const problem = problemOf(answer)
      expect(problem).toMatchObject({ code: 'wrong-code', triesLeft })
      waits.push(problem.retryAfter)
      if (problem.retryAfter === undefined) continue
      now += 1000 * problem.retryAfter - 1
      const early = await verifyCode(server, ana, registration, codeFor(PHONE))
      expect(problemOf(early)).toMatchObject({ code: 'rate-limited', retryAfter: 1 })
      now += 1
    }
    expect(waits).toEqual([undefined, 60, 120, 120, undefined])
    const answer = await verifyCode(server, ana, registration, codeFor(PHONE))
    expect(answer.status).toBe(429)
    expect(problemOf(answer).code).toBe('too-many-attempts')
  })

  it('guessed many times at once: two guesses are looked at, no more', async () => {
    const ana = makeIdentity(PHONE)
    const registration = await opened(ana)
    const code = codeFor(PHONE)
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        verifyCode(server, ana, registration, wrong(code, index + 1)),
      ),
    )
    const codes = answers.map((answer) => problemOf(answer).code)
    expect(codes.filter((one) => one === 'wrong-code')).toHaveLength(2)
    expect(codes.filter((one) => one === 'rate-limited')).toHaveLength(28)
  })

  it('is good for ten minutes', async () => {
    const ana = makeIdentity(PHONE)
    const first = await opened(ana)
    expect(first.body.expiresAt).toBe(now + 600_000)
    now += 600_000
    const late = await verifyCode(server, ana, first, codeFor(PHONE))
    expect(late.status).toBe(410)
    expect(problemOf(late).code).toBe('registration-expired')

    const second = await opened(ana)
    now += 599_999
    expect((await verifyCode(server, ana, second, codeFor(PHONE))).status).toBe(200)
  })

  it('is good once', async () => {
    const ana = makeIdentity(PHONE)
    const registration = await opened(ana)
    const code = codeFor(PHONE)
    const answers = await Promise.all([
      verifyCode(server, ana, registration, code),
      verifyCode(server, ana, registration, code),
    ])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410])
    expect(problemOf(await verifyCode(server, ana, registration, code)).code).toBe(
      'registration-expired',
    )
  })

  it('is bound to its registration: a code for another one of the same number is wrong', async () => {
    const [ana, mallory] = [makeIdentity(PHONE), makeIdentity(PHONE)]
    await opened(ana)
    const codeForAna = codeFor(PHONE)
    now += 60_000
    const mallorys = await opened(mallory)
    if (codeForAna === codeFor(PHONE)) return
    const answer = await verifyCode(server, mallory, mallorys, codeForAna)
    expect(problemOf(answer).code).toBe('wrong-code')
  })
})

describe('proof of possession', () => {
  it('without it nothing is registered, and no try is used up', async () => {
    const ana = makeIdentity(PHONE)
    const registration = await opened(ana)
    const path = `/v1/registrations/${registration.body.id}/verify`
    const code = codeFor(PHONE)
    const strangers = proofOf(server, makeIdentity(PHONE), registration)
    const elsewhere = proofOf({ name: 'evil.example' }, ana, registration)
    for (const proof of [strangers, elsewhere, toBase64Url(new Uint8Array(64))]) {
      for (let time = 0; time < 2; time++) {
        const answer = await request(server, 'POST', path, { code, proof })
        expect(answer.status).toBe(401)
        expect(problemOf(answer).code).toBe('unauthenticated')
      }
    }
    const missing = await request(server, 'POST', path, { code })
    expect(problemOf(missing).code).toBe('malformed')
    const answer = await verifyCode(server, ana, registration, wrong(code))
    expect(problemOf(answer)).toMatchObject({ code: 'wrong-code', triesLeft: 4 })
  })
})

describe('a number that is registered again', () => {
  it('by another identity: the old one loses mailbox, receipts, connection and name', async () => {
    const ben = await register(server, '+12025550102')
    const old = await register(server, PHONE)
    const bens = await connect(server, ben)
    const olds = await connect(server, old)
    await olds.take('caught-up')
    await olds.close()
    const [forOld, fromOld] = [envelope(), envelope()]
    await bens.put(old, forOld)
    const again = await connect(server, old)
    await again.put(ben, fromOld)
    await bens.ack(idOf(fromOld), freshBytes(32))

    const fresh = makeIdentity(PHONE)
    const registration = await opened(fresh)
    const answer = await verifyCode(server, fresh, registration, codeFor(PHONE))
    expect(answer.body).toMatchObject({ replaced: true })
    expect(await again.closed).toBe(4003)

    const news = await connect(server, fresh)
    await news.take('caught-up')
    expect(news.frames.filter(({ type }) => type === 'deliver')).toEqual([])
    expect(await bens.status([idOf(forOld)])).toEqual([{ kind: 'unknown' }])
    bens.putting(old, envelope())
    expect((await bens.take('error')).code).toBe('unknown-recipient')
    expect(await bens.put(fresh, envelope())).toBeDefined()

    const path = `/v1/directory/${PHONE}`
    const headers = signedHeaders(server, old, 'GET', path, '', now)
    expect((await request(server, 'GET', path, undefined, headers)).status).toBe(401)
  })

  it('by the same identity: nothing is lost, and older prekeys do not come back', async () => {
    const ben = await register(server, '+12025550102')
    const ana = await register(server, PHONE)
    const body = JSON.stringify({ prekeys: toBase64Url(ana.prekeys(5)) })
    await request(server, 'PUT', '/v1/prekeys', body, {
      'content-type': 'application/json',
      ...signedHeaders(server, ana, 'PUT', '/v1/prekeys', body, now),
    })
    const bens = await connect(server, ben)
    const message = envelope()
    await bens.put(ana, message)

    const answer = await verifyCode(server, ana, await opened(ana), codeFor(PHONE))
    expect(answer.body).toMatchObject({ replaced: false })
    const anas = await connect(server, ana)
    expect((await anas.take('deliver')).envelope).toEqual(message)
    const stale = JSON.stringify({ prekeys: toBase64Url(ana.prekeys(5)) })
    const refused = await request(server, 'PUT', '/v1/prekeys', stale, {
      'content-type': 'application/json',
      ...signedHeaders(server, ana, 'PUT', '/v1/prekeys', stale, now),
    })
    expect(problemOf(refused).code).toBe('stale-prekeys')
  })
})

describe('limits', () => {
  it('another code for one number after 1, 2, 5, 10 and 10 minutes', async () => {
    const ana = makeIdentity(PHONE)
    for (const minutes of [1, 2, 5, 10, 10]) {
      await opened(ana)
      const answer = await openRegistration(server, ana)
      expect(answer.status).toBe(429)
      const { code, retryAfter } = problemOf(answer)
      expect(code).toBe('rate-limited')
      expect(retryAfter).toBe(60 * minutes)
      expect(answer.headers.get('retry-after')).toBe(String(60 * minutes))
      now += 60_000 * minutes - 1
      expect((await openRegistration(server, makeIdentity(PHONE))).status).toBe(429)
      now += 1
    }
    await opened(ana)
  })

  it('who has typed a code in may ask for the next one at once; ten times a day', async () => {
    await restart({ limits: { codesToOneFromAddress: undefined } })
    for (let time = 0; time < 10; time++) await register(server, PHONE)
    const answer = await openRegistration(server, makeIdentity(PHONE))
    expect(problemOf(answer).code).toBe('rate-limited')
  })

  it('ten codes for one number in a day', async () => {
    await restart({ limits: { codesToOneFromAddress: undefined } })
    const ana = makeIdentity(PHONE)
    for (let time = 0; time < 10; time++) {
      await opened(ana)
      now += 600_000
    }
    expect(problemOf(await openRegistration(server, ana))).toMatchObject({ code: 'rate-limited' })
    now += 24 * 60 * 60 * 1000
    await opened(ana)
  })

  it('forty registrations from one address pass, hundreds do not', async () => {
    for (let index = 0; index < 40; index++) {
      await register(server, `+1202555${String(1000 + index)}`)
    }
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        openRegistration(server, makeIdentity(`+1202555${String(2000 + index)}`)),
      ),
    )
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10)
  })

  it('six of the ten for one number from one address: somebody elsewhere gets the others', async () => {
    await restart({ proxies: trustedProxies(['loopback']) })
    const [mallory, ana] = ['203.0.113.1', '198.51.100.1']
    for (let time = 0; time < 6; time++) {
      expect((await openFrom(mallory)).status).toBe(201)
      now += 600_000
    }
    // Refused, they count for nothing: the number does not wait longer for them.
    for (let time = 0; time < 20; time++) expect((await openFrom(mallory)).status).toBe(429)
    for (let time = 0; time < 4; time++) {
      expect((await openFrom(ana)).status).toBe(201)
      now += 600_000
    }
    expect((await openFrom('192.0.2.1')).status).toBe(429)
  })

  it('a hundred from one address block in a day: it does not use the budget of all up', async () => {
    await restart({ proxies: trustedProxies(['loopback']), limits: { registrations: undefined } })
    const statuses: number[] = []
    for (let index = 0; index < 104; index++) {
      const phone = `+1202555${String(1000 + index)}`
      statuses.push((await openFrom(`203.0.113.${index}`, makeIdentity(phone))).status)
    }
    expect(statuses.indexOf(429)).toBe(100)
    expect(meter.counts('limited').get('codesFromAddress')).toBe(4)
    // To the same number from elsewhere: neither its delay nor the budget has been touched.
    const late = makeIdentity('+12025551103')
    expect((await openFrom('198.51.100.1', late)).status).toBe(201)
    now += 24 * 60 * 60 * 1000
    expect((await openFrom('203.0.113.1', makeIdentity('+12025552000'))).status).toBe(201)
  })

  it('a budget for the whole server: a hard stop, and who registered before is not touched', async () => {
    await restart({ limits: { codeBudget: { burst: 3, periodMs: 24 * 60 * 60 * 1000 } } })
    const phones = ['+12025550101', '+12025550102', '+12025550103']
    const [ana] = await Promise.all(phones.map((phone) => register(server, phone)))
    const late = await openRegistration(server, makeIdentity('+12025550104'))
    expect(problemOf(late)).toMatchObject({ code: 'rate-limited', retryAfter: 8 * 60 * 60 })
    expect(server.codes.has('+12025550104')).toBe(false)
    expect(meter.counts('limited').get('codeBudget')).toBe(1)
    expect((await connect(server, ana!)).frames).toBeDefined()
  })

  it('survive a restart of the server', async () => {
    await server.close()
    const data = dataFolder()
    const options = { clock: { now: () => now }, data }
    try {
      server = await startServer(options)
      await opened(makeIdentity(PHONE))
      await server.close()
      server = await startServer(options)
      const again = await openRegistration(server, makeIdentity(PHONE))
      expect(problemOf(again)).toMatchObject({ code: 'rate-limited', retryAfter: 60 })
    } finally {
      await server.close()
      rmSync(data, { recursive: true })
    }
  })
})

it('a code that could not be sent: nothing is kept', async () => {
  await server.close()
  let failing = true
  server = await startServer({
    codeSender: {
      development: false,
      send: () => (failing ? Promise.reject(new Error('no network')) : Promise.resolve()),
    },
  })
  const answer = await openRegistration(server, makeIdentity(PHONE))
  expect(answer.status).toBe(502)
  expect(problemOf(answer).code).toBe('code-not-sent')
  failing = false
  expect((await openRegistration(server, makeIdentity(PHONE))).status).toBe(201)
})

it('a code that cannot have left counts for nobody; one that may have left does', async () => {
  await server.close()
  const nobody = webhookTransport({ url: 'http://127.0.0.1:1', secret: 's', allowPrivate: true })
  const unsure: CodeTransport = { send: () => Promise.reject(new Error('the line was cut')) }
  const one = { burst: 1, periodMs: 24 * 60 * 60 * 1000 }
  const breaker = { failures: 1, openMs: 1 }
  let transport = nobody
  let monotonic = 0
  const open = async () => (await openRegistration(server, makeIdentity(PHONE))).status
  server = await startServer({
    codeSender: sturdyCodeSender(
      { send: (message, signal) => transport.send(message, signal) },
      { tries: 1, breaker, monotonic: () => monotonic },
    ),
    limits: {
      ...NO_LIMITS,
      codes: one,
      codeBudget: one,
      codesFromAddress: one,
      codesToOneFromAddress: one,
    },
  })
  // Refused by the machine; then by the breaker; then by the machine again.
  expect([await open(), await open()]).toEqual([502, 502])
  monotonic += 1
  expect(await open()).toBe(502)
  monotonic += 1
  transport = unsure
  expect([await open(), await open()]).toEqual([502, 429])
})
