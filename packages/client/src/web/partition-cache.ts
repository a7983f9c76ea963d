/**
 * What a browser's store remembers of IndexedDB: for each partition that was touched, which
 * positions it has, and those values that were read or written.
 *
 * A store is the only writer of its database (home.ts fences others off), so what is remembered
 * stays true. Bounded: the partitions that were not used for longest are forgotten first.
 */
import { type Bytes, wipe } from '@couplet/wire'

/** One partition as it is in the database. */
export class Partition {
  readonly collection: string
  readonly name: string
  readonly hidden: Bytes
  /** All of them, in order. */
  readonly positions: number[]
  readonly #values = new Map<number, Uint8Array>()
  #bytes = 0

  constructor(collection: string, name: string, hidden: Bytes, positions: number[]) {
    this.collection = collection
    this.name = name
    this.hidden = hidden
    this.positions = positions
  }

  /** Of the values that are remembered. */
  get bytes(): number {
    return this.#bytes
  }

  has(position: number): boolean {
    return this.positions[lowerBound(this.positions, position)] === position
  }

  /** The positions from one to another, both included. */
  between(from: number, to: number): number[] {
    const start = lowerBound(this.positions, from)
    const end = lowerBound(this.positions, to)
    return this.positions.slice(start, this.positions[end] === to ? end + 1 : end)
  }

  value(position: number): Uint8Array | undefined {
    return this.#values.get(position)
  }

  /** Remembers a value that the database has; takes it over. */
  remember(position: number, value: Uint8Array): void {
    this.#forget(position)
    this.#values.set(position, value)
    this.#bytes += value.length
  }

  /** Follows what was written to the database; takes `value` over. */
  apply(position: number, value: Uint8Array | undefined): void {
    const at = lowerBound(this.positions, position)
    const isHere = this.positions[at] === position
    if (value && !isHere) this.positions.splice(at, 0, position)
    if (!value && isHere) this.positions.splice(at, 1)
    if (value) this.remember(position, value)
    else this.#forget(position)
  }

  wipe(): void {
    wipe(...this.#values.values())
    this.#values.clear()
    this.#bytes = 0
  }

  #forget(position: number): void {
    const before = this.#values.get(position)
    if (!before) return
    this.#bytes -= before.length
    wipe(before)
    this.#values.delete(position)
  }
}

/** Partitions by name, the one used last at the end. */
export class PartitionCache {
  readonly #partitions = new Map<string, Promise<Partition>>()
  /** How often `trim` did not look. */
  #untrimmed = 0

  /** Loads a partition once. One that could not be loaded is not remembered. */
  find(collection: string, name: string, load: () => Promise<Partition>): Promise<Partition> {
    const key = partitionKey(collection, name)
    const known = this.#partitions.get(key)
    if (known) {
      this.#partitions.delete(key)
      this.#partitions.set(key, known)
      return known
    }
    const loading = load()
    this.#partitions.set(key, loading)
    loading.catch(() => this.#partitions.delete(key))
    return loading
  }

  /** Forgets what was not used for longest, until the rest is within the bounds. */
  async trim(): Promise<void> {
    this.#untrimmed++
    if (this.#partitions.size <= MAX_PARTITIONS && this.#untrimmed < TRIM_EVERY) return
    this.#untrimmed = 0
    let bytes = 0
    let count = 0
    for (const [key, loading] of [...this.#partitions].toReversed()) {
      const partition = await loading
      bytes += partition.bytes
      count++
      if (count <= MAX_PARTITIONS && bytes <= MAX_BYTES) continue
      partition.wipe()
      this.#partitions.delete(key)
    }
  }

  async clear(): Promise<void> {
    const partitions = await Promise.all(this.#partitions.values())
    this.#partitions.clear()
    for (const partition of partitions) partition.wipe()
  }
}

/** A text that is different for different pairs. */
export function partitionKey(collection: string, name: string): string {
  return `${collection.length}:${collection}${name}`
}

/** The first index whose position is not below `position`. */
function lowerBound(positions: readonly number[], position: number): number {
  let low = 0
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (positions[middle]! < position) low = middle + 1
    else high = middle
  }
  return low
}

const MAX_PARTITIONS = 4096
const MAX_BYTES = 32 * 1024 * 1024
/** Counting bytes is not worth its time after every transaction. */
const TRIM_EVERY = 64
