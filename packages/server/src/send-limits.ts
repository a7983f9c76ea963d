/**
 * How fast envelopes are taken: from one account, and for one account from strangers, so that no
 * crowd can push out what its friends have sent.
 *
 * A stranger is whoever the recipient has not written to. The server learns that by watching, keeps
 * it in memory alone, and forgets it with a restart: then a friend counts as a stranger until the
 * next word, which costs nothing below the limit.
 *
 * Where several processes serve, each watches its own: what its users write, and what is delivered
 * to them. The sender's process and the recipient's both have a say: whom one of them knows is no
 * stranger. How many strangers come is counted where the recipient is, or by each process for
 * somebody who is away.
 */
import type { Limits, OnLimited } from './limits.ts'
import { TokenBuckets } from './limits.ts'

export class SendLimits {
  readonly #sends: TokenBuckets | undefined
  readonly #strangers: TokenBuckets | undefined
  readonly #acquaintances: Acquaintances | undefined

  constructor({ sends, strangerSends }: Limits, onLimited: OnLimited) {
    this.#sends = sends && new TokenBuckets('sends', sends, onLimited)
    this.#strangers = strangerSends && new TokenBuckets('strangerSends', strangerSends, onLimited)
    this.#acquaintances = strangerSends && new Acquaintances()
  }

  /**
   * One envelope leaves an account, in the process that has its connection.
   *
   * @param sender - its key of `keyOf`.
   * @throws {WireError} `rate-limited`.
   */
  takeFrom(sender: () => string, now: number): void {
    this.#sends?.take(sender(), now)
  }

  /**
   * One envelope comes to an account, in the process that decides about it.
   *
   * @param isFriend - another process knows that the recipient has written to the sender.
   * @throws {WireError} `rate-limited`.
   */
  takeFor(recipient: string, sender: () => string, isFriend: boolean, now: number): void {
    if (!this.#strangers || isFriend || this.areFriends(recipient, sender)) return
    this.#strangers.take(recipient, now)
  }

  /** Whether `user` has written to `other`, as far as this process knows. */
  areFriends(user: string, other: () => string): boolean {
    return this.#acquaintances?.has(user, other()) ?? false
  }

  /** An envelope of `user` to `other` was taken, or is delivered, here. */
  wrote(user: () => string, other: string): void {
    this.#acquaintances?.add(user(), other)
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
