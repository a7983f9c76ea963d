/**
 * Loaded into a process before its program (`node --import`): makes it die or fail inside a commit,
 * and lets its clock jump. So the programs under test have no hooks, and run as they are shipped.
 *
 *     COUPLET_FAILPOINT=kill-before:137    SIGKILL before the 137th write (or after: kill-after)
 *     COUPLET_FAILPOINT=full:137:40        writes 137 to 176 find the disk full
 *     COUPLET_CLOCK_FILE=path              a file with milliseconds, added to the clock
 *
 * A write is a statement that changes something, or a COMMIT: the places between which a transaction
 * can be torn. Each thread counts its own.
 */
import { readFileSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'

function failAt(failpoint: string): void {
  const [kind, first, count = 1] = failpoint.split(':') as [string, string, string?]
  const from = Number(first)
  let writes = 0
  const around = <T>(write: () => T): T => {
    const number = ++writes
    if (kind === 'full' && number >= from && number < from + Number(count)) throw diskFull()
    if (kind === 'kill-before' && number === from) die()
    const result = write()
    if (kind === 'kill-after' && number === from) die()
    return result
  }

  wrap(StatementSync.prototype, 'run', (statement) => statement.sourceSQL)
  wrap(DatabaseSync.prototype, 'exec', (_database, sql) => sql as string)

  /** Puts `around` about every call of a method that writes. */
  function wrap<T extends object>(
    prototype: T,
    name: keyof T,
    sqlOf: (self: T, parameter: unknown) => string,
  ): void {
    const original = prototype[name] as (...parameters: unknown[]) => unknown
    const wrapped = function (this: T, ...parameters: unknown[]): unknown {
      const act = () => original.apply(this, parameters)
      return isWrite(sqlOf(this, parameters[0])) ? around(act) : act()
    }
    prototype[name] = wrapped as T[keyof T]
  }
}

function isWrite(sql: string): boolean {
  return /^\s*(?:INSERT|UPDATE|DELETE|COMMIT)\b/i.test(sql)
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** As node:sqlite throws SQLITE_FULL. */
function diskFull(): Error {
  return Object.assign(new Error('database or disk is full'), {
    code: 'ERR_SQLITE_ERROR',
    errcode: 13,
    errstr: 'database or disk is full',
  })
}

function followClock(file: string): void {
  const { now } = Date
  let offset = 0
  const read = () => {
    try {
      offset = Number(readFileSync(file, 'utf8')) || 0
    } catch {
      // Not written yet: no offset.
    }
  }
  read()
  Date.now = () => now() + offset
  setInterval(read, CLOCK_POLL_MS).unref()
}

const CLOCK_POLL_MS = 250

const { COUPLET_FAILPOINT, COUPLET_CLOCK_FILE } = process.env
if (COUPLET_FAILPOINT) failAt(COUPLET_FAILPOINT)
if (COUPLET_CLOCK_FILE) followClock(COUPLET_CLOCK_FILE)
