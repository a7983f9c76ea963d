/**
 * Which of a contact's messages have arrived: pure bookkeeping over sequence numbers, so that gaps
 * can be shown honestly. (spec/delivery.md, "Gaps")
 */

import { MAX_FORWARD_JUMP } from '@couplet/protocol'

/** Inclusive ranges of numbers that have not arrived and may still come, in order. */
export type SequenceState = {
  /** Highest number seen, 0 for none. */
  readonly highest: number
  /** The sender's lowest number that it may still send; what is below is closed. */
  readonly floor: number
  readonly missing: readonly (readonly [from: number, to: number])[]
}

export const NO_SEQUENCES: SequenceState = { highest: 0, floor: 1, missing: [] }

/**
 * Takes note of message `sequence`, whose sender says that `oldestPending` is its oldest. A
 * heartbeat has no number of its own (0), and tells only the oldest.
 */
export function noteSequence(
  state: SequenceState,
  sequence: number,
  oldestPending: number,
): SequenceState {
  const oldest = sequence === 0 ? oldestPending : Math.min(oldestPending, sequence)
  const floor = Math.max(state.floor, oldest)
  const missing = [...state.missing]
  if (sequence - state.highest - 1 > MAX_FORWARD_JUMP) {
    // Nobody sends so many at once: a sender that lost count. No number would be honest.
    return { highest: sequence, floor: sequence, missing: [] }
  }
  if (sequence > state.highest + 1) missing.push([state.highest + 1, sequence - 1])
  // Bounded: of very many gaps the oldest become one.
  while (missing.length > MAX_RANGES) missing.splice(0, 2, [missing[0]![0], missing[1]![1]])
  return {
    highest: Math.max(state.highest, sequence),
    floor,
    missing: missing
      .flatMap((range) => without(range, sequence))
      .flatMap(([from, to]) => (to < floor ? [] : [[Math.max(from, floor), to] as const])),
  }
}

/** How many messages before this one (and above `after`) are still with their sender. */
export function missingBefore(state: SequenceState, sequence: number, after = 0): number {
  let count = 0
  for (const [from, to] of state.missing) {
    count += Math.max(0, Math.min(to, sequence - 1) - Math.max(from, after + 1) + 1)
  }
  return count
}

function without(
  range: readonly [number, number],
  sequence: number,
): (readonly [number, number])[] {
  const [from, to] = range
  if (sequence < from || sequence > to) return [range]
  const pieces: (readonly [number, number])[] = []
  if (from < sequence) pieces.push([from, sequence - 1])
  if (sequence < to) pieces.push([sequence + 1, to])
  return pieces
}

/** Gaps that are remembered one by one. */
const MAX_RANGES = 64
