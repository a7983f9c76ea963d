/** Metrics and health, as Prometheus and a load balancer meet them: one process, and several. */
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { requestCode, requirePhoneNumber, submitCode } from '@couplet/client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestPerson } from './people.ts'
import { World } from './processes.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
/** Answers about the store are shared for a second. */
const PATIENCE = { timeout: 20_000 }
const ROOT = join(import.meta.dirname, '..')
const METRICS = ['--metrics-listen', '127.0.0.1:0']

let world: World

beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.end())

type Page = ReadonlyMap<string, number>

/** By name and labels, as they stand in the page. */
async function scrape(): Promise<Page> {
  const [, url] = await world.serverSaw(/metrics at (\S+)/)
  const response = await fetch(url!)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const page = await response.text()
  // No number, key or id is a label.
  expect(page).not.toMatch(/\+?\d{8,}"|[\w-]{40,}"/)
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(couplet_.+) (\S+)$/.exec(line)!
      return [name!, Number(value)]
    }),
  )
}

async function register(phone: string): Promise<TestPerson> {
  const server = { url: world.url, codes: new Map<string, string>() }
  const person = await TestPerson.begin(server, phone)
  await submitCode(person.ports, person.store, await world.code(phone))
  return person
}

describe.each([1, 2])('of %i processes', (workers) => {
  test('one page sums up what happened, with the names that the documentation lists', async () => {
    const options = ['--workers', String(workers), '--limit-code-budget', '3/1d', ...METRICS]
    await world.startServer(...options)
    const before = await scrape()
    expect(before.get('couplet_codes_total{outcome="sent"}')).toBe(0)
    expect(before.get('couplet_envelopes_evicted_total{reason="capacity"}')).toBe(0)
    expect(before.get('couplet_code_budget_spent')).toBe(0)

    const [ana, ben] = [await register(ANA), await register(BEN)]
    await ana.send(ben, 'one', 'two', 'three')
    await ben.online()
    const after = await scrape()
    expect(after.get('couplet_users_online')).toBe(1)
    expect(after.get('couplet_sockets')).toBe(1)
    await ben.offline()
    expect(after.get('couplet_envelopes_stored_total')).toBeGreaterThanOrEqual(3)
    expect(after.get('couplet_envelopes_evicted_total{reason="capacity"}')).toBeGreaterThan(0)
    expect(after.get('couplet_envelopes_relayed_total')).toBeGreaterThanOrEqual(2)
    expect(after.get('couplet_envelopes_put_total{outcome="stored"}')).toBeGreaterThanOrEqual(3)
    expect(after.get('couplet_registrations_total{outcome="opened"}')).toBe(2)
    expect(after.get('couplet_registrations_total{outcome="registered"}')).toBe(2)
    expect(after.get('couplet_codes_total{outcome="sent"}')).toBe(2)
    expect(after.get('couplet_code_budget_limit')).toBe(3)
    expect(after.get('couplet_code_budget_spent')).toBeCloseTo(2, 1)
    expect(after.get('couplet_code_budget_exhausted')).toBe(0)
    expect(after.get('couplet_logins_total{outcome="welcome"}')).toBe(2)
    expect(after.get('couplet_lookups_total{outcome="found"}')).toBeGreaterThan(0)
    expect(after.get('couplet_http_requests_total{status="2xx"}')).toBeGreaterThan(4)
    expect(after.get('couplet_errors_total{kind="store"}')).toBe(0)
    expect(after.get('couplet_ready')).toBe(1)
    const puts = 'couplet_store_latency_seconds_count{operation="mailboxes.put"}'
    expect(after.get(puts)).toBeGreaterThanOrEqual(3)
    expect(after.get('couplet_process_resident_memory_bytes')).toBeGreaterThan(10 ** 7)
    expect(after.get('couplet_nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0)
    expect(after.get('couplet_start_time_seconds')).toBeLessThan(Date.now() / 1000)
    expect(after.get('couplet_workers')).toBe(workers === 1 ? undefined : workers)

    await register('+12025550103')
    await expect(
      requestCode(ana.ports, {
        phone: requirePhoneNumber('+12025550104'),
        server: world.url,
        earlier: undefined,
      }),
    ).rejects.toMatchObject({ code: 'rate-limited' })
    const stopped = await scrape()
    expect(stopped.get('couplet_code_budget_exhausted')).toBe(1)
    expect(stopped.get('couplet_limited_total{limit="codeBudget"}')).toBe(1)
    expect(stopped.get('couplet_registrations_total{outcome="rate-limited"}')).toBe(1)

    const documented = await readFile(join(ROOT, 'docs/operations.md'), 'utf8')
    for (const name of stopped.keys()) {
      const [plain] = name.replace(/_(?:bucket|sum|count)\{/, '{').split('{')
      if (/^couplet_(?:process|nodejs)_/.test(plain!)) continue
      expect(documented).toContain(plain!.replace('couplet_code_budget_spent', '…_spent'))
    }

    const [, url] = await world.serverSaw(/metrics at (\S+)/)
    expect((await fetch(url!.replace('/metrics', '/'))).status).toBe(404)
    expect((await fetch(url!, { method: 'POST' })).status).toBe(405)
    expect((await fetch(`${world.url}/metrics`)).status).toBe(404)
    expect((await world.stopServer()).code).toBe(0)
  })
})

test('health: each check can fail, and says so, whatever process is asked', async () => {
  await world.startServer('--workers', '2', '--no-limits', ...METRICS)
  const health = async () => {
    // A connection of its own: the next process is asked.
    const response = await fetch(`${world.url}/readyz`, { headers: { connection: 'close' } })
    const { checks } = (await response.json()) as { checks: object }
    return { status: response.status, ...checks }
  }
  const well = { status: 200, store: 'ok', schema: 'ok', codes: 'development', serving: 'ok' }
  expect(await health()).toEqual(well)
  const db = new DatabaseSync(world.path('server/couplet.db'), { timeout: 5000 })
  try {
    db.exec(`CREATE TRIGGER full BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'full'); END`)
    await expect.poll(health, PATIENCE).toEqual({ ...well, status: 503, store: 'unavailable' })
    expect((await scrape()).get('couplet_ready')).toBe(0)
    expect((await fetch(`${world.url}/livez`)).status).toBe(200)
    db.exec('DROP TRIGGER full')
    await expect.poll(health, PATIENCE).toEqual(well)

    const set = db.prepare("UPDATE meta SET value = value + ? WHERE name = 'schema'")
    set.run(1)
    await expect.poll(health, PATIENCE).toEqual({ ...well, status: 503, schema: 'other' })
    set.run(-1)
    await expect.poll(health, PATIENCE).toEqual(well)
  } finally {
    db.close()
  }

  await register(ANA)
  await rename(world.path('codes.jsonl'), world.path('codes.kept'))
  await mkdir(world.path('codes.jsonl'))
  // Who is registered is still served.
  const trying = async () => {
    await expect(register(BEN)).rejects.toMatchObject({ code: 'code-not-sent' })
    return health()
  }
  await expect.poll(trying, PATIENCE).toEqual({ ...well, codes: 'failing' })
  await rm(world.path('codes.jsonl'), { recursive: true })
  await rename(world.path('codes.kept'), world.path('codes.jsonl'))
  const succeeding = async () => {
    await register(BEN)
    return health()
  }
  await expect.poll(succeeding, PATIENCE).toEqual(well)
})
