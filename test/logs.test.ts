/**
 * The server's log, at its most verbose, after everything that can happen at its doors: no phone
 * number, key, code, id, PIN or text is in it.
 */
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { type ClientError, submitCode } from '@couplet/client'
import { SOCKET_PATH, SOCKET_PROTOCOL } from '@couplet/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { TestPerson, until } from './people.ts'
import { succeeded, World } from './processes.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const PIN = 'correct horse'
const TEXT = 'the door code is blue'

let world: World
const people: TestPerson[] = []

beforeEach(async () => {
  world = await World.create()
})
afterEach(async () => {
  for (const person of people.splice(0)) await person.offline()
  await world.end()
})

async function begin(phone: string): Promise<TestPerson> {
  const person = await TestPerson.begin({ url: world.url, codes: new Map() }, phone)
  people.push(person)
  return person
}

async function register(phone: string): Promise<TestPerson> {
  const person = await begin(phone)
  await submitCode(person.ports, person.store, await world.code(phone))
  return person
}

async function fails(work: Promise<unknown>, code: string): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect((error as ClientError | undefined)?.code).toBe(code)
}

/** Whatever the store holds at this moment, as it could stand in a log. */
function inStore(): string[] {
  const db = new DatabaseSync(world.path('server/couplet.db'), { readOnly: true })
  try {
    const tables = ['users', 'messages', 'ended', 'receipts', 'registrations', 'records']
    return tables.flatMap((table) =>
      db
        .prepare(`SELECT * FROM ${table}`)
        .all()
        .flatMap((row) => Object.values(row).flatMap(writings)),
    )
  } finally {
    db.close()
  }
}

function writings(value: unknown): string[] {
  if (typeof value === 'string') return value.length < 10 ? [] : [value]
  if (!(value instanceof Uint8Array)) return []
  // Its beginning is enough to know it by, and logs cut long values.
  const bytes = Buffer.from(value.subarray(0, 24))
  if (bytes.length < 6) return []
  const plain = (['hex', 'base64url', 'base64'] as const).map((name) => bytes.toString(name))
  return [...plain.map((text) => text.slice(0, 16)), [...bytes].join(',').slice(0, 24)]
}

async function badInput(): Promise<void> {
  const bodies = [
    '{"phone":',
    JSON.stringify({ phone: ANA }),
    JSON.stringify({ phone: ANA, identity: 'x'.repeat(760), prekeys: '' }),
    'x'.repeat(100_000),
  ]
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.77' }
  for (const body of bodies) {
    const options = { method: 'POST', headers, body }
    expect((await fetch(`${world.url}/v1/registrations`, options)).status).toBeGreaterThan(399)
  }
  for (const path of [
    `/v1/directory/${ANA}`,
    `/v1/registrations/${ANA}/verify`,
    `/${ANA}?${ANA}`,
  ]) {
    await fetch(`${world.url}${path}`, { headers: { authorization: `Couplet ${ANA} 1 x` } })
  }
  const address = `${world.url.replace('http', 'ws')}${SOCKET_PATH}`
  for (const message of ['text', Buffer.from([0]), Buffer.alloc(300_000), Buffer.from([1, 2, 3])]) {
    const socket = new WebSocket(address, [SOCKET_PROTOCOL])
    await new Promise((resolve) => {
      socket.once('open', () => socket.send(message))
      socket.once('close', resolve)
      socket.once('error', resolve)
    })
  }
}

test('nothing of anybody is in it', async () => {
  const limits = ['--limit-registrations', '7/1h', '--limit-sends', '4/1h']
  const listen = ['--workers', '1', '--metrics-listen', 'localhost:0']
  await world.startServer('--log-level', 'debug', ...limits, ...listen)
  const secrets = new Set<string>([ANA.slice(1), BEN.slice(1), PIN, TEXT, '203.0.113.77'])
  const remember = (): void => {
    for (const one of inStore()) secrets.add(one)
  }

  const [ana, ben] = [await register(ANA), await register(BEN)]
  await ana.online()
  await ana.couplet.lockRegistration(PIN)
  for (let time = 0; time < 4; time++) await (await ana.couplet.send(BEN, TEXT)).sent
  await ana.couplet.send(BEN, 'one too many')
  remember()
  await ben.receive()
  await ben.online()
  remember()

  // Somebody else with codes of both: wrong, locked, right.
  const thief = await begin(ANA)
  remember()
  await fails(submitCode(thief.ports, thief.store, '000000'), 'wrong-code')
  await fails(submitCode(thief.ports, thief.store, await world.code(ANA)), 'registration-locked')
  await register(BEN)
  await until(() => ben.couplet.connection === 'offline')
  remember()
  await badInput()

  // The operator, and what fails by itself.
  const data = ['--data', world.path('server')]
  succeeded(await world.couplet('users', 'block', ANA, ...data))
  await rename(world.path('codes.jsonl'), world.path('codes.kept'))
  await mkdir(world.path('codes.jsonl'))
  await fails(begin('+12025550103'), 'code-not-sent')
  await rm(world.path('codes.jsonl'), { recursive: true })
  const db = new DatabaseSync(world.path('server/couplet.db'), { timeout: 5000 })
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON registrations
           BEGIN SELECT RAISE(ABORT, 'disk is full'); END`)
  db.close()
  await fails(begin('+12025550104'), 'internal')
  await fails(begin('+12025550105'), 'internal')
  await fails(begin('+12025550106'), 'rate-limited')

  const codes = (await readFile(world.path('codes.kept'), 'utf8')).matchAll(/"code":"(\d{6})"/g)
  const { stdout, stderr } = await world.stopServer()
  const log = stdout + stderr
  // It does say what happened.
  expect(log).toMatch(/listening/)
  expect(log).toMatch(/a code could not be sent/)
  expect(log).toMatch(/a request failed by a defect/)
  expect(log).toMatch(/set trusted-proxies/)
  expect(secrets.size).toBeGreaterThan(50)
  for (const secret of secrets) expect(log).not.toContain(secret)
  for (const [, code] of codes) expect(log).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`))
  expect(log).not.toMatch(/\d{10,}|[0-9a-f]{32,}|[\w-]{40,}/)
})
