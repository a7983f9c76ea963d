/**
 * The embedded store's own thread: one SQLite file, one writer, commits in groups.
 *
 * A batch is whatever arrived since the last commit; it becomes one transaction with one fsync, and
 * is answered only then. So waiting for the disk never blocks the sockets.
 */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { pack } from './arena.ts'
import { SqliteMailboxes } from './sqlite-mailboxes.ts'
import { SqliteRecords } from './sqlite-records.ts'
import { SqliteRegistrations } from './sqlite-registrations.ts'
import {
  BUSY_TIMEOUT_MS,
  lockFolder,
  openDatabase,
  SCHEMA_VERSION,
  StoreUnusableError,
} from './sqlite-schema.ts'
import { SqliteUsers } from './sqlite-users.ts'
import type {
  FromStore,
  StoreAnswer,
  StoreCall,
  StorePorts,
  StoreThreadData,
  Synchronous,
  ToStore,
} from './store-calls.ts'

type Ports = { [Name in keyof StorePorts]: Synchronous<StorePorts[Name]> }

function start({ folder, capacity, checkpointMs }: StoreThreadData): void {
  const lock = lockFolder(join(folder, 'lock'))
  const file = join(folder, 'couplet.db')
  const db = openDatabase(file)
  for (const path of [file, `${file}-wal`, `${file}-shm`, join(folder, 'lock')]) restrict(path)
  const ports = openPorts(db, capacity)
  const checkpoints = setInterval(() => checkpoint(db), checkpointMs)

  parentPort!.on('message', (message: ToStore) => {
    switch (message.kind) {
      case 'batch': {
        post({ kind: 'answers', answers: runBatch(db, ports, message.calls) })
        break
      }
      case 'close': {
        clearInterval(checkpoints)
        checkpoint(db)
        db.close()
        lock.close()
        post({ kind: 'closed' })
        parentPort!.close()
        break
      }
    }
  })
  post({ kind: 'ready' })
}

function openPorts(db: DatabaseSync, capacity: number): Ports {
  const mailboxes = new SqliteMailboxes(db, capacity)
  db.exec('BEGIN IMMEDIATE')
  mailboxes.tidy(Date.now())
  db.exec('COMMIT')
  const probe = db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('probed_at', ?)")
  const schema = db.prepare("SELECT value FROM meta WHERE name = 'schema'")
  return {
    mailboxes,
    directory: new SqliteUsers(db, (identityId) => mailboxes.drop(identityId)),
    registrations: new SqliteRegistrations(db),
    records: new SqliteRecords(db),
    self: {
      probe: () => void probe.run(String(Date.now())),
      isCurrent: () => Number(schema.get()?.value) === SCHEMA_VERSION,
    },
  }
}

/** All in one commit; when that fails, each in its own, so that one bad call harms no other. */
function runBatch(db: DatabaseSync, ports: Ports, calls: readonly StoreCall[]): StoreAnswer[] {
  try {
    return commit(db, () => calls.map((call) => ({ value: execute(ports, call) })))
  } catch (error) {
    if (calls.length === 1) return [{ error: (error as Error).message }]
    return calls.flatMap((call) => runBatch(db, ports, [call]))
  }
}

function commit<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk may have ended the transaction already.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function execute(ports: Ports, { port, method, args }: StoreCall): unknown {
  const target = ports[port] as unknown as Record<string, (...args: readonly unknown[]) => unknown>
  return target[method]!(...args)
}

/**
 * Empties the write-ahead log. A person who reads the file at this moment holds it up, and so does a
 * full disk; nobody waits for that, the next one does it. What is in the log is safe there.
 */
function checkpoint(db: DatabaseSync): void {
  db.exec('PRAGMA busy_timeout = 0')
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // A disk that takes nothing is noticed, and told, by whoever has something to write.
  } finally {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  }
}

function restrict(path: string): void {
  try {
    chmodSync(path, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function post(message: FromStore): void {
  const { value, transfer } = pack(message)
  parentPort!.postMessage(value, transfer)
}

try {
  start(workerData as StoreThreadData)
} catch (error) {
  if (!(error instanceof StoreUnusableError)) throw error
  post({ kind: 'unusable', message: error.message })
}
