/**
 * How fast the outbox puts. As fast as it can, until the server says `rate-limited`; then one at a
 * time from when it said on, and faster again with every one that it takes. (spec/delivery.md)
 */
export class Pace {
  #window = MAX_PUTS_UNDERWAY
  #until = 0

  /** Puts without an answer, for each contact. */
  get window(): number {
    return this.#window
  }

  /** Nothing goes out before: milliseconds since 1970. */
  get until(): number {
    return this.#until
  }

  refused(now: number, retryAfterSeconds: number): void {
    this.#window = 1
    this.#until = Math.max(this.#until, now + 1000 * retryAfterSeconds)
  }

  taken(): void {
    this.#window = Math.min(MAX_PUTS_UNDERWAY, this.#window + 1)
  }
}

const MAX_PUTS_UNDERWAY = 32
