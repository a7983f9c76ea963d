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
 * stranger. How many strangers come is counted where the recipient is, or where the senders are for
 * somebody who is away; processes tell each other. (shared-limits.ts)
 */
import type { Bus } from './bus.ts'
import { type Limit, type Limits, type OnLimited, TokenBuckets } from './limits.ts'
import { shareLimit } from './shared-limits.ts'

export class SendLimits {
  readonly #sends: TokenBuckets | undefined
  readonly #strangers: TokenBuckets | undefined
  /** By recipient and sender. */
  readonly #fromOne: TokenBuckets | undefined
  readonly #acquaintances: Acquaintances | undefined

  /** @param shared - where other processes hold the same limits. */
  constructor(
    { sends, strangerSends, strangerSendsFromOne }: Limits,
    onLimited: OnLimited,
    shared: { readonly bus: Bus | undefined; readonly now: () => number } = ALONE,
  ) {
    const { bus, now } = shared
    if (sends) {
      this.#sends = new TokenBuckets('sends', sends, onLimited, { tells: 'leaving', now })
      shareLimit(bus, 'sends', this.#sends)
    }
    const ofStrangers = (
      name: 'strangerSends' | 'strangerSendsFromOne',
      limit: Limit | undefined,
    ): TokenBuckets | undefined => {
      const buckets = limit && new TokenBuckets(name, limit, onLimited, { tells: 'each', now })
      if (buckets) shareLimit(bus, name, buckets)
      return buckets
    }
    this.#strangers = ofStrangers('strangerSends', strangerSends)
    this.#fromOne = ofStrangers('strangerSendsFromOne', strangerSendsFromOne)
    this.#acquaintances = this.#strangers || this.#fromOne ? new Acquaintances() : undefined
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

  /** The account's connection ended: the next one may be in another process. */
  leave(sender: string, now: number): void {
    this.#sends?.leave(sender, now)
  }

  /**
   * One envelope comes to an account, in the process that decides about it.
   *
   * @param isFriend - another process knows that the recipient has written to the sender.
   * @throws {WireError} `rate-limited`.
   */
  takeFor(recipient: string, sender: () => string, isFriend: boolean, now: number): void {
    if (!this.#acquaintances || isFriend || this.areFriends(recipient, sender)) return
    // First, so that whoever is refused here takes nothing from the others.
    this.#fromOne?.take(recipient + sender(), now)
    this.#strangers?.take(recipient, now)
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

const ALONE = { bus: undefined, now: Date.now }
/** About 15 MiB. */
const PAIR_LIMIT = 100_000
