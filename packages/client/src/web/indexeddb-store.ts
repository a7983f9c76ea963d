/**
 * The store of a browser: one IndexedDB database, every value sealed. (ports.ts, `Store`)
 *
 * An IndexedDB transaction ends when anything but IndexedDB is awaited, and WebCrypto must be. So a
 * transaction of the store is none of IndexedDB's while its work runs: reads go to the database and
 * are remembered, writes are kept in memory. The commit seals them first and then writes all in one
 * IndexedDB transaction of `strict` durability, which is on disk when it says that it is done.
 *
 * That transaction also checks that this store still owns the database (`Fence`): whoever opens the
 * database later takes it over, and the former owner can write nothing any more. So no two tabs
 * ever advance the same ratchet, whatever becomes of their locks.
 */
import type { Bytes } from '@couplet/wire'
import type { DBSchema, IDBPDatabase, IDBPObjectStore, StoreNames } from 'idb'
import { ClientError } from '../errors.ts'
import type { NamedRecord, Store, StoredRecord } from '../ports.ts'
import { type RecordTable, storeOver, type WholeRange } from '../serial-store.ts'
import { Partition, PartitionCache, partitionKey } from './partition-cache.ts'
import type { Seal } from './seal.ts'

/** Collection, hidden partition, position. */
export type RecordKey = [collection: string, hidden: Bytes, position: number]

export interface HomeSchema extends DBSchema {
  /** What a home is (home.ts), and who owns it. */
  meta: { key: string; value: unknown }
  /** Sealed records; one of the two is in use, the other one serves for changing the key. */
  'records-a': { key: RecordKey; value: Bytes }
  'records-b': { key: RecordKey; value: Bytes }
}

export type RecordsName = 'records-a' | 'records-b'

/** Who may write: the token that lies at `owner` of `meta`. */
export interface Fence {
  readonly token: string
}

/** Where the records of a store are, and what seals them. */
export interface Shelf {
  readonly records: RecordsName
  readonly seal: Seal
}

export interface IndexedDbStore {
  readonly store: Store
  /** Goes on there, where the same records lie: to be called inside a transaction of the store. */
  readonly moveTo: (shelf: Shelf) => Promise<void>
}

/** The store in an open database, which belongs to it from now on. */
export function indexedDbStore(
  database: IDBPDatabase<HomeSchema>,
  shelf: Shelf,
  fence: Fence,
): IndexedDbStore {
  const table = new IndexedDbTable(database, shelf, fence)
  return { store: storeOver(table), moveTo: (next) => table.moveTo(next) }
}

/** What one transaction has written to one partition: values, or `undefined` where it removed. */
interface Changes {
  readonly collection: string
  readonly name: string
  readonly values: Map<number, Uint8Array | undefined>
}

class IndexedDbTable implements RecordTable {
  readonly #database: IDBPDatabase<HomeSchema>
  readonly #fence: Fence
  #records: RecordsName
  #seal: Seal
  readonly #cache = new PartitionCache()
  #changes = new Map<string, Changes>()
  #cleared = false
  #questions: Question[] = []
  #isAsking = false

  constructor(database: IDBPDatabase<HomeSchema>, { records, seal }: Shelf, fence: Fence) {
    this.#database = database
    this.#records = records
    this.#seal = seal
    this.#fence = fence
  }

  async moveTo({ records, seal }: Shelf): Promise<void> {
    this.#records = records
    this.#seal = seal
    // The names of partitions are hidden in another way now.
    await this.#cache.clear()
  }

  async begin(): Promise<void> {
    this.#forgetChanges()
    await this.#cache.trim()
  }

  async commit(): Promise<void> {
    if (this.#changes.size === 0 && !this.#cleared) return
    const sealed = await this.#sealChanges()
    await this.#write(sealed)
    await this.#remember()
    this.#forgetChanges()
  }

  rollback(): void {
    this.#forgetChanges()
  }

  async read(collection: string, name: string, position: number): Promise<Uint8Array | undefined> {
    const changes = this.#changes.get(partitionKey(collection, name))
    if (changes?.values.has(position)) return changes.values.get(position)?.slice()
    if (this.#cleared) return undefined
    const partition = await this.#partition(collection, name)
    if (!partition.has(position)) return undefined
    await this.#load(partition, [position])
    return partition.value(position)?.slice()
  }

  write(collection: string, name: string, position: number, value: Uint8Array): void {
    this.#change(collection, name, position, value.slice())
  }

  remove(collection: string, name: string, position: number): void {
    this.#change(collection, name, position, undefined)
  }

  async scan(
    collection: string,
    name: string,
    { from, to, limit, reverse }: WholeRange,
  ): Promise<StoredRecord<Uint8Array>[]> {
    const changes = this.#changes.get(partitionKey(collection, name))
    const partition = this.#cleared ? undefined : await this.#partition(collection, name)
    let positions = partition?.between(from, to) ?? []
    if (changes) positions = overlaid(positions, changes.values, from, to)
    if (reverse) positions.reverse()
    if (positions.length > limit) positions.length = Math.floor(limit)
    if (partition) await this.#load(partition, positions)
    return positions.map((position) => ({
      position,
      value: (changes?.values.get(position) ?? partition!.value(position)!).slice(),
    }))
  }

  async *everything(): AsyncIterable<NamedRecord<Uint8Array>[]> {
    let range: IDBKeyRange | undefined
    for (;;) {
      const { keys, values } = await translated(() => this.#page(range))
      const last = keys.at(-1)
      if (!last) return
      range = IDBKeyRange.lowerBound(last, true)
      yield await Promise.all(keys.map((key, i) => this.#open(key, values[i]!)))
    }
  }

  clear(): void {
    this.#forgetChanges()
    this.#cleared = true
  }

  /**
   * IndexedDB has no such thing: what it deletes is gone for every program, and leaves the disk when
   * the browser compacts its files.
   */
  scrub(): void {}

  async close(): Promise<void> {
    this.#forgetChanges()
    await this.#cache.clear()
    this.#database.close()
  }

  // ----------------------------------------------------------------------------------------------

  #change(collection: string, name: string, position: number, value: Uint8Array | undefined): void {
    const key = partitionKey(collection, name)
    let changes = this.#changes.get(key)
    if (!changes) {
      changes = { collection, name, values: new Map() }
      this.#changes.set(key, changes)
    }
    changes.values.get(position)?.fill(0)
    changes.values.set(position + 0, value)
  }

  #forgetChanges(): void {
    for (const { values } of this.#changes.values()) {
      for (const value of values.values()) value?.fill(0)
    }
    this.#changes = new Map()
    this.#cleared = false
  }

  #sealChanges(): Promise<readonly SealedChange[]> {
    return Promise.all(
      [...this.#changes.values()].flatMap((changes) => this.#sealPartition(changes)),
    )
  }

  #sealPartition({ collection, name, values }: Changes): Promise<SealedChange>[] {
    const hiding = this.#partition(collection, name).then(({ hidden }) => hidden)
    return [...values].map(async ([position, value]): Promise<SealedChange> => {
      const hidden = await hiding
      const sealed = value && (await this.#seal.seal({ collection, hidden, position }, name, value))
      return { key: [collection, hidden, position], sealed }
    })
  }

  /** All or nothing, and only while this store owns the database. */
  async #write(changes: readonly SealedChange[]): Promise<void> {
    await translated(async () => {
      const tx = this.#database.transaction([META, this.#records], 'readwrite', STRICT)
      // Its outcome is awaited below; it must not count as unhandled before that.
      tx.done.catch(() => undefined)
      const owner = await tx.objectStore(META).get(OWNER)
      if (owner !== this.#fence.token) {
        tx.abort()
        throw takenOver()
      }
      const records = tx.objectStore(this.#records)
      if (this.#cleared) void records.clear().catch(() => undefined)
      for (const { key, sealed } of changes) {
        void (sealed ? records.put(sealed, key) : records.delete(key)).catch(() => undefined)
      }
      await tx.done
    })
  }

  /** The database has it: what is remembered follows. */
  async #remember(): Promise<void> {
    if (this.#cleared) await this.#cache.clear()
    for (const { collection, name, values } of this.#changes.values()) {
      const partition = await this.#partition(collection, name)
      for (const [position, value] of values) partition.apply(position, value)
      // The partition has them now.
      values.clear()
    }
  }

  #partition(collection: string, name: string): Promise<Partition> {
    return this.#cache.find(collection, name, async () => {
      const hidden = await this.#seal.hide(collection, name)
      const range = wholePartition(collection, hidden)
      const keys = await translated(() => this.#ask((records) => records.getAllKeys(range)))
      const positions = keys.map(([, , position]) => position)
      return new Partition(collection, name, hidden, positions)
    })
  }

  /** Reads those values into the partition that it does not have yet. */
  async #load(partition: Partition, positions: readonly number[]): Promise<void> {
    const missing = positions.filter(
      (position) => partition.has(position) && !partition.value(position),
    )
    if (missing.length === 0) return
    const { collection, hidden } = partition
    const found = await translated(() => this.#values(partition, missing))
    await Promise.all(
      missing.map(async (position, i) => {
        const sealed = found[i]
        if (!sealed) throw new ClientError('unreadable-home', 'a record of this home is missing')
        const { record } = await this.#seal.open({ collection, hidden, position }, sealed)
        partition.remember(position, record)
      }),
    )
  }

  async #values(
    { collection, hidden, positions }: Partition,
    missing: readonly number[],
  ): Promise<readonly (Bytes | undefined)[]> {
    const lowest = Math.min(...ends(missing))
    const highest = Math.max(...ends(missing))
    const between = positions.filter((position) => position >= lowest && position <= highest)
    // One question for a run of neighbours, one for each when they lie apart.
    if (between.length === missing.length) {
      const run = IDBKeyRange.bound([collection, hidden, lowest], [collection, hidden, highest])
      const values = await this.#ask((records) => records.getAll(run))
      return missing[0] === lowest ? values : values.toReversed()
    }
    return this.#ask((records) =>
      Promise.all(missing.map((position) => records.get([collection, hidden, position]))),
    )
  }

  /**
   * Reads from the records. What is asked while the database answers goes there together, in one
   * transaction: a list of a thousand conversations asks two thousand times.
   */
  #ask<T>(question: (records: Records) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = (records: Records) => question(records).then(resolve, reject)
      this.#questions.push({ run, reject })
      if (!this.#isAsking) void this.#askAll()
    })
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true
    while (this.#questions.length > 0) {
      const questions = this.#questions
      this.#questions = []
      try {
        const records = this.#database.transaction(this.#records).store
        await Promise.all(questions.map(({ run }) => run(records)))
      } catch (error) {
        for (const { reject } of questions) reject(error)
      }
    }
    this.#isAsking = false
  }

  async #page(
    range: IDBKeyRange | undefined,
  ): Promise<{ keys: readonly RecordKey[]; values: readonly Bytes[] }> {
    const records = this.#database.transaction(this.#records).store
    const [keys, values] = await Promise.all([
      records.getAllKeys(range, PAGE_RECORDS),
      records.getAll(range, PAGE_RECORDS),
    ])
    return { keys, values }
  }

  async #open(
    [collection, key, position]: RecordKey,
    sealed: Bytes,
  ): Promise<NamedRecord<Uint8Array>> {
    const hidden = new Uint8Array(key)
    const { name, record } = await this.#seal.open({ collection, hidden, position }, sealed)
    return { collection, partition: name, position, value: record }
  }
}

type Records = IDBPObjectStore<HomeSchema, [RecordsName], RecordsName>

interface Question {
  readonly run: (records: Records) => Promise<void>
  readonly reject: (error: unknown) => void
}

interface SealedChange {
  readonly key: RecordKey
  readonly sealed: Bytes | undefined
}

/** The positions of a range after a transaction's changes, in order. */
function overlaid(
  positions: readonly number[],
  changes: ReadonlyMap<number, Uint8Array | undefined>,
  from: number,
  to: number,
): number[] {
  const kept = positions.filter((position) => !changes.has(position))
  for (const [position, value] of changes) {
    if (value && position >= from && position <= to) kept.push(position)
  }
  return kept.sort((a, b) => a - b)
}

/** The first and the last of some positions that are in order, one way or the other. */
function ends(positions: readonly number[]): [number, number] {
  return [positions[0]!, positions.at(-1)!]
}

function wholePartition(collection: string, hidden: Bytes): IDBKeyRange {
  return IDBKeyRange.bound([collection, hidden, -Infinity], [collection, hidden, Infinity])
}

export function takenOver(): ClientError {
  return new ClientError(
    'home-locked',
    'this home was opened elsewhere: close the other window, or go on there',
  )
}

/** Errors of IndexedDB in the words of this package; others as they are. */
export async function translated<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (error) {
    throw storageError(error)
  }
}

function storageError(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error
  const sentence =
    error.name === 'QuotaExceededError'
      ? 'this browser has no room left for messages'
      : `the storage of this browser cannot be used: ${error.name}`
  return new ClientError('unreadable-home', sentence, { cause: error })
}

export const META: StoreNames<HomeSchema> & 'meta' = 'meta'
/** Key in `meta` of the token of whoever may write. */
export const OWNER = 'owner'
export const STRICT: IDBTransactionOptions = { durability: 'strict' }
const PAGE_RECORDS = 256
