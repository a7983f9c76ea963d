/**
 * What all stores share: one transaction after the other, all or nothing. (ports.ts, `Store`)
 *
 * A table may be synchronous, as SQLite and memory are, or answer with promises, as IndexedDB must.
 */
import type { AsyncLocalStorage } from 'node:async_hooks'
import { wipe } from '@couplet/wire'
import { ClientError } from './errors.ts'
import type { NamedRecord, Plain, Range, Store, StoredRecord, Transaction } from './ports.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'

/** What a store is made of: bytes by collection, partition and position. */
export interface RecordTable {
  begin(): Awaitable<void>
  /** What was written since `begin` is durable when this returns. */
  commit(): Awaitable<void>
  /** Undoes everything since `begin`. Also after a `commit` that threw. */
  rollback(): Awaitable<void>
  /** Owned by the caller. */
  read(collection: string, partition: string, position: number): Awaitable<Uint8Array | undefined>
  /** Does not keep `value`. */
  write(collection: string, partition: string, position: number, value: Uint8Array): Awaitable<void>
  remove(collection: string, partition: string, position: number): Awaitable<void>
  scan(
    collection: string,
    partition: string,
    range: WholeRange,
  ): Awaitable<StoredRecord<Uint8Array>[]>
  /** Every record that was there at `begin`, some at a time. Nothing else may be asked meanwhile. */
  everything(): AsyncIterable<readonly NamedRecord<Uint8Array>[]>
  /** Removes every record. */
  clear(): Awaitable<void>
  /** What was removed or replaced is in none of its files any more. */
  scrub(): Awaitable<void>
  close(): Awaitable<void>
}

export type Awaitable<T> = T | Promise<T>

/** A range without gaps; `limit` may be infinite. */
export type WholeRange = Required<Range>

/** A store over a table that it owns from now on. */
export function storeOver(table: RecordTable): Store {
  return new SerialStore(table)
}

class SerialStore implements Store {
  readonly #table: RecordTable
  readonly #inside = asyncLocal<TableTransaction>()
  /** Settles when the last transaction that was asked for is over. */
  #tail: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(table: RecordTable) {
    this.#table = table
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#refuseInside()
    if (this.#closed) throw new ClientError('closed', 'this store is closed')
    const result = this.#tail.then(() => this.#run(work))
    this.#tail = result.then(nothing, nothing)
    return result
  }

  async scrub(): Promise<void> {
    this.#refuseInside()
    if (this.#closed) return
    const result = this.#tail.then(() => this.#table.scrub())
    this.#tail = result.then(nothing, nothing)
    return result
  }

  async close(): Promise<void> {
    this.#refuseInside()
    this.#closed ??= this.#tail.then(() => this.#table.close())
    return this.#closed
  }

  async #run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    await this.#table.begin()
    const transaction = new TableTransaction(this.#table)
    try {
      const result = await (this.#inside
        ? this.#inside.run(transaction, () => work(transaction))
        : work(transaction))
      transaction.ended = true
      await this.#table.commit()
      return result
    } catch (error) {
      transaction.ended = true
      await this.#table.rollback()
      throw error
    }
  }

  /** What waits for its own end would wait for ever. */
  #refuseInside(): void {
    if (this.#inside?.getStore()?.ended === false) {
      throw new Error('inside a transaction of this store: finish it first')
    }
  }
}

class TableTransaction implements Transaction {
  readonly #table: RecordTable
  ended = false

  constructor(table: RecordTable) {
    this.#table = table
  }

  async get<T extends Plain>(
    collection: string,
    partition: string,
    position = 0,
  ): Promise<T | undefined> {
    this.#check(position)
    const bytes = await this.#table.read(collection, partition, position)
    return bytes && (takeValue(bytes) as T)
  }

  async put(collection: string, partition: string, position: number, value: Plain): Promise<void> {
    this.#check(position)
    const bytes = encodeRecord(value)
    try {
      await this.#table.write(collection, partition, position, bytes)
    } finally {
      wipe(bytes)
    }
  }

  async delete(collection: string, partition: string, position = 0): Promise<void> {
    this.#check(position)
    await this.#table.remove(collection, partition, position)
  }

  async list<T extends Plain>(
    collection: string,
    partition: string,
    range: Range = {},
  ): Promise<readonly StoredRecord<T>[]> {
    this.#check(0)
    const {
      from = Number.NEGATIVE_INFINITY,
      to = Number.POSITIVE_INFINITY,
      limit = Number.POSITIVE_INFINITY,
      reverse = false,
    } = range
    if (Number.isNaN(from) || Number.isNaN(to)) throw new TypeError('a range without ends')
    if (!(limit >= 0)) throw new TypeError('a limit below zero')
    if (limit === 0) return []
    const found = await this.#table.scan(collection, partition, { from, to, limit, reverse })
    return found.map(({ position, value }) => ({ position, value: takeValue(value) as T }))
  }

  async *everything(): AsyncIterable<NamedRecord<Plain>> {
    this.#check(0)
    for await (const page of this.#table.everything()) {
      for (const record of page) {
        this.#check(0)
        yield { ...record, value: takeValue(record.value) }
      }
    }
  }

  async clear(): Promise<void> {
    this.#check(0)
    await this.#table.clear()
  }

  #check(position: number): void {
    if (this.ended) throw new Error('this transaction is over')
    if (!Number.isSafeInteger(position)) throw new TypeError('a position is an integer')
  }
}

/** Takes the bytes over. */
function takeValue(bytes: Uint8Array): Plain {
  try {
    return decodeRecord(bytes)
  } finally {
    wipe(bytes)
  }
}

function nothing(): void {}

/**
 * Remembers which transaction the running code was called from, so that a call from inside one is
 * told from a call that merely comes while it runs. Node can do that and browsers cannot yet; taken
 * from the process, so that nothing here imports Node.
 */
function asyncLocal<T>(): AsyncLocalStorage<T> | undefined {
  const hooks = globalThis.process?.getBuiltinModule?.('node:async_hooks')
  return hooks && new hooks.AsyncLocalStorage<T>()
}
