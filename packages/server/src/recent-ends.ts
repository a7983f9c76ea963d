/**
 * How envelopes ended that never reached the store: delivered before they were written.
 *
 * Soft state like the receipt lane, whose place it takes for them: bounded, the oldest forgotten
 * first, written down when the server stops in good order.
 */
import { equalBytes } from '@couplet/wire'
import { keyOf } from './keys.ts'
import { type Answer, type Ended, saysMore } from './mailbox.ts'

export interface RecentEnd extends Ended {
  readonly recipient: Uint8Array
  readonly end: Answer
}

export class RecentEnds {
  /** By id, the oldest first. */
  readonly #ends = new Map<string, RecentEnd>()

  add(entry: RecentEnd): void {
    const key = keyOf(entry.id)
    this.#ends.delete(key)
    this.#ends.set(key, { ...entry, end: withOwnReceipt(entry.end) })
    if (this.#ends.size <= RECENT_ENDS_LIMIT) return
    for (const oldest of this.#ends.keys()) {
      this.#ends.delete(oldest)
      break
    }
  }

  /** What the recipient answered, for the sender who asks. */
  forSender(sender: Uint8Array, id: Uint8Array): RecentEnd | undefined {
    const end = this.#ends.get(keyOf(id))
    return end && equalBytes(end.sender, sender) ? end : undefined
  }

  /** The recipient says more about an envelope that is remembered here. Answers the new end. */
  upgrade(
    recipient: Uint8Array,
    id: Uint8Array,
    answer: Answer,
    at: number,
  ): RecentEnd | undefined {
    const past = this.#ends.get(keyOf(id))
    if (!past || !equalBytes(past.recipient, recipient)) return undefined
    if (!saysMore(answer, past.end)) return undefined
    const end = { ...past, end: answer, endedAt: at }
    this.add(end)
    return end
  }

  /** Forgets those that satisfy the condition. */
  forget(condition: (end: RecentEnd) => boolean): void {
    for (const [key, end] of this.#ends) {
      if (condition(end)) this.#ends.delete(key)
    }
  }

  all(): Iterable<RecentEnd> {
    return this.#ends.values()
  }
}

/** It is kept for long, and must not keep the memory of the frame that it came in. */
function withOwnReceipt(end: Answer): Answer {
  return end.kind === 'delivered' ? { kind: end.kind, receipt: new Uint8Array(end.receipt) } : end
}

/** About 30 MiB at most, measured. */
const RECENT_ENDS_LIMIT = 32_768
