/**
 * Requests from strangers, blocking, receipts switched off, disappearing messages, deletion.
 * (spec/delivery.md, "Message requests", "Expiry")
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestClock, TestPerson, TestServer, until } from './people.ts'

let server: TestServer
let ana: TestPerson
let ben: TestPerson

beforeEach(async () => {
  server = await new TestServer().start()
  ana = await TestPerson.register(server, '+12025550101')
  ben = await TestPerson.register(server, '+12025550102')
})

afterEach(async () => {
  await ana.offline()
  await ben.offline()
  await server.stop()
})

const texts = (messages: readonly { readonly text: string }[]) => messages.map(({ text }) => text)

describe('a first message from somebody unknown, when the user wants to be asked', () => {
  beforeEach(async () => {
    await ben.open()
    await ben.couplet.changeSettings({ strangers: 'ask' })
    await ben.offline()
  })

  test('waits as a request; no receipt goes out before it is accepted, and all of them after', async () => {
    await ana.send(ben, 'hello', 'it is me')
    expect(await ben.receive()).toEqual([])
    const couplet = await ana.online()
    // Acknowledged without a receipt: sent, and never delivered until Ben says so.
    expect(await couplet.outbox()).toEqual([])
    const states = async () =>
      (await couplet.history(ben.phone)).map((message) => 'state' in message && message.state)
    expect(await states()).toEqual(['sent', 'sent'])

    await ben.online()
    const [request] = await ben.couplet.requests()
    expect(request?.contact).toMatchObject({ phone: ana.phone, accepted: false })
    expect(texts(request!.messages)).toEqual(['hello', 'it is me'])
    await ben.couplet.accept(ana.phone)
    expect(await ben.couplet.requests()).toEqual([])
    const read: string[] = []
    for await (const { text } of ben.couplet.messages({ follow: false })) read.push(text)
    expect(read).toEqual(['hello', 'it is me'])
    await until(async () => (await states()).every((state) => state === 'delivered'))
  })

  test('accepted while away from the server: the receipts go out at the next connection', async () => {
    await ana.send(ben, 'hello')
    await ben.receive()
    await ben.open()
    await ben.couplet.accept(ana.phone)
    await ben.offline()
    await ben.receive()
    await ana.online()
    const [message] = await ana.couplet.history(ben.phone)
    expect(message).toMatchObject({ state: 'delivered' })
  })

  test('writing to somebody is accepting them', async () => {
    await ana.send(ben, 'hello')
    await ben.receive()
    await ben.send(ana, 'hello Ana')
    expect(await (await ben.open()).requests()).toEqual([])
  })
})

describe('a blocked contact', () => {
  test('is shown no receipt, and nothing of it is shown', async () => {
    await ana.send(ben, 'hello')
    expect(texts(await ben.receive())).toEqual(['hello'])
    await ben.open()
    expect(await ben.couplet.block(ana.phone)).toMatchObject({ blocked: true })
    await ben.offline()
    await ana.send(ben, 'are you there?')
    expect(await ben.receive()).toEqual([])
    await ana.online()
    const states = (await ana.couplet.history(ben.phone)).map((m) => 'state' in m && m.state)
    expect(states).toEqual(['delivered', 'sent'])

    await ben.open()
    await ben.couplet.block(ana.phone, false)
    await ben.offline()
    await (await ana.couplet.send(ben.phone, 'now?')).sent
    expect(texts(await ben.receive())).toEqual(['now?'])
  })
})

describe('receipts switched off', () => {
  test('the sender sees sent, never delivered, and sends nothing again', async () => {
    await ben.open()
    await ben.couplet.changeSettings({ receipts: false })
    await ben.offline()
    await ana.send(ben, 'hello')
    expect(texts(await ben.receive())).toEqual(['hello'])
    await ana.online()
    expect(await ana.couplet.outbox()).toEqual([])
    expect(await ana.couplet.history(ben.phone)).toMatchObject([{ state: 'sent' }])
    expect(await ben.receive()).toEqual([])
  })
})

describe('a program that shows whole conversations', () => {
  test('learns who wrote and how much is new, and says itself what was seen', async () => {
    const cleo = await TestPerson.register(server, '+12025550103')
    await cleo.send(ben, 'hello from Cleo')
    const couplet = await ben.online()
    await ana.send(ben, 'one', 'two')
    await until(async () => (await couplet.history(ana.phone)).length === 2)
    const [first, second] = await couplet.conversations()
    expect(first).toMatchObject({ contact: { phone: ana.phone }, unread: 2, last: { text: 'two' } })
    expect(second).toMatchObject({ contact: { phone: cleo.phone }, unread: 1 })

    const [one] = await couplet.history(ana.phone)
    if (one?.direction !== 'incoming') throw new Error('test: nothing came')
    await couplet.markSeen(one)
    // Seen is seen, once; and nobody else's message of the same id is meant.
    await couplet.markSeen(one)
    await couplet.markSeen({ ...one, peer: cleo.phone as typeof one.peer })
    expect((await couplet.conversations()).map(({ unread }) => unread)).toEqual([1, 1])
    const read: string[] = []
    for await (const { text } of couplet.messages({ follow: false })) read.push(text)
    expect(read.toSorted()).toEqual(['hello from Cleo', 'two'])
  })

  test('reads page by page, and misses none that came late and stands above others', async () => {
    await ana.online()
    await ana.couplet.send(ben.phone, 'zero')
    await ana.couplet.settled()
    await ana.offline()
    // Two wait at the server, and two come later although they were written sooner.
    await ana.send(ben, 'one', 'two', 'three', 'four')
    await Promise.all([ana.online(), ben.online()])
    const all = async () => texts(await ben.couplet.history(ana.phone))
    await until(async () => (await all()).length === 5)
    expect(await all()).toEqual(['zero', 'one', 'two', 'three', 'four'])
    const found = new Set<string>()
    for (let before: string | undefined; ; ) {
      const options = before === undefined ? { limit: 2 } : { limit: 2, before }
      const page = await ben.couplet.history(ana.phone, options)
      if (page.length === 0) break
      for (const { text } of page) found.add(text)
      before = page[0]!.id
    }
    expect([...found].toSorted()).toEqual((await all()).toSorted())
    expect(await ben.couplet.history(ana.phone, { before: '00'.repeat(16) })).toEqual([])
  })

  test('is told whose news there may be, and reads those rows alone', async () => {
    const cleo = await TestPerson.register(server, '+12025550105')
    await cleo.send(ben, 'before')
    await ben.receive()
    const arrivals: unknown[] = []
    const couplet = await ben.online()
    couplet.on('arrival', (peer) => arrivals.push(peer))
    await ana.send(ben, 'first', 'hello')
    await until(async () => (await couplet.history(ana.phone)).length === 2)
    // One that began a session, and one of a session that there was.
    expect(arrivals).toEqual([ana.phone, ana.phone])
    const all = await couplet.conversations()
    expect(all.map(({ contact }) => contact.phone)).toEqual([ana.phone, cleo.phone])
    expect(await couplet.conversations({ peers: [ana.phone] })).toEqual([all[0]])
    expect(await couplet.conversations({ peers: ['+12025550999'] })).toEqual([])
    expect(await couplet.conversations({ peers: [] })).toEqual([])
    const [contact] = (await couplet.contacts()).filter(({ phone }) => phone === cleo.phone)
    expect(await couplet.contacts({ peers: ['+12025550999', cleo.phone] })).toEqual([contact])
    await couplet.block(ana.phone)
    expect(await couplet.conversations({ peers: [ana.phone, cleo.phone] })).toEqual([all[1]])
    await couplet.changeSettings({ receipts: false })
    expect(arrivals.at(-1)).toBeUndefined()
  })

  test('everything of one contact is seen at once, and nothing of others', async () => {
    const cleo = await TestPerson.register(server, '+12025550104')
    await ana.send(ben, 'one', 'two')
    await cleo.send(ben, 'three')
    await ben.online()
    await until(async () => (await ben.couplet.conversations()).length === 2)
    await ben.couplet.markAllSeen(ana.phone)
    const unread = (await ben.couplet.conversations()).map((c) => [c.contact.phone, c.unread])
    expect(Object.fromEntries(unread)).toEqual({ [ana.phone]: 0, [cleo.phone]: 1 })
  })

  test('a time to live begins when a message is marked as seen', async () => {
    await ana.online()
    await ana.couplet.send(ben.phone, 'burn this', { expiresAfterMs: 60_000 })
    await ben.online()
    const [message] = await ben.couplet.history(ana.phone)
    if (message?.direction !== 'incoming') throw new Error('test: nothing came')
    expect(message.expiresAt).toBeUndefined()
    await ben.couplet.markSeen(message)
    const [seen] = await ben.couplet.history(ana.phone)
    expect(seen?.expiresAt).toBeGreaterThan(message.receivedAt)
  })
})

describe('memos of the program', () => {
  test('are kept in the home under their names, until they are forgotten', async () => {
    await ana.open()
    expect(await ana.couplet.memo('people')).toBeUndefined()
    await ana.couplet.keepMemo('people', { [ben.phone]: { name: 'Ben' } })
    await ana.offline()
    await ana.open()
    expect(await ana.couplet.memo('people')).toEqual({ [ben.phone]: { name: 'Ben' } })
    expect(await ana.couplet.memo('drafts')).toBeUndefined()
    await ana.couplet.keepMemo('people', undefined)
    expect(await ana.couplet.memo('people')).toBeUndefined()
  })
})

describe('disappearing messages', () => {
  test('have the time to live of the settings, unless another is given', async () => {
    await ana.online()
    expect(await ana.couplet.settings()).toMatchObject({ expiresAfterMs: 0 })
    await ana.couplet.changeSettings({ expiresAfterMs: 60_000 })
    const send = async (options?: { expiresAfterMs: number }) => {
      const { message } = await ana.couplet.send(ben.phone, 'burn this', options)
      return message.expiresAt && message.expiresAt - message.sentAt
    }
    expect(await send()).toBe(60_000)
    expect(await send({ expiresAfterMs: 5000 })).toBe(5000)
    expect(await send({ expiresAfterMs: 0 })).toBeUndefined()
    const wrong = ana.couplet.changeSettings({ expiresAfterMs: -1 })
    await expect(wrong).rejects.toMatchObject({ code: 'malformed' })
    expect(await ana.couplet.settings()).toMatchObject({ expiresAfterMs: 60_000 })
  })

  test('end on both devices: from when it was sent here, from when it was seen there', async () => {
    const clock = new TestClock()
    const cleo = await TestPerson.register(server, '+12025550103', { clock })
    await ana.online()
    const { message } = await ana.couplet.send(cleo.phone, 'burn this', { expiresAfterMs: 1500 })
    expect(message.expiresAt).toBe(message.sentAt + 1500)
    const gone: string[] = []
    ana.couplet.on('expired', ({ id }) => gone.push(id))
    expect(texts(await cleo.receive())).toEqual(['burn this'])
    await until(() => gone.length === 1)
    expect(gone).toEqual([message.id])
    expect(await ana.couplet.history(cleo.phone)).toEqual([])

    await cleo.open()
    clock.offset += 10_000
    await cleo.offline()
    await cleo.open()
    expect(await cleo.couplet.history(ana.phone)).toEqual([])
    await cleo.offline()
  })

  test('one that ends undelivered is not sent any more, and leaves no gap behind it', async () => {
    const clock = new TestClock()
    const cleo = await TestPerson.register(server, '+12025550103', { clock })
    await cleo.online()
    const fleeting = await cleo.couplet.send(ben.phone, 'too late', { expiresAfterMs: HOUR_MS })
    await fleeting.sent
    const texting = async (text: string, options = {}) =>
      (await cleo.couplet.send(ben.phone, text, options)).sent
    for (const text of ['one', 'two']) await texting(text)
    clock.offset += 2 * HOUR_MS
    await texting('three', { expiresAfterMs: HOUR_MS })
    await expect(fleeting.delivered).rejects.toMatchObject({ code: 'timed-out' })
    expect(texts(await ben.receive())).toEqual(['one', 'two', 'three'])
    await cleo.offline()
  })

  test('a message is deleted here when the user says so, and not sent any more', async () => {
    await ana.open()
    const { message } = await ana.couplet.send(ben.phone, 'never mind')
    await ana.couplet.deleteMessage(message.id)
    expect(await ana.couplet.history(ben.phone)).toEqual([])
    await ana.couplet.connect()
    await ana.couplet.settled()
    expect(await ben.receive()).toEqual([])
    await expect(ana.couplet.deleteMessage(message.id)).rejects.toMatchObject({ code: 'not-found' })
  })
})

const HOUR_MS = 60 * 60 * 1000
