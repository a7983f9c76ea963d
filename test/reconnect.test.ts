/**
 * A crowd whose server dies comes back without trampling it: the client's own way of connecting
 * again, three hundred times, against a real server that is killed and started again. What each
 * would do with its connection (outbox, inbox, prekeys) is left out.
 */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Context } from '../packages/client/src/context.ts'
import { Link } from '../packages/client/src/link.ts'
import { memoryStore } from '../packages/client/src/memory-store.ts'
import { systemClock, systemRandom } from '../packages/client/src/node/system.ts'
import type { Clock, Connector } from '../packages/client/src/ports.ts'
import { createSocketConnector } from '../packages/client/src/socket-connector.ts'
import { register, type TestIdentity } from '../packages/server/test/support.ts'
import { World } from './processes.ts'

const CROWD = 300
/** Registrations and first connections at one time. */
const AT_ONCE = 20

let world: World

beforeEach(async () => {
  world = await World.create()
})
afterEach(() => world.end())

test('three hundred clients come back, each after waits of its own, and none is turned away for long', async () => {
  const url = await world.startServer('--no-limits', '--workers', '1')
  const people = await inParallel(CROWD, (index) => newcomer(url, index))
  const crowd = people.map((person) => new Member(url, person))
  await inParallel(CROWD, (index) => crowd[index]!.link.connect())
  expect(crowd.filter(({ link }) => link.state === 'online')).toHaveLength(CROWD)

  const died = performance.now()
  await world.stopServer('SIGKILL')
  await expect
    .poll(() => crowd.filter(({ waits }) => waits.length >= 4).length, { timeout: 60_000 })
    .toBe(CROWD)
  await world.startServer()
  await expect
    .poll(() => crowd.filter(({ link }) => link.state === 'online').length, { timeout: 90_000 })
    .toBe(CROWD)
  const outage = (performance.now() - died) / 1000

  for (const { waits } of crowd) {
    // Each waits longer and longer, so the tries of all grow with the logarithm of the outage.
    expect(waits.length).toBeLessThanOrEqual(3 + Math.log2(1 + outage / 0.25))
    for (const [attempt, wait] of waits.entries()) {
      const most = Math.min(30_000, 500 * 2 ** attempt)
      expect(wait).toBeGreaterThanOrEqual(most / 2)
      expect(wait).toBeLessThanOrEqual(most)
    }
  }
  // Of each round, no tenth of the time has more than a quarter of the crowd.
  for (const attempt of [0, 1, 2, 3]) {
    const most = 500 * 2 ** attempt
    const tenths = Array.from({ length: 10 }, () => 0)
    for (const { waits } of crowd) {
      tenths[Math.min(9, Math.floor((20 * (waits[attempt]! - most / 2)) / most))]!++
    }
    expect(Math.max(...tenths)).toBeLessThan(CROWD / 4)
  }
  // What they do at the same time is different by then: after four waits the crowd is apart.
  const together = crowd.map(({ waits }) => waits.slice(0, 4).reduce((a, b) => a + b))
  expect(Math.max(...together) - Math.min(...together)).toBeGreaterThan(1000)
  await Promise.all(crowd.map(({ link }) => link.close()))
}, 180_000)

/** A client as far as its link goes. */
class Member {
  /** Between a failure and the next try, milliseconds. */
  readonly waits: number[] = []
  readonly link: Link

  constructor(url: string, person: TestIdentity) {
    let connecting = false
    const clock: Clock = {
      now: () => systemClock.now(),
      schedule: (delay, task) => {
        if (!connecting && this.link?.state === 'offline') this.waits.push(delay)
        return systemClock.schedule(delay, task)
      },
    }
    const real = createSocketConnector({ url, clock: systemClock })
    const connector: Connector = {
      connect: async (...args) => {
        connecting = true
        return real.connect(...args).finally(() => {
          connecting = false
        })
      },
    }
    const context = {
      store: memoryStore(),
      platform: { clock, random: systemRandom },
      signer: {
        identityId: person.identityId,
        sign: (message: Uint8Array) => person.sign(message),
      },
      tell: { broken: () => {} },
    } as unknown as Context
    this.link = new Link(context, connector, IDLE, () => {})
  }
}

/** Nothing to send, nothing to receive, no keys to change. */
const IDLE = {
  outbox: { attach: async () => {}, detach: () => {}, idle: async () => {} },
  inbox: {},
  prekeys: { run: async () => {}, nextAt: async () => Number.MAX_SAFE_INTEGER },
} as unknown as ConstructorParameters<typeof Link>[2]

function newcomer(url: string, index: number): Promise<TestIdentity> {
  const phone = `+1202555${String(1000 + index)}`
  const server = { url, name: new URL(url).host, codes: new Map() }
  return register(server, phone, undefined, () => world.code(phone))
}

async function inParallel<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      results[index] = await work(index)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return results
}
