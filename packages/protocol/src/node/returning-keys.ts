/**
 * Ratchet keys between their two uses.
 *
 * A ratchet key is made in one step and used up in another, before which its state was stored and
 * read back: the secret lies in another array then, and a new key would cost as much as an agreement.
 * In a lively conversation the other step comes within moments. So the newest few keys wait for it, for
 * seconds: no longer than it takes for a secret that was deleted meanwhile to be gone in earnest.
 */
import type { KeyObject } from 'node:crypto'
import { type Bytes, equalBytes, wipe } from '@couplet/wire'

interface Kept {
  readonly secret: Bytes
  readonly key: KeyObject
  /** By the monotonic clock, milliseconds. */
  readonly until: number
}

class ReturningKeys {
  /** The newest first. */
  readonly #kept: Kept[] = []
  #timer: NodeJS.Timeout | undefined

  get size(): number {
    return this.#kept.length
  }

  keep(secret: Uint8Array, key: KeyObject): void {
    this.#kept.unshift({ secret: new Uint8Array(secret), key, until: performance.now() + KEPT_MS })
    if (this.#kept.length > MAX_KEPT) this.#dropOldest()
    this.#timer ??= this.#wait(KEPT_MS)
  }

  /** The key of a secret with these bytes, which is not kept any more. */
  take(secret: Uint8Array): KeyObject | undefined {
    const at = this.#kept.findIndex((each) => equalBytes(each.secret, secret))
    if (at < 0) return undefined
    const [found] = this.#kept.splice(at, 1)
    wipe(found!.secret)
    return found!.key
  }

  forget(): void {
    while (this.#kept.length > 0) this.#dropOldest()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #dropOldest(): void {
    wipe(this.#kept.pop()?.secret)
  }

  #wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), ms).unref()
  }

  #expire(): void {
    const now = performance.now()
    while ((this.#kept.at(-1)?.until ?? Number.POSITIVE_INFINITY) <= now) this.#dropOldest()
    const next = this.#kept.at(-1)
    this.#timer = next && this.#wait(Math.ceil(next.until - now))
  }
}

export const MAX_KEPT = 16
export const KEPT_MS = 3000
/** Of this process: a secret is found by its bytes, whoever made it. */
export const RETURNING: ReturningKeys = new ReturningKeys()
