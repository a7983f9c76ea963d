/**
 * The store of a home: one SQLite file, every value sealed. (ports.ts, `Store`)
 *
 *     partition = HMAC-SHA-256(indexKey, u16 length || collection || name)
 *     value     = nonce || AES-256-GCM(valueKey, nonce, aad, u16 length || name || record)
 *     aad       = partition || float64 position || collection
 *
 * The name is inside because `partition` cannot be turned back into it, and a move needs it
 * (export.ts). Databases of version 0.1 have the record alone, and stay as they are.
 *
 * On disk in the clear: names of collections, positions, how many records there are and how long.
 * Somebody who can write to the file can bring back an older state of it; nothing here notices.
 *
 * SQLite locks with POSIX locks, which vanish when the process closes *any* descriptor of the file:
 * nothing else in a process may open the file while the store does.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { label, utf8, wipe } from '@couplet/wire'
import { ClientError } from '../errors.ts'
import type { NamedRecord, Store, StoredRecord } from '../ports.ts'
import { splitName, withName } from '../record-codec.ts'
import { type RecordTable, storeOver, type WholeRange } from '../serial-store.ts'

/**
 * Opens the file, or makes an empty one, and locks it until it is closed or the process ends.
 *
 * @throws {ClientError} `home-locked` at once when it is open anywhere else; `unreadable-home`.
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    createPrivately(path)
    database = new DatabaseSync(path)
    // Exclusive before anything is read: then the lock is the kernel's, on the file itself, gone
    // with the process however it ends, and there is no shared-memory file beside it.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA secure_delete = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA trusted_schema = OFF;
      BEGIN IMMEDIATE;
      ROLLBACK;
    `)
    return database
  } catch (error) {
    database?.close()
    throw storeError(error)
  }
}

/**
 * The store in a database, which belongs to it from now on.
 *
 * @param dataKey - 32 bytes; not kept. The first store in a database decides what its key is.
 * @throws {ClientError} `unreadable-home` when the database has another key or a newer form. It is
 *   then still open.
 */
export function sqliteStore(database: DatabaseSync, dataKey: Uint8Array): Store {
  const seal = new Seal(dataKey)
  try {
    seal.named = prepareSchema(database, seal) >= SCHEMA_WITH_NAMES
    return storeOver(new SqliteTable(database, seal))
  } catch (error) {
    throw storeError(error)
  }
}

/** Whether nothing was ever stored in this database. */
export function isEmptyDatabase(database: DatabaseSync): boolean {
  return schemaVersion(database) === 0
}

/** SQLite's errors in the words of this package; others as they are. */
export function storeError(error: unknown): unknown {
  const code = (error as { errcode?: unknown } | undefined)?.errcode
  if (typeof code !== 'number') return error
  switch (code & 0xff) {
    case SQLITE.busy:
    case SQLITE.locked:
      return new ClientError(
        'home-locked',
        'another process has this home open: close it, then try again',
        { cause: error },
      )
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new ClientError('unreadable-home', "this home's database is damaged", {
        cause: error,
      })
    default:
      return new ClientError(
        'unreadable-home',
        `this home's database cannot be used: ${(error as Error).message}`,
        { cause: error },
      )
  }
}

class SqliteTable implements RecordTable {
  readonly #database: DatabaseSync
  readonly #seal: Seal
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #rollback: StatementSync
  readonly #read: StatementSync
  readonly #write: StatementSync
  readonly #remove: StatementSync
  readonly #scanUp: StatementSync
  readonly #scanDown: StatementSync
  readonly #page: StatementSync
  readonly #clear: StatementSync

  constructor(database: DatabaseSync, seal: Seal) {
    const key = 'collection = ? AND partition = ?'
    const scan = `SELECT position, value FROM records
      WHERE ${key} AND position BETWEEN ? AND ? ORDER BY position`
    this.#database = database
    this.#seal = seal
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
    this.#read = database.prepare(`SELECT value FROM records WHERE ${key} AND position = ?`)
    this.#write = database.prepare(
      `INSERT INTO records (collection, partition, position, value) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value`,
    )
    this.#remove = database.prepare(`DELETE FROM records WHERE ${key} AND position = ?`)
    this.#scanUp = database.prepare(`${scan} ASC LIMIT ?`)
    this.#scanDown = database.prepare(`${scan} DESC LIMIT ?`)
    this.#clear = database.prepare(`DELETE FROM records WHERE collection <> '${CHECK_COLLECTION}'`)
    this.#page = database.prepare(
      `SELECT collection, partition, position, value FROM records
        WHERE (collection, partition, position) > (?, ?, ?)
        ORDER BY collection, partition, position LIMIT ${PAGE_RECORDS}`,
    )
  }

  begin(): void {
    translated(() => this.#begin.run())
  }

  commit(): void {
    translated(() => this.#commit.run())
  }

  rollback(): void {
    // After some failures, a full disk among them, SQLite has rolled back by itself.
    if (this.#database.isTransaction) translated(() => this.#rollback.run())
  }

  read(collection: string, partition: string, position: number): Uint8Array | undefined {
    const hidden = this.#seal.hide(collection, partition)
    const row = translated(() => this.#read.get(collection, hidden, position))
    return row && this.#seal.open({ collection, hidden, position }, row.value as Uint8Array).record
  }

  write(collection: string, partition: string, position: number, value: Uint8Array): void {
    const hidden = this.#seal.hide(collection, partition)
    const sealed = this.#seal.seal({ collection, hidden, position }, partition, value)
    translated(() => this.#write.run(collection, hidden, position, sealed))
  }

  remove(collection: string, partition: string, position: number): void {
    const hidden = this.#seal.hide(collection, partition)
    translated(() => this.#remove.run(collection, hidden, position))
  }

  scan(collection: string, partition: string, range: WholeRange): StoredRecord<Uint8Array>[] {
    const hidden = this.#seal.hide(collection, partition)
    const statement = range.reverse ? this.#scanDown : this.#scanUp
    const limit = Number.isFinite(range.limit) ? Math.floor(range.limit) : -1
    const rows = translated(() =>
      statement.all(collection, hidden, range.from, range.to, limit),
    ) as unknown as { position: number; value: Uint8Array }[]
    return rows.map(({ position, value }) => ({
      position,
      value: this.#seal.open({ collection, hidden, position }, value).record,
    }))
  }

  async *everything(): AsyncIterable<NamedRecord<Uint8Array>[]> {
    if (!this.#seal.named) throw withoutNames()
    let after: Row = { collection: '', partition: new Uint8Array(), position: 0 }
    for (;;) {
      const { collection, partition, position } = after
      const rows = translated(() =>
        this.#page.all(collection, partition, position),
      ) as unknown as (Row & { value: Uint8Array })[]
      const last = rows.at(-1)
      if (!last) return
      after = last
      yield rows.filter((row) => row.collection !== CHECK_COLLECTION).map((row) => this.#named(row))
    }
  }

  #named(row: Row & { value: Uint8Array }): NamedRecord<Uint8Array> {
    const { collection, partition: hidden, position } = row
    const { name, record } = this.#seal.open({ collection, hidden, position }, row.value)
    return { collection, partition: name, position, value: record }
  }

  clear(): void {
    translated(() => this.#clear.run())
  }

  scrub(): void {
    // Freed pages are overwritten (secure_delete); the log still has their past.
    translated(() => this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
  }

  close(): void {
    translated(() => {
      try {
        this.scrub()
      } finally {
        this.#database.close()
      }
    })
  }
}

/** Where a record is, in the words of the table. */
interface Row {
  readonly collection: string
  readonly partition: Uint8Array
  readonly position: number
}

/** Where a record is, as the database knows it. */
interface Place {
  readonly collection: string
  readonly hidden: Uint8Array
  readonly position: number
}

class Seal {
  /** Whether names of partitions are kept with their records. */
  named = true
  readonly #indexKey: KeyObject
  readonly #valueKey: KeyObject
  readonly #hidden = new Map<string, Uint8Array>()

  constructor(dataKey: Uint8Array) {
    if (dataKey.length !== 32) throw new TypeError('a data key has 32 bytes')
    this.#indexKey = derive(dataKey, 'store/index')
    this.#valueKey = derive(dataKey, 'store/values')
  }

  /** The name of a partition on disk. The same few come again and again. */
  hide(collection: string, partition: string): Uint8Array {
    const key = `${collection.length}:${collection}${partition}`
    let hidden = this.#hidden.get(key)
    if (hidden) return hidden
    const name = utf8(collection)
    hidden = createHmac('sha256', this.#indexKey)
      .update(Uint8Array.of(name.length >>> 8, name.length))
      .update(name)
      .update(partition)
      .digest()
    if (this.#hidden.size >= MAX_HIDDEN_NAMES) this.#hidden.clear()
    this.#hidden.set(key, hidden)
    return hidden
  }

  seal(place: Place, name: string, record: Uint8Array): Uint8Array {
    const plaintext = this.named ? withName(name, record) : record
    const sealed = new Uint8Array(NONCE_BYTES + plaintext.length + TAG_BYTES)
    const nonce = randomFillSync(sealed.subarray(0, NONCE_BYTES))
    const cipher = createCipheriv('aes-256-gcm', this.#valueKey, nonce)
    cipher.setAAD(associatedData(place))
    sealed.set(cipher.update(plaintext), NONCE_BYTES)
    cipher.final()
    sealed.set(cipher.getAuthTag(), NONCE_BYTES + plaintext.length)
    if (this.named) wipe(plaintext)
    return sealed
  }

  /**
   * The record and the name of its partition; the name is empty where none was kept.
   *
   * @throws {ClientError} `unreadable-home` unless it was sealed for this place with this key.
   */
  open(place: Place, sealed: Uint8Array): { name: string; record: Uint8Array } {
    const end = sealed.length - TAG_BYTES
    if (end < NONCE_BYTES) throw damaged()
    const nonce = sealed.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', this.#valueKey, nonce, {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(associatedData(place))
    decipher.setAuthTag(sealed.subarray(end))
    const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end))
    try {
      decipher.final()
    } catch (error) {
      wipe(plaintext)
      throw damaged(error)
    }
    return this.named ? splitName(plaintext) : { name: '', record: plaintext }
  }
}

function derive(dataKey: Uint8Array, purpose: string): KeyObject {
  const key = new Uint8Array(hkdfSync('sha256', dataKey, '', label(purpose), 32))
  try {
    return createSecretKey(key)
  } finally {
    wipe(key)
  }
}

/** Fixed widths first: no two places have the same bytes. */
function associatedData(place: Place): Uint8Array {
  const collection = utf8(place.collection)
  const aad = new Uint8Array(HIDDEN_BYTES + 8 + collection.length)
  aad.set(place.hidden)
  // Every position is a number exactly. The addition makes minus zero zero, like SQLite.
  new DataView(aad.buffer).setFloat64(HIDDEN_BYTES, place.position + 0)
  aad.set(collection, HIDDEN_BYTES + 8)
  return aad
}

/**
 * Makes the table, and a first record that tells later whether the key is the right one.
 *
 * @returns the version of the schema.
 */
function prepareSchema(database: DatabaseSync, seal: Seal): number {
  const version = schemaVersion(database)
  if (version > SCHEMA_VERSION) {
    throw new ClientError(
      'unreadable-home',
      'this home was written by a newer version of Couplet: update Couplet to open it',
    )
  }
  const place: Place = {
    collection: CHECK_COLLECTION,
    hidden: seal.hide(CHECK_COLLECTION, ''),
    position: 0,
  }
  if (version > 0) {
    const row = database
      .prepare('SELECT value FROM records WHERE collection = ? AND partition = ? AND position = 0')
      .get(place.collection, place.hidden)
    if (!row)
      throw new ClientError('unreadable-home', "this home's database belongs to another key")
    seal.named = version >= SCHEMA_WITH_NAMES
    seal.open(place, row.value as Uint8Array)
    return version
  }
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec(`
      CREATE TABLE records (
        collection TEXT NOT NULL,
        partition BLOB NOT NULL,
        position INTEGER NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (collection, partition, position)
      ) STRICT, WITHOUT ROWID;
      PRAGMA user_version = ${SCHEMA_VERSION};
    `)
    database
      .prepare('INSERT INTO records VALUES (?, ?, 0, ?)')
      .run(place.collection, place.hidden, seal.seal(place, '', new Uint8Array()))
    database.exec('COMMIT')
    return SCHEMA_VERSION
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function schemaVersion(database: DatabaseSync): number {
  return translated(() => database.prepare('PRAGMA user_version').get())!.user_version as number
}

/** So that neither the file nor, after it, its log is ever readable by others. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    // Never opened when it is there already: closing it again would drop the locks of this process.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function translated<T>(use: () => T): T {
  try {
    return use()
  } catch (error) {
    throw storeError(error)
  }
}

function withoutNames(): ClientError {
  return new ClientError(
    'unreadable-home',
    'this home was made by Couplet 0.1, which did not keep what a move needs',
  )
}

function damaged(cause?: unknown): ClientError {
  return new ClientError('unreadable-home', 'a record of this home is damaged', { cause })
}

const SCHEMA_VERSION = 2
const SCHEMA_WITH_NAMES = 2
/** How many records `everything` reads at a time. */
const PAGE_RECORDS = 256
/** A collection of our own: names of the engine's have no dot. */
const CHECK_COLLECTION = 'store.check'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HIDDEN_BYTES = 32
/** How many names of partitions are kept with their hidden form. */
const MAX_HIDDEN_NAMES = 1024
/** https://sqlite.org/rescode.html */
const SQLITE = { busy: 5, locked: 6, corrupt: 11, notADatabase: 26 } as const
