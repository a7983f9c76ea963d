/**
 * How often a code may be tried: five times, slower and slower, then it is void.
 *
 * A pure function, so that every store decides alike; a store applies it atomically.
 */

/** Time to wait before each try, from the one before it. As many tries as there are delays. */
export const TRY_DELAYS_MS: readonly number[] = [0, 0, 60_000, 120_000, 120_000]
export const CODE_TRIES: number = TRY_DELAYS_MS.length

export interface Tries {
  readonly triesLeft: number
  /** Milliseconds since 1970. */
  readonly nextTryAt: number
}

export type TryOutcome =
  /** `waitMs`: until the next one, should this one fail. */
  | { readonly kind: 'taken'; readonly triesLeft: number; readonly waitMs: number }
  /** Nothing was used up. */
  | { readonly kind: 'early'; readonly triesLeft: number; readonly waitMs: number }
  /** All are used up, or there is no such registration. */
  | { readonly kind: 'none' }

export function stepTry(
  before: Tries,
  now: number,
): { readonly after: Tries; readonly outcome: TryOutcome } {
  const { triesLeft: left, nextTryAt } = before
  if (left <= 0) return { after: before, outcome: { kind: 'none' } }
  if (nextTryAt > now) {
    return {
      after: before,
      outcome: { kind: 'early', triesLeft: left, waitMs: nextTryAt - now },
    }
  }
  const triesLeft = left - 1
  const waitMs = TRY_DELAYS_MS[CODE_TRIES - triesLeft] ?? 0
  return {
    after: { triesLeft, nextTryAt: now + waitMs },
    outcome: { kind: 'taken', triesLeft, waitMs },
  }
}
