/**
 * A store in memory, for tests and throw-away identities.
 *
 * Values pass through their encoded form here too. So nobody can change a record from outside, and
 * what a store on disk would refuse is refused here as well.
 */
import { type Bytes, wipe } from '@couplet/wire'
import type { NamedRecord, Store, StoredRecord } from './ports.ts'
import { type RecordTable, storeOver, type WholeRange } from './serial-store.ts'

/** A store that forgets everything at `close`. */
export function memoryStore(): Store {
  return storeOver(new MemoryTable())
}

class MemoryTable implements RecordTable {
  readonly #partitions = new Map<string, Partition>()
  /** How to undo what was done since `begin`, in order. */
  #undo: (() => void)[] = []

  begin(): void {
    this.#undo = []
  }

  commit(): void {
    this.#undo = []
  }

  rollback(): void {
    for (const undo of this.#undo.toReversed()) undo()
    this.#undo = []
  }

  read(collection: string, partition: string, position: number): Bytes | undefined {
    return this.#partition(collection, partition)?.values.get(position)?.slice()
  }

  write(collection: string, partition: string, position: number, value: Uint8Array): void {
    const key = keyOf(collection, partition)
    let found = this.#partitions.get(key)
    if (!found) {
      found = { values: new Map(), sorted: undefined }
      this.#partitions.set(key, found)
    }
    this.#set(found, position, new Uint8Array(value))
  }

  remove(collection: string, partition: string, position: number): void {
    const found = this.#partition(collection, partition)
    if (found) this.#set(found, position, undefined)
  }

  scan(collection: string, partition: string, range: WholeRange): StoredRecord<Bytes>[] {
    const found = this.#partition(collection, partition)
    if (!found) return []
    found.sorted ??= [...found.values.keys()].sort((a, b) => a - b)
    const positions = found.sorted.filter((at) => at >= range.from && at <= range.to)
    if (range.reverse) positions.reverse()
    return positions
      .slice(0, range.limit)
      .map((position) => ({ position, value: found.values.get(position)!.slice() }))
  }

  async *everything(): AsyncIterable<NamedRecord<Bytes>[]> {
    for (const [key, { values }] of this.#partitions) {
      const [collection, partition] = JSON.parse(key) as [string, string]
      yield [...values].map(([position, value]) => ({
        collection,
        partition,
        position,
        value: value.slice(),
      }))
    }
  }

  clear(): void {
    for (const partition of this.#partitions.values()) {
      for (const position of partition.values.keys()) {
        this.#set(partition, position, undefined)
      }
    }
  }

  scrub(): void {}

  close(): void {
    for (const { values } of this.#partitions.values()) wipe(...values.values())
    this.#partitions.clear()
  }

  #partition(collection: string, partition: string): Partition | undefined {
    return this.#partitions.get(keyOf(collection, partition))
  }

  #set(partition: Partition, position: number, value: Bytes | undefined): void {
    const before = partition.values.get(position)
    this.#undo.push(() => replace(partition, position, before))
    replace(partition, position, value)
  }
}

interface Partition {
  readonly values: Map<number, Bytes>
  /** The positions in order, until one comes or goes. */
  sorted: number[] | undefined
}

function replace(partition: Partition, position: number, value: Bytes | undefined): void {
  const { values } = partition
  if (values.has(position) !== (value !== undefined)) partition.sorted = undefined
  if (value) values.set(position, value)
  else values.delete(position)
}

function keyOf(collection: string, partition: string): string {
  return JSON.stringify([collection, partition])
}
