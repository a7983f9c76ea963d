/**
 * The server's doors, as real clients meet them: hitting a limit loses nothing, accounts are
 * locked and deleted, and clients that are too old are told so. (spec/http-api.md)
 */
import { ClientError, submitCode } from '@couplet/client'
import { NO_LIMITS } from '@couplet/server'
import { afterEach, describe, expect, test } from 'vitest'
import { read, TestPerson, TestServer, until } from './people.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
let server: TestServer
const people: TestPerson[] = []

afterEach(async () => {
  for (const person of people.splice(0)) await person.offline()
  await server.stop()
})

async function register(phone: string): Promise<TestPerson> {
  const person = await TestPerson.register(server, phone)
  people.push(person)
  return person
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof ClientError) return error.code
    throw error
  }
  return 'nothing was thrown'
}

describe('a server that says: too often', () => {
  test('messages beyond the burst are pending, and arrive all, in order', async () => {
    server = await new TestServer({
      limits: { ...NO_LIMITS, sends: { burst: 10, periodMs: 2000 } },
    }).start()
    const [ana, ben] = [await register(ANA), await register(BEN)]
    await ana.online()
    await ben.online()
    const texts = Array.from({ length: 30 }, (_, index) => `message ${index}`)
    for (const text of texts) await ana.couplet.send(BEN, text)
    expect((await ana.couplet.outbox()).map(({ state }) => state)).toContain('pending')
    expect((await read(ben.couplet, 30)).map(({ text }) => text)).toEqual(texts)
    await until(async () => (await ana.couplet.outbox()).length === 0)
  })

  test('lookups are limited for each account', async () => {
    server = await new TestServer({
      limits: { ...NO_LIMITS, lookups: { burst: 1, periodMs: 60_000 } },
    }).start()
    const [ana, ben] = [await register(ANA), await register(BEN)]
    await ana.open()
    await ben.open()
    await ana.couplet.verify(BEN)
    expect(await codeOf(ana.couplet.verify('+12025550103'))).toBe('rate-limited')
    await ben.couplet.verify(ANA)
  })
})

describe('an account', () => {
  test('deleted: the number is free, peers hear that nobody is there', async () => {
    server = await new TestServer().start()
    const [ana, ben] = [await register(ANA), await register(BEN)]
    await ana.send(ben, 'one')
    await ben.open()
    await ben.couplet.deleteAccount()
    expect(await codeOf(ben.couplet.connect())).toBe('unauthenticated')
    await ana.open()
    expect(await codeOf(ana.couplet.verify('+12025550103'))).toBe('unknown-recipient')
    const again = await register(BEN)
    expect(await again.receive()).toEqual([])
  })

  test('locked: a code alone does not register its number; the old device is told', async () => {
    server = await new TestServer().start()
    const ana = await register(ANA)
    await ana.open()
    await ana.couplet.lockRegistration('4711 or so')
    expect((await ana.couplet.account()).lock).toEqual({ triesLeft: 10, failures: 0 })

    const thief = await TestPerson.begin(server, ANA)
    const code = server.codes.get(ANA)!
    const trying = (pin?: string) => submitCode(thief.ports, thief.ports.store, code, pin)
    expect(await codeOf(trying())).toBe('registration-locked')
    await expect(trying('1234')).rejects.toMatchObject({
      code: 'registration-locked',
      details: { triesLeft: 9 },
    })
    expect((await ana.couplet.account()).lock).toMatchObject({ triesLeft: 9, failures: 1 })
    await ana.couplet.connect()

    await ana.couplet.lockRegistration(undefined)
    expect((await ana.couplet.account()).lock).toBeUndefined()
  })
})

test('a client that is too old hears it, and does not go on trying', async () => {
  server = await new TestServer().start()
  const ana = await register(ANA)
  await server.stop()
  server = await server.startWith({ minimumClient: '99.0.0' })
  await ana.open()
  expect(await codeOf(ana.couplet.connect())).toBe('client-too-old')
  expect(await codeOf(ana.couplet.account())).toBe('client-too-old')
  expect(ana.couplet.connection).toBe('offline')
})
