/** Registrations that wait for their code, in SQLite. Runs in the store's thread. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { PendingRegistration, RegistrationStore } from './ports.ts'
import type { Synchronous } from './store-calls.ts'

export class SqliteRegistrations implements Synchronous<RegistrationStore> {
  readonly #open: StatementSync
  readonly #find: StatementSync
  readonly #takeTry: StatementSync
  readonly #finish: StatementSync
  readonly #expire: StatementSync

  constructor(db: DatabaseSync) {
    this.#open = db.prepare(
      `INSERT INTO registrations (id, phone, identity_id, identity, prekeys, prekeys_id, challenge,
       code_hash, expires_at, tries_left) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#find = db.prepare(
      `SELECT id, phone, identity_id AS identityId, identity, prekeys, prekeys_id AS prekeysId,
       challenge, code_hash AS codeHash, expires_at AS expiresAt, tries_left AS triesLeft
       FROM registrations WHERE id = ?`,
    )
    this.#takeTry = db.prepare(
      `UPDATE registrations SET tries_left = tries_left - 1 WHERE id = ? AND tries_left > 0
       RETURNING tries_left AS triesLeft`,
    )
    this.#finish = db.prepare('DELETE FROM registrations WHERE id = ?')
    this.#expire = db.prepare('DELETE FROM registrations WHERE expires_at <= ?')
  }

  open(registration: PendingRegistration): void {
    this.#open.run(
      registration.id,
      registration.phone,
      registration.identityId,
      registration.identity,
      registration.prekeys,
      registration.prekeysId,
      registration.challenge,
      registration.codeHash,
      registration.expiresAt,
      registration.triesLeft,
    )
  }

  find(id: string): PendingRegistration | undefined {
    return this.#find.get(id) as unknown as PendingRegistration | undefined
  }

  takeTry(id: string): number | undefined {
    return this.#takeTry.get(id)?.triesLeft as number | undefined
  }

  finish(id: string): boolean {
    return this.#finish.run(id).changes === 1
  }

  expire(now: number): void {
    this.#expire.run(now)
  }
}
