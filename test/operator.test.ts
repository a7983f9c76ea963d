/** What an operator does about people, on a server that runs: list, block, remove, invite. */
import { ClientError, submitCode } from '@couplet/client'
import { type OperatorTopic, operatorCommand } from '@couplet/server-app'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startNats } from '../packages/server/test/nats-server.ts'
import { TestPerson, until } from './people.ts'
import { type Result, succeeded, World } from './processes.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'

let world: World
/** Where the operator's commands find the people, besides the folder. */
let store = ''
const people: TestPerson[] = []

beforeEach(async () => {
  store = ''
  world = await World.create()
})
afterEach(async () => {
  for (const person of people.splice(0)) await person.offline()
  await world.end()
})

/** Has asked for a code. */
async function begin(phone: string, invitation?: string): Promise<TestPerson> {
  const server = { url: world.url, codes: new Map() }
  const person = await TestPerson.begin(server, phone, { invitation })
  people.push(person)
  return person
}

async function register(phone: string, invitation?: string): Promise<TestPerson> {
  const person = await begin(phone, invitation)
  await submitCode(person.ports, person.store, await world.code(phone))
  return person
}

type Args = readonly [OperatorTopic, ...string[]]

/** The command in this process, which is quicker; answers its exit code and what it printed. */
async function run(...[topic, ...args]: Args): Promise<{ code: number; output: string }> {
  let output = ''
  const collect = (text: string | Uint8Array): boolean => {
    output += String(text)
    return true
  }
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(collect),
  )
  try {
    const place = [...(store ? ['--store', store] : []), '--data', world.path('server')]
    const data = args.includes('--data') ? [] : place
    return { code: await operatorCommand(topic, [...args, ...data], {}), output }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

async function operator(...args: Args): Promise<Record<string, unknown>[]> {
  const { code, output } = await run(...args, '--json')
  expect(code).toBe(0)
  const lines = output.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof ClientError) return error.code
    throw error
  }
  return 'nothing was thrown'
}

test('blocked: disconnected, and out, whatever worker has the connection; unblocked: as before', async () => {
  await world.startServer('--workers', '2', '--no-limits')
  const [ana, ben] = [await register(ANA), await register(BEN)]
  await ana.online()
  await ben.online()
  const today = new Date().toISOString().slice(0, 10)
  const free = { locked: false, blocked: false, seenOn: today }
  expect(await operator('users', 'list')).toMatchObject([
    { phone: ANA, ...free, registeredAt: expect.stringContaining(today) },
    { phone: BEN, ...free },
  ])
  // A code that was sent before is worth nothing.
  const thief = await begin(ANA)
  const code = await world.code(ANA)

  expect(await operator('users', 'block', ANA)).toEqual([
    { phone: ANA, blocked: true, registered: true },
  ])
  await until(() => ana.couplet.connection === 'offline')
  expect(await codeOf(ana.couplet.connect())).toBe('unauthenticated')
  expect(await codeOf(ana.couplet.account())).toBe('unauthenticated')
  expect(await codeOf(begin(ANA))).toBe('registration-closed')
  expect(await codeOf(submitCode(thief.ports, thief.store, code))).toBe('registration-closed')
  // Who is blocked can still be written to: the account is as it was.
  await (await ben.couplet.send(ANA, 'are you there?')).sent
  expect(await operator('users', 'list')).toMatchObject([{ phone: ANA, blocked: true }, {}])

  expect(await operator('users', 'unblock', ANA)).toMatchObject([{ was: true }])
  await ana.offline()
  expect((await ana.receive()).map(({ text }) => text)).toEqual(['are you there?'])

  expect(await operator('users', 'remove', BEN)).toEqual([{ phone: BEN, removed: true }])
  await until(() => ben.couplet.connection === 'offline')
  expect(await codeOf(ben.couplet.connect())).toBe('unauthenticated')
  expect(await operator('users', 'list')).toMatchObject([{ phone: ANA }])
  const again = await register(BEN)
  expect(await again.receive()).toEqual([])

  expect(await run('users', 'remove', '+12025550199')).toMatchObject({ code: 1 })
  expect(await run('users', 'block', 'ben')).toMatchObject({ code: 64 })
  expect(await run('users', 'ban', BEN)).toMatchObject({ code: 64 })
  expect(await run('users', 'list', '--data', world.path('none'))).toMatchObject({ code: 73 })
})

/** By the command line, to its first step. */
function invited(phone: string, invitation: string): Promise<Result> {
  const home = ['--home', world.path(phone), 'register', phone, '--server', world.url]
  return world.couplet(...home, '--invitation', invitation)
}

test('invitations: made, listed, used up, revoked; also while no server runs', async () => {
  await world.startServer('--registration', 'invite')
  const data = ['--data', world.path('server')]
  const made = await world.couplet('invitations', 'create', '--expires', '12h', ...data)
  const code = succeeded(made).stdout.trim()
  expect(code).toMatch(/^(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}$/)
  const [listed] = await operator('invitations', 'list')
  expect(listed).toMatchObject({ usesLeft: 1 })
  expect(JSON.stringify(listed)).not.toContain(code)

  expect((await invited(ANA, 'XXXX-XXXX-XXXX-XXXX')).stderr).toMatch(/invitation/)
  succeeded(await invited(ANA, code))
  succeeded(
    await world.couplet(
      '--home',
      world.path(ANA),
      'register',
      ANA,
      '--code',
      await world.code(ANA),
    ),
  )
  expect(await operator('invitations', 'list')).toEqual([])

  await world.stopServer()
  const [other] = await operator('invitations', 'create', '--uses', '2')
  expect(await operator('users', 'list')).toMatchObject([{ phone: ANA, blocked: false }])
  expect(await operator('users', 'block', BEN)).toMatchObject([{ registered: false }])
  await world.startServer()
  expect(await operator('users', 'list')).toMatchObject([
    { phone: ANA },
    { phone: BEN, blocked: true, registeredAt: null },
  ])
  expect(await operator('invitations', 'revoke', String(other!.id))).toEqual([{ revoked: true }])
  expect((await invited('+12025550103', String(other!.code))).code).not.toBe(0)
  expect(await run('invitations', 'revoke', 'nothing')).toMatchObject({ code: 1 })
})

test('in a cluster, by way of its store, whatever node somebody is connected to', async () => {
  const nats = await startNats()
  try {
    store = nats.url
    const init = ['store', 'init', '--store', store, '--data', world.path('server')]
    succeeded(await world.couplet(...init, '--partitions', '2'))
    await world.startServer('--store', store, '--registration', 'invite', '--no-limits')
    const [made] = await operator('invitations', 'create', '--uses', '2')
    const code = String(made!.code)
    const [ana, ben] = [await register(ANA, code), await register(BEN, code)]
    expect(await operator('invitations', 'list')).toEqual([])
    await ana.online()
    await ben.online()
    expect(await operator('users', 'list')).toMatchObject([
      { phone: ANA, blocked: false },
      { phone: BEN, blocked: false },
    ])

    expect(await operator('users', 'block', ANA)).toMatchObject([{ registered: true }])
    await until(() => ana.couplet.connection === 'offline')
    expect(await codeOf(ana.couplet.connect())).toBe('unauthenticated')
    expect(await operator('users', 'list')).toMatchObject([{ phone: ANA, blocked: true }, {}])
    await (await ben.couplet.send(ANA, 'are you there?')).sent
    expect(await operator('users', 'unblock', ANA)).toMatchObject([{ was: true }])
    await ana.offline()
    expect((await ana.receive()).map(({ text }) => text)).toEqual(['are you there?'])

    expect(await operator('users', 'remove', BEN)).toEqual([{ phone: BEN, removed: true }])
    await until(() => ben.couplet.connection === 'offline')
    expect(await codeOf(ben.couplet.connect())).toBe('unauthenticated')
    expect(await run('users', 'remove', BEN)).toMatchObject({ code: 1 })
    expect(await codeOf(begin(BEN, code))).toBe('registration-closed')
    const [other] = await operator('invitations', 'create')
    expect(await operator('invitations', 'revoke', String(other!.id))).toEqual([{ revoked: true }])
    expect(await codeOf(begin(BEN, String(other!.code)))).toBe('registration-closed')
  } finally {
    await world.stopServer()
    await nats.end()
  }
}, 120_000)
