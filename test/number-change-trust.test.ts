/**
 * Who is trusted, and told, when numbers change. (spec/delivery.md, "Changed numbers")
 *
 * Somebody has stolen the keys of an identity, or is blocked, or has the number of another one now.
 */
import {
  ClientError,
  type ClientPorts,
  completeNumberChange,
  requestNumberChange,
  requirePhoneNumber,
} from '@couplet/client'
import {
  createIdentity,
  createPrekeys,
  decodeSession,
  importIdentity,
  type Session,
} from '@couplet/protocol'
import { NO_LIMITS } from '@couplet/server'
import { equalBytes, toHex } from '@couplet/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NamedRecord, Plain } from '../packages/client/src/ports.ts'
import type {
  AccountRecord,
  ContactRecord,
  FormerRecord,
  OutgoingRecord,
  RegistrationRecord,
  SessionRecord,
} from '../packages/client/src/records.ts'
import { type TestClock, TestPerson, TestServer } from './people.ts'

const ANA = '+12025550101'
const ANA_NEW = '+12025550151'
const BEN = '+12025550102'
const BEN_NEW = '+12025550152'
const BEN_NEWER = '+12025550162'
const CLEO = '+12025550103'
const CLEO_NEW = '+12025550153'
const SPARE = '+12025550199'
const DAY_MS = 24 * 60 * 60 * 1000

let server: TestServer
let ana: TestPerson
let ben: TestPerson
const others: TestPerson[] = []

beforeEach(async () => {
  server = await new TestServer({ limits: NO_LIMITS }).start()
  ana = await TestPerson.register(server, ANA)
  ben = await TestPerson.register(server, BEN)
  await ana.send(ben, 'hello')
  await ben.receive()
  await ben.send(ana, 'hello Ana')
  await ana.receive()
})

afterEach(async () => {
  for (const each of [ana, ben, ...others.splice(0)]) await each.offline()
  await server.stop()
})

describe('whoever has the keys of a verified contact, and nothing else of it', () => {
  beforeEach(async () => {
    await talk()
    await verify(BEN)
  })

  test('gets nothing after the contact has moved and has proven it', async () => {
    ben = await moved(ben, BEN_NEW)
    await turn(ana)
    expect(await contact(ana)).toMatchObject({ phone: BEN_NEW, verified: true })
    expect((await contact(ana)).undecided).toBeUndefined()
    const thief = await keysOf(ben)
    const seen = await insertSession(thief)
    await write(ana, BEN_NEW, 'a secret')
    // It stands in nobody's way, either: what has proven itself is sent in.
    await ana.open()
    expect((await ana.couplet.history(BEN_NEW)).at(-1)).toMatchObject({ state: 'sent' })
    await ana.offline()
    expect(await texts(thief)).not.toContain('a secret')
    expect(seen).toContain(`session-replaced ${BEN_NEW}`)
  })

  test('gets nothing, and does not pass for the contact, after this home has moved', async () => {
    await begin(ana, ANA_NEW)
    // Nothing of it gets through: Ben is still to be told.
    await completeNumberChange(unreachable(ana), ana.store, server.codes.get(ANA_NEW)!)
    ana = ana.under(ANA_NEW)
    const thief = await keysOf(ben)
    const seen = await insertSession(thief)
    await write(ana, BEN, 'a secret')
    expect(await texts(thief)).not.toContain('a secret')
    expect(seen).toContain(`session-replaced ${BEN}`)
    expect(await contact(ana)).toMatchObject({ announce: {}, continuity: {} })
  })

  test('gets no receipt under another number before the decision, and then it does', async () => {
    const thief = await moved(await keysOf(ben), BEN_NEW)
    await write(thief, ANA, 'it is me')
    await turn(ana)
    await turn(thief)
    expect((await contact(ana)).undecided).toBe(true)
    expect(await stateOf(thief, 'it is me')).toBe('sent')
    await ana.online()
    await ana.couplet.acceptKey(BEN_NEW, toHex((await contact(ana)).identity!.id))
    await ana.offline()
    await turn(thief)
    expect(await stateOf(thief, 'it is me')).toBe('delivered')
  })

  test('proves nothing with the reset keys of before the last move', async () => {
    const thief = await copyOf(ben)
    ben = await moved(ben, BEN_NEW)
    await turn(ana)
    await talk()
    expect((await contact(ana)).phone).toBe(BEN_NEW)
    expect((await contact(ana)).undecided).toBeUndefined()
    expect(await standings(ana)).toMatchObject({ [BEN]: 'superseded', [BEN_NEW]: 'live' })
    const moving = await moved(thief, BEN_NEWER)
    await moving.send(ana, 'my newest number')
    await turn(ana)
    const { phone, undecided } = await contact(ana)
    expect({ phone, undecided }).toEqual({ phone: BEN_NEWER, undecided: true })
    await write(ana, BEN_NEWER, 'a secret')
    expect(await texts(moving)).not.toContain('a secret')
  })
})

test('two verified ones prove themselves, of whom one hears of the other before it changes itself', async () => {
  await talk()
  await verify(BEN)
  await verify(ANA, ben)
  ben = await moved(ben, BEN_NEW)
  ana = await moved(ana, ANA_NEW)
  await turn(ben)
  for (const [person, phone] of [
    [ana, BEN_NEW],
    [ben, ANA_NEW],
  ] as const) {
    expect(await contact(person)).toMatchObject({ phone, verified: true })
    expect((await contact(person)).undecided).toBeUndefined()
  }
})

test('a contact that has only answered proves itself, too', async () => {
  await verify(BEN)
  ben = await moved(ben, BEN_NEW)
  expect(await turn(ana)).toEqual([`number-changed ${BEN_NEW}`])
  expect((await contact(ana)).undecided).toBeUndefined()
})

test('of what was held, only what was written for whoever has moved goes there by the decision about it', async () => {
  await talk()
  await verify(BEN)
  const thief = await moved(await keysOf(ben), BEN_NEW)
  await thief.send(ana, 'it is me')
  await turn(ana)
  await write(ana, BEN_NEW, 'for who has moved')
  await write(ana, BEN_NEW, 'for somebody else')
  const { identity, formerIds } = await contact(ana)
  await hold(ana, 'for who has moved', formerIds![0]!)
  await hold(ana, 'for somebody else', '00'.repeat(32))
  await ana.open()
  await ana.couplet.acceptKey(BEN_NEW, toHex(identity!.id))
  expect(await ana.couplet.outbox()).toMatchObject([
    { text: 'for who has moved', state: 'pending' },
    { text: 'for somebody else', state: 'failed', failure: 'key-changed' },
  ])
})

describe('one who is blocked', () => {
  beforeEach(async () => {
    await ana.open()
    await ana.couplet.block(BEN)
    await ana.offline()
  })

  test.each([
    ['earlier', -1000],
    ['days ahead', 3 * DAY_MS],
  ])(
    'is not told a new number that it writes to the old one for, with a record that is %s',
    async (_, ahead) => {
      // The same keys under another number, with a record that is not followed.
      const blocked = await movedWithDate(await keysOf(ben), BEN_NEW, ahead)
      await begin(ana, ANA_NEW)
      const ports = beforeConnection(ana, 2, () => blocked.send(ana, 'psst'))
      await completeNumberChange(ports, ana.store, server.codes.get(ANA_NEW)!)
      ana = ana.under(ANA_NEW)
      await turn(ana)
      await turn(blocked)
      expect(await phones(blocked)).not.toContain(ANA_NEW)
      await write(blocked, ANA_NEW, 'you cannot block me')
      expect(await texts(ana)).toEqual([])
    },
  )

  test('is not pinned to the number of another contact by what the server says of it', async () => {
    const cleo = await register(CLEO)
    await cleo.send(ana, 'hello from Cleo')
    await ana.receive()
    ben = await moved(ben, CLEO)
    await write(ana, CLEO, 'for Cleo')
    const { identity } = (await contacts(ana))[1]!
    expect(toHex(identity!.id)).toBe(await identityOf(cleo))
    expect(await texts(ben)).toEqual([])
  })

  test('does not have a verified contact blocked by taking its number for a while', async () => {
    let cleo = await register(CLEO)
    await cleo.send(ana, 'hello from Cleo')
    await ana.receive()
    await verify(CLEO)
    ben = await moved(ben, CLEO)
    await ben.send(ana, 'x')
    expect(await texts(ana)).toEqual([])
    cleo = await moved(cleo, CLEO_NEW)
    await cleo.send(ana, 'it is me, Cleo')
    expect(await texts(ana)).toEqual(['it is me, Cleo'])
  })

  test('nor whoever has that number next', async () => {
    const cleo = await register(CLEO)
    await cleo.send(ana, 'hello from Cleo')
    await ana.receive()
    ben = await moved(ben, CLEO)
    await ben.send(ana, 'x')
    expect(await texts(ana)).toEqual([])
    const back = await register(CLEO)
    await back.send(ana, 'Cleo again, with a new phone')
    expect(await texts(ana)).toEqual(['Cleo again, with a new phone'])
  })

  test('takes no contact along whose keys were taken for another’s', async () => {
    const cleo = await register(CLEO)
    await cleo.send(ana, 'hello from Cleo')
    await ana.receive()
    ben = await moved(ben, CLEO)
    await ben.send(ana, 'x')
    await turn(ana)
    await ana.open()
    await ana.couplet.acceptKey(CLEO, await identityOf(ben))
    await ana.offline()
    ben = await moved(ben, BEN_NEW)
    await ben.send(ana, 'you cannot block me')
    expect(await texts(ana)).toEqual([])
    expect(await phones(ana)).toEqual([BEN, CLEO])
  })
})

test('somebody unknown who writes to the old number at last is not told the new one', async () => {
  const cleo = await register(CLEO)
  await begin(ana, ANA_NEW)
  const ports = beforeConnection(ana, 2, () => cleo.send(ana, 'who are you?'))
  await completeNumberChange(ports, ana.store, server.codes.get(ANA_NEW)!)
  ana = ana.under(ANA_NEW)
  await turn(ana)
  await turn(cleo)
  expect(await phones(cleo)).not.toContain(ANA_NEW)
  expect(await phones(ana)).toEqual([BEN])
})

test('who has a contact’s number now is not told, and the user is warned of it afterwards', async () => {
  const mallory = await register(BEN)
  ana = await moved(ana, ANA_NEW)
  expect(await turn(ana)).toContain(`key-changed ${BEN}`)
  expect(await turn(ana)).toEqual([])
  await turn(mallory)
  expect(await phones(mallory)).toEqual([])
})

test('what others write from a contact’s number does not tell that the contact knows', async () => {
  await verify(BEN)
  await begin(ana, ANA_NEW)
  await completeNumberChange(unreachable(ana), ana.store, server.codes.get(ANA_NEW)!)
  ana = ana.under(ANA_NEW)
  const mallory = await register(BEN)
  await mallory.send(ana, 'I am Ben, believe me')
  expect(await turn(ana)).toContain(`key-changed ${BEN}`)
  expect(await contact(ana)).toMatchObject({ announce: {}, changed: {} })
})

test('nobody is told to whom nothing was ever said', async () => {
  const mallory = await register(BEN)
  await write(ana, BEN, 'for Ben')
  expect(toHex((await contact(ana)).identity!.id)).toBe(await identityOf(mallory))
  ana = await moved(ana, ANA_NEW)
  await turn(ana)
  await turn(mallory)
  expect(await phones(mallory)).toEqual([])
})

test('a full mailbox does not keep a contact from being told when something waits for it', async () => {
  await ben.send(ana, 'one')
  const cleo = await register(CLEO)
  await cleo.send(ana, 'a', 'b')
  ben = await moved(ben, BEN_NEW)
  await turn(ana)
  expect(await contact(ana)).toMatchObject({ phone: BEN_NEW })
})

test('a new number that waits in the mailbox counts before who has the old one now', async () => {
  await ana.open()
  await ana.couplet.send(BEN, 'for Ben')
  await ana.offline()
  ben = await moved(ben, BEN_NEW)
  await register(BEN)
  const seen = await turn(ana)
  expect(seen).not.toContain(`key-changed ${BEN}`)
  expect(await contact(ana)).toMatchObject({ phone: BEN_NEW })
})

test('what has arrived is not shown again under another name', async () => {
  const cleo = await register(CLEO)
  await cleo.send(ana, 'hello from Cleo')
  await ana.receive()
  await verify(CLEO)
  await write(ben, ANA, 'one')
  // That it has arrived does not become known.
  const { createConnector } = ana.ports
  const silent: typeof createConnector = (url) => {
    const connector = createConnector(url)
    const connect: typeof connector.connect = async (...args) =>
      Object.assign(await connector.connect(...args), { ack: async () => {} })
    return { connect }
  }
  Object.assign(ana.ports, { createConnector: silent })
  expect(await texts(ana)).toEqual(['one'])
  Object.assign(ana.ports, { createConnector })
  // Ben has the number of Cleo now, and sends it once more from there.
  ben = await moved(ben, CLEO)
  await ben.online()
  expect(await texts(ana)).toEqual([])
  await ana.open()
  expect((await ana.couplet.history(CLEO)).map(({ text }) => text)).toEqual(['hello from Cleo'])
})

test('the prekeys of a number that cannot be given back are destroyed after 48 hours', async () => {
  await begin(ana, ANA_NEW)
  await completeNumberChange(unreachable(ana), ana.store, server.codes.get(ANA_NEW)!)
  ana = ana.under(ANA_NEW)
  const prekeys = async () =>
    (await ana.store.transaction((tx) => tx.get<FormerRecord>('account', 'former-number')))?.prekeys
  expect(await prekeys()).toHaveLength(1)
  const clock = ana.ports.platform.clock as TestClock
  clock.offset = 2 * DAY_MS
  const { createApi } = ana.ports
  const refusing: typeof createApi = (url) =>
    Object.assign(createApi(url), { deleteAccount: () => Promise.reject(offline()) })
  Object.assign(ana.ports, { createApi: refusing })
  await turn(ana)
  expect(await prekeys()).toEqual([])
})

// ------------------------------------------------------------------------------------------------

function begin(person: TestPerson, number: string): Promise<unknown> {
  return requestNumberChange(person.ports, person.store, { phone: requirePhoneNumber(number) })
}

/** The person under the new number; the home is the same. */
async function moved(person: TestPerson, number: string): Promise<TestPerson> {
  await begin(person, number)
  await completeNumberChange(person.ports, person.store, server.codes.get(number)!)
  return person.under(number)
}

/** With a record that its owner has dated so long after the one before. */
async function movedWithDate(
  person: TestPerson,
  number: string,
  ahead: number,
): Promise<TestPerson> {
  const { platform } = person.ports
  const { primitives } = platform
  await begin(person, number)
  await person.store.transaction(async (tx) => {
    const account = (await tx.get<AccountRecord>('account', 'own'))!
    const pending = (await tx.get<RegistrationRecord>('account', 'number-change'))!
    const { record } = importIdentity(primitives, account.identity)
    const self = createIdentity(primitives, {
      phone: requirePhoneNumber(number),
      createdAt: record.createdAt + ahead,
      exchangePublicKey: record.exchangeKey,
      exchangeKey: await platform.importExchangeKey(account.exchangeKey),
      signingSeed: account.signingSeed,
      identitySecret: account.identitySecret,
    })
    const secrets = { secret: platform.random(32), kemSeed: platform.random(64) }
    const now = platform.clock.now()
    const made = createPrekeys(primitives, { owner: self, id: 9, now, ...secrets })
    await tx.put('account', 'number-change', 0, {
      ...pending,
      account: { ...pending.account, identity: self.signed },
      prekeys: { ...pending.prekeys, ...made },
    })
  })
  return moved(person, number)
}

/** Says something before the connection with this number is made. */
function beforeConnection(
  { ports }: TestPerson,
  nth: number,
  work: () => Promise<void>,
): ClientPorts {
  let connections = 0
  return {
    ...ports,
    createConnector: (url) => {
      const connector = ports.createConnector(url)
      return {
        connect: async (...args) => {
          if (++connections === nth) await work()
          return connector.connect(...args)
        },
      }
    },
  }
}

/** A person whose way to the server breaks when the new number is its own. */
function unreachable(person: TestPerson): ClientPorts {
  return beforeConnection(person, 2, () => Promise.reject(offline()))
}

function offline(): ClientError {
  return new ClientError('unreachable', 'test: offline')
}

async function register(phone: string): Promise<TestPerson> {
  const person = await TestPerson.register(server, phone)
  others.push(person)
  return person
}

/** Both have opened what depends on a fresh key of their own. */
async function talk(): Promise<void> {
  for (const round of [1, 2]) {
    await ana.send(ben, `from Ana ${round}`)
    await ben.receive()
    await ben.send(ana, `from Ben ${round}`)
    await ana.receive()
  }
}

async function verify(phone: string, by = ana): Promise<void> {
  await by.open()
  await by.couplet.markVerified(await by.couplet.verify(phone))
  await by.offline()
}

/** Somebody with the long-term keys of another. */
async function keysOf(victim: TestPerson): Promise<TestPerson> {
  const thief = await register(SPARE)
  const stolen = await victim.store.transaction((tx) => tx.get<AccountRecord>('account', 'own'))
  await thief.store.transaction(async (tx) => {
    await tx.put('account', 'own', 0, { ...stolen!, nextPosition: 1, nextContact: 1 })
  })
  return thief
}

/** Somebody with everything that is on a device at this moment. */
async function copyOf(victim: TestPerson): Promise<TestPerson> {
  const thief = await register(SPARE)
  const records: NamedRecord<Plain>[] = []
  await victim.store.transaction(async (tx) => {
    for await (const record of tx.everything()) records.push(record)
  })
  await thief.store.transaction(async (tx) => {
    await tx.clear()
    for (const { collection, partition, position, value } of records)
      await tx.put(collection, partition, position, value)
  })
  return thief
}

/** The thief begins sessions with Ana until one of his has the smallest hash. */
async function insertSession(thief: TestPerson): Promise<string[]> {
  const seen: string[] = []
  for (;;) {
    await thief.send(ana, 'believe me')
    const mine = (await sessionsOf(thief)).map(({ handshakeHash }) => toHex(handshakeHash))
    seen.push(...(await turn(ana)))
    const { identity } = await contact(ana)
    const there = (await sessionsOf(ana)).filter(({ peer }) => equalBytes(peer, identity!.id))
    const [smallest] = there.map(({ handshakeHash }) => toHex(handshakeHash)).toSorted()
    if (mine.includes(smallest!)) return seen
    await thief.forgetSessions()
  }
}

/** With a person's first contact. */
async function sessionsOf(person: TestPerson): Promise<Session[]> {
  const records = await person.store.transaction((tx) => tx.list<SessionRecord>('sessions', '1'))
  return records.map(({ value }) => decodeSession(value.state))
}

/** Comes online and takes what there is. @returns what the user was warned of, as `kind phone`. */
async function turn(person: TestPerson): Promise<string[]> {
  const couplet = await person.open()
  const seen: string[] = []
  couplet.on('warning', ({ kind, contact: { phone } }) => seen.push(`${kind} ${phone}`))
  await couplet.connect()
  await couplet.settled()
  await person.offline()
  return seen
}

/** Sends what can be sent now; it may have to wait. */
async function write(person: TestPerson, to: string, text: string): Promise<void> {
  const couplet = await person.online()
  await couplet.send(to, text).catch(() => {})
  await couplet.settled()
  await person.offline()
}

async function texts(person: TestPerson): Promise<string[]> {
  return (await person.receive()).map(({ text }) => text)
}

async function phones(person: TestPerson): Promise<string[]> {
  const couplet = await person.open()
  const found = (await couplet.contacts()).map(({ phone }) => phone)
  await person.offline()
  return found
}

function contacts(person: TestPerson): Promise<readonly ContactRecord[]> {
  return person.store.transaction(async (tx) =>
    (await tx.list<ContactRecord>('contacts', 'all')).map(({ value }) => value),
  )
}

async function contact(person: TestPerson): Promise<ContactRecord> {
  const [first] = await contacts(person)
  return first!
}

async function identityOf(person: TestPerson): Promise<string> {
  const couplet = await person.open()
  const { identityId } = couplet
  await person.offline()
  return identityId
}

async function stateOf(person: TestPerson, text: string): Promise<string | undefined> {
  const couplet = await person.open()
  const messages = await couplet.history(ANA)
  await person.offline()
  const found = messages.find((each) => each.text === text)
  return found?.direction === 'outgoing' ? found.state : undefined
}

/** Of the established sessions with a person's first contact, by the number at the other end. */
async function standings(person: TestPerson): Promise<Record<string, string>> {
  const { identity } = await contact(person)
  return Object.fromEntries(
    (await sessionsOf(person))
      .filter(({ established }) => established)
      .map(({ peer, standing }) => [toHex(peer) === toHex(identity!.id) ? BEN_NEW : BEN, standing]),
  )
}

/** Makes a message of a person be held, as written for somebody else. */
async function hold(person: TestPerson, text: string, writtenFor: string): Promise<void> {
  await person.store.transaction(async (tx) => {
    const messages = await tx.list<OutgoingRecord>('messages', '1')
    const { position, value } = messages.find((each) => each.value.text === text)!
    await tx.delete('outbox', 'fresh 1', value.sequence)
    await tx.put('outbox', 'held 1', value.sequence, position)
    const phase = { kind: 'held' } as const
    const failed = { state: 'failed', failure: 'key-changed' } as const
    await tx.put('messages', '1', position, { ...value, ...failed, writtenFor, phase })
  })
}
