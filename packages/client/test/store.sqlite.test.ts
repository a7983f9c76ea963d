/** Beyond the contract: what is on disk, what a kill leaves, who may come in. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createCipheriv, createHmac, hkdfSync } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { label, toBase64Url, toHex } from '@couplet/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openHome } from '../src/node/home.ts'
import { openDatabase, sqliteStore } from '../src/node/sqlite-store.ts'
import type { Store } from '../src/ports.ts'
import { encodeRecord } from '../src/record-codec.ts'
import { storeContract } from './store.contract.ts'
import {
  lastRound,
  NEEDLE_FIELD,
  NEEDLE_ID,
  NEEDLE_PARTITION,
  NEEDLE_TEXT,
} from './store.rounds.ts'

const KEY = new Uint8Array(32).fill(0x42)

let folder: string
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'couplet-store-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child)
  await rm(folder, { recursive: true })
})

let count = 0
storeContract('SQLite', async () => openStore(join(folder, `${count++}.db`)))

describe('a store in SQLite', () => {
  test('keeps what was committed across close and open, and leaves no log behind', async () => {
    const path = join(folder, 'a.db')
    const store = openStore(path)
    await store.transaction((tx) => tx.put('c', 'p', 3, 'kept'))
    await store.close()
    expect(readdirSync(folder)).toEqual(['a.db'])
    const again = openStore(path)
    expect(await again.transaction((tx) => tx.get('c', 'p', 3))).toBe('kept')
    await again.close()
  })

  test('keeps exactly the committed transactions when its process is killed', async () => {
    let durable = 0
    for (const rounds of [1, 7, 23, 40, 88]) {
      const child = start('write', folder)
      const { lines } = child
      let said = 0
      for (let i = 0; i < rounds; i++) said = Number(await lines.next((line) => /^\d+$/.test(line)))
      await kill(child.process)
      // What it managed to say before it died counts too.
      for (const line of await lines.rest()) said = Number(line)
      const { store } = await openHome({ home: folder, create: false })
      const last = await lastRound(store)
      await store.close()
      // One may have been committed and not said.
      expect(last - said).toBeOneOf([0, 1])
      expect(said).toBeGreaterThanOrEqual(durable + rounds)
      durable = last
    }
  })

  test('shows nobody what it holds: no text, no name, no id, in any file', async () => {
    const child = start('write', folder)
    for (let i = 0; i < 20; i++) await child.lines.next((line) => /^\d+$/.test(line))
    await kill(child.process)
    // The log is still there: committed pages are in it, not yet in the database.
    expect(readdirSync(folder).sort()).toEqual(['couplet.db', 'couplet.db-wal', 'key.json'])
    expectHidden(folder)
    const { store } = await openHome({ home: folder, create: false })
    await store.transaction((tx) => tx.delete('rounds', NEEDLE_PARTITION, 1))
    await store.close()
    expect(readdirSync(folder).sort()).toEqual(['couplet.db', 'key.json'])
    expectHidden(folder)
  })

  test('has no past in its log after scrubbing, and goes on', async () => {
    const store = openStore(join(folder, 'a.db'))
    const log = () => statSync(join(folder, 'a.db-wal')).size
    await store.transaction((tx) => tx.put('c', 'p', 0, 'kept'))
    await store.transaction((tx) => tx.put('c', 'p', 1, 'deleted'))
    await store.transaction((tx) => tx.delete('c', 'p', 1))
    expect(log()).toBeGreaterThan(0)
    await store.scrub()
    expect(log()).toBe(0)
    expect(await store.transaction((tx) => tx.get('c', 'p'))).toBe('kept')
    await store.close()
  })

  test('lets one process in, and the next as soon as that one is killed', async () => {
    const child = start('open-or-create', folder)
    await child.lines.next((line) => line === 'created')
    const begun = performance.now()
    for (const create of [false, true]) {
      await expect(openHome({ home: folder, create })).rejects.toMatchObject({
        code: 'home-locked',
        message: 'another process has this home open: close it, then try again',
      })
    }
    expect(performance.now() - begun).toBeLessThan(500)
    await kill(child.process)
    const { store, created } = await openHome({ home: folder, create: false })
    expect(created).toBe(false)
    // The other way round, and after refusing others this process still has its lock.
    for (let i = 0; i < 2; i++) {
      expect(await start('open', folder).lines.next(() => true)).toBe('home-locked')
      await expect(openHome({ home: folder, create: false })).rejects.toMatchObject({
        code: 'home-locked',
      })
    }
    await store.close()
    expect(await start('open', folder).lines.next(() => true)).toBe('open')
  })

  test('is made once when several processes make it at the same time', async () => {
    const home = join(folder, 'shared', 'home')
    const words = await Promise.all(
      Array.from({ length: 4 }, () => start('open-or-create', home).lines.next(() => true)),
    )
    expect(words.sort()).toEqual(['created', 'home-locked', 'home-locked', 'home-locked'])
  })

  test('is for its owner only, the log too', async () => {
    const store = openStore(join(folder, 'a.db'))
    await store.transaction((tx) => tx.put('c', 'p', 0, 1))
    expect(readdirSync(folder).sort()).toEqual(['a.db', 'a.db-wal'])
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    }
    await store.close()
  })

  test.each<[string, string]>([
    ['at another position', 'UPDATE records SET position = 9 WHERE position = 2'],
    ['at another partition', exchange("a.collection = 'c' AND b.collection = 'c'")],
    ['at another collection', exchange('a.collection <> b.collection')],
    ['with a byte more', "UPDATE records SET value = CAST(value || x'00' AS BLOB)"],
    ['cut short', "UPDATE records SET value = x'00'"],
  ])('refuses a record %s', async (_, change) => {
    const path = join(folder, 'a.db')
    const store = openStore(path)
    await store.transaction(async (tx) => {
      await tx.put('c', 'p', 2, 'one')
      await tx.put('c', 'other', 2, 'two')
      await tx.put('d', 'p', 2, 'three')
    })
    await store.close()
    const database = new DatabaseSync(path)
    database.exec(`${change.includes('WHERE') ? change : `${change} WHERE position = 2`};`)
    database.close()
    const again = openStore(path)
    const refused = expect.objectContaining({ code: 'unreadable-home' })
    await expect(again.transaction((tx) => tx.list('c', 'p'))).rejects.toThrow(refused)
    await again.close()
  })

  test('names one partition differently in each collection', async () => {
    const path = join(folder, 'a.db')
    const store = openStore(path)
    await store.transaction(async (tx) => {
      await tx.put('c', 'p', 0, 1)
      await tx.put('d', 'p', 0, 1)
      await tx.put('cp', '', 0, 1)
    })
    await store.close()
    const database = new DatabaseSync(path)
    const query = "SELECT DISTINCT partition FROM records WHERE collection IN ('c', 'd', 'cp')"
    expect(database.prepare(query).all()).toHaveLength(3)
    database.close()
  })

  test('refuses another key, and what a newer version wrote', async () => {
    const path = join(folder, 'a.db')
    await openStore(path).close()
    const database = openDatabase(path)
    const otherKey = new Uint8Array(32).fill(0x43)
    expect(() => sqliteStore(database, otherKey)).toThrow(
      expect.objectContaining({ code: 'unreadable-home' }),
    )
    database.exec('PRAGMA user_version = 3')
    expect(() => sqliteStore(database, KEY)).toThrow(
      expect.objectContaining({
        code: 'unreadable-home',
        message: expect.stringContaining('newer'),
      }),
    )
    database.close()
  })

  test('goes on with a database of version 0.1 in its own form, and cannot name its records', async () => {
    const path = join(folder, 'a.db')
    makeFirstVersion(path)
    for (let i = 0; i < 2; i++) {
      const store = openStore(path)
      expect(await store.transaction((tx) => tx.get('c', 'p', 0))).toBe(i === 0 ? 'old' : 'new')
      await store.transaction((tx) => tx.put('c', 'p', 0, 'new'))
      const all = store.transaction(async (tx) => {
        for await (const _ of tx.everything()) break
      })
      await expect(all).rejects.toMatchObject({ code: 'unreadable-home' })
      await store.close()
    }
  })

  test.each([
    [
      'is no database',
      (path: string) => writeFile(path, 'not a database, but long enough'.repeat(99)),
    ],
    ['was cut off', (path: string) => truncate(path, 4096)],
  ])('refuses a file that %s', async (_, damage) => {
    const path = join(folder, 'a.db')
    await openStore(path).close()
    await damage(path)
    const refused = expect.objectContaining({ code: 'unreadable-home' })
    expect(() => openStore(path)).toThrow(refused)
  })
})

/** A database as Couplet 0.1 made it: no names inside the sealed values. */
function makeFirstVersion(path: string): void {
  const database = openDatabase(path)
  database.exec(`
    CREATE TABLE records (collection TEXT NOT NULL, partition BLOB NOT NULL,
      position INTEGER NOT NULL, value BLOB NOT NULL,
      PRIMARY KEY (collection, partition, position)) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;`)
  const insert = database.prepare('INSERT INTO records VALUES (?, ?, 0, ?)')
  for (const [collection, name, record] of [
    ['store.check', '', new Uint8Array()],
    ['c', 'p', encodeRecord('old')],
  ] as const) {
    const hidden = hideFirst(collection, name)
    insert.run(collection, hidden, sealFirst(collection, hidden, record))
  }
  database.close()
}

function hideFirst(collection: string, name: string): Uint8Array {
  return createHmac('sha256', keyFor('index'))
    .update(Uint8Array.of(0, collection.length))
    .update(collection + name)
    .digest()
}

function sealFirst(collection: string, hidden: Uint8Array, record: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12).fill(7)
  const cipher = createCipheriv('aes-256-gcm', keyFor('values'), nonce)
  cipher.setAAD(Buffer.concat([hidden, new Uint8Array(8), Buffer.from(collection)]))
  return Buffer.concat([nonce, cipher.update(record), cipher.final(), cipher.getAuthTag()])
}

function keyFor(purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', KEY, '', label(`store/${purpose}`), 32))
}

/** SQL that gives each record at position 2 the value of another one. */
function exchange(pair: string): string {
  return `CREATE TEMP TABLE moved AS
      SELECT a.collection, a.partition, b.value FROM records a, records b
      WHERE a.position = 2 AND b.position = 2 AND a.partition <> b.partition AND ${pair};
    UPDATE records SET value = moved.value FROM moved
      WHERE position = 2 AND records.collection = moved.collection
        AND records.partition = moved.partition`
}

function openStore(path: string): Store {
  return sqliteStore(openDatabase(path), KEY)
}

interface Lines {
  /** The next line that fits. */
  next(fits: (line: string) => boolean): Promise<string>
  /** What else comes until the end. */
  rest(): Promise<string[]>
}

function start(what: string, home: string): { process: ChildProcess; lines: Lines } {
  const program = join(import.meta.dirname, 'store.child.ts')
  const child = spawn(process.execPath, ['--conditions=source', program, what, home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const lines: Lines = {
    async next(fits) {
      for (;;) {
        const { value, done } = await iterator.next()
        if (done) throw new Error('the process has ended')
        if (fits(value)) return value
      }
    },
    async rest() {
      const rest: string[] = []
      for (let line = await iterator.next(); !line.done; line = await iterator.next()) {
        rest.push(line.value)
      }
      return rest
    },
  }
  return { process: child, lines }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function expectHidden(home: string): void {
  const names = readdirSync(home)
  const files = names.map((name) => readFileSync(join(home, name)))
  const contains = (needle: Uint8Array | string) => files.some((file) => file.includes(needle))
  // The search would find what is there: names of collections are not hidden.
  expect(contains('rounds')).toBe(true)
  const secrets = {
    'the text': NEEDLE_TEXT,
    'a part of the text': 'lighthouse',
    'the text in UTF-16': Buffer.from(NEEDLE_TEXT, 'utf16le'),
    'the partition': NEEDLE_PARTITION,
    'the partition without its plus': NEEDLE_PARTITION.slice(1),
    'the id': NEEDLE_ID,
    'a part of the id': NEEDLE_ID.subarray(8, 16),
    'the id in hexadecimal': toHex(NEEDLE_ID),
    'the id in base64url': toBase64Url(NEEDLE_ID),
    'the name of a field': NEEDLE_FIELD,
  }
  for (const [what, secret] of Object.entries(secrets)) {
    expect(contains(secret), what).toBe(false)
  }
}
