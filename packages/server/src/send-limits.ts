/**
 * How fast envelopes are taken: from one account, and for one account from strangers, so that no
 * crowd can push out what its friends have sent.
 *
 * A stranger is whoever the recipient has not written to. The server learns that by watching, keeps
 * it in memory alone, and forgets it with a restart: then a friend counts as a stranger until the
 * next word, which costs nothing below the limit.
 */
import type { Limits, OnLimited } from './limits.ts'
import { TokenBuckets } from './limits.ts'

export class SendLimits {
  readonly #sends: TokenBuckets
  readonly #strangers: TokenBuckets
  readonly #acquaintances: Acquaintances | undefined
  readonly #idle: boolean

  constructor({ sends, strangerSends }: Limits, onLimited: OnLimited) {
    this.#sends = new TokenBuckets('sends', sends, onLimited)
    this.#strangers = new TokenBuckets('strangerSends', strangerSends, onLimited)
    this.#acquaintances = strangerSends && new Acquaintances()
    this.#idle = !sends && !strangerSends
  }

  /**
   * One envelope, from one key of `keyOf` to another.
   *
   * @throws {WireError} `rate-limited`.
   */
  take(sender: () => string, recipient: string, now: number): void {
    if (this.#idle) return
    const key = sender()
    this.#sends.take(key, now)
    const acquaintances = this.#acquaintances
    if (!acquaintances) return
    if (!acquaintances.has(recipient, key)) this.#strangers.take(recipient, now)
    acquaintances.add(key, recipient)
  }
}

/** Who has written to whom. */
class Acquaintances {
  readonly #pairs = new Set<string>()

  /** Whether `user` has written to `other`. */
  has(user: string, other: string): boolean {
    return this.#pairs.has(user + other)
  }

  add(user: string, other: string): void {
    const pair = user + other
    if (this.#pairs.has(pair)) return
    if (this.#pairs.size >= PAIR_LIMIT) this.#pairs.clear()
    this.#pairs.add(pair)
  }
}

/** About 15 MiB. */
const PAIR_LIMIT = 100_000
