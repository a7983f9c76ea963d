/** Small records in SQLite: the table `records`. Runs in the store's thread. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RecordStore, SmallRecord } from './ports.ts'
import type { Synchronous } from './store-calls.ts'

export class SqliteRecords implements Synchronous<RecordStore> {
  readonly #get: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #remove: StatementSync
  readonly #list: StatementSync
  readonly #expire: StatementSync

  constructor(db: DatabaseSync) {
    this.#get = db.prepare(`SELECT ${COLUMNS} FROM records WHERE name = ?`)
    this.#insert = db.prepare(
      `INSERT INTO records (level, at, expires_at, revision, name) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO NOTHING`,
    )
    this.#update = db.prepare(
      `UPDATE records SET level = ?, at = ?, expires_at = ?, revision = ?
       WHERE name = ? AND revision = ?`,
    )
    this.#remove = db.prepare('DELETE FROM records WHERE name = ?')
    this.#list = db.prepare(
      `SELECT ${COLUMNS} FROM records WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name`,
    )
    this.#expire = db.prepare('DELETE FROM records WHERE expires_at <= ?')
  }

  get(name: string): SmallRecord | undefined {
    return this.#get.get(name) as unknown as SmallRecord | undefined
  }

  compareAndSet({ name, level, at, expiresAt, revision }: SmallRecord, expected: number): boolean {
    const values = [level, at, expiresAt, revision, name]
    const result =
      expected === 0 ? this.#insert.run(...values) : this.#update.run(...values, expected)
    return result.changes === 1
  }

  remove(name: string): void {
    this.#remove.run(name)
  }

  list(prefix: string): readonly SmallRecord[] {
    return this.#list.all(prefix) as unknown as readonly SmallRecord[]
  }

  expire(now: number): void {
    this.#expire.run(now)
  }
}

const COLUMNS = 'name, level, at, expires_at AS expiresAt, revision'
