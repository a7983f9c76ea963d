/** Registrations that wait for their code, in SQLite. Runs in the store's thread. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { stepTry, type Tries, type TryOutcome } from './code-tries.ts'
import type { PendingRegistration, RegistrationStore } from './ports.ts'
import type { Synchronous } from './store-calls.ts'

export class SqliteRegistrations implements Synchronous<RegistrationStore> {
  readonly #open: StatementSync
  readonly #find: StatementSync
  readonly #tries: StatementSync
  readonly #setTries: StatementSync
  readonly #finish: StatementSync
  readonly #expire: StatementSync

  constructor(db: DatabaseSync) {
    this.#open = db.prepare(
      `INSERT INTO registrations (id, phone, identity_id, identity, prekeys, prekeys_id, challenge,
       code_hash, expires_at, tries_left, next_try_at, invitation)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#find = db.prepare(
      `SELECT id, phone, identity_id AS identityId, identity, prekeys, prekeys_id AS prekeysId,
       challenge, code_hash AS codeHash, expires_at AS expiresAt, tries_left AS triesLeft,
       next_try_at AS nextTryAt, invitation
       FROM registrations WHERE id = ?`,
    )
    this.#tries = db.prepare(
      `SELECT tries_left AS triesLeft, next_try_at AS nextTryAt FROM registrations WHERE id = ?`,
    )
    this.#setTries = db.prepare(
      'UPDATE registrations SET tries_left = ?, next_try_at = ? WHERE id = ?',
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
      registration.nextTryAt,
      registration.invitation ?? null,
    )
  }

  find(id: string): PendingRegistration | undefined {
    const row = this.#find.get(id) as unknown as PendingRegistration | undefined
    return row && { ...row, invitation: row.invitation ?? undefined }
  }

  takeTry(id: string, now: number): TryOutcome {
    const before = this.#tries.get(id) as unknown as Tries | undefined
    if (!before) return { kind: 'none' }
    const { after, outcome } = stepTry(before, now)
    this.#setTries.run(after.triesLeft, after.nextTryAt, id)
    return outcome
  }

  finish(id: string): boolean {
    return this.#finish.run(id).changes === 1
  }

  expire(now: number): void {
    this.#expire.run(now)
  }
}
