/**
 * Which identities are registered, remembered so that a put asks the store only once.
 *
 * Keeps the order of those who ask: whoever asks while an answer is awaited goes on after those who
 * asked before, so that puts reach a mailbox in the order in which they came.
 */
import { keyOf } from './keys.ts'
import type { DirectoryStore } from './ports.ts'

export class Identities {
  readonly #directory: DirectoryStore
  readonly #known = new Set<string>()
  readonly #asking = new Map<string, Promise<boolean>>()
  /** Counts replaced identities: an answer asked for before one may be out of date. */
  #forgotten = 0
  /** Whoever is connected may have been replaced. */
  #missed = false

  constructor(directory: DirectoryStore) {
    this.#directory = directory
  }

  /**
   * Nothing, when it is known to be registered; else whether it is, once the store has answered.
   *
   * @param isHere - it is connected: it was registered when it logged in, and goes when it is not any
   *   more, unless this process missed hearing so.
   */
  ask(identityId: Uint8Array, isHere: boolean): Promise<boolean> | undefined {
    if (isHere && !this.#missed && this.#asking.size === 0) return undefined
    const key = keyOf(identityId)
    const asked = this.#asking.size > 0 ? this.#asking.get(key) : undefined
    if (asked) return asked
    if (this.#known.has(key)) return undefined
    const asking = this.#find(key, identityId)
    this.#asking.set(key, asking)
    return asking
  }

  /** The identity logged in, so it is registered. */
  remember(identityId: Uint8Array): void {
    // Starting again costs one question for each identity; an exact order would cost every put.
    if (this.#known.size >= KNOWN_LIMIT) this.#known.clear()
    this.#known.add(keyOf(identityId))
  }

  /** The identity was replaced. */
  forget(identityId: Uint8Array): void {
    this.#forgotten++
    this.#known.delete(keyOf(identityId))
  }

  /** Any identity may have been replaced by another process. */
  forgetAll(): void {
    this.#forgotten++
    this.#missed = true
    this.#known.clear()
  }

  async #find(key: string, identityId: Uint8Array): Promise<boolean> {
    const forgotten = this.#forgotten
    try {
      const registered = (await this.#directory.byIdentity(identityId)) !== undefined
      if (registered && forgotten === this.#forgotten) this.remember(identityId)
      return registered
    } finally {
      this.#asking.delete(key)
    }
  }
}

/** About 10 MiB. */
const KNOWN_LIMIT = 100_000
