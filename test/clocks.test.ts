/** Clocks that were wrong, and were set right: nothing waits for the time that they showed. */
import { NO_LIMITS } from '@couplet/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestClock, TestPerson, TestServer, until } from './people.ts'

let server: TestServer
let clock: TestClock
let ana: TestPerson
let ben: TestPerson

beforeEach(async () => {
  server = await new TestServer().start()
  clock = new TestClock()
  ana = await TestPerson.register(server, '+12025550101', { clock })
  ben = await TestPerson.register(server, '+12025550102', { clock })
})

afterEach(async () => {
  await ana.offline()
  await ben.offline()
  await server.stop()
})

const texts = (messages: readonly { readonly text: string }[]) => messages.map(({ text }) => text)

test('what was evicted while the clock was ahead is sent again when it was set back', async () => {
  clock.offset = 20 * HOUR_MS
  await ana.send(ben, 'one', 'two', 'three')
  clock.offset = 0
  await ana.online()
  await ben.online()
  await until(async () => (await ana.couplet.outbox()).length === 0, 30_000)
})

test('a message that came while the clock was ahead is not held back for an earlier one', async () => {
  await ana.send(ben, 'one', 'two', 'three', 'four')
  clock.offset = 20 * HOUR_MS
  await ben.online()
  await ben.offline()
  clock.offset = 0
  expect(texts(await ben.receive())).toEqual(['three', 'four'])
})

test('a replacement that was noted while the clock was ahead forbids no other one', async () => {
  await ana.online()
  await ben.online()
  await (await ana.couplet.send(ben.phone, 'one')).delivered
  await (await ben.couplet.send(ana.phone, 'two')).delivered
  clock.offset = 20 * HOUR_MS
  for (const text of ['three', 'four']) {
    await ben.offline()
    await ben.forgetSessions()
    await ben.online()
    await (await ana.couplet.send(ben.phone, text)).delivered
    await (await ben.couplet.send(ana.phone, `${text} has come`)).delivered
    clock.offset = 0
  }
})

test('a pace that was asked for while the clock was ahead is kept for its seconds, not longer', async () => {
  const sends = { burst: 5, periodMs: 100 }
  const strict = await new TestServer({ limits: { ...NO_LIMITS, sends } }).start()
  const cy = await TestPerson.register(strict, '+12025550103', { clock })
  const dee = await TestPerson.register(strict, '+12025550104', { clock })
  try {
    await cy.online()
    await dee.online()
    clock.offset = 20 * HOUR_MS
    // More than are put at once: the rest waits for the pace.
    const count = 40
    for (let i = 0; i < count; i++) await cy.couplet.send(dee.phone, `message ${i}`)
    await until(async () => (await cy.couplet.outbox()).length < count)
    clock.offset = 0
    await until(async () => (await cy.couplet.outbox()).length === 0, 60_000)
  } finally {
    await cy.offline()
    await dee.offline()
    await strict.stop()
  }
})

const HOUR_MS = 60 * 60 * 1000
