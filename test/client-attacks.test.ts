/**
 * Attacks that the client has to withstand, since they are about what it remembers: handshakes that
 * are played back, sessions that cannot prove their past, messages for somebody who has changed.
 * (mutants/ATTACKS.md has all of them, and the faults that these tests notice.)
 */
import type { Connection, ConnectionEvents, Warning } from '@couplet/client'
import {
  decodeSession,
  HEARTBEAT_MESSAGES,
  PREKEY_RETENTION_MS,
  PREKEY_ROTATION_MS,
  parseEnvelope,
} from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import { NO_LIMITS } from '@couplet/server'
import { type Bytes, type NackReason, toHex } from '@couplet/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type PersonOptions,
  TestClock,
  TestPerson,
  TestServer,
  until as untilWithin,
} from './people.ts'
import { tampered, withApi } from './tampering.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'

let server: TestServer
let people: TestPerson[]

beforeEach(async () => {
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

/** Busy machines take their time; nothing here is about speed. */
const until = (condition: () => boolean | Promise<boolean>) => untilWithin(condition, 60_000)

const texts = (messages: readonly { readonly text: string }[]) => messages.map(({ text }) => text)

describe('a handshake that was kept back, and is played later', () => {
  test('after a restart: it is late in its session, and begins no second one', async () => {
    const { ben, tap } = await keptBack()
    await ben.online()
    expect(await tap.play()).toEqual(['late'])
    expect(await sessionsOf(ben)).toHaveLength(1)
  })

  test('after its session was archived: known by its hash, and begins no other', async () => {
    const { ana, ben, tap } = await keptBack()
    await forgetSessions(ben)
    await ben.online()
    expect(await tap.play()).toEqual(['late'])
    expect(await sessionsOf(ben)).toEqual([])
    // What the session carried is neither shown again nor lost: it comes in a new one.
    await (await ana.couplet.send(BEN, 'three')).delivered
    expect(texts(await ben.couplet.history(ANA))).toEqual(['one', 'two', 'three'])
  })

  test('a message that was shown is acknowledged again after a restart, and shown once', async () => {
    const { ben, tap } = await keptBack()
    await forgetSessions(ben)
    await ben.online()
    const acknowledged = tap.acks.length
    const [shown] = tap.seen
    tap.deliver(shown!)
    await until(() => tap.acks.length > acknowledged)
    expect(tap.acks.at(-1)).toBe(tap.acks[0])
    expect(tap.nacks).toEqual([])
    expect(texts(await ben.couplet.history(ANA))).toEqual(['one', 'two'])
    expect(await sessionsOf(ben)).toEqual([])
  })

  test('when its prekeys are destroyed nothing can open it, whoever remembers it or not', async () => {
    // A day is a few seconds of its timers.
    const clock = new TestClock(36_000)
    const { ben, tap } = await keptBack(clock)
    await forgetSessions(ben)
    await ben.online()
    const { prekeyId } = parseEnvelope(tap.kept[0]!.envelope).handshake!
    clock.offset += PREKEY_ROTATION_MS
    await until(async () => (await prekeysOf(ben)).some(({ retiredAt }) => retiredAt))
    clock.offset += PREKEY_RETENTION_MS
    await until(async () => (await prekeysOf(ben)).every(({ id }) => id !== prekeyId))
    expect(await tap.play()).toEqual(['retired-prekey'])
    expect(await sessionsOf(ben)).toEqual([])
  })
})

describe('a session that cannot prove its past', () => {
  test('with a verified contact waits: nothing is sent in it until the user says so', async () => {
    const { ana, ben, tap } = await replacedByBen('verified')
    // In the old session, which Ben does not know any more.
    await ana.couplet.send(BEN, 'secret')
    await until(async () => (await standingsOf(ana)).includes('dead'))
    expect(await ana.couplet.contacts()).toMatchObject([{ sessionReplaced: true }])
    const puts = tap.puts.length
    await ana.couplet.send(BEN, 'another')
    await ana.couplet.settled()
    const waiting = [
      { text: 'secret', state: 'pending' },
      { text: 'another', state: 'pending' },
    ]
    expect(await ana.couplet.outbox()).toMatchObject(waiting)
    // Not even an empty message, though it would be time for one.
    for (let i = 0; i < HEARTBEAT_MESSAGES; i++) {
      await (await ben.couplet.send(ANA, `${i}`)).delivered
    }
    await ana.couplet.settled()
    expect(tap.puts.length).toBe(puts)

    const { identityId } = (await ana.couplet.contacts())[0]!
    await expect(ana.couplet.acceptKey(BEN, '00'.repeat(32))).rejects.toMatchObject({
      code: 'key-changed',
    })
    expect(await ana.couplet.outbox()).toMatchObject(waiting)
    await ana.couplet.acceptKey(BEN, identityId)
    await until(async () => (await ana.couplet.outbox()).length === 0)
    expect(texts(await ben.couplet.history(ANA))).toContain('secret')
  })

  test('with a contact who was never verified is shown, and used', async () => {
    const { ana, ben } = await replacedByBen('never verified')
    await (await ana.couplet.send(BEN, 'go on')).delivered
    expect(texts(await ben.couplet.history(ANA))).toContain('go on')
  })
})

describe('a changed identity never gets what was written for the one before', () => {
  test('though the server says that it was evicted, forgotten, refused', async () => {
    const tap = new Tap()
    const ana = await register(ANA, { ports: tap.ports })
    await register(BEN)
    await ana.online()
    const written = ['one', 'two', 'three']
    for (const text of written) await (await ana.couplet.send(BEN, text)).sent
    const thief = await register(BEN)
    await ana.couplet.verify(BEN)

    tap.notice(tap.puts[0]!, { kind: 'evicted' })
    tap.notice(tap.puts[1]!, { kind: 'unknown' })
    tap.notice(tap.puts[2]!, { kind: 'refused', reason: 'unknown-session' })
    await ana.couplet.settled()
    await (await ana.couplet.send(BEN, 'for the new one')).sent
    await ana.couplet.settled()
    expect(texts(await thief.receive())).toEqual(['for the new one'])
    expect(await ana.couplet.outbox()).toMatchObject(
      written.map((text) => ({ text, state: 'failed', failure: 'key-changed' })),
    )
    // Nor after a restart.
    await ana.offline()
    await ana.online()
    expect(await thief.receive()).toEqual([])
  })

  test('nor what was written and not sent before the change was seen', async () => {
    const ana = await register(ANA)
    await register(BEN)
    await ana.online()
    await (await ana.couplet.send(BEN, 'one')).sent
    await ana.offline()
    await ana.open()
    await ana.couplet.send(BEN, 'two')
    const thief = await register(BEN)
    await ana.couplet.verify(BEN)
    await ana.couplet.connect()
    await ana.couplet.settled()
    expect(await thief.receive()).toEqual([])
    expect(await ana.couplet.outbox()).toMatchObject([
      { text: 'one', failure: 'key-changed' },
      { text: 'two', failure: 'key-changed' },
    ])
  })
})

describe('a directory that answers', () => {
  test('with somebody else’s entry, all signatures in order, is not believed', async () => {
    const cleo = await register('+12025550103')
    const ana = await register(ANA, {
      ports: withApi((honest) => ({
        lookup: async (phone, signer) => {
          const entry = await honest.lookup(phone, signer)
          return phone === BEN ? cleo.directoryEntry() : entry
        },
      })),
    })
    await register(BEN)
    await ana.online()
    await expect(ana.couplet.verify(BEN)).rejects.toMatchObject({ code: 'untrusted-answer' })
    expect(await cleo.receive()).toEqual([])
  })
})

// -------------------------------------------------------------------------------------------------

type Delivery = Parameters<ConnectionEvents['deliver']>[0]

/** What passes between a client and its server, kept to be played again. */
class Tap {
  readonly seen: Delivery[] = []
  readonly acks: (string | undefined)[] = []
  readonly nacks: NackReason[] = []
  /** Ids of what was put. */
  readonly puts: Bytes[] = []
  /** Deliveries that this says yes to are kept, and answered in the name of the recipient: late. */
  keeps: (index: number) => boolean = () => false
  readonly kept: Delivery[] = []
  readonly ports: NonNullable<PersonOptions['ports']>
  #connection: Connection | undefined
  #events: ConnectionEvents | undefined

  constructor() {
    this.ports = tampered(
      {
        put: (honest, recipient, envelope, mode) => {
          this.puts.push(sha256(envelope))
          return honest.put(recipient, envelope, mode)
        },
        ack: (honest, id, receipt) => {
          this.acks.push(receipt && toHex(receipt))
          return honest.ack(id, receipt)
        },
        nack: (honest, id, reason) => {
          this.nacks.push(reason)
          return honest.nack(id, reason)
        },
      },
      {
        connected: (honest, events) => {
          this.#connection = honest
          this.#events = events
        },
        deliver: (events, delivery) => {
          const copy = { ...delivery, envelope: delivery.envelope.slice() }
          if (this.keeps(this.seen.length + this.kept.length)) {
            this.kept.push(copy)
            void this.#connection!.nack(sha256(copy.envelope), 'late')
            return
          }
          this.seen.push(copy)
          events.deliver(delivery)
        },
      },
    )
  }

  deliver(delivery: Delivery): void {
    this.#events!.deliver({ ...delivery, envelope: delivery.envelope.slice() })
  }

  notice(...notice: Parameters<ConnectionEvents['notice']>): void {
    this.#events!.notice(...notice)
  }

  /** Plays what was kept back; how it was answered. */
  async play(): Promise<readonly NackReason[]> {
    const before = this.nacks.length + this.acks.length
    for (const delivery of this.kept) this.deliver(delivery)
    await until(() => this.nacks.length + this.acks.length === before + this.kept.length)
    return this.nacks
  }
}

/**
 * Ana has written “one” and “two”. The first envelope with “two”, and with her handshake, was kept
 * back by the server, and Ana sent another. Ben has both messages, and is away.
 */
async function keptBack(clock = new TestClock()): Promise<{
  ana: TestPerson
  ben: TestPerson
  tap: Tap
}> {
  const tap = new Tap()
  const ana = await register(ANA)
  const ben = await register(BEN, { ports: tap.ports, clock })
  tap.keeps = (index) => index === 1
  await ana.send(ben, 'one', 'two')
  await ben.online()
  await ana.online()
  await until(async () => (await ana.couplet.outbox()).length === 0)
  await ben.offline()
  expect(tap.kept).toHaveLength(1)
  expect(parseEnvelope(tap.kept[0]!.envelope).handshake).toBeDefined()
  return { ana, ben, tap }
}

/** Both talk, then Ben's device loses its sessions and begins anew, without proof: Ana is shown it. */
async function replacedByBen(trust: 'verified' | 'never verified'): Promise<{
  ana: TestPerson
  ben: TestPerson
  tap: Tap
}> {
  const tap = new Tap()
  const warnings: Warning['kind'][] = []
  const ana = await register(ANA, { ports: tap.ports })
  const ben = await register(BEN)
  await ana.online()
  await ben.online()
  ana.couplet.on('warning', ({ kind }) => warnings.push(kind))
  if (trust === 'verified') await ana.couplet.markVerified(await ana.couplet.verify(BEN))
  await (await ana.couplet.send(BEN, 'one')).delivered
  await (await ben.couplet.send(ANA, 'two')).delivered
  await (await ana.couplet.send(BEN, 'three')).delivered
  await ben.offline()
  await forgetSessions(ben)
  await ben.online()
  await (await ben.couplet.send(ANA, 'from a new session')).delivered
  expect(warnings).toEqual(['session-replaced'])
  return { ana, ben, tap }
}

/** Contacts have the numbers 1, 2, …, and here there is one. */
function sessionsOf(person: TestPerson): Promise<readonly { readonly value: { state: Bytes } }[]> {
  return person.store.transaction((transaction) => transaction.list('sessions', '1'))
}

async function standingsOf(person: TestPerson): Promise<readonly string[]> {
  const records = await sessionsOf(person)
  return records.map(({ value }) => decodeSession(value.state).standing)
}

async function prekeysOf(person: TestPerson): Promise<{ id: number; retiredAt?: number }[]> {
  return person.store.transaction(async (transaction) => {
    const all = await transaction.list<{ id: number; retiredAt?: number }>('prekeys', 'own')
    return all.map(({ value }) => value)
  })
}

function forgetSessions(person: TestPerson): Promise<void> {
  return person.store.transaction(async (transaction) => {
    for (const { position } of await transaction.list('sessions', '1')) {
      await transaction.delete('sessions', '1', position)
    }
  })
}

const sha256 = (bytes: Uint8Array) => nodePrimitives.sha256(bytes)
