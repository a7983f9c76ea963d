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
 * Of bytes drawn ahead: a call of the generator costs as much as to encrypt a message. Handed out
 * once, and overwritten where they lay.
 */
export const systemRandom: Random = (length) => {
  if (length > DRAWN_AHEAD_BYTES) return randomFillSync(new Uint8Array(length))
  if (length > DRAWN_AHEAD_BYTES - used) {
    randomFillSync(drawnAhead)
    used = 0
  }
  const bytes = drawnAhead.slice(used, used + length)
  drawnAhead.fill(0, used, used + length)
  used += length
  return bytes
}

const DRAWN_AHEAD_BYTES = 4096
const drawnAhead = new Uint8Array(DRAWN_AHEAD_BYTES)
let used = DRAWN_AHEAD_BYTES

/** Longer timers fire at once, with a warning. */
const MAX_TIMER_MS = 2 ** 31 - 1
