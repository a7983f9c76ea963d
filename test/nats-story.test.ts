/** The story of a server that moves to NATS while people use it: nobody and nothing is lost. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type NatsCluster, startNats } from '../packages/server/test/nats-server.ts'
import { succeeded, World } from './processes.ts'

let nats: NatsCluster
let world: World

beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.end())

beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.end())

test('a live server moves, and what waited in its folder arrives from the streams', async () => {
  await world.startServer()
  const ana = await world.person('ana', '+12025550101')
  const ben = await world.person('ben', '+12025550102')
  await ana.json('send', ben.phone, 'one')
  await ana.json('send', ben.phone, 'two')

  const store = ['--store', nats.url, '--data', world.path('server')]
  const early = await world.couplet('store', 'check', ...store)
  expect(early.code).toBe(73)
  expect(early.stderr).toMatch(/cluster\.key is missing/)
  succeeded(await world.couplet('store', 'init', ...store, '--partitions', '2'))
  const migrate = ['store', 'migrate', ...store, '--from', world.path('server')]
  const running = succeeded(await world.couplet(...migrate))
  expect(running.stdout).toMatch(/copied 2 users, 0 mailboxes/)
  expect(running.stdout).toMatch(/a server still runs on that folder: stop it/)
  await world.stopServer()
  const stopped = succeeded(await world.couplet(...migrate))
  expect(stopped.stdout).toMatch(/copied 0 users, 1 mailboxes, receipts of 1 senders/)
  expect(stopped.stdout).toMatch(/done: start the nodes/)

  await world.startServer('--store', nats.url)
  await ana.json('send', ben.phone, 'three')
  await expect
    .poll(
      async () => {
        await ben.receive()
        await ana.json('receive')
        return ana.outbox()
      },
      { timeout: 100_000 },
    )
    .toEqual({})
  const check = succeeded(await world.couplet('store', 'check', ...store))
  expect(check.stdout).toMatch(/everything is well/)
  expect((await world.stopServer()).code).toBe(0)
}, 240_000)
