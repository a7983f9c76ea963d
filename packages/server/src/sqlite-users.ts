/** The directory in SQLite: the table `users`. Runs in the store's thread. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { equalBytes, fromBase64Url, type PhoneNumber, toBase64Url } from '@couplet/wire'
import type { DirectoryStore, RegistrationLock, RowVersion, User } from './ports.ts'
import type { Synchronous } from './store-calls.ts'

export class SqliteUsers implements Synchronous<DirectoryStore> {
  readonly #byPhone: StatementSync
  readonly #byIdentity: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #remove: StatementSync
  readonly #list: StatementSync
  readonly #forget: (identityId: Uint8Array) => void

  /** @param forget - removes all that is kept for an identity that is gone, in the same commit. */
  constructor(db: DatabaseSync, forget: (identityId: Uint8Array) => void) {
    this.#forget = forget
    this.#byPhone = db.prepare(`SELECT ${COLUMNS} FROM users WHERE phone = ?`)
    this.#byIdentity = db.prepare(`SELECT ${COLUMNS} FROM users WHERE identity_id = ?`)
    this.#insert = db.prepare(
      `INSERT INTO users (identity_id, identity, prekeys, prekeys_id, registered_at, seen_at,
       registration_lock, revision, phone)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (phone) DO NOTHING`,
    )
    this.#update = db.prepare(
      `UPDATE users SET identity_id = ?, identity = ?, prekeys = ?, prekeys_id = ?,
       registered_at = ?, seen_at = ?, registration_lock = ?, revision = ?
       WHERE phone = ? AND identity_id = ? AND revision = ?`,
    )
    this.#remove = db.prepare(
      'DELETE FROM users WHERE phone = ? AND identity_id = ? AND revision = ?',
    )
    this.#list = db.prepare(`SELECT ${COLUMNS} FROM users WHERE phone > ? ORDER BY phone LIMIT ?`)
  }

  byPhone(phone: PhoneNumber): User | undefined {
    return userOf(this.#byPhone.get(phone))
  }

  byIdentity(identityId: Uint8Array): User | undefined {
    return userOf(this.#byIdentity.get(identityId))
  }

  compareAndSet(user: User, expected: RowVersion | undefined): boolean {
    const values = [
      user.identityId,
      user.identity,
      user.prekeys,
      user.prekeysId,
      user.registeredAt,
      user.seenAt,
      user.lock ? encodeLock(user.lock) : null,
      user.revision,
      user.phone,
    ]
    const result = expected
      ? this.#update.run(...values, expected.identityId, expected.revision)
      : this.#insert.run(...values)
    if (result.changes !== 1) return false
    if (expected && !equalBytes(expected.identityId, user.identityId)) {
      this.#forget(expected.identityId)
    }
    return true
  }

  remove(phone: PhoneNumber, { identityId, revision }: RowVersion): boolean {
    if (this.#remove.run(phone, identityId, revision).changes !== 1) return false
    this.#forget(identityId)
    return true
  }

  list(after: string, limit: number): readonly User[] {
    return this.#list.all(after, limit).map((row) => userOf(row)!)
  }
}

type Row = Omit<User, 'lock'> & { readonly lock: string | null }

function userOf(found: unknown): User | undefined {
  const row = found as Row | undefined
  if (!row) return undefined
  const { lock, ...user } = row
  return lock === null ? user : { ...user, lock: decodeLock(lock) }
}

/** JSON, so that a person can read it; bytes in base64url. */
function encodeLock({ salt, hash, ...rest }: RegistrationLock): string {
  return JSON.stringify({ ...rest, salt: toBase64Url(salt), hash: toBase64Url(hash) })
}

function decodeLock(text: string): RegistrationLock {
  const { salt, hash, ...rest } = JSON.parse(text) as RegistrationLock & {
    readonly salt: string
    readonly hash: string
  }
  return { ...rest, salt: fromBase64Url(salt), hash: fromBase64Url(hash) }
}

const COLUMNS = `phone, identity_id AS identityId, identity, prekeys, prekeys_id AS prekeysId,
  registered_at AS registeredAt, seen_at AS seenAt, registration_lock AS lock, revision`
