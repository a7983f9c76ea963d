/** Another phone number for the same person. (spec/delivery.md, "Changed numbers") */
import {
  ClientError,
  type ClientPorts,
  completeNumberChange,
  requestNumberChange,
  requirePhoneNumber,
} from '@couplet/client'
import { decodeSession, encodeSession } from '@couplet/protocol'
import { NO_LIMITS } from '@couplet/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type {
  AccountRecord,
  ContactRecord,
  OutgoingRecord,
  SessionRecord,
} from '../packages/client/src/records.ts'
import { TestPerson, TestServer, until } from './people.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const BEN_NEW = '+12025550152'

/** Orders of the steps of two that change at once. */
const ORDERS = Array.from({ length: 12 }, (_, seed) => seed + 1)

let server: TestServer
let ana: TestPerson
let ben: TestPerson

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
  await ana.offline()
  await ben.offline()
  await server.stop()
})

/** The person under the new number; the home is the same. */
async function moved(person: TestPerson, number: string): Promise<TestPerson> {
  await begin(person, number)
  await completeNumberChange(person.ports, person.store, server.codes.get(number)!)
  return person.under(number)
}

function begin(person: TestPerson, number: string): Promise<unknown> {
  return requestNumberChange(person.ports, person.store, { phone: requirePhoneNumber(number) })
}

/** Everything that Ana is warned of, as `kind phone`. */
async function warnings(couplet: { on: TestPerson['couplet']['on'] }): Promise<string[]> {
  const seen: string[] = []
  couplet.on('warning', ({ kind, contact }) => seen.push(`${kind} ${contact.phone}`))
  return seen
}

test('a contact follows to the new number with its conversation, its mark, and what was under way', async () => {
  await ana.open()
  await ana.couplet.markVerified(await ana.couplet.verify(BEN))
  await ana.offline()
  // Two of these wait at the server when Ben changes, one has been evicted, one is never sent there.
  await ana.send(ben, 'one', 'two', 'three')
  await ana.open()
  await ana.couplet.send(BEN, 'four')
  await ana.offline()
  ben = await moved(ben, BEN_NEW)

  // Nobody has written yet: Ben's device has said so by itself, and proven that it is the same one.
  await ana.open()
  const seen = await warnings(ana.couplet)
  await ana.couplet.connect()
  await until(() => seen.length > 0)
  expect(seen).toEqual([`number-changed ${BEN_NEW}`])
  const contacts = await ana.couplet.contacts()
  expect(contacts).toMatchObject([{ phone: BEN_NEW, formerPhone: BEN, verified: true }])
  expect(contacts[0]).not.toHaveProperty('sessionReplaced')

  const couplet = await ben.online()
  expect(couplet.phone).toBe(BEN_NEW)
  await couplet.send(ANA, 'my new number')
  await until(async () => (await ana.couplet.outbox()).length === 0)
  const texts = (await couplet.history(ANA)).filter(({ direction }) => direction === 'incoming')
  expect(texts.map(({ text }) => text)).toEqual(['hello', 'one', 'two', 'three', 'four'])
  await until(async () => (await told(ana, BEN_NEW)).includes('> my new number'))
  expect((await told(ana, BEN_NEW)).toSorted()).toEqual([
    '> hello Ana',
    '> my new number',
    'four: delivered',
    'hello: delivered',
    'one: delivered',
    'three: delivered',
    'two: delivered',
  ])
  // Both ends see the same digits, and the old number is free.
  const [here, other] = [await ana.couplet.verify(BEN_NEW), await couplet.verify(ANA)]
  expect(here.digits).toBe(other.digits)
  await expect(ana.couplet.send(BEN, 'who is there?')).rejects.toMatchObject({
    code: 'unknown-recipient',
  })
})

/** A conversation, as `> text` and `text: state`. */
async function told(person: TestPerson, peer: string): Promise<string[]> {
  const messages = await person.couplet.history(peer)
  return messages.map((each) =>
    each.direction === 'outgoing' ? `${each.text}: ${each.state}` : `> ${each.text}`,
  )
}

describe('whoever has only stolen the keys of a verified contact', () => {
  let thief: TestPerson

  beforeEach(async () => {
    await ana.open()
    await ana.couplet.markVerified(await ana.couplet.verify(BEN))
    await ana.offline()
    thief = await TestPerson.register(server, '+12025550199')
    const stolen = await ben.store.transaction((tx) => tx.get<AccountRecord>('account', 'own'))
    await thief.store.transaction(async (tx) => {
      await tx.put('account', 'own', 0, { ...stolen!, nextPosition: 1, nextContact: 1 })
    })
    thief = await moved(thief, BEN_NEW)
  })

  afterEach(() => thief.offline())

  test('is followed, and gets nothing before the user has decided, however often it begins', async () => {
    await ana.online()
    const seen = await warnings(ana.couplet)
    await thief.send(ana, 'my new number')
    await until(() => seen.length > 1)
    expect(seen).toEqual([`session-replaced ${BEN_NEW}`, `number-changed ${BEN_NEW}`])
    await ana.couplet.send(BEN_NEW, 'a secret')
    // A session that continues the first one proves nothing more than that did.
    await thief.store.transaction(async (tx) => {
      for (const { position, value } of await tx.list<SessionRecord>('sessions', '1')) {
        const session = {
          ...decodeSession(value.state),
          standing: 'dead' as const,
          established: true,
        }
        await tx.put('sessions', '1', position, { ...value, state: encodeSession(session) })
      }
    })
    await thief.send(ana, 'again')
    await until(async () => (await told(ana, BEN_NEW)).includes('> again'))
    await ana.couplet.settled()
    const [contact] = await ana.couplet.contacts()
    expect(contact).toMatchObject({ phone: BEN_NEW, verified: true, sessionReplaced: true })
    expect(await told(ana, BEN_NEW)).toContain('a secret: pending')

    await ana.couplet.acceptKey(BEN_NEW, contact!.identityId)
    await until(
      async () => (await ana.couplet.outbox()).length === 0 || thief.online().then(() => false),
    )
  })

  test('nor does it when the user types the new number', async () => {
    await ana.online()
    expect(await ana.couplet.verify(BEN_NEW)).toMatchObject({ verified: true })
    await ana.couplet.send(BEN_NEW, 'a secret')
    await ana.couplet.settled()
    expect(await ana.couplet.contacts()).toMatchObject([{ phone: BEN_NEW, sessionReplaced: true }])
    expect(await ana.couplet.outbox()).toMatchObject([{ text: 'a secret', state: 'pending' }])
    await ana.couplet.unmarkVerified(BEN_NEW)
    await ana.couplet.settled()
    expect(await ana.couplet.outbox()).toMatchObject([{ text: 'a secret', state: 'sent' }])
  })
})

describe('a number that the user knows before the contact has said it', () => {
  /** Ben under his new number, of which no word has reached Ana. */
  async function movedQuietly(): Promise<void> {
    await lookingUp(
      ben,
      async () => undefined,
      async () => {
        ben = await moved(ben, BEN_NEW)
      },
    )
    await ben.store.transaction(async (tx) => {
      const contact = await tx.get<ContactRecord>('contacts', 'all', 1)
      await tx.put('contacts', 'all', 1, { ...contact!, announce: undefined })
    })
  }

  const offline = async () => {
    throw new ClientError('unreachable', 'test: offline')
  }

  test('is the same conversation, and what waited goes there', async () => {
    await ben.offline()
    await ana.send(ben, 'one', 'two')
    await movedQuietly()
    await ana.online()
    await ana.couplet.send(BEN_NEW, 'three')
    expect(await ana.couplet.contacts()).toMatchObject([{ phone: BEN_NEW, formerPhone: BEN }])
    await ben.online()
    await until(async () => (await ana.couplet.outbox()).length === 0)
    const there = (await ben.couplet.history(ANA)).map(({ text }) => text)
    expect(there).toEqual(['hello', 'hello Ana', 'one', 'two', 'three'])
    expect(await ben.couplet.contacts()).toHaveLength(1)
  })

  test('also when it was typed offline, and nobody could be asked', async () => {
    await ana.send(ben, 'one')
    await movedQuietly()
    await lookingUp(ana, offline, async () => {
      await ana.open()
      await ana.couplet.send(BEN_NEW, 'two', { expiresAfterMs: 3_600_000 })
      await ana.couplet.send(BEN_NEW, 'three')
      await ana.offline()
    })
    await ana.open()
    expect(await ana.couplet.outbox()).toHaveLength(3)
    const seen = await warnings(ana.couplet)
    await ana.couplet.connect()
    await until(() => seen.length > 0)
    expect(seen).toEqual([`number-changed ${BEN_NEW}`])
    await ben.online()
    await until(async () => (await ana.couplet.outbox()).length === 0)
    expect(await told(ana, BEN_NEW)).toEqual([
      'hello: delivered',
      '> hello Ana',
      'one: delivered',
      'two: delivered',
      'three: delivered',
    ])
    const there = (await ben.couplet.history(ANA)).map(({ text }) => text)
    expect(there).toEqual(['hello', 'hello Ana', 'one', 'two', 'three'])
    expect(await ana.couplet.contacts()).toHaveLength(1)
    const [last] = (await ana.couplet.history(BEN_NEW)).slice(-1)
    await ana.couplet.deleteMessage(last!.id)
    expect((await told(ana, BEN_NEW)).at(-1)).toBe('two: delivered')
  })
})

/** What a person is told about numbers while it works. */
async function lookingUp<T>(
  { ports }: TestPerson,
  lookup: () => Promise<undefined>,
  work: () => Promise<T>,
): Promise<T> {
  const { createApi } = ports
  const lying = (url: string) => Object.assign(createApi(url), { lookup })
  Object.assign(ports, { createApi: lying })
  try {
    return await work()
  } finally {
    Object.assign(ports, { createApi })
  }
}

test('what came to the old number while the code was on its way is received, by the SDK alone', async () => {
  await begin(ben, BEN_NEW)
  const cleo = await TestPerson.register(server, '+12025550103')
  await cleo.send(ben, 'a first message')
  await completeNumberChange(ben.ports, ben.store, server.codes.get(BEN_NEW)!)
  ben = ben.under(BEN_NEW)
  expect((await ben.receive()).map(({ text }) => text)).toEqual(['a first message'])
  // And Cleo hears of the new number.
  await cleo.online()
  expect(await cleo.couplet.contacts()).toMatchObject([{ phone: BEN_NEW, formerPhone: BEN }])
  await cleo.offline()
})

test('who is not accepted or is blocked is not told', async () => {
  await ana.open()
  await ana.couplet.block(BEN)
  await ana.offline()
  ana = await moved(ana, '+12025550151')
  await ben.online()
  await ben.couplet.settled()
  expect(await ben.couplet.contacts()).toMatchObject([{ phone: ANA }])
})

describe('both at once', () => {
  test.each(ORDERS)('find each other, whatever comes first: %i', async (seed) => {
    await ana.send(ben, 'one')
    await ben.send(ana, 'two')
    const orders = new Orders(seed)
    const [anaNew, benNew] = ['+12025550161', '+12025550162']
    for (const [person, number] of [
      [ana, anaNew],
      [ben, benNew],
    ] as const)
      await begin(person, number)
    await Promise.all([
      orders.run(ana, (ports) => completeNumberChange(ports, ana.store, server.codes.get(anaNew)!)),
      orders.run(ben, (ports) => completeNumberChange(ports, ben.store, server.codes.get(benNew)!)),
    ])
    ana = ana.under(anaNew)
    ben = ben.under(benNew)
    await ana.online()
    await ben.online()
    await until(async () => (await ana.couplet.contacts())[0]!.phone === benNew)
    await until(async () => (await ben.couplet.contacts())[0]!.phone === anaNew)
    await ana.couplet.send(benNew, 'three')
    await ben.couplet.send(anaNew, 'four')
    await until(async () => (await ana.couplet.outbox()).length === 0)
    await until(async () => (await ben.couplet.outbox()).length === 0)
    for (const [person, peer] of [
      [ana, benNew],
      [ben, anaNew],
    ] as const) {
      const texts = (await person.couplet.history(peer)).map(({ text }) => text)
      expect(texts.toSorted()).toEqual(['four', 'hello', 'hello Ana', 'one', 'three', 'two'])
    }
  })
})

test('what Ben had not got through goes out from the new number, once', async () => {
  await ana.offline()
  await ben.send(ana, 'one', 'two', 'three')
  ben = await moved(ben, BEN_NEW)
  await ben.online()
  await ana.online()
  await until(async () => (await ben.couplet.outbox()).length === 0)
  const texts = (await ana.couplet.history(BEN_NEW)).map(({ text }) => text)
  expect(texts).toEqual(['hello', 'hello Ana', 'one', 'two', 'three'])
})

test('a wrong code changes nothing; a lost answer is made up for', async () => {
  await begin(ben, BEN_NEW)
  await expect(completeNumberChange(ben.ports, ben.store, '000000')).rejects.toMatchObject({
    code: 'wrong-code',
  })
  await ana.send(ben, 'still the old number')
  expect((await ben.receive()).map(({ text }) => text)).toEqual(['still the old number'])

  let loses = true
  const createApi: typeof ben.ports.createApi = (url) => {
    const api = ben.ports.createApi(url)
    return new Proxy(api, {
      get: (target, name: keyof typeof api) =>
        name === 'verify'
          ? async (...args: Parameters<typeof api.verify>) => {
              const answer = await target.verify(...args)
              if (!loses) return answer
              loses = false
              throw new Error('the answer was lost')
            }
          : typeof target[name] === 'function'
            ? (target[name] as () => unknown).bind(target)
            : target[name],
    })
  }
  await begin(ben, BEN_NEW)
  const finish = () =>
    completeNumberChange({ ...ben.ports, createApi }, ben.store, server.codes.get(BEN_NEW)!)
  await expect(finish()).rejects.toThrow('the answer was lost')
  await expect(finish()).resolves.toMatchObject({ phone: BEN_NEW })
  ben = ben.under(BEN_NEW)
  await ben.send(ana, 'here I am')
  expect((await ana.receive()).map(({ from, text }) => [from, text])).toEqual([
    [BEN_NEW, 'here I am'],
  ])
})

test('the old number is given back later when the server does not answer at once', async () => {
  await begin(ben, BEN_NEW)
  const createApi: typeof ben.ports.createApi = (url) => {
    const api = ben.ports.createApi(url)
    api.deleteAccount = async () => {
      throw Object.assign(new Error(), { code: 'never' })
    }
    return api
  }
  const ports = { ...ben.ports, createApi }
  await expect(
    completeNumberChange(ports, ben.store, server.codes.get(BEN_NEW)!),
  ).rejects.toMatchObject({ code: 'never' })
  ben = ben.under(BEN_NEW)
  await ben.online()
  await ana.online()
  await until(async () => {
    const gone = await ana.couplet.verify(BEN).then(
      () => false,
      () => true,
    )
    return gone
  })
})

describe('nobody else is followed', () => {
  test('other keys under the new number are a stranger', async () => {
    const other = await TestPerson.register(server, BEN_NEW)
    await other.send(ana, 'I am Ben, believe me')
    await ana.receive()
    await ana.open()
    const contacts = await ana.couplet.contacts()
    expect(contacts.map(({ phone }) => phone)).toEqual([BEN, BEN_NEW])
    expect(contacts[0]).not.toHaveProperty('formerPhone')
  })

  test('a number that is another contact’s is a changed key, for the user to decide', async () => {
    const cleo = await TestPerson.register(server, BEN_NEW)
    await cleo.send(ana, 'hello from Cleo')
    await ana.receive()
    ben = await moved(ben, BEN_NEW)
    await ana.open()
    const seen = await warnings(ana.couplet)
    await ana.couplet.connect()
    await until(() => seen.length > 0)
    expect(seen).toEqual([`key-changed ${BEN_NEW}`])
  })

  test('what was held for other keys is not sent to them, however they move', async () => {
    await ana.open()
    await ana.couplet.send(BEN, 'secret, for Ben only')
    await ana.offline()
    const mallory = await TestPerson.register(server, BEN)
    await ana.online()
    await until(async () => (await ana.couplet.outbox())[0]?.state === 'failed')
    const moving = await moved(mallory, BEN_NEW)
    await moving.send(ana, 'hi')
    await until(async () => (await ana.couplet.contacts())[0]?.phone === BEN_NEW)
    await ana.couplet.settled()
    expect(await moving.receive()).toEqual([])
    expect(await ana.couplet.outbox()).toMatchObject([
      { text: 'secret, for Ben only', state: 'failed', failure: 'key-changed' },
    ])
  })

  test('nor is anything sealed for keys that it was not written for, however it came to be due', async () => {
    await ana.open()
    await ana.couplet.send(BEN, 'for somebody else')
    await ana.couplet.send(BEN, 'for Ben')
    await ana.store.transaction(async (tx) => {
      const messages = await tx.list<OutgoingRecord>('messages', '1')
      const { position, value } = messages.find((each) => each.value.text === 'for somebody else')!
      await tx.put('messages', '1', position, { ...value, writtenFor: '00'.repeat(32) })
    })
    await ana.couplet.connect()
    await until(async () => (await told(ana, BEN)).includes('for Ben: sent'))
    expect(await ana.couplet.outbox()).toMatchObject(
      [
        { text: 'for Ben', state: 'sent' },
        { text: 'for somebody else', state: 'failed', failure: 'key-changed' },
      ].toReversed(),
    )
    expect((await ben.receive()).map(({ text }) => text)).toEqual(['for Ben'])
  })

  test('one who is blocked is blocked under the number of another contact, too', async () => {
    const cleo = await TestPerson.register(server, BEN_NEW)
    await cleo.send(ana, 'hello from Cleo')
    await ana.receive()
    await ana.open()
    await ana.couplet.block(BEN)
    await ana.offline()
    ben = await moved(ben, BEN_NEW)
    await ben.send(ana, 'you cannot block me')
    expect(await ana.receive()).toEqual([])
  })

  test('one who is blocked stays blocked', async () => {
    await ana.open()
    await ana.couplet.block(BEN)
    await ana.offline()
    ben = await moved(ben, BEN_NEW)
    await ben.send(ana, 'you cannot block me')
    expect(await ana.receive()).toEqual([])
    await ana.open()
    expect(await ana.couplet.contacts()).toMatchObject([{ phone: BEN_NEW, blocked: true }])
  })

  test('nor back to a number that was left: only later records count', async () => {
    const before = await ben.directoryEntry()
    ben = await moved(ben, BEN_NEW)
    await ben.send(ana, 'my new number')
    await ana.receive()
    expect(await ben.directoryEntry()).not.toEqual(before)
    await expect(begin(ben, BEN_NEW)).rejects.toMatchObject({ code: 'malformed' })
    ben = await moved(ben, BEN)
    await ben.send(ana, 'back again')
    const [message] = await ana.receive()
    expect(message).toMatchObject({ from: BEN, text: 'back again' })
  })
})

/** Lets the requests and connections of two people through one at a time, in an order of its own. */
class Orders {
  #state: number
  readonly #waiting = new Map<TestPerson, () => void>()
  readonly #running = new Set<TestPerson>()

  constructor(seed: number) {
    this.#state = seed
  }

  async run(person: TestPerson, work: (ports: ClientPorts) => Promise<unknown>): Promise<void> {
    this.#running.add(person)
    const turn = () => this.#turn(person)
    const { createApi, createConnector } = person.ports
    const ports: ClientPorts = {
      ...person.ports,
      createApi: (url) => inTurn(createApi(url), turn),
      createConnector: (url) => inTurn(createConnector(url), turn),
    }
    await work(ports)
    this.#running.delete(person)
    this.#next()
  }

  async #turn(person: TestPerson): Promise<void> {
    await new Promise<void>((resolve) => {
      const before = this.#waiting.get(person)
      this.#waiting.set(person, () => {
        before?.()
        resolve()
      })
      this.#next()
    })
  }

  /** When everybody waits who is still at work, one of them goes on. */
  #next(): void {
    const waiting = [...this.#waiting.keys()]
    if (waiting.length < this.#running.size || waiting.length === 0) return
    this.#state = (this.#state * 48_271) % 2_147_483_647
    const chosen = waiting[this.#state % waiting.length]!
    const go = this.#waiting.get(chosen)!
    this.#waiting.delete(chosen)
    go()
  }
}

/** Every method waits for its turn. */
function inTurn<T extends object>(target: T, turn: () => Promise<void>): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value = Reflect.get(target, name) as unknown
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        await turn()
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
}
