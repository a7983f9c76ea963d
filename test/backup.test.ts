/** A backup of a running server, and a server made of it. (delivery.md: it leaves the queues out) */
import { readdir, readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { succeeded, World } from './processes.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'

let world: World

beforeEach(async () => {
  world = await World.create()
})

afterEach(() => world.end())

test('takes along who is registered, and no byte of what waits; nobody loses a message by it', async () => {
  await world.startServer()
  const ana = await world.person('ana', ANA)
  const ben = await world.person('ben', BEN)
  succeeded(await ana.couplet('send', BEN, 'still with its sender', '--wait', 'sent'))
  const data = ['--data', world.path('server')]
  expect(succeeded(await world.couplet('backup', 'copy.db', ...data)).stdout).toMatch(/2 people in/)
  expect((await world.couplet('backup', 'copy.db', ...data)).code).toBe(73)
  expect((await readdir(world.folder)).filter((name) => name.startsWith('copy'))).toEqual([
    'copy.db',
  ])

  // Its envelope, as the live store has it, is nowhere in the copy.
  const { DatabaseSync } = await import('node:sqlite')
  const live = new DatabaseSync(world.path('server/couplet.db'), { readOnly: true })
  const waiting = live.prepare('SELECT envelope, id FROM messages').all()
  live.close()
  expect(waiting).toHaveLength(1)
  const copy = await readFile(world.path('copy.db'))
  const envelope = Buffer.from(waiting[0]!.envelope as Uint8Array)
  for (let at = 0; at < envelope.length; at += 64) {
    expect(copy.includes(envelope.subarray(at, at + 64))).toBe(false)
  }

  await world.stopServer('SIGKILL')
  expect((await world.couplet('restore', 'copy.db', ...data)).code).toBe(73)
  expect((await world.couplet('restore', 'none.db', '--data', 'elsewhere')).code).toBe(73)
  succeeded(await world.couplet('restore', 'copy.db', '--data', 'again'))
  await world.startServer('--data', world.path('again'))
  // The server has forgotten the message; Ana's outbox has not, and sends it again before long.
  const sender = ana.spawn('receive', '--follow')
  const reader = ben.spawn('receive', '--follow', '--json')
  await reader.saw(/still with its sender/)
  await reader.stop()
  await sender.stop()
})
