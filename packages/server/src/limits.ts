/**
 * How often somebody may ask: token buckets in memory, bounded.
 *
 * Limits that guard codes fail closed: when more keys are asked for than can be remembered, the
 * least recently used are forgotten only once their buckets are full again.
 */
import { WireError } from '@couplet/wire'

export interface Limit {
  /** Requests that may come at once. */
  readonly burst: number
  /** Milliseconds in which as many as `burst` come back. */
  readonly periodMs: number
}

/** Codes for one phone number. */
export const PHONE_LIMIT: Limit = { burst: 10, periodMs: 10 * 60 * 1000 }
/** Registrations opened from one address. */
export const ADDRESS_LIMIT: Limit = { burst: 60, periodMs: 60 * 1000 }

/** The two doors of a registration. Both throw `rate-limited` with `retryAfter`. */
export interface RegistrationLimits {
  takeForAddress(address: string, now: number): void
  takeForPhone(phone: string, now: number): void
}

export function registrationLimits(
  limits: { readonly phone?: Limit | undefined; readonly address?: Limit | undefined } = {},
): RegistrationLimits {
  const phones = new TokenBuckets(limits.phone ?? PHONE_LIMIT)
  const addresses = new TokenBuckets(limits.address ?? ADDRESS_LIMIT)
  return {
    takeForAddress: (address, now) => addresses.take(address, now),
    takeForPhone: (phone, now) => phones.take(phone, now),
  }
}

interface Bucket {
  tokens: number
  at: number
}

export class TokenBuckets {
  readonly #limit: Limit
  readonly #buckets = new Map<string, Bucket>()

  constructor(limit: Limit) {
    this.#limit = limit
  }

  /** @throws {WireError} `rate-limited` with the seconds until the next token. */
  take(key: string, now: number): void {
    const { burst, periodMs } = this.#limit
    const bucket = this.#buckets.get(key) ?? this.#newBucket(key, now)
    // A clock that jumped back gives nothing and takes nothing.
    const elapsed = Math.max(0, now - bucket.at)
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsed * burst) / periodMs)
    bucket.at = now
    if (bucket.tokens < 1) throw tooOften(((1 - bucket.tokens) * periodMs) / burst)
    bucket.tokens -= 1
  }

  #newBucket(key: string, now: number): Bucket {
    if (this.#buckets.size >= BUCKET_LIMIT) this.#forgetFull(now)
    if (this.#buckets.size >= BUCKET_LIMIT) throw tooOften(this.#limit.periodMs)
    const bucket = { tokens: this.#limit.burst, at: now }
    this.#buckets.set(key, bucket)
    return bucket
  }

  #forgetFull(now: number): void {
    for (const [key, { at }] of this.#buckets) {
      if (now - at >= this.#limit.periodMs) this.#buckets.delete(key)
    }
  }
}

function tooOften(waitMs: number): WireError {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000))
  return new WireError('rate-limited', 'too often: wait a moment', { retryAfter })
}

/** Keys that are remembered for one limit. */
const BUCKET_LIMIT = 100_000
