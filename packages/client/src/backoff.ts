/** Waiting times between tries: exponential, bounded, with jitter so that crowds come apart. */
import type { Random } from './ports.ts'

export interface BackoffLimits {
  readonly firstMs: number
  readonly maxMs: number
}

/** Milliseconds to wait before try `attempt` (from 0): between half and all of first × 2^attempt. */
export function backoffMs(random: Random, attempt: number, limits: BackoffLimits): number {
  const ceiling = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 30))
  return Math.ceil(ceiling * (0.5 + 0.5 * fraction(random)))
}

/** Uniform in [0, 1). */
export function fraction(random: Random): number {
  const [a, b, c] = random(3)
  return (a! * 65536 + b! * 256 + c!) / 2 ** 24
}
