/**
 * Subscriptions, one for each identity: a file of its own beside the store, since nothing else needs
 * them and losing them costs a notification, never a message.
 */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Subscription } from './push-message.ts'
import { StoreUnusableError } from './sqlite-schema.ts'

export interface StoredSubscription extends Subscription {
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

export interface PushStore {
  find(identityId: Uint8Array): StoredSubscription | undefined
  /** Instead of the one before. */
  put(identityId: Uint8Array, subscription: StoredSubscription): void
  /** @param endpoint - only if this is still the one; left out, whichever it is. */
  remove(identityId: Uint8Array, endpoint?: string): void
  close(): void
}

/**
 * @param folder - left out, they are kept in memory, and lost.
 * @throws {StoreUnusableError} when the file cannot be used.
 */
export function openPushStore(folder: string | undefined): PushStore {
  const file = folder === undefined ? ':memory:' : join(folder, 'push.db')
  const db = new DatabaseSync(file)
  try {
    db.exec(SCHEMA)
    if (folder !== undefined) chmodSync(file, 0o600)
  } catch (error) {
    db.close()
    throw new StoreUnusableError(`${file} cannot be used: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const find = db.prepare('SELECT * FROM subscriptions WHERE identity_id = ?')
  const put = db.prepare('INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?)')
  const remove = db.prepare('DELETE FROM subscriptions WHERE identity_id = ?')
  const removeOne = db.prepare('DELETE FROM subscriptions WHERE identity_id = ? AND endpoint = ?')
  return {
    find(identityId) {
      const row = find.get(identityId) as Row | undefined
      if (!row) return undefined
      const { endpoint, p256dh, auth, created_at: createdAt } = row
      return { endpoint, p256dh, auth, createdAt }
    },
    put(identityId, { endpoint, p256dh, auth, createdAt }) {
      put.run(identityId, endpoint, p256dh, auth, createdAt)
    },
    remove(identityId, endpoint) {
      if (endpoint === undefined) remove.run(identityId)
      else removeOne.run(identityId, endpoint)
    },
    close: () => db.close(),
  }
}

interface Row {
  readonly endpoint: string
  readonly p256dh: Uint8Array
  readonly auth: Uint8Array
  readonly created_at: number
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS subscriptions (
    identity_id BLOB PRIMARY KEY,
    endpoint    TEXT NOT NULL,
    p256dh      BLOB NOT NULL,
    auth        BLOB NOT NULL,
    created_at  INTEGER NOT NULL
  ) STRICT;
`
