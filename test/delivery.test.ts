/**
 * Delivery, end to end: what delivery.md promises, between real clients over a real server.
 * (spec/delivery.md)
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestPerson, TestServer, until } from './people.ts'

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

describe('two people', () => {
  test('a message to somebody who is away waits, arrives, and is proven', async () => {
    await ana.send(ben, 'Dinner at eight?')
    await ana.open()
    expect(await ana.couplet.outbox()).toMatchObject([{ state: 'sent', text: 'Dinner at eight?' }])
    await ana.offline()

    expect(texts(await ben.receive())).toEqual(['Dinner at eight?'])

    const couplet = await ana.online()
    expect(await couplet.outbox()).toEqual([])
    expect(await couplet.history(ben.phone)).toMatchObject([{ state: 'delivered' }])
  })

  test('a conversation while both are online', async () => {
    await ana.online()
    await ben.online()
    const got: string[] = []
    void (async () => {
      for await (const { text, from } of ben.couplet.messages()) {
        got.push(text)
        await ben.couplet.send(from, `You said: ${text}`)
      }
    })()
    const answers: string[] = []
    void (async () => {
      for await (const { text } of ana.couplet.messages()) answers.push(text)
    })()
    for (let i = 0; i < 20; i++) {
      const sent = await ana.couplet.send(ben.phone, `message ${i}`)
      expect((await sent.delivered).state).toBe('delivered')
    }
    await until(() => answers.length === 20)
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => `message ${i}`))
    expect(answers).toEqual(got.map((text) => `You said: ${text}`))
  })
})

describe('the mailbox keeps two, the endpoints lose none', () => {
  test('five messages to somebody away: two wait, all five arrive in order, each proven', async () => {
    await ana.send(ben, 'one', 'two', 'three', 'four', 'five')
    const couplet = await ana.online()
    const states = (await couplet.outbox()).map(({ text, state }) => [text, state])
    expect(states).toEqual([
      ['one', 'waiting-for-room'],
      ['two', 'waiting-for-room'],
      ['three', 'waiting-for-room'],
      ['four', 'sent'],
      ['five', 'sent'],
    ])

    expect(texts(await ben.receive())).toEqual(['one', 'two', 'three', 'four', 'five'])
    await until(async () => (await couplet.outbox()).length === 0)
    const history = await couplet.history(ben.phone)
    expect(history.map((message) => 'state' in message && message.state)).toEqual(
      Array.from({ length: 5 }, () => 'delivered'),
    )
  })

  test('while the sender is away, the gap is shown; later the rest comes', async () => {
    await ana.send(ben, 'one', 'two', 'three', 'four')
    const first = await ben.receive()
    expect(first.map(({ text, missingBefore }) => [text, missingBefore])).toEqual([
      ['three', 2],
      ['four', 2],
    ])
    await ana.online()
    expect(texts(await ben.receive())).toEqual(['one', 'two'])
    await ben.open()
    expect(texts(await ben.couplet.history(ana.phone))).toEqual(['one', 'two', 'three', 'four'])
  })

  test('the server and the sender are never online with the recipient at once: alternating settles it', async () => {
    await ana.send(ben, 'one', 'two', 'three', 'four', 'five')
    const got: string[] = []
    for (let round = 0; round < 6 && got.length < 5; round++) {
      got.push(...texts(await ben.receive()))
      await ana.online()
      await ana.couplet.settled()
      await ana.offline()
    }
    expect(got.toSorted()).toEqual(['five', 'four', 'one', 'three', 'two'])
    await ben.receive()
    const couplet = await ana.online()
    expect(await couplet.outbox()).toEqual([])
  }, 60_000)

  test('two who write to each other for the first time at once end up in one conversation', async () => {
    await ana.open()
    await ben.open()
    await Promise.all([
      ana.couplet.send(ben.phone, 'from Ana'),
      ben.couplet.send(ana.phone, 'from Ben'),
    ])
    await Promise.all([ana.couplet.connect(), ben.couplet.connect()])
    await until(async () => (await ana.couplet.outbox()).length === 0)
    await until(async () => (await ben.couplet.outbox()).length === 0)
    for (let i = 0; i < 3; i++) {
      await (await ana.couplet.send(ben.phone, `ana ${i}`)).delivered
      await (await ben.couplet.send(ana.phone, `ben ${i}`)).delivered
    }
    const seen = (await ana.couplet.history(ben.phone)).filter((m) => m.direction === 'incoming')
    expect(texts(seen)).toEqual(['from Ben', 'ben 0', 'ben 1', 'ben 2'])
  })
})

describe('while the server is away', () => {
  test('a message stays pending and goes out when the server is back', async () => {
    await ana.online()
    await (await ana.couplet.send(ben.phone, 'before')).sent
    await server.stop()
    await until(() => ana.couplet.connection === 'offline')
    const { message, sent } = await ana.couplet.send(ben.phone, 'during')
    expect(message.state).toBe('pending')
    // This server keeps everything in memory: it comes back knowing nobody.
    await expect(Promise.race([sent, new Promise((r) => setTimeout(r, 300))])).resolves.toBe(
      undefined,
    )
  })

  test('a first message to somebody whom nobody could look up waits for the server', async () => {
    await server.stop()
    await ana.open()
    const { message } = await ana.couplet.send(ben.phone, 'hello')
    expect(message.state).toBe('pending')
    await expect(ana.couplet.connect()).rejects.toMatchObject({ code: 'unreachable' })
  })

  test('an unknown number is refused at once, and nothing is kept', async () => {
    await ana.online()
    await expect(ana.couplet.send('+12025550199', 'hello')).rejects.toMatchObject({
      code: 'unknown-recipient',
    })
    expect(await ana.couplet.outbox()).toEqual([])
    expect(await ana.couplet.contacts()).toEqual([])
  })
})
