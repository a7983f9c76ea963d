/** What others on the machine may not open, at any moment. */
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { backupStore, listenForOperator, type Operator } from '../src/index.ts'
import { dataFolder, startServer } from './support.ts'

let folder: string
let umask: number

beforeEach(() => {
  folder = dataFolder()
  umask = process.umask(0o022)
})

afterEach(() => {
  vi.restoreAllMocks()
  process.umask(umask)
  rmSync(folder, { recursive: true })
})

/** Names of those that somebody else may open. */
function open(names: readonly string[] = readdirSync(folder)): string[] {
  return names.filter((name) => statSync(join(folder, name)).mode & 0o077)
}

it('a backup, its log included, while it is written; and nothing of it stays beside it', async () => {
  const data = join(folder, 'data')
  await (await startServer({ data })).close()
  for (const end of ['', '-wal', '-shm']) writeFileSync(join(folder, `copy.db.part${end}`), 'old')
  const seen = new Set<string>()
  const opened: string[] = []
  // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
  const exec = DatabaseSync.prototype.exec
  vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (
    this: DatabaseSync,
    sql: string,
  ) {
    exec.call(this, sql)
    for (const name of readdirSync(folder)) seen.add(name)
    opened.push(...open())
  })
  expect(backupStore(data, join(folder, 'copy.db'))).toBe(0)
  expect([...seen]).toContain('copy.db.part-wal')
  expect(opened).toEqual([])
  expect(readdirSync(folder).toSorted()).toEqual(['copy.db', 'data'])
  expect(open()).toEqual([])
})

it("the operator's socket, from the moment on in which it is there", async () => {
  const listening = listenForOperator(folder, {} as Operator)
  expect(readdirSync(folder)).toEqual(['operator.sock'])
  expect(open()).toEqual([])
  const close = await listening
  await close()
})
