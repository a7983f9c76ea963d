/**
 * What goes wrong on the way and on the device, and must not cost a message: refusals, lost state,
 * lies that are taken back, two calls at once. (spec/delivery.md)
 */
import type { Connection, Contact, Plain, Warning } from '@couplet/client'
import { ClientError } from '@couplet/client'
import { decodeSession, encodeSession, MAX_UNRECEIPTED } from '@couplet/protocol'
import { NO_LIMITS } from '@couplet/server'
import type { Bytes } from '@couplet/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type PersonOptions, TestClock, TestPerson, TestServer, until } from './people.ts'
import { withApi } from './tampering.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'

let server: TestServer
let people: TestPerson[]

beforeEach(async () => {
  // A flood has to get through the door before it can do harm.
  server = await new TestServer({ limits: NO_LIMITS }).start()
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

const texts = (messages: readonly { readonly text: string }[]) => messages.map(({ text }) => text)

describe('a peer that means harm', () => {
  test('asks for a time to live beyond all numbers: the message is read, once, and the next too', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    await ana.open()
    await ana.couplet.send(BEN, 'poison')
    await changeRecord(ana, 'messages', '1', 1, (message) => ({ ...message, expiresAfter: 8e15 }))
    await ana.couplet.connect()
    await ana.couplet.settled()
    await (await ana.couplet.send(BEN, 'after it')).sent
    expect(texts(await ben.receive())).toEqual(['poison', 'after it'])
    expect(await ben.receive()).toEqual([])
  })

  test('floods requests: what friends write can still be read', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    const spammer = await register('+12025550103')
    await ben.open()
    await ben.couplet.changeSettings({ strangers: 'ask' })
    await ben.couplet.connect()
    await spammer.online()
    for (let i = 0; i < 300; i++) await (await spammer.couplet.send(BEN, `spam ${i}`)).sent
    await spammer.couplet.settled()
    await ben.couplet.send(ANA, 'write to me')
    await ana.send(ben, 'I do')
    await ben.offline()
    expect(texts(await ben.receive())).toEqual(['I do'])
  })
})

describe('state that is lost', () => {
  test('a device that lost its sessions gets everything again, and both are shown the replacement', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    const warnings: Warning['kind'][] = []
    await ana.online()
    ana.couplet.on('warning', ({ kind }) => warnings.push(kind))
    await ben.online()
    await (await ana.couplet.send(BEN, 'one')).delivered
    await (await ben.couplet.send(ANA, 'two')).delivered
    await (await ana.couplet.send(BEN, 'three')).delivered
    await ben.offline()
    await ben.forgetSessions()
    await ben.online()
    await (await ana.couplet.send(BEN, 'four')).delivered
    expect(warnings).toContain('session-replaced')
    await (await ben.couplet.send(ANA, 'five')).delivered
  })

  test('to a verified contact nothing is sent in a session that began anew without proof, until the user has decided', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    await ana.online()
    await ben.online()
    await (await ana.couplet.send(BEN, 'one')).delivered
    await (await ben.couplet.send(ANA, 'two')).delivered
    await ana.couplet.markVerified(await ana.couplet.verify(BEN))

    const decisions = [
      ({ phone, identityId }: Contact) => ana.couplet.acceptKey(phone, identityId),
      async ({ phone }: Contact) => ana.couplet.markVerified(await ana.couplet.verify(phone)),
    ]
    for (const decide of decisions) {
      await ben.offline()
      await ben.forgetSessions()
      await ben.online()
      await (await ben.couplet.send(ANA, 'I begin anew')).delivered
      await ana.couplet.send(BEN, 'for the one I know')
      // Nobody has to have seen the warning when it came: it is there until it is answered.
      await ana.offline()
      await ana.online()
      await ana.couplet.settled()
      const [contact] = await ana.couplet.contacts()
      expect(contact).toMatchObject({ verified: true, sessionReplaced: true })
      expect(texts(await ana.couplet.outbox())).toEqual(['for the one I know'])
      await decide(contact!)
      await until(async () => (await ana.couplet.outbox()).length === 0)
      expect((await ana.couplet.contacts())[0]).not.toHaveProperty('sessionReplaced')
    }
  })

  test('a sender who is too far ahead of every receipt, with nothing under way, begins anew', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    await ana.online()
    await ben.online()
    await (await ana.couplet.send(BEN, 'one')).delivered
    await ana.offline()
    // As after twenty thousand messages of which none arrived and none waits any more.
    await ana.store.transaction(async (transaction) => {
      const [entry] = await transaction.list<{ state: Bytes }>('sessions', '1')
      const { sending, ...session } = decodeSession(entry!.value.state)
      const ahead = { ...sending!, count: sending!.receipted + MAX_UNRECEIPTED }
      const state = encodeSession({ ...session, sending: ahead })
      await transaction.put('sessions', '1', entry!.position, { ...entry!.value, state })
    })
    await ana.online()
    await (await ana.couplet.send(BEN, 'two')).delivered
    await (await ben.couplet.send(ANA, 'three')).delivered
  })

  test('a lie of the directory that is taken back costs no message', async () => {
    const mallory = await TestPerson.register(await new TestServer().start(), BEN)
    const lie = { active: false }
    const ana = await register(ANA, {
      ports: withApi((honest) => ({
        lookup: async (phone, signer) => {
          const entry = await honest.lookup(phone, signer)
          return lie.active && entry ? mallory.directoryEntry() : entry
        },
      })),
    })
    const ben = await register(BEN)
    await ben.online()
    await ana.online()
    await (await ana.couplet.send(BEN, 'before')).delivered
    await (await ben.couplet.send(ANA, 'and back')).delivered
    lie.active = true
    await ana.couplet.verify(BEN)
    lie.active = false
    await ana.couplet.verify(BEN)
    await (await ana.couplet.send(BEN, 'after')).delivered
  })

  test('a contact who registered anew: numbers begin again, and each conversation keeps its order', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    await ana.send(ben, 'old 1', 'old 2')
    expect(texts(await ben.receive())).toEqual(['old 1', 'old 2'])
    const again = await register(ANA)
    await again.send(ben, 'new 1', 'new 2')
    expect(texts(await ben.receive())).toEqual(['new 1', 'new 2'])
    await ben.open()
    expect(texts(await ben.couplet.history(ANA))).toEqual(['old 1', 'old 2', 'new 1', 'new 2'])
  })
})

describe('a server that cannot just now', () => {
  test.each(['put', 'status'] as const)(
    'refuses a %s on a living connection: it is asked again',
    async (which) => {
      const faults = { left: 0 }
      const clock = new TestClock(20)
      const ana = await register(ANA, { clock, ports: refusing(which, faults) })
      const ben = await register(BEN)
      await ana.open()
      await ana.couplet.send(BEN, 'one')
      await ana.couplet.connect()
      await ana.couplet.settled()
      if (which === 'status') await ana.offline()
      faults.left = 1
      if (which === 'status') await ana.online()
      await ana.couplet.send(BEN, 'two')
      await until(() => faults.left === 0)
      const received: string[] = []
      await until(async () => {
        received.push(...texts(await ben.receive()))
        return received.length === 2
      }, 30_000)
      expect(received).toEqual(['one', 'two'])
      await until(async () => (await ana.couplet.outbox()).length === 0, 30_000)
    },
  )
})

describe('a server that forgets', () => {
  test('what was settled without a receipt waits for the receipt all the same', async () => {
    const lane = { forgotten: false }
    const forgetful = between((honest) => ({
      status: async (ids) =>
        lane.forgotten ? ids.map(() => ({ kind: 'unknown' as const })) : honest.status(ids),
    }))
    const ana = await register(ANA, { ports: forgetful })
    const ben = await register(BEN)
    await ben.open()
    await ben.couplet.changeSettings({ strangers: 'ask' })
    await ben.online()
    await ana.online()
    await ana.couplet.send(BEN, 'hello')
    await until(async () => (await ana.couplet.outbox()).length === 0)
    await ana.offline()
    lane.forgotten = true
    await ana.online()
    await ana.couplet.settled()
    await ben.couplet.accept(ANA)
    await until(async () => {
      const [message] = await ana.couplet.history(BEN)
      return message?.direction === 'outgoing' && message.state === 'delivered'
    }, 30_000)
  })

  test('each envelope that it never saw is put once more, however slowly that is answered', async () => {
    const line = { dead: false, puts: 0 }
    const end = Promise.withResolvers<never>()
    end.promise.catch(() => {})
    const lossy = between((honest) => ({
      put: (...put) => {
        line.puts++
        return line.dead ? end.promise : honest.put(...put)
      },
    }))
    const reader = { held: Promise.resolve() }
    const slow = between((honest) => ({
      ack: async (id, receipt) => {
        await reader.held
        return honest.ack(id, receipt)
      },
    }))
    const ana = await register(ANA, { ports: lossy })
    const ben = await register(BEN, { ports: slow })
    await ana.online()
    await ben.online()
    await (await ana.couplet.send(BEN, 'hello')).delivered
    await (await ben.couplet.send(ANA, 'hello')).delivered
    line.dead = true
    line.puts = 0
    // More than are put at once, so that the client settles again before the first are answered.
    const count = 40
    for (let i = 0; i < count; i++) await ana.couplet.send(BEN, `message ${i}`)
    await until(() => line.puts > 0)
    end.reject(new ClientError('closed', 'the line is dead'))
    await ana.offline()
    const release = Promise.withResolvers<void>()
    reader.held = release.promise
    line.dead = false
    line.puts = 0
    await ana.online()
    await until(() => line.puts >= count, 30_000)
    release.resolve()
    await until(async () => (await ana.couplet.outbox()).length === 0, 30_000)
    expect(line.puts).toBe(count)
  })
})

describe('a notice that is lost between servers', () => {
  test('costs half an hour, not the message', async () => {
    const clock = new TestClock(3600)
    const ana = await register(ANA, {
      clock,
      ports: (ports) => ({
        createConnector: (url) => {
          const honest = ports.createConnector(url)
          return {
            connect: (signer, events) => honest.connect(signer, { ...events, notice() {} }),
          }
        },
      }),
    })
    const ben = await register(BEN)
    await ana.online()
    for (const text of ['one', 'two', 'three']) await (await ana.couplet.send(BEN, text)).sent
    await ben.online()
    clock.offset += DAY_MS / 24
    await until(async () => (await ana.couplet.outbox()).length === 0, 20_000)
    expect(texts(await ben.couplet.history(ANA)).toSorted()).toEqual(['one', 'three', 'two'])
  })
})

describe('calls that come at once', () => {
  test('connecting twice is one connection', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    const couplet = await ana.open()
    await Promise.all([couplet.connect(), couplet.connect()])
    await couplet.connect()
    expect(couplet.connection).toBe('online')
    await (await couplet.send(BEN, 'hello')).sent
    expect(couplet.connection).toBe('online')
    expect(texts(await ben.receive())).toEqual(['hello'])
  })

  test('closing while connecting leaves nothing open', async () => {
    const ana = await register(ANA)
    const couplet = await ana.open()
    const connecting = couplet.connect()
    await Promise.all([couplet.close(), couplet.close(), connecting.catch(() => {})])
    expect(couplet.connection).toBe('offline')
    await expect(couplet.connect()).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('what is of no more use, while connected', () => {
  test('is forgotten: sessions that nobody sends in, envelopes that no server can bring again', async () => {
    const clock = new TestClock(36_000)
    const ana = await register(ANA, { clock })
    const ben = await register(BEN)
    const count = (collection: string, partition: string) =>
      ana.store.transaction(async (tables) => (await tables.list(collection, partition)).length)
    await ana.online()
    await ben.online()
    await (await ana.couplet.send(BEN, 'one')).delivered
    await (await ben.couplet.send(ANA, 'two')).delivered
    await ben.offline()
    await ben.forgetSessions()
    await ben.online()
    await (await ben.couplet.send(ANA, 'three')).delivered
    await (await ana.couplet.send(BEN, 'four')).delivered
    expect(await count('sessions', '1')).toBe(2)
    expect(await count('received-envelopes', 'days')).toBe(1)

    clock.offset += 31 * DAY_MS
    await until(async () => (await count('sessions', '1')) === 1, 20_000)
    // The server may keep an envelope for a month, and clocks may be wrong: two months, then.
    expect(await count('received-envelopes', 'days')).toBe(1)
    clock.offset += 31 * DAY_MS
    await until(async () => (await count('received-envelopes', 'days')) === 0, 20_000)
    await (await ana.couplet.send(BEN, 'five')).delivered
  })
})

describe('own prekeys, while connected for long', () => {
  test('rotate within an hour of their use, and their private halves are destroyed after two days', async () => {
    const clock = new TestClock(36_000)
    const ana = await register(ANA)
    const ben = await register(BEN, { clock })
    /** Ids, those that the server gives to nobody any more with a minus. */
    const ids = () =>
      ben.store.transaction(async (transaction) => {
        const prekeys = await transaction.list<{ retiredAt?: number }>('prekeys', 'own')
        return prekeys.map(({ position, value }) => (value.retiredAt ? -position : position))
      })
    await ben.online()
    await ana.online()
    await (await ana.couplet.send(BEN, 'hello')).delivered
    clock.offset += 3_600_000
    await until(async () => (await ids()).includes(-1), 20_000)
    expect(await ids()).toEqual([-1, 2])
    clock.offset += 50 * 3_600_000
    await until(async () => !(await ids()).includes(-1), 20_000)
  })
})

/** A server that answers `unavailable` a few times and keeps the connection. */
function refusing(
  which: 'put' | 'status',
  faults: { left: number },
): NonNullable<PersonOptions['ports']> {
  const refuse = (): void => {
    if (faults.left === 0) return
    faults.left--
    throw new ClientError('unavailable', 'not just now')
  }
  return between((honest) => ({
    put: async (...put) => {
      if (which === 'put') refuse()
      return honest.put(...put)
    },
    status: async (ids) => {
      if (which === 'status') refuse()
      return honest.status(ids)
    },
  }))
}

/** Stands between a client and its server. */
function between(
  change: (honest: Connection) => Partial<Connection>,
): NonNullable<PersonOptions['ports']> {
  return (ports) => ({
    createConnector: (url) => ({
      connect: async (signer, events) => {
        const honest = await ports.createConnector(url).connect(signer, events)
        const connection: Connection = {
          capacity: honest.capacity,
          clockOffset: honest.clockOffset,
          put: (...put) => honest.put(...put),
          status: (ids) => honest.status(ids),
          ack: (id, receipt) => honest.ack(id, receipt),
          nack: (id, reason) => honest.nack(id, reason),
          check: () => honest.check(),
          close: () => honest.close(),
          ...change(honest),
        }
        return connection
      },
    }),
  })
}

/** Changes one record behind the client's back. */
function changeRecord(
  person: TestPerson,
  collection: string,
  partition: string,
  position: number,
  change: (record: { readonly [field: string]: Plain | undefined }) => Plain,
): Promise<void> {
  return person.store.transaction(async (transaction) => {
    const record = await transaction.get<{ readonly [field: string]: Plain | undefined }>(
      collection,
      partition,
      position,
    )
    if (!record) throw new Error('test: no such record')
    await transaction.put(collection, partition, position, change(record))
  })
}

const DAY_MS = 24 * 60 * 60 * 1000
