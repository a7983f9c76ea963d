/**
 * How often somebody may ask: every limit, its default, and token buckets in memory.
 *
 * Hitting a limit is answered by `rate-limited` with the seconds to wait, and changes nothing: a
 * message that was refused so is still in its sender's outbox. Limits fail closed: when more keys
 * are asked for than can be remembered, those are forgotten first whose buckets are full again, and
 * then nobody new is admitted. Limits that guard codes are in `registration-limits.ts`, on the
 * store, so that a restart does not reset them.
 */
import { WireError } from '@couplet/wire'

export interface Limit {
  /** Requests that may come at once. */
  readonly burst: number
  /** Milliseconds in which as many as `burst` come back. */
  readonly periodMs: number
}

/** `undefined`: no limit. */
export interface Limits {
  /** Registrations opened from one address block. */
  readonly registrations: Limit | undefined
  /** Codes sent to one number. */
  readonly codes: Limit | undefined
  /** Of these, asked for from one address block: a stranger leaves some to whoever has the number. */
  readonly codesToOneFromAddress: Limit | undefined
  /** Codes sent because one address block asked: the budget is not for a single one to use up. */
  readonly codesFromAddress: Limit | undefined
  /** Whether a number waits longer and longer between its codes. (registration-limits.ts) */
  readonly codeDelays: boolean
  /** Codes that the whole server sends: a hard stop against pumping. */
  readonly codeBudget: Limit | undefined
  /** Numbers looked up by one account. */
  readonly lookups: Limit | undefined
  /** Numbers looked up from one address block. */
  readonly lookupsFromAddress: Limit | undefined
  /** Envelopes of one account. */
  readonly sends: Limit | undefined
  /** Envelopes to one account from everybody whom it has not written to. */
  readonly strangerSends: Limit | undefined
  /** Of these, envelopes of one of them: nobody alone keeps all others away. */
  readonly strangerSendsFromOne: Limit | undefined
  /** Status questions of one account. */
  readonly questions: Limit | undefined
  /** Signed requests of one account, whatever they ask for. */
  readonly requests: Limit | undefined
  /** Sets of prekeys that one account publishes. */
  readonly prekeys: Limit | undefined
  /** Push subscriptions of one account. */
  readonly subscriptions: Limit | undefined
  /** PINs that one account sets. */
  readonly pins: Limit | undefined
  /** Sockets from one address block. */
  readonly connectionsPerAddress: number | undefined
  /** Sockets in all. */
  readonly connections: number | undefined
}

export type LimitName = Exclude<keyof Limits, 'codeDelays'>

const MINUTE_MS = 60 * 1000
const HOUR_MS: number = 60 * MINUTE_MS
const DAY_MS: number = 24 * HOUR_MS

export const DEFAULT_LIMITS: Limits = {
  registrations: { burst: 60, periodMs: HOUR_MS },
  codes: { burst: 10, periodMs: DAY_MS },
  codesToOneFromAddress: { burst: 6, periodMs: DAY_MS },
  codesFromAddress: { burst: 100, periodMs: DAY_MS },
  codeDelays: true,
  codeBudget: { burst: 1000, periodMs: DAY_MS },
  lookups: { burst: 300, periodMs: HOUR_MS },
  lookupsFromAddress: { burst: 3000, periodMs: HOUR_MS },
  sends: { burst: 60, periodMs: MINUTE_MS },
  strangerSends: { burst: 60, periodMs: MINUTE_MS },
  strangerSendsFromOne: { burst: 30, periodMs: MINUTE_MS },
  questions: { burst: 600, periodMs: MINUTE_MS },
  requests: { burst: 300, periodMs: MINUTE_MS },
  prekeys: { burst: 20, periodMs: HOUR_MS },
  subscriptions: { burst: 20, periodMs: HOUR_MS },
  pins: { burst: 10, periodMs: HOUR_MS },
  connectionsPerAddress: 100,
  connections: 20_000,
}

/** For measurements and torture, where one machine plays a whole town. Never for the internet. */
export const NO_LIMITS: Limits = {
  registrations: undefined,
  codes: undefined,
  codesToOneFromAddress: undefined,
  codesFromAddress: undefined,
  codeDelays: false,
  codeBudget: undefined,
  lookups: undefined,
  lookupsFromAddress: undefined,
  sends: undefined,
  strangerSends: undefined,
  strangerSendsFromOne: undefined,
  questions: undefined,
  requests: undefined,
  prekeys: undefined,
  subscriptions: undefined,
  pins: undefined,
  connectionsPerAddress: undefined,
  connections: undefined,
}

export interface Bucket {
  /** Requests that may come now; a fraction of one is on its way. */
  readonly level: number
  /** Milliseconds since 1970. */
  readonly at: number
}

/** One request on a bucket. `waitMs` 0: it may go on; else nothing was taken. */
export function stepBucket(
  bucket: Bucket | undefined,
  { burst, periodMs }: Limit,
  now: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const level = levelOf(bucket, { burst, periodMs }, now)
  if (level >= 1) return { bucket: { level: level - 1, at: now }, waitMs: 0 }
  if (burst < 1) return { bucket: { level, at: now }, waitMs: periodMs }
  return { bucket: { level, at: now }, waitMs: ((1 - level) * periodMs) / burst }
}

/** Requests that may come now. */
export function levelOf(
  bucket: Bucket | undefined,
  { burst, periodMs }: Limit,
  now: number,
): number {
  // A clock that jumped back gives nothing and takes nothing.
  const elapsed = bucket ? Math.max(0, now - bucket.at) : 0
  return bucket ? Math.min(burst, bucket.level + (elapsed * burst) / periodMs) : burst
}

/** Told which limit was hit. */
export type OnLimited = (name: LimitName) => void

/** Each take, for what can be asked of any process; what is left when it leaves, for a connection. */
export interface Sharing {
  readonly tells: 'each' | 'leaving'
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** One limit over many keys, in this process. (shared-limits.ts: in several) */
export class TokenBuckets {
  readonly #name: LimitName
  readonly #limit: Limit | undefined
  readonly #onLimited: OnLimited
  readonly #tells: 'each' | 'leaving'
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()
  #tell: (key: string, left: number | undefined) => void = () => {}

  /** @param sharing - what other processes are told, and this one's time when it is told. */
  constructor(
    name: LimitName,
    limit: Limit | undefined,
    onLimited: OnLimited = () => {},
    { tells, now }: Sharing = NOT_SHARED,
  ) {
    this.#tells = tells
    this.#now = now
    this.#name = name
    this.#limit = limit
    this.#onLimited = onLimited
  }

  /** @throws {WireError} `rate-limited` with the seconds until the next token. */
  take(key: string, now: number): void {
    const limit = this.#limit
    if (!limit) return
    const before = this.#buckets.get(key)
    if (!before) this.#makeRoom(limit, now)
    const { bucket, waitMs } = stepBucket(before, limit, now)
    this.#buckets.set(key, bucket)
    if (waitMs > 0) this.#refuse(waitMs)
    if (this.#tells === 'each') this.#tell(key, undefined)
  }

  /** @param tell - hears of each take (`left` is none), or what is left when a key leaves. */
  onTold(tell: (key: string, left: number | undefined) => void): void {
    this.#tell = tell
  }

  /** The key is somewhere else from now on: with what it has left. */
  leave(key: string, now: number): void {
    const bucket = this.#buckets.get(key)
    if (!bucket || !this.#limit || this.#tells === 'each') return
    const left = levelOf(bucket, this.#limit, now)
    if (left < this.#limit.burst) this.#tell(key, left)
  }

  /** Another process has taken one of this key, or says what it has left. Refuses nothing. */
  told(key: string, left: number | undefined): void {
    const limit = this.#limit
    if (!limit) return
    const now = this.#now()
    const before = this.#buckets.get(key)
    // What has no room is forgotten: it is refused when it comes.
    if (!before && this.#buckets.size >= BUCKET_LIMIT) return
    const level = levelOf(before, limit, now)
    const after = left === undefined ? Math.max(0, level - 1) : Math.min(level, Math.max(0, left))
    this.#buckets.set(key, { level: after, at: now })
  }

  #makeRoom({ periodMs }: Limit, now: number): void {
    if (this.#buckets.size < BUCKET_LIMIT) return
    for (const [key, { at }] of this.#buckets) {
      if (now - at >= periodMs) this.#buckets.delete(key)
    }
    if (this.#buckets.size >= BUCKET_LIMIT) this.#refuse(periodMs)
  }

  #refuse(waitMs: number): never {
    this.#onLimited(this.#name)
    throw tooOften(waitMs)
  }
}

export function tooOften(waitMs: number): WireError {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000))
  return new WireError('rate-limited', 'too often: wait a moment', { retryAfter })
}

const NOT_SHARED: Sharing = { tells: 'leaving', now: Date.now }
/** Keys that are remembered for one limit. */
const BUCKET_LIMIT = 100_000
