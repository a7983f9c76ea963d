/** Several workers on one port: people meet across them, and the end of one is healed. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { World } from './processes.ts'

let world: World

beforeEach(async () => {
  world = await World.create()
  world.serverEnvironment = {
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(BROKEN)}`,
  }
  await world.startServer('--workers', '2')
})
afterEach(() => world.end())

/** Lets a worker fail, at a signal, at saying something to the process that started it. */
const BROKEN = `if (process.env.COUPLET_WORKER_TASK) process.on('SIGUSR2', () => {
  process.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  process.stderr.write('survived')
})`

/** Process ids of the server's workers, the oldest first. */
function workers(): number[] {
  const pid = String(world.serverPid)
  const children =
    process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      : execFileSync('ps', ['-o', 'pid=', '--ppid', pid], { encoding: 'utf8' })
  return children.split(/\s+/).map(Number).filter(Boolean)
}

test('people write to each other, and nothing is lost when workers are killed', async () => {
  const ana = await world.person('ana', '+12025550101')
  const ben = await world.person('ben', '+12025550102')
  const texts: string[] = []
  for (const round of ['first', 'second', 'third']) {
    const text = `the ${round} message`
    texts.push(text)
    await ana.json('send', ben.phone, text)
    const [victim] = workers()
    process.kill(victim!, 'SIGKILL')
    await expect.poll(() => workers().filter((pid) => pid !== victim).length).toBe(2)
  }
  const received: unknown[] = []
  await expect
    .poll(
      async () => {
        received.push(...(await ben.receive()))
        await ana.json('receive')
        return received.map(String).toSorted()
      },
      { timeout: 60_000 },
    )
    // The mailbox holds two: the first was pushed out, and came again.
    .toEqual(texts.toSorted())
  expect(await ana.outbox()).toEqual({})

  // As when the process that hands out connections has just been killed: its channel breaks first.
  const before = workers()
  for (const pid of before) process.kill(pid, 'SIGUSR2')
  const survived = (): number => world.server!.stderr.split('survived').length - 1
  await expect.poll(survived, { timeout: 20_000 }).toBe(2)
  expect(workers()).toEqual(before)
  expect((await world.stopServer()).code).toBe(0)
})
