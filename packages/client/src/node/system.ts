/** The clock and the random generator of this machine, as the client's ports want them. */
import { randomFillSync } from 'node:crypto'
import type { Clock, Random } from '../ports.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, task) {
    let timer: NodeJS.Timeout
    const wait = (left: number) => {
      const step = Math.min(left, MAX_TIMER_MS)
      timer = setTimeout(() => (step < left ? wait(left - step) : task()), step)
      timer.unref()
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}

/**
 * Drawn when it is asked for, never ahead: whoever copies this process's memory must not find the
 * secrets of messages that are not written yet.
 */
export const systemRandom: Random = (length) => randomFillSync(new Uint8Array(length))

/** Longer timers fire at once, with a warning. */
const MAX_TIMER_MS = 2 ** 31 - 1
