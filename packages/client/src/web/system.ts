/** The clock and the random generator of a browser, as the client's ports want them. */
import type { Clock, Random } from '../ports.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, task) {
    let timer: ReturnType<typeof setTimeout>
    const wait = (left: number) => {
      const step = Math.min(left, MAX_TIMER_MS)
      timer = setTimeout(() => (step < left ? wait(left - step) : task()), step)
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}

export const systemRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1
