/**
 * Entries by their ids, 32 bytes: whoever is connected, whatever waits for its answer.
 *
 * Not a `Map`, for two reasons. It would need a string for each id that is looked up. And a `Map` that
 * lives long while its entries come and go leaves every table that it outgrows pointing to the next
 * one: as soon as one of them is old, V8's collections of young memory keep all that follow it and
 * everything in them, until the next full collection. That was a sixth of what a live message costs.
 */
import { randomBytes } from 'node:crypto'
import { sameBytes } from '@couplet/wire'

export interface IdEntry<E> {
  readonly id: Uint8Array
  /** The table's own: the next entry whose id falls into the same place. */
  chained: E | undefined
}

export class IdTable<E extends IdEntry<E>> {
  #chains: (E | undefined)[] = emptyChains(FEWEST_CHAINS)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The entry that was added last, if several have this id. */
  find(id: Uint8Array): E | undefined {
    return sameId(this.#chains[this.#chainOf(id)], id)
  }

  /** The one added before `entry` that has its id. */
  findOlder(entry: E): E | undefined {
    return sameId(entry.chained, entry.id)
  }

  /** @param entry - in no table, and its id does not change. */
  add(entry: E): void {
    if (this.#size === this.#chains.length && this.#size < MOST_CHAINS) this.#grow()
    this.#put(entry)
    this.#size++
  }

  /** @returns whether it was here. */
  remove(entry: E): boolean {
    const chain = this.#chainOf(entry.id)
    let at = this.#chains[chain]
    if (at === entry) this.#chains[chain] = entry.chained
    else {
      while (at && at.chained !== entry) at = at.chained
      if (!at) return false
      at.chained = entry.chained
    }
    entry.chained = undefined
    this.#size--
    return true
  }

  /** As they are now, in no order. */
  all(): readonly E[] {
    const all: E[] = []
    for (const first of this.#chains) {
      for (let entry = first; entry; entry = entry.chained) all.push(entry)
    }
    return all
  }

  #put(entry: E): void {
    const chain = this.#chainOf(entry.id)
    entry.chained = this.#chains[chain]
    this.#chains[chain] = entry
  }

  #grow(): void {
    const before = this.#chains
    this.#chains = emptyChains(2 * before.length)
    for (const first of before) {
      // The oldest first, so that each chain keeps its order.
      const chain: E[] = []
      for (let entry = first; entry; entry = entry.chained) chain.unshift(entry)
      for (const entry of chain) this.#put(entry)
    }
  }

  /** Their number is a power of two. */
  #chainOf(id: Uint8Array): number {
    return hashOf(id, 0) & (this.#chains.length - 1)
  }
}

/**
 * 16 bits for the id that begins at `at`, by a secret of this process: whoever could choose ids that
 * fall together would have a long chain walked for each of his messages.
 */
export function hashOf(bytes: Uint8Array, at: number): number {
  let sum = 0
  for (let i = 0; i < SECRET.length; i++) {
    const half = (bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!
    sum = (sum + Math.imul(half, SECRET[i]!)) | 0
  }
  return sum >>> 16
}

function sameId<E extends IdEntry<E>>(first: E | undefined, id: Uint8Array): E | undefined {
  let entry = first
  while (entry && !sameBytes(entry.id, id)) entry = entry.chained
  return entry
}

function emptyChains<E>(count: number): (E | undefined)[] {
  return Array.from({ length: count }, () => undefined)
}

const FEWEST_CHAINS = 64
/** As many as `hashOf` tells apart. */
const MOST_CHAINS = 2 ** 16
/** Odd factors for the first 16-bit words of an id: multiply-add-shift, which is universal. */
const SECRET = new Int32Array(new Uint8Array(randomBytes(4 * 4)).buffer).map((factor) => factor | 1)
