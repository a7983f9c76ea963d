/**
 * Whether `spec/` is enough to write a client in another language: the one in this folder was, in
 * Python, without a look at the packages. It checks every vector, and talks with this client.
 */
import { join } from 'node:path'
import { completeNumberChange, requestNumberChange, requirePhoneNumber } from '@couplet/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestPerson, TestServer, until } from '../people.ts'
import { PythonPerson, runPython } from './python.ts'

const ANA = '+12025550101'
const ANA_NEW = '+12025550161'
const PIA = '+12025550177'

let server: TestServer
let ana: TestPerson
let pia: PythonPerson

beforeAll(async () => {
  server = await new TestServer().start()
  ana = await TestPerson.register(server, ANA)
  pia = new PythonPerson(server.url)
  await pia.register(PIA, () => server.codes.get(PIA)!)
})

afterAll(async () => {
  await ana?.offline()
  await pia?.end()
  await server?.stop()
})

test('every vector holds for the client in Python', async () => {
  const vectors = join(import.meta.dirname, '..', '..', 'spec', 'vectors')
  expect(await runPython('check_vectors.py', [vectors])).toMatch(/^\d{3,} vectors hold$/m)
})

test('the two clients agree on who they are', async () => {
  const couplet = await ana.online()
  const { digits } = await couplet.verify(PIA)
  expect(await pia.do({ do: 'safety-number', with: ANA })).toEqual({ digits })
})

test('ours begins: of five messages to one who is away, none is lost', async () => {
  const couplet = await ana.online()
  const texts = ['one', 'two', 'three', 'four', 'five']
  const outgoing = []
  for (const text of texts) outgoing.push(await couplet.send(PIA, text))
  await Promise.all(outgoing.slice(-2).map(({ sent }) => sent))
  await pia.do({ do: 'connect' })
  expect(new Set((await pia.texts('receive', 5)) as string[])).toEqual(new Set(texts))
  await Promise.all(outgoing.map(({ delivered }) => delivered))
})

test('they talk until each has offered a post-quantum step and answered one', async () => {
  const couplet = ana.couplet
  const incoming = couplet.messages()[Symbol.asyncIterator]()
  for (let turn = 0; turn < 20; turn++) {
    await pia.do({ do: 'send', to: ANA, text: `from Pia ${turn}` })
    const received = await incoming.next()
    expect(received.value?.text).toBe(`from Pia ${turn}`)
    expect(await pia.texts('delivered', 1)).toEqual([`from Pia ${turn}`])
    const answer = await couplet.send(PIA, `from Ana ${turn}`)
    expect(await pia.texts('receive', 1)).toEqual([`from Ana ${turn}`])
    await answer.delivered
  }
})

test('the other begins, to one who is away', async () => {
  const ben = await TestPerson.register(server, '+12025550102')
  await pia.do({ do: 'send', to: ben.phone, text: 'Hello from elsewhere' })
  expect((await ben.receive()).map(({ text }) => text)).toEqual(['Hello from elsewhere'])
  await ben.online()
  await ben.couplet.accept(PIA)
  expect(await pia.texts('delivered', 1)).toEqual(['Hello from elsewhere'])
  await ben.couplet.send(PIA, 'Hello back')
  expect(await pia.texts('receive', 1)).toEqual(['Hello back'])
  await until(async () => {
    const { established } = await pia.do({ do: 'sessions', with: ben.phone })
    return Array.isArray(established) && established.includes(true)
  })
  await ben.offline()
})

test('ours changes its number: the other follows, and both write on', async () => {
  await ana.offline()
  await requestNumberChange(ana.ports, ana.store, { phone: requirePhoneNumber(ANA_NEW) })
  await completeNumberChange(ana.ports, ana.store, server.codes.get(ANA_NEW)!)
  ana = ana.under(ANA_NEW)
  const couplet = await ana.online()
  const outgoing = await couplet.send(PIA, 'From my new number')
  expect(await pia.texts('receive', 1)).toEqual(['From my new number'])
  await outgoing.delivered
  const { phones } = await pia.do({ do: 'contacts' })
  expect(phones).toContain(ANA_NEW)
  expect(phones).not.toContain(ANA)
  const incoming = couplet.messages()[Symbol.asyncIterator]()
  await pia.do({ do: 'send', to: ANA_NEW, text: 'I see' })
  await until(async () => (await incoming.next()).value?.text === 'I see')
  expect(await pia.texts('delivered', 1)).toEqual(['I see'])
})
