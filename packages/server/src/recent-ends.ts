/**
 * How envelopes ended that never reached the store: delivered before they were written.
 *
 * Soft state like the receipt lane, whose place it takes for them: bounded, the oldest forgotten
 * first, written down when the server stops in good order.
 */
import { equalBytes } from '@couplet/wire'
import { bytesOf, keyOf } from './keys.ts'
import { type Answer, type Ended, saysMore } from './mailbox.ts'

/** Without its id, which is its place here. */
export interface RecentEnd {
  readonly sender: Uint8Array
  readonly recipient: Uint8Array
  readonly end: Answer
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

export class RecentEnds {
  readonly #limit: number
  /**
   * By id. Two halves, of which the older is forgotten as a whole: each message passes through
   * here, and a map that always loses its first entry is slow to find the next one.
   */
  #younger = new Map<string, RecentEnd>()
  #older = new Map<string, RecentEnd>()

  /** @param limit - how many are remembered at most; at least half as many are. */
  constructor(limit: number = RECENT_ENDS_LIMIT) {
    this.#limit = limit
  }

  add(id: Uint8Array, { sender, recipient, end, endedAt }: RecentEnd): void {
    if (this.#younger.size >= this.#limit / 2) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(keyOf(id), { sender, recipient, end: withOwnReceipt(end), endedAt })
  }

  /** What the recipient answered, for the sender who asks. */
  forSender(sender: Uint8Array, id: Uint8Array): RecentEnd | undefined {
    const end = this.#find(id)
    return end && equalBytes(end.sender, sender) ? end : undefined
  }

  /** The recipient says more about an envelope that is remembered here. Answers the new end. */
  upgrade(recipient: Uint8Array, id: Uint8Array, answer: Answer, at: number): Ended | undefined {
    const past = this.#find(id)
    if (!past || !equalBytes(past.recipient, recipient)) return undefined
    if (!saysMore(answer, past.end)) return undefined
    this.add(id, { ...past, end: answer, endedAt: at })
    return { id: Uint8Array.from(id), sender: past.sender, end: answer, endedAt: at }
  }

  /** Forgets those that satisfy the condition. */
  forget(condition: (end: RecentEnd) => boolean): void {
    for (const half of [this.#younger, this.#older]) {
      for (const [key, end] of half) {
        if (condition(end)) half.delete(key)
      }
    }
  }

  /** The oldest first; of one that was upgraded, the new end is the last. */
  *all(): Iterable<Ended & RecentEnd> {
    for (const half of [this.#older, this.#younger]) {
      for (const [key, end] of half) yield { id: bytesOf(key), ...end }
    }
  }

  #find(id: Uint8Array): RecentEnd | undefined {
    const key = keyOf(id)
    return this.#younger.get(key) ?? this.#older.get(key)
  }
}

/** It is kept for long, and must not keep the memory of the frame that it came in. */
function withOwnReceipt(end: Answer): Answer {
  return end.kind === 'delivered' ? { kind: end.kind, receipt: new Uint8Array(end.receipt) } : end
}

const RECENT_ENDS_LIMIT = 32_768
