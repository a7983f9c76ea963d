/**
 * Who is told when a mailbox has room again: senders that were told `full` or `evicted`.
 *
 * A hint, so it may forget: bounded for each mailbox and in all; a sender that is not told asks by
 * itself after its backoff.
 */
export class RoomWaiters {
  /** Keys of senders by the key of the recipient. */
  readonly #waiters = new Map<string, Set<string>>()

  add(recipient: string, sender: string): void {
    let senders = this.#waiters.get(recipient)
    if (!senders) {
      if (this.#waiters.size >= MAILBOX_LIMIT) this.#forgetOldest()
      senders = new Set()
      this.#waiters.set(recipient, senders)
    }
    if (senders.size < SENDER_LIMIT) senders.add(sender)
  }

  /** Those who wait for this mailbox; they wait no more. */
  take(recipient: string): Iterable<string> {
    const senders = this.#waiters.get(recipient)
    this.#waiters.delete(recipient)
    return senders ?? []
  }

  #forgetOldest(): void {
    for (const oldest of this.#waiters.keys()) {
      this.#waiters.delete(oldest)
      break
    }
  }
}

const MAILBOX_LIMIT = 16_384
const SENDER_LIMIT = 64
