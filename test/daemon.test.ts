/** `couplet daemon` as programs use it: standard streams, a Unix socket, HTTP. */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, type Running, World } from './processes.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
type Answer = Record<string, Record<string, unknown>>
/** Methods that the tests of this file have called. */
const called = new Set<string>()

let world: World
let ana: Person
let ben: Person

beforeAll(async () => {
  world = await World.create()
  await world.startServer()
  ana = await world.person('ana', ANA)
  ben = await world.person('ben', BEN)
})

afterAll(() => world.end())

/** A program that speaks JSON-RPC, one line each way. */
class Program {
  readonly #output: Writable
  readonly #lines: Interface
  readonly #read: AsyncIterator<string>
  readonly notifications: Answer[] = []
  #id = 0

  constructor(input: Readable, output: Writable) {
    this.#output = output
    this.#lines = createInterface({ input })
    this.#read = this.#lines[Symbol.asyncIterator]()
  }

  write(line: string): void {
    this.#output.write(`${line}\n`)
  }

  async next(): Promise<Answer> {
    const { value, done } = await this.#read.next()
    if (done) throw new Error('test: the daemon has ended')
    return JSON.parse(value) as Answer
  }

  async call(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#id
    called.add(method)
    this.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    for (;;) {
      const answer = await this.next()
      if ((answer.id as unknown) === id) return answer
      this.notifications.push(answer)
    }
  }

  /** The next notification of this name. */
  async notified(method: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.notifications.shift() ?? (await this.next())
      if ((found.method as unknown) === method) return found.params!
    }
  }
}

function overStreams(running: Running): Program {
  return new Program(running.child.stdout!, running.child.stdin!)
}

test('standard streams: send, receive, acknowledge; a program that crashes loses nothing', async () => {
  const daemon = ana.spawn('daemon')
  const program = overStreams(daemon)
  expect(await program.call('status')).toMatchObject({ result: { phone: ANA, server: world.url } })
  await program.call('subscribe')
  const sent = await program.call('send', { to: BEN, text: 'Hello', wait: 'sent' })
  expect(sent).toMatchObject({ result: { type: 'outgoing', state: 'sent', text: 'Hello' } })
  expect(await ben.receive()).toEqual(['Hello'])
  while ((await program.notified('status')).state !== 'delivered');
  for (const text of ['one', 'two']) await ben.couplet('send', ANA, text)
  const first = await program.notified('message')
  expect(first).toMatchObject({ from: BEN, text: 'one' })
  // The next one comes when this one is acknowledged, and not before.
  expect(await program.call('acknowledge', { id: 'another' })).toMatchObject({
    result: { acknowledged: false },
  })
  expect(program.notifications.filter(({ method }) => (method as unknown) === 'message')).toEqual(
    [],
  )
  await daemon.stop('SIGKILL')

  const again = ana.spawn('daemon')
  const other = overStreams(again)
  await other.call('subscribe')
  const repeated = await other.notified('message')
  expect(repeated).toMatchObject({ id: first.id, text: 'one' })
  await other.call('acknowledge', { id: repeated.id })
  const second = await other.notified('message')
  expect(second).toMatchObject({ text: 'two' })
  await other.call('acknowledge', { id: second.id })
  await other.call('status')
  // The end of the input is the end of the daemon.
  again.child.stdin!.end()
  expect((await again.ended).code).toBe(0)
  expect(await ana.receive()).toEqual([])
})

test('what is wrong with a call, in codes of JSON-RPC and of the command line', async () => {
  const daemon = ana.spawn('daemon')
  const program = overStreams(daemon)
  program.write('no JSON')
  expect(await program.next()).toMatchObject({ id: null, error: { code: -32_700 } })
  program.write('{"id":1}')
  expect(await program.next()).toMatchObject({ error: { code: -32_600 } })
  expect(await program.call('toString')).toMatchObject({ error: { code: -32_601 } })
  expect(await program.call('send', { to: BEN })).toMatchObject({ error: { code: -32_602 } })
  expect(await program.call('send', { to: '+12025550199', text: 'Hi' })).toMatchObject({
    error: { code: 67, data: { code: 'unknown-recipient' } },
  })
  expect(await program.call('send', { to: 'Ben', text: 'Hi' })).toMatchObject({
    error: { code: 65, data: { code: 'invalid-phone-number' } },
  })
  program.write(
    '[{"jsonrpc":"2.0","method":"version"},{"jsonrpc":"2.0","id":7,"method":"version"}]',
  )
  expect(await program.next()).toMatchObject([{ id: 7, result: {} }])
  await daemon.stop()
})

test('a Unix socket that only its owner can open; one program reads, and the next goes on', async () => {
  const path = world.path('couplet.sock')
  const daemon = ben.spawn('daemon', '--socket', path)
  await daemon.saw(/Listening on/)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const open = (): [Program, () => void] => {
    const socket = connect(path)
    return [new Program(socket, socket), () => socket.destroy()]
  }
  const [first, end] = open()
  const [second] = open()
  await first.call('subscribe')
  expect(await second.call('subscribe')).toMatchObject({ error: { data: { code: 'busy' } } })
  await ana.couplet('send', BEN, 'for whoever reads')
  const unread = await first.notified('message')
  end()
  for (;;) {
    const { error } = await second.call('subscribe')
    if (!error) break
  }
  expect(await second.notified('message')).toMatchObject({ id: unread.id })
  await second.call('acknowledge', { id: unread.id })
  expect((await daemon.stop()).code).toBe(0)
  // What a killed daemon leaves behind is no hindrance.
  const killed = ben.spawn('daemon', '--socket', path)
  await killed.saw(/Listening on/)
  await killed.stop('SIGKILL')
  const after = ben.spawn('daemon', '--socket', path)
  await after.saw(/Listening on/)
  await after.stop()
})

test('people, settings and the account, over one stream; and every method there is was called', async () => {
  const cleo = await world.person('cleo', '+12025550103')
  const daemon = ana.spawn('daemon')
  const program = overStreams(daemon)
  await program.call('subscribe', { messages: false })
  expect(await program.call('changeSettings', { strangers: 'ask' })).toMatchObject({
    result: { strangers: 'ask', receipts: true },
  })
  expect(await program.call('settings')).toMatchObject({ result: { strangers: 'ask' } })

  await cleo.couplet('send', ANA, 'may I?')
  expect(await program.notified('request')).toMatchObject({ phone: cleo.phone, accepted: false })
  expect(await program.call('requests')).toMatchObject({
    result: [{ type: 'request', phone: cleo.phone, messages: [{ text: 'may I?' }] }],
  })
  const who = { phone: cleo.phone }
  expect(await program.call('block', who)).toMatchObject({ result: { blocked: true } })
  expect(await program.call('unblock', who)).toMatchObject({ result: { blocked: false } })
  expect(await program.call('accept', who)).toMatchObject({ result: { accepted: true } })
  const [conversation] = (await program.call('conversations')).result as unknown as unknown[]
  expect(conversation).toMatchObject({ ...who, unread: 1, last: { text: 'may I?' } })
  const history = (await program.call('history', who)).result as unknown as { id: string }[]
  expect(await program.call('deleteMessage', { id: history[0]!.id })).toMatchObject({
    result: null,
  })
  expect(await program.call('deleteMessage', { id: history[0]!.id })).toHaveProperty('error')
  expect(await program.call('outbox')).toMatchObject({ result: [] })

  const { digits, identityId } = (await program.call('verify', who)).result!
  const [there] = await cleo.json('verify', ANA)
  expect(there!.digits).toBe(digits)
  const wrong = { ...who, identityId, digits: '0'.repeat(60) }
  expect(await program.call('markVerified', wrong)).toMatchObject({
    error: { code: 92, data: { code: 'mismatch' } },
  })
  const right = { ...who, identityId, digits: there!.digits }
  expect(await program.call('markVerified', right)).toMatchObject({ result: { verified: true } })
  const contacts = (await program.call('contacts')).result as unknown as { phone: string }[]
  expect(contacts.find(({ phone }) => phone === cleo.phone)).toMatchObject({ verified: true })
  expect(await program.call('unmarkVerified', who)).toMatchObject({ result: { verified: false } })
  expect(await program.call('acceptKey', { ...who, identityId })).toMatchObject({ result: who })
  expect(await program.call('acceptKey', { ...who, identityId: '00' })).toMatchObject({
    error: { code: 87 },
  })
  expect(await program.call('account')).toMatchObject({
    result: { waiting: expect.any(Number), pin: { set: false } },
  })
  expect(await program.call('version')).toMatchObject({ result: { version: expect.any(String) } })
  await program.call('changeSettings', { strangers: 'accept' })
  await daemon.stop()

  const page = await readFile(join(import.meta.dirname, '../docs/daemon.md'), 'utf8')
  const table = page.slice(page.indexOf('## Methods'), page.indexOf('## Notifications'))
  const described = Array.from(table.matchAll(/^\| (`[^|]+`) \|/gm), ([, names]) =>
    Array.from(names!.matchAll(/`(\w+)`/g), ([, name]) => name!),
  ).flat()
  expect(described.length).toBeGreaterThan(20)
  expect(described.filter((name) => !called.has(name))).toEqual([])
})

describe('HTTP', () => {
  let daemon: Running
  let url: string
  let token: string

  beforeAll(async () => {
    const path = world.path('token')
    daemon = ben.spawn('daemon', '--http', '0', '--token-file', path)
    ;[, url] = (await daemon.saw(/Listening on (http:\S+)\./)) as unknown as [string, string]
    token = (await readFile(path, 'utf8')).trim()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  afterAll(() => daemon.stop())

  function call(
    method: string,
    params: object,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${url}/v1/rpc`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
  }

  test('calls, and events that are acknowledged by calls', async () => {
    const events = await fetch(`${url}/v1/events`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(events.headers.get('content-type')).toBe('text/event-stream')
    const sent = await call('send', { to: ANA, text: 'over HTTP', wait: 'sent' })
    expect(await sent.json()).toMatchObject({ id: 1, result: { state: 'sent' } })
    await ana.couplet('send', BEN, 'an event')
    let text = ''
    for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (/event: message\n.*\n\n/.test(text)) break
    }
    const [, data] = /event: message\ndata: (.*)\n/.exec(text)!
    const { params } = JSON.parse(data!) as { params: { id: string; text: string } }
    expect(params.text).toBe('an event')
  })

  test('nobody without the token, no other name, nothing but JSON', async () => {
    expect((await call('status', {}, { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await fetch(`${url}/v1/events`)).status).toBe(401)
    expect((await call('status', {}, { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(404)
    const { port } = new URL(url)
    const status = await new Promise((resolve, reject) => {
      const headers = { host: `evil.example:${port}`, authorization: `Bearer ${token}` }
      request({ host: '127.0.0.1', port, path: '/v1/events', headers }, (response) => {
        response.destroy()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
    expect((await call('send', { to: ANA, text: 'x'.repeat(2_000_000) })).status).toBe(413)
  })
})
