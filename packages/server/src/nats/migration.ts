/**
 * From the embedded store to NATS. While a server still runs on the folder only the directory is
 * copied, which is the most of it; once it is stopped, the rest. Doing it again changes nothing
 * that is there already.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeEnded, endFromColumns, type LaneEntry } from '../ended-codec.ts'
import { keyOf } from '../keys.ts'
import type { StoredEnvelope, User } from '../ports.ts'
import { SqliteRecords } from '../sqlite-records.ts'
import { lockFolder, SCHEMA_VERSION, StoreUnusableError } from '../sqlite-schema.ts'
import { SqliteUsers } from '../sqlite-users.ts'
import type { Sent } from './codecs.ts'
import type { NatsEngine } from './nats-engine.ts'

export interface MigrationReport {
  readonly users: number
  readonly mailboxes: number
  readonly lanes: number
  /** Everything was copied, since no server uses the folder. */
  readonly complete: boolean
}

/** @throws {StoreUnusableError} when there is no data of this version in the folder. */
export async function migrateToNats(folder: string, engine: NatsEngine): Promise<MigrationReport> {
  const file = join(folder, 'couplet.db')
  const lock = lockIfFree(folder)
  const db = openForReading(file)
  try {
    const users = await copyUsers(db, engine)
    await copySmallRecords(db, engine)
    if (!lock) return { users, mailboxes: 0, lanes: 0, complete: false }
    const mailboxes = await copyMailboxes(db, engine)
    const lanes = await copyLanes(db, engine)
    return { users, mailboxes, lanes, complete: true }
  } finally {
    db.close()
    lock?.close()
  }
}

function lockIfFree(folder: string): DatabaseSync | undefined {
  try {
    return lockFolder(join(folder, 'lock'))
  } catch (error) {
    if (error instanceof StoreUnusableError) return undefined
    throw error
  }
}

function openForReading(file: string): DatabaseSync {
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    const row = db.prepare("SELECT value FROM meta WHERE name = 'schema'").get()
    if (Number(row?.value) === SCHEMA_VERSION) return db
    db.close()
  } catch (error) {
    throw new StoreUnusableError(`${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
  throw new StoreUnusableError(`${file} is of another version: start a server on it once`)
}

function copyUsers(db: DatabaseSync, { store }: NatsEngine): Promise<number> {
  const ids = db.prepare('SELECT identity_id AS id FROM users').all()
  const users = new SqliteUsers(db, () => {})
  return inParallel(ids, async ({ id }) => {
    const user = users.byIdentity(id as Uint8Array)
    return user !== undefined && copyUser(user, store)
  })
}

async function copyUser(user: User, { directory }: NatsEngine['store']): Promise<boolean> {
  const there = await directory.byPhone(user.phone)
  if (there && there.revision >= user.revision) return false
  return directory.compareAndSet(user, there)
}

/** Invitations and blocks. Counters begin anew: their names are hashes under another key. */
function copySmallRecords(db: DatabaseSync, { store }: NatsEngine): Promise<number> {
  const records = new SqliteRecords(db)
  const kept = ['invitation:', 'block:'].flatMap((prefix) => records.list(prefix))
  return inParallel(kept, (record) => store.records.compareAndSet({ ...record, revision: 1 }, 0))
}

function copyMailboxes(db: DatabaseSync, { store }: NatsEngine): Promise<number> {
  const recipients = db
    .prepare('SELECT recipient FROM messages UNION SELECT recipient FROM ended')
    .all()
  const messages = db.prepare(
    `SELECT id, sender, stored_at AS storedAt, envelope FROM messages
     WHERE recipient = ? ORDER BY sequence`,
  )
  const ends = db.prepare('SELECT entries FROM ended WHERE recipient = ?')
  return inParallel(recipients, (row) => {
    const recipient = row.recipient as Uint8Array
    const entries = ends.get(recipient)?.entries as Uint8Array | undefined
    const waiting = messages.all(recipient) as unknown as StoredEnvelope[]
    return store.mailboxes.import(recipient, {
      waiting,
      ended: entries ? decodeEnded(entries) : [],
    })
  })
}

function copyLanes(db: DatabaseSync, { store }: NatsEngine): Promise<number> {
  const senders = db.prepare('SELECT sender FROM receipts UNION SELECT sender FROM messages').all()
  const receipts = db.prepare(
    `SELECT id, ended_at AS endedAt, kind, receipt, reason FROM receipts
     WHERE sender = ? ORDER BY position`,
  )
  const waiting = db.prepare(
    'SELECT id, recipient, stored_at AS storedAt FROM messages WHERE sender = ?',
  )
  return inParallel(senders, (row) => {
    const sender = row.sender as Uint8Array
    const ended = receipts.all(sender).map(
      (one): LaneEntry => ({
        id: one.id as Uint8Array,
        end: endFromColumns(one),
        endedAt: one.endedAt as number,
      }),
    )
    const sent = waiting.all(sender) as unknown as Sent[]
    return store.mailboxes.importLane(sender, { sent: uniqueById(sent), ended })
  })
}

function uniqueById<T extends { readonly id: Uint8Array }>(entries: readonly T[]): readonly T[] {
  return [...new Map(entries.map((entry) => [keyOf(entry.id), entry])).values()]
}

/** How many of the works answered that they did something. */
async function inParallel<T>(
  all: readonly T[],
  work: (one: T) => Promise<boolean>,
): Promise<number> {
  let next = 0
  let done = 0
  const lane = async (): Promise<void> => {
    while (next < all.length) if (await work(all[next++]!)) done++
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane))
  return done
}

const PARALLEL = 64
