/**
 * The receipt lane: how a sender's last envelopes ended, until it asks. (spec/mailbox.md; delivery.md)
 *
 * A log: entries are added at the end, and only when they say more than what was there before
 * (`stepAck`), so of several for one envelope the last one holds. Soft state: a lost entry costs the
 * sender one resend, never a message. Bounded for each sender; no entry takes a place in a mailbox.
 */
import { equalBytes } from '@couplet/wire'
import type { End, Ended } from './mailbox.ts'

/** Entries that are kept for one sender. */
export const LANE_LIMIT = 256

export function stepLane<E>(lane: readonly E[], entry: E): readonly E[] {
  return [...lane, entry].slice(-LANE_LIMIT)
}

/** How an envelope ended, as far as its sender's lane knows. */
export function findInLane(
  lane: readonly Pick<Ended, 'id' | 'end'>[],
  id: Uint8Array,
): End | undefined {
  return lane.findLast((entry) => equalBytes(entry.id, id))?.end
}
