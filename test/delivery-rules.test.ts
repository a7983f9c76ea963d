/** The sender's rules, one by one, where delivery.test.ts shows only what comes of them. (spec/delivery.md) */
import {
  ClientError,
  type Connection,
  type ConnectionEvents,
  type OutgoingMessage,
} from '@couplet/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mayReplace } from '../packages/client/src/session-opener.ts'
import { type PersonOptions, TestPerson, TestServer, until } from './people.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const CLEO = '+12025550103'
const HOUR_MS = 60 * 60 * 1000

let server: TestServer
let people: TestPerson[]

beforeEach(async () => {
  server = await new TestServer({ capacity: 10 }).start()
  people = []
})

afterEach(async () => {
  for (const person of people) await person.offline()
  await server.stop()
})

async function register(phone: string, options: PersonOptions = {}): Promise<TestPerson> {
  const person = await TestPerson.register(server, phone, options)
  people.push(person)
  return person
}

const isWaiting = ({ state }: OutgoingMessage) => state === 'waiting-for-room'
const texts = (messages: readonly { readonly text: string }[]) => messages.map(({ text }) => text)

test('with a mailbox of one, nothing is lost and the order is kept', async () => {
  await server.stop()
  server = await new TestServer({ capacity: 1 }).start()
  const [ana, ben] = [await register(ANA), await register(BEN)]
  const said = ['one', 'two', 'three', 'four', 'five']
  await ana.send(ben, ...said)
  await ana.online()
  expect(texts(await ana.couplet.outbox())).toEqual(said)
  expect(texts(await ben.receive())).toEqual(said)
  await until(async () => (await ana.couplet.outbox()).length === 0)
})

test('what got no answer is put again as it was, lowest number first, before anything new', async () => {
  const lost: string[] = []
  const put: string[] = []
  let broken = true
  const ana = await register(ANA, {
    ports: putting(async (connection, recipient, envelope, mode) => {
      const seen = `${Buffer.from(envelope).toString('base64url')} ${mode}`
      if (broken) {
        lost.push(seen)
        throw new ClientError('unreachable', 'the connection to the server was lost')
      }
      put.push(seen)
      return connection.put(recipient, envelope, mode)
    }),
  })
  const ben = await register(BEN)
  await ana.online()
  for (const text of ['one', 'two', 'three', 'four']) await ana.couplet.send(BEN, text)
  await until(() => lost.length === 4)
  await ana.offline()

  broken = false
  await (await ana.open()).send(BEN, 'five')
  await ana.couplet.connect()
  await until(() => put.length === 5)
  expect(put.slice(0, 4)).toEqual(lost.map((seen) => seen.replace('evict', 'if-room')))
  expect(put[4]).toMatch(/ evict$/)
  expect(texts(await ben.receive())).toEqual(['one', 'two', 'three', 'four', 'five'])
})

test('of what was evicted at most two wait again for somebody who is away, the oldest first', async () => {
  let resent = 0
  const ana = await register(ANA, {
    ports: putting((connection, recipient, envelope, mode) => {
      if (mode === 'evict') return Promise.resolve({ kind: 'evicted' })
      resent++
      return connection.put(recipient, envelope, mode)
    }),
  })
  const ben = await register(BEN)
  await ana.online()
  const said = ['one', 'two', 'three', 'four', 'five']
  for (const text of said) await ana.couplet.send(BEN, text)
  const sent = async () => (await ana.couplet.outbox()).filter(({ state }) => state === 'sent')
  const waiting = async () => (await ana.couplet.outbox()).filter(isWaiting)
  await until(async () => (await waiting()).length === 5)
  // Every new connection makes the outbox try again whatever may go.
  for (let times = 0; times < 3; times++) {
    await ana.offline()
    await ana.online()
    await until(async () => (await sent()).length >= 2)
  }
  expect(texts(await sent())).toEqual(['one', 'two'])
  expect(resent).toBe(2)

  await ben.online()
  await until(async () => (await ana.couplet.outbox()).length === 0, 30_000)
  expect(texts(await ben.couplet.history(ANA))).toEqual(said)
}, 40_000)

test('what left the mailbox while its sender was away is sent again as soon as the sender is back', async () => {
  await server.stop()
  server = await new TestServer({ capacity: 1 }).start()
  const [ana, ben, cleo] = [await register(ANA), await register(BEN), await register(CLEO)]
  await ana.send(ben, 'pushed out')
  await cleo.send(ben, 'the last one')
  await ben.online()
  await until(async () => (await ben.couplet.history(CLEO)).length === 1)
  // The room that it leaves was told to nobody: Ana was not there to hear it.
  await ana.online()
  await until(async () => (await ana.couplet.outbox()).length === 0)
  expect(texts(await ben.couplet.history(ANA))).toEqual(['pushed out'])
})

test('room that is told right behind the answer `full` is not missed', async () => {
  let isBack = false
  const refused: ((outcome: { kind: 'full' }) => void)[] = []
  let tellRoom: (recipient: Uint8Array) => void = () => {}
  const ana = await register(ANA, {
    ports: putting(
      (connection, recipient, envelope, mode) => {
        if (mode === 'evict') return Promise.resolve({ kind: 'evicted' })
        if (!isBack) return Promise.resolve({ kind: 'full' })
        if (refused.length === 2) return connection.put(recipient, envelope, mode)
        return new Promise((resolve) => {
          if (refused.push(resolve) < 2) return
          // All arrive in one piece of the stream, later, when nothing else is to be done.
          setTimeout(() => {
            for (const answer of refused) answer({ kind: 'full' })
            tellRoom(recipient)
          }, 100)
        })
      },
      (events) => {
        tellRoom = (recipient) => events.room(Uint8Array.from(recipient))
      },
    ),
  })
  const ben = await register(BEN)
  await ben.online()
  await ana.online()
  const said = ['one', 'two', 'three', 'four']
  for (const text of said) await ana.couplet.send(BEN, text)
  await until(async () => (await ana.couplet.outbox()).every(isWaiting))
  await ana.offline()
  isBack = true
  await ana.online()
  await until(async () => (await ana.couplet.outbox()).length === 0)
  expect(texts(await ben.couplet.history(ANA))).toEqual(said)
}, 30_000)

test('a session is replaced at most once an hour, and three times a day', () => {
  const now = 100 * HOUR_MS
  const may = (...hoursAgo: number[]) =>
    mayReplace({ replacements: hoursAgo.map((ago) => now - ago * HOUR_MS) } as never, now)
  expect(may()).toBe(true)
  expect(may(0.99)).toBe(false)
  expect(may(1)).toBe(true)
  expect(may(2, 3)).toBe(true)
  expect(may(2, 3, 23.9)).toBe(false)
  expect(may(2, 3, 24)).toBe(true)
})

test('whoever was replaced by another connection does not come back by itself', async () => {
  let connects = 0
  const ana = await register(ANA, {
    ports: (ports) => ({
      createConnector: (url) => ({
        connect: (signer, events) => {
          connects++
          return ports.createConnector(url).connect(signer, events)
        },
      }),
      platform: {
        ...ports.platform,
        // Whatever would be tried again later is tried at once, but no answer is late.
        clock: {
          now: () => ports.platform.clock.now(),
          schedule: (ms, task) => ports.platform.clock.schedule(ms < 1000 ? 0 : ms, task),
        },
      },
    }),
  })
  const ben = await register(BEN)
  const older = await ana.online()
  const newer = await ana.open()
  await newer.connect()
  await until(() => older.connection === 'replaced')
  await ben.online()
  for (const text of ['one', 'two', 'three', 'four', 'five']) {
    await (await ben.couplet.send(ANA, text)).delivered
  }
  expect(connects).toBe(2)
  expect([older.connection, newer.connection]).toEqual(['replaced', 'online'])
  await older.close()
})

test('prekeys with a lower number than seen before begin no session', async () => {
  let lookups = 0
  let puts = 0
  const ana = await register(ANA, {
    ports: (ports) => ({
      ...putting((connection, ...put) => {
        puts++
        return connection.put(...put)
      })(ports),
      createApi: (url) => {
        const api = ports.createApi(url)
        const lookup: typeof api.lookup = (...asked) => {
          lookups++
          return api.lookup(...asked)
        }
        return new Proxy(api, {
          get: (target, name) => {
            if (name === 'lookup') return lookup
            const value: unknown = Reflect.get(target, name)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      },
    }),
  })
  const ben = await register(BEN)
  await ana.send(ben, 'one')
  await ben.receive()
  await ana.store.transaction(async (transaction) => {
    const [contact] = await transaction.list<{ highestPrekeyId: number }>('contacts', 'all')
    expect(contact!.value.highestPrekeyId).toBe(1)
    const seen = { ...contact!.value, highestPrekeyId: 2 }
    await transaction.put('contacts', 'all', contact!.position, seen)
    for (const { position } of await transaction.list('sessions', '1')) {
      await transaction.delete('sessions', '1', position)
    }
  })
  await ana.online()
  ;[lookups, puts] = [0, 0]
  await ana.couplet.send(BEN, 'two')
  await until(() => lookups > 0)
  await ana.couplet.settled()
  expect(puts).toBe(0)
  expect(await ana.couplet.outbox()).toMatchObject([{ text: 'two', state: 'pending' }])
})

/** Stands in for `put` of every connection. */
function putting(
  put: (
    connection: Connection,
    ...args: Parameters<Connection['put']>
  ) => ReturnType<Connection['put']>,
  onConnect: (events: ConnectionEvents) => void = () => {},
): NonNullable<PersonOptions['ports']> {
  return (ports) => ({
    createConnector: (url) => ({
      connect: async (signer, events) => {
        const honest = await ports.createConnector(url).connect(signer, events)
        onConnect(events)
        return {
          capacity: honest.capacity,
          clockOffset: honest.clockOffset,
          put: (...args) => put(honest, ...args),
          status: (ids) => honest.status(ids),
          ack: (...args) => honest.ack(...args),
          nack: (...args) => honest.nack(...args),
          check: () => honest.check(),
          close: () => honest.close(),
        }
      },
    }),
  })
}
