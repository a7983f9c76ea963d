/** Another phone number for the same person. (spec/delivery.md, "Changed numbers") */
import { completeNumberChange, requestNumberChange, requirePhoneNumber } from '@couplet/client'
import { NO_LIMITS } from '@couplet/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestPerson, TestServer, until } from './people.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const BEN_NEW = '+12025550152'

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
  ben = await moved(ben, BEN_NEW)
  await ana.online()
  const toOldNumber = await ana.couplet.send(BEN, 'four')
  const seen = await warnings(ana.couplet)

  const couplet = await ben.online()
  expect(couplet.phone).toBe(BEN_NEW)
  await couplet.send(ANA, 'my new number')
  await until(() => seen.length > 1)
  expect(seen).toEqual([`session-replaced ${BEN_NEW}`, `number-changed ${BEN_NEW}`])
  const [contact] = await ana.couplet.contacts()
  const expected = { phone: BEN_NEW, formerPhone: BEN, verified: true, sessionReplaced: true }
  expect(contact).toMatchObject(expected)
  expect(await ana.couplet.contacts()).toHaveLength(1)

  // Keys can be stolen: to a verified contact nothing goes out before the user has decided.
  await ana.couplet.settled()
  expect(await ana.couplet.outbox()).toHaveLength(4)
  await ana.couplet.acceptKey(BEN_NEW, contact!.identityId)
  await toOldNumber.delivered
  const texts = (await couplet.history(ANA)).filter(({ direction }) => direction === 'incoming')
  expect(texts.map(({ text }) => text)).toEqual(['hello', 'one', 'two', 'three', 'four'])
  await until(async () => (await ana.couplet.outbox()).length === 0)
  const there = (await ana.couplet.history(BEN_NEW)).map((each) =>
    each.direction === 'outgoing' ? `${each.text}: ${each.state}` : `> ${each.text}`,
  )
  expect(there.toSorted()).toEqual([
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
    await ana.online()
    const seen = await warnings(ana.couplet)
    await ben.send(ana, 'this is my number now')
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
