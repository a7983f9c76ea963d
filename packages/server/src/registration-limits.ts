/**
 * Limits that guard codes: per address block, per number, per both, and for the whole server.
 *
 * They live in the store, so that a restart does not reset them and several servers share them.
 * Names and addresses are kept only as keyed hashes. When the store does not answer, nothing is
 * admitted.
 */
import { createHmac } from 'node:crypto'
import {
  type Limit,
  type LimitName,
  type Limits,
  levelOf,
  type OnLimited,
  stepBucket,
  tooOften,
} from './limits.ts'
import type { CodeBudget } from './metrics.ts'
import type { RecordStore, SmallRecord } from './ports.ts'

/** Time between two codes to one number, while none of them has been typed in. */
export const CODE_DELAYS_MS: readonly number[] = [0, 60_000, 120_000, 300_000, 600_000]

/** A code to a number, because somebody at an address block asked for it. */
export interface CodeRequest {
  readonly phone: string
  readonly block: string
}

/** Every method throws `rate-limited` with `retryAfter`. */
export interface RegistrationLimits {
  /** Somebody asks to register. */
  takeForAddress(block: string, now: number): Promise<void>
  /** A code is about to be sent. Refused: it counts nowhere. */
  takeForCode(code: CodeRequest, now: number): Promise<void>
  /** It could not be sent: the number need not wait for the next one. */
  notSent(phone: string): Promise<void>
  /** Nor did anything leave that somebody pays for: it counts for nobody. */
  giveBack(code: CodeRequest, now: number): Promise<void>
  /** What was spent of the budget for codes; none when it is unlimited. */
  codeBudget(now: number): Promise<CodeBudget | undefined>
  /** A code was typed in: whoever has the number need not wait for others. They go on being counted. */
  verified(phone: string): Promise<void>
}

type CodeLimit = 'codesToOneFromAddress' | 'codes' | 'codesFromAddress' | 'codeBudget'
/** A limit, and under which key a code counts there. */
type Count = readonly [CodeLimit, string]

export function registrationLimits(options: {
  readonly limits: Limits
  readonly records: RecordStore
  /** Keys the hashes of numbers and addresses, 32 bytes. */
  readonly key: Uint8Array
  readonly onLimited: OnLimited
}): RegistrationLimits {
  return new StoredLimits(options)
}

class StoredLimits implements RegistrationLimits {
  readonly #limits: Limits
  readonly #records: RecordStore
  readonly #key: Uint8Array
  readonly #onLimited: OnLimited

  constructor(options: Parameters<typeof registrationLimits>[0]) {
    this.#limits = options.limits
    this.#records = options.records
    this.#key = options.key
    this.#onLimited = options.onLimited
  }

  async takeForAddress(block: string, now: number): Promise<void> {
    await this.#take('registrations', this.#hidden(block), now)
  }

  /**
   * Narrow limits first: who is refused by one has touched nothing that others share. What a wider
   * one refuses is given back to the narrower ones, or a stranger whose share is used up could go on
   * making the number wait.
   */
  async takeForCode(code: CodeRequest, now: number): Promise<void> {
    const { codeDelays } = this.#limits
    const [narrowest, ...wider] = this.#countsOf(code)
    await this.#take(...narrowest, now)
    const taken = [narrowest]
    let climbed = false
    try {
      if (codeDelays) await this.#climb(this.#hidden(code.phone), now)
      climbed = codeDelays
      for (const count of wider) {
        await this.#take(...count, now)
        taken.push(count)
      }
    } catch (error) {
      if (climbed) await this.notSent(code.phone)
      for (const count of taken) await this.#giveBack(...count, now)
      throw error
    }
  }

  async notSent(phone: string): Promise<void> {
    const before = await this.#records.get(`delay:${this.#hidden(phone)}`)
    if (!before) return
    const after = { ...before, level: before.level - 1, at: 0, revision: before.revision + 1 }
    // Lost to somebody else's change: then the delay stays, which costs a minute.
    await this.#records.compareAndSet(after, before.revision)
  }

  async giveBack(code: CodeRequest, now: number): Promise<void> {
    for (const count of this.#countsOf(code)) await this.#giveBack(...count, now)
  }

  async verified(phone: string): Promise<void> {
    await this.#records.remove(`delay:${this.#hidden(phone)}`)
  }

  async codeBudget(now: number): Promise<CodeBudget | undefined> {
    const limit = this.#limits.codeBudget
    if (!limit) return undefined
    const record = await this.#records.get(`codeBudget:${SERVER}`)
    return { limit: limit.burst, spent: limit.burst - levelOf(record, limit, now) }
  }

  /** Where a code counts, from the narrowest to the widest. */
  #countsOf({ phone, block }: CodeRequest): readonly [Count, ...Count[]] {
    return [
      ['codesToOneFromAddress', this.#hidden(`${phone} ${block}`)],
      ['codes', this.#hidden(phone)],
      ['codesFromAddress', this.#hidden(block)],
      ['codeBudget', SERVER],
    ]
  }

  async #take(name: CodeLimit | 'registrations', key: string, now: number): Promise<void> {
    const limit: Limit | undefined = this.#limits[name]
    if (!limit) return
    await this.#change(`${name}:${key}`, name, (before) => {
      const { bucket, waitMs } = stepBucket(before, limit, now)
      return { ...bucket, expiresAt: now + limit.periodMs, waitMs }
    })
  }

  /** One token more, and never more than there were at first. */
  async #giveBack(name: CodeLimit, key: string, now: number): Promise<void> {
    const limit = this.#limits[name]
    if (!limit) return
    await this.#change(`${name}:${key}`, name, (before) => {
      const level = Math.min(limit.burst, levelOf(before, limit, now) + 1)
      return { level, at: now, expiresAt: now + limit.periodMs, waitMs: 0 }
    })
  }

  /** `level`: codes sent so far. */
  async #climb(number: string, now: number): Promise<void> {
    await this.#change(`delay:${number}`, 'codes', (before) => {
      const sent = before && before.expiresAt > now ? before.level : 0
      const delay = CODE_DELAYS_MS[Math.min(sent, CODE_DELAYS_MS.length - 1)]!
      const waitMs = before && sent > 0 ? Math.max(0, before.at + delay - now) : 0
      return { level: sent + 1, at: now, expiresAt: now + FORGIVEN_MS, waitMs }
    })
  }

  /** Reads, decides, writes; again when somebody else wrote in between. */
  async #change(
    name: string,
    limit: LimitName,
    step: (before: SmallRecord | undefined) => {
      readonly level: number
      readonly at: number
      readonly expiresAt: number
      readonly waitMs: number
    },
  ): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const before = await this.#records.get(name)
      const { waitMs, ...after } = step(before)
      if (waitMs > 0) {
        this.#onLimited(limit)
        throw tooOften(waitMs)
      }
      const revision = (before?.revision ?? 0) + 1
      if (await this.#records.compareAndSet({ name, ...after, revision }, revision - 1)) return
    }
    // So many at once for one name are no accident.
    this.#onLimited(limit)
    throw tooOften(CONTENTION_WAIT_MS)
  }

  /** A number or address as the name of a record. */
  #hidden(text: string): string {
    return createHmac('sha256', this.#key)
      .update('couplet/limit\0')
      .update(text)
      .digest('base64url')
  }
}

/** After this long without a code, the delays begin anew. */
const FORGIVEN_MS: number = 24 * 60 * 60 * 1000
/** There is one budget for the whole server. */
const SERVER = 'server'
const MAX_ATTEMPTS = 50
const CONTENTION_WAIT_MS = 5000
