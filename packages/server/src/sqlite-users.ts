/** The directory in SQLite: the table `users`. Runs in the store's thread. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { PhoneNumber } from '@couplet/wire'
import type { DirectoryStore, User } from './ports.ts'
import type { Synchronous } from './store-calls.ts'

export class SqliteUsers implements Synchronous<DirectoryStore> {
  readonly #byPhone: StatementSync
  readonly #byIdentity: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync

  constructor(db: DatabaseSync) {
    this.#byPhone = db.prepare(`SELECT ${COLUMNS} FROM users WHERE phone = ?`)
    this.#byIdentity = db.prepare(`SELECT ${COLUMNS} FROM users WHERE identity_id = ?`)
    this.#insert = db.prepare(
      `INSERT INTO users (identity_id, identity, prekeys, prekeys_id, registered_at, revision, phone)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (phone) DO NOTHING`,
    )
    this.#update = db.prepare(
      `UPDATE users SET identity_id = ?, identity = ?, prekeys = ?, prekeys_id = ?,
       registered_at = ?, revision = ? WHERE phone = ? AND revision = ?`,
    )
  }

  byPhone(phone: PhoneNumber): User | undefined {
    return this.#byPhone.get(phone) as unknown as User | undefined
  }

  byIdentity(identityId: Uint8Array): User | undefined {
    return this.#byIdentity.get(identityId) as unknown as User | undefined
  }

  compareAndSet(user: User, expected: number): boolean {
    const values = [
      user.identityId,
      user.identity,
      user.prekeys,
      user.prekeysId,
      user.registeredAt,
      user.revision,
      user.phone,
    ]
    const result =
      expected === 0 ? this.#insert.run(...values) : this.#update.run(...values, expected)
    return result.changes === 1
  }
}

const COLUMNS = `phone, identity_id AS identityId, identity, prekeys, prekeys_id AS prekeysId,
  registered_at AS registeredAt, revision`
