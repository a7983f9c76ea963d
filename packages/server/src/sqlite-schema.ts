/**
 * The embedded store's one file: opening it safely, and the tables in it. (docs/ARCHITECTURE.md)
 *
 * Plain tables that a person can read with `sqlite3`: `users` and `messages` above all. What is
 * deleted is overwritten (`secure_delete`), and a commit is on the disk when it returns.
 */
import { DatabaseSync } from 'node:sqlite'

/** Raised with every change of the tables, together with a migration. */
export const SCHEMA_VERSION = 2

/** The data cannot be used by this program; the message says why, for the operator. */
export class StoreUnusableError extends Error {
  override readonly name = 'StoreUnusableError'
}

/** @throws {StoreUnusableError} when the file is of a newer version, or not ours. */
export function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.exec(PRAGMAS)
    prepareTables(db, file)
    return db
  } catch (error) {
    db.close()
    if (error instanceof StoreUnusableError) throw error
    throw new StoreUnusableError(`${file} cannot be used: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/**
 * Holds a folder for one server: a lock that the system releases when the process ends, however it
 * ends. The answer keeps it; closing it lets go.
 *
 * @throws {StoreUnusableError} when another server holds it.
 */
export function lockFolder(file: string): DatabaseSync {
  const lock = new DatabaseSync(file)
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    throw new StoreUnusableError(`another server is using this folder (it holds ${file})`, {
      cause: error,
    })
  }
}

function prepareTables(db: DatabaseSync, file: string): void {
  db.exec('BEGIN IMMEDIATE')
  db.exec(META_TABLE)
  const row = db.prepare("SELECT value FROM meta WHERE name = 'schema'").get()
  const version = row ? Number(row.value) : undefined
  if (version !== undefined && version > SCHEMA_VERSION) {
    throw new StoreUnusableError(
      `${file} was written by a newer Couplet (schema ${version}; this one knows ${SCHEMA_VERSION}): update the program`,
    )
  }
  if (version !== undefined && !(version >= 1)) {
    throw new StoreUnusableError(`${file} has an unknown schema: ${version}`)
  }
  migrate(db, version ?? 0)
  db.exec('COMMIT')
}

/** All steps or none: they run in one transaction. */
function migrate(db: DatabaseSync, version: number): void {
  for (const step of MIGRATIONS.slice(version)) db.exec(step)
  db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('schema', ?)").run(
    String(SCHEMA_VERSION),
  )
}

/** How long a commit waits for a person's `sqlite3` to let go of the file. */
export const BUSY_TIMEOUT_MS = 5000

const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -32768;
  PRAGMA wal_autocheckpoint = 8000;
`

const META_TABLE = `
  CREATE TABLE IF NOT EXISTS meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** Times are milliseconds since 1970; ids and identities are SHA-256, 32 bytes: see \`hex(id)\`. */
const SCHEMA_1 = `
  CREATE TABLE users (
    phone         TEXT PRIMARY KEY,
    identity_id   BLOB NOT NULL UNIQUE,
    identity      BLOB NOT NULL,
    prekeys       BLOB NOT NULL,
    prekeys_id    INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    revision      INTEGER NOT NULL
  ) STRICT;

  -- What waits: at most "capacity" rows for each recipient, in the order of their arrival.
  CREATE TABLE messages (
    sequence  INTEGER PRIMARY KEY,
    recipient BLOB NOT NULL,
    id        BLOB NOT NULL,
    sender    BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    envelope  BLOB NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_recipient ON messages (recipient);
  CREATE INDEX messages_by_sender ON messages (sender, id);
  CREATE INDEX messages_by_time ON messages (stored_at);

  -- The last 16 that left a mailbox, packed (ended-codec.ts): so that a put repeated has one effect.
  CREATE TABLE ended (
    recipient BLOB PRIMARY KEY,
    oldest_at INTEGER NOT NULL,
    entries   BLOB NOT NULL
  ) STRICT;

  -- How a sender's last envelopes ended, until it asks: a log, at most 256 rows for each.
  CREATE TABLE receipts (
    sender   BLOB NOT NULL,
    position INTEGER NOT NULL,
    id       BLOB NOT NULL,
    ended_at INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    receipt  BLOB,
    reason   TEXT,
    PRIMARY KEY (sender, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE registrations (
    id          TEXT PRIMARY KEY,
    phone       TEXT NOT NULL,
    identity_id BLOB NOT NULL,
    identity    BLOB NOT NULL,
    prekeys     BLOB NOT NULL,
    prekeys_id  INTEGER NOT NULL,
    challenge   BLOB NOT NULL,
    code_hash   BLOB NOT NULL,
    expires_at  INTEGER NOT NULL,
    tries_left  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** How the last try of a code went, registration locks, and small records. */
const SCHEMA_2 = `
  ALTER TABLE users ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
  UPDATE users SET seen_at = registered_at;
  ALTER TABLE users ADD COLUMN registration_lock TEXT;

  ALTER TABLE registrations ADD COLUMN next_try_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE registrations ADD COLUMN invitation TEXT;

  -- Counters of limits, invitations, blocks.
  CREATE TABLE records (
    name       TEXT PRIMARY KEY,
    level      REAL NOT NULL,
    at         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revision   INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX records_by_time ON records (expires_at);
`

/** The step at position n leads from schema n to n + 1. Never changed once released. */
const MIGRATIONS: readonly string[] = [SCHEMA_1, SCHEMA_2]
