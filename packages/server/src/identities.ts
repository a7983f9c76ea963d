/** Which identities are registered, remembered so that a put asks the store only once. */
import { keyOf } from './keys.ts'
import type { DirectoryStore } from './ports.ts'

export class Identities {
  readonly #directory: DirectoryStore
  readonly #known = new Set<string>()
  /** Counts replaced identities: an answer asked for before one may be out of date. */
  #forgotten = 0

  constructor(directory: DirectoryStore) {
    this.#directory = directory
  }

  async exists(identityId: Uint8Array): Promise<boolean> {
    const key = keyOf(identityId)
    if (this.#known.has(key)) return true
    const forgotten = this.#forgotten
    if (!(await this.#directory.byIdentity(identityId))) return false
    if (forgotten === this.#forgotten) this.#remember(key)
    return true
  }

  /** The identity was replaced. */
  forget(identityId: Uint8Array): void {
    this.#forgotten++
    this.#known.delete(keyOf(identityId))
  }

  #remember(key: string): void {
    // Starting again costs one question for each identity; an exact order would cost every put.
    if (this.#known.size >= KNOWN_LIMIT) this.#known.clear()
    this.#known.add(key)
  }
}

/** About 10 MiB. */
const KNOWN_LIMIT = 100_000
