/**
 * A copy of what a server cannot get back: who is registered, invitations, blocks. What waits in
 * mailboxes is left out: its senders still have it, and a copy of it would outlive its deletion.
 * (delivery.md: "backups leave the queues out")
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { privately } from './private-files.ts'
import { openDatabase, SCHEMA_VERSION, StoreUnusableError } from './sqlite-schema.ts'

/** What a copy takes along. */
const KEPT_TABLES = ['users', 'records'] as const

/**
 * Copies the embedded store in `folder`, which a server may be using, into a new file.
 *
 * @returns how many users there are in it.
 * @throws {StoreUnusableError} when there is no such store, or the file is there already.
 */
export function backupStore(folder: string, file: string): number {
  const source = databaseIn(folder)
  if (!existsSync(source)) throw new StoreUnusableError(`there is no store in ${folder}`)
  if (existsSync(file)) throw new StoreUnusableError(`${file} is there already`)
  const part = `${file}.part`
  removeDatabase(part)
  try {
    const users = privately(() => writeCopy(source, part))
    renameSync(part, file)
    return users
  } finally {
    removeDatabase(part)
  }
}

/**
 * Makes a store of a copy, in a folder that has none.
 *
 * @returns how many users there are in it.
 * @throws {StoreUnusableError} when the folder has a store, or the file is no copy of one.
 */
export function restoreStore(file: string, folder: string): number {
  const target = databaseIn(folder)
  if (!existsSync(file)) throw new StoreUnusableError(`there is no file ${file}`)
  if (existsSync(target)) throw new StoreUnusableError(`${folder} has a store already`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    return privately(() => openCopy(file, target))
  } catch (error) {
    removeDatabase(target)
    throw error
  }
}

function openCopy(file: string, target: string): number {
  copyFileSync(file, target)
  chmodSync(target, 0o600)
  const db = openDatabase(target)
  try {
    return countUsers(db)
  } finally {
    db.close()
  }
}

function writeCopy(source: string, part: string): number {
  const db = openDatabase(part)
  try {
    const users = copyInto(db, source)
    // One file, without a log beside it.
    db.exec('PRAGMA journal_mode = DELETE')
    return users
  } finally {
    db.close()
  }
}

function copyInto(db: DatabaseSync, source: string): number {
  db.prepare('ATTACH DATABASE ? AS live').run(source)
  const row = db.prepare("SELECT value FROM live.meta WHERE name = 'schema'").get()
  if (Number(row?.value) !== SCHEMA_VERSION) {
    throw new StoreUnusableError(`${source} is of another version: start this server on it once`)
  }
  // One transaction: one moment of the store.
  db.exec('BEGIN')
  for (const table of KEPT_TABLES) db.exec(`INSERT INTO ${table} SELECT * FROM live.${table}`)
  db.exec('COMMIT')
  db.exec('DETACH DATABASE live')
  return countUsers(db)
}

function countUsers(db: DatabaseSync): number {
  return Number(db.prepare('SELECT count(*) AS users FROM users').get()!.users)
}

/** With what SQLite writes beside it. */
function removeDatabase(file: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
}

function databaseIn(folder: string): string {
  return join(folder, 'couplet.db')
}
