/**
 * The receipt lane: how a sender's last envelopes ended, until it asks. (spec/mailbox.md; delivery.md)
 *
 * Soft state: a lost entry costs the sender one resend, never a message. Bounded for each sender,
 * and no entry takes a place in a mailbox.
 */
import { equalBytes } from '@couplet/wire'
import { type Ended, saysMore } from './mailbox.ts'

/** Ends that are kept for one sender. */
export const LANE_LIMIT = 256

/** The lane with one more entry; an envelope has one entry, and a weaker end changes nothing. */
export function stepLane(lane: readonly Ended[], entry: Ended): readonly Ended[] {
  const past = lane.find((one) => equalBytes(one.id, entry.id))
  if (past && !saysMore(entry.end, past.end)) return lane
  return [...lane.filter((one) => one !== past), entry].slice(-LANE_LIMIT)
}
