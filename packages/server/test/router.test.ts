/** Which of a user's connections stays, when two processes have one. (spec/socket.md, "Login") */
import { expect, it } from 'vitest'
import { MemoryBus } from '../src/memory-bus.ts'
import type { Clock } from '../src/ports.ts'
import { Router, type RouterEvents } from '../src/router.ts'
import { freshBytes } from './support.ts'

it('of two logins that ask about each other, the later one stays', async () => {
  const bus = new MemoryBus()
  const now = Date.now()
  // Chance alone would name the earlier one in half of all cases.
  for (let round = 0; round < 20; round++) {
    const user = freshBytes(32)
    const replaced: string[] = []
    const earlier = process(bus, { now: () => now + round }, () => replaced.push('earlier'))
    const later = process(bus, { now: () => now + round + 1 }, () => replaced.push('later'))
    await Promise.all(
      round % 2 === 0
        ? [earlier.attach(user), later.attach(user)]
        : [later.attach(user), earlier.attach(user)],
    )
    await expect.poll(() => replaced.length).toBeGreaterThan(0)
    await expect.poll(() => new Set(replaced)).toEqual(new Set(['earlier']))
    for (const router of [earlier, later]) router.detach(user)
  }
})

it('of two logins in one millisecond, exactly one stays', async () => {
  const bus = new MemoryBus()
  const user = freshBytes(32)
  const replaced = new Set<string>()
  const clock = { now: () => 1_767_225_600_000 }
  const one = process(bus, clock, () => replaced.add('one'))
  const two = process(bus, clock, () => replaced.add('two'))
  await Promise.all([one.attach(user), two.attach(user)])
  await expect.poll(() => replaced.size).toBeGreaterThan(0)
  // Whatever was said on the bus before has been heard.
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(replaced.size).toBe(1)
})

/** One of several, as far as its router goes. */
function process(bus: MemoryBus, clock: Clock, replaced: () => void): Router {
  const events: RouterEvents = {
    putHere: () => undefined,
    ended: () => {},
    room: () => {},
    hearsRoom: async () => {},
    replaced,
    written: () => {},
    forgotten: () => {},
    missed: () => {},
  }
  return new Router(bus.end(), events, clock)
}
