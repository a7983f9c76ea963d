/**
 * How fast the outbox puts. As fast as it can, until the server says `rate-limited`; then one at a
 * time from when it said on, and faster again with every one that it takes. (spec/delivery.md)
 */
export class Pace {
  #window = MAX_PUTS_UNDERWAY
  #until = 0
  #waitMs = 0

  /** Puts without an answer, for each contact. */
  get window(): number {
    return this.#window
  }

  /**
   * When something may go out again, in milliseconds since 1970; `now` when it may already. A clock
   * that was ahead and was set back prolongs no wait.
   */
  earliest(now: number): number {
    const isAhead = this.#until - now > this.#waitMs
    return isAhead ? now : Math.max(this.#until, now)
  }

  refused(now: number, retryAfterSeconds: number): void {
    this.#window = 1
    this.#until = Math.max(this.earliest(now), now + 1000 * retryAfterSeconds)
    this.#waitMs = this.#until - now
  }

  taken(): void {
    this.#window = Math.min(MAX_PUTS_UNDERWAY, this.#window + 1)
  }
}

const MAX_PUTS_UNDERWAY = 32
