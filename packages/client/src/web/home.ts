/**
 * A home in a browser: one IndexedDB database that holds one identity and its messages.
 *
 *     meta        home    what this is, which records are in use, and the keys (storage-keys.ts)
 *                 owner   whoever opened it last: nobody else can write (indexeddb-store.ts)
 *     records-a   sealed records; changing the passphrase seals everything anew into the other
 *     records-b   store, and one transaction then changes over
 *
 * A home exists from the moment that `home` is there, and nothing is ever sealed under keys that are
 * not. Browsers may throw away a site's storage: `hint.ts` remembers elsewhere that there was one.
 */
import { openDB } from 'idb'
import { ClientError } from '../errors.ts'
import type { NamedRecord, Plain, Store } from '../ports.ts'
import {
  type HomeSchema,
  type IndexedDbStore,
  indexedDbStore,
  META,
  OWNER,
  type RecordsName,
  STRICT,
  takenOver,
  translated,
} from './indexeddb-store.ts'
import { Seal, type StorageKeys } from './seal.ts'
import { type KeyProtection, makeKeys, openKeys, type StoredKeys } from './storage-keys.ts'

export interface WebHomeOptions extends KeyProtection {
  /** Name of the database; there is one home for each, `couplet` unless given. */
  readonly name?: string | undefined
}

export interface WebHome {
  readonly store: Store
  readonly protection: Protection
  /** Whether this call made it. */
  readonly created: boolean
  /**
   * Seals everything anew under fresh keys, which the new passphrase, or nothing, protects. All of
   * it has changed when the promise resolves, and nothing when it rejects; the store goes on.
   *
   * Not only the keys are wrapped anew: so what an old passphrase protected, or none, is no key to
   * what is written from now on, nor, once the browser has compacted its files, to anything.
   */
  changePassphrase(passphrase: string | Uint8Array | undefined): Promise<void>
}

export type Protection = 'passphrase' | 'none'

/**
 * Opens a home and takes it over: whoever had it open can write no more, and gets `home-locked`.
 *
 * @throws {ClientError} `not-registered` when it does not exist and is not to be made;
 *   `passphrase-required`; `wrong-passphrase`, also when it has none; `unreadable-home`.
 */
export async function openHome(
  options: WebHomeOptions & { readonly create: boolean },
): Promise<WebHome> {
  const database = await openDatabase(options.name)
  try {
    const found = await readHome(database)
    if (!found && !options.create) {
      throw new ClientError('not-registered', 'there is no registered identity in this browser')
    }
    const { home, keys } = found
      ? { home: found, keys: await openKeys(found.keys, options) }
      : await makeHome(database, options)
    const token = await takeOver(database)
    const shelf = { records: home.records, seal: new Seal(keys) }
    const opened = { database, token, ...indexedDbStore(database, shelf, { token }) }
    return {
      store: opened.store,
      protection: home.keys.protection,
      created: !found,
      changePassphrase: (passphrase) => sealAnew(opened, { passphrase, stretch: options.stretch }),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

/** What a home is, without opening it: for knowing whether to ask for a passphrase. */
export async function inspectHome(name?: string): Promise<Protection | 'absent'> {
  const database = await openDatabase(name)
  try {
    return (await readHome(database))?.keys.protection ?? 'absent'
  } finally {
    database.close()
  }
}

/**
 * The store of a home for a look: whoever has it open goes on, and nothing can be written.
 *
 * @throws {ClientError} as `openHome`.
 */
export async function readOnly(options: WebHomeOptions): Promise<Store> {
  const database = await openDatabase(options.name)
  try {
    const home = await readHome(database)
    if (!home) throw new ClientError('not-registered', 'there is no home in this browser')
    const keys = await openKeys(home.keys, options)
    // No owner has this token: what tries to write is refused.
    const shelf = { records: home.records, seal: new Seal(keys) }
    return indexedDbStore(database, shelf, { token: '' }).store
  } catch (error) {
    database.close()
    throw error
  }
}

/** Removes a home with everything in it. Whoever has it open gets `home-locked` from now on. */
export async function deleteHome(name?: string): Promise<void> {
  const database = await openDatabase(name)
  try {
    await translated(async () => {
      const tx = database.transaction([META, 'records-a', 'records-b'], 'readwrite', STRICT)
      void tx.objectStore(META).clear()
      void tx.objectStore('records-a').clear()
      void tx.objectStore('records-b').clear()
      await tx.done
    })
  } finally {
    database.close()
  }
}

/**
 * Changes the passphrase of a home that is not open. Takes it over.
 *
 * @throws {ClientError} as `openHome`.
 */
export async function changePassphrase(
  options: WebHomeOptions & { readonly newPassphrase: string | Uint8Array | undefined },
): Promise<void> {
  const home = await openHome({ ...options, create: false })
  try {
    await home.changePassphrase(options.newPassphrase)
  } finally {
    await home.store.close()
  }
}

/** `home` of `meta`. */
interface HomeRecord {
  readonly version: typeof VERSION
  readonly records: RecordsName
  readonly keys: StoredKeys
}

type Database = Awaited<ReturnType<typeof openDatabase>>

function openDatabase(name = DEFAULT_NAME): ReturnType<typeof openDB<HomeSchema>> {
  return translated(() =>
    openDB<HomeSchema>(name, DATABASE_VERSION, {
      upgrade(database) {
        database.createObjectStore(META)
        database.createObjectStore('records-a')
        database.createObjectStore('records-b')
      },
      // A newer version of this page, or somebody who deletes the database: do not stand in the way.
      blocking: (_, __, event) => (event.target as IDBDatabase).close(),
    }),
  )
}

async function readHome(database: Database): Promise<HomeRecord | undefined> {
  const home = (await translated(() => database.get(META, HOME))) as HomeRecord | undefined
  if (home && home.version !== VERSION) {
    throw new ClientError(
      'unreadable-home',
      'this home was written by a newer version of Couplet: load the page anew',
    )
  }
  return home
}

async function makeHome(
  database: Database,
  protection: KeyProtection,
): Promise<{ home: HomeRecord; keys: StorageKeys }> {
  const { stored, keys } = await makeKeys(protection)
  const home: HomeRecord = { version: VERSION, records: 'records-a', keys: stored }
  await translated(async () => {
    const tx = database.transaction([META, 'records-a'], 'readwrite', STRICT)
    const meta = tx.objectStore(META)
    // Somebody else may have been quicker.
    if (await meta.get(HOME)) {
      tx.abort()
      await tx.done.catch(() => undefined)
      throw takenOver()
    }
    void meta.put(home, HOME)
    void tx.objectStore('records-a').clear()
    await tx.done
  })
  return { home, keys }
}

/** From here on nobody else can write. Throws away what an unfinished change of the keys left. */
async function takeOver(database: Database): Promise<string> {
  const token = crypto.randomUUID()
  await translated(async () => {
    const tx = database.transaction([META, 'records-a', 'records-b'], 'readwrite', STRICT)
    const meta = tx.objectStore(META)
    const home = (await meta.get(HOME)) as HomeRecord | undefined
    if (home) void tx.objectStore(other(home.records)).clear()
    void meta.put(token, OWNER)
    await tx.done
  })
  return token
}

async function sealAnew(
  { database, token, store, moveTo }: Opened,
  protection: KeyProtection,
): Promise<void> {
  const { stored, keys } = await makeKeys(protection)
  // One transaction of the store from beginning to end: nothing changes meanwhile.
  await store.transaction(async (from) => {
    const before = (await readHome(database))?.records ?? 'records-a'
    const shelf = { records: other(before), seal: new Seal(keys) }
    const after = indexedDbStore(database, shelf, { token }).store
    await after.transaction((to) => to.clear())
    // Some at a time: nobody reads them before the change-over.
    let batch: NamedRecord<Plain>[] = []
    for await (const record of from.everything()) {
      batch.push(record)
      if (batch.length < BATCH) continue
      await writeAll(after, batch)
      batch = []
    }
    await writeAll(after, batch)
    await changeOver(database, { token, before, after: shelf.records, stored })
    await moveTo(shelf)
  })
}

async function changeOver(
  database: Database,
  input: {
    readonly token: string
    readonly before: RecordsName
    readonly after: RecordsName
    readonly stored: StoredKeys
  },
): Promise<void> {
  await translated(async () => {
    const tx = database.transaction([META, input.before], 'readwrite', STRICT)
    const meta = tx.objectStore(META)
    if ((await meta.get(OWNER)) !== input.token) {
      tx.abort()
      await tx.done.catch(() => undefined)
      throw takenOver()
    }
    void meta.put({ version: VERSION, records: input.after, keys: input.stored }, HOME)
    void tx.objectStore(input.before).clear()
    await tx.done
  })
}

interface Opened extends IndexedDbStore {
  readonly database: Database
  readonly token: string
}

function writeAll(store: Store, records: readonly NamedRecord<Plain>[]): Promise<void> {
  return store.transaction(async (tx) => {
    for (const { collection, partition, position, value } of records) {
      await tx.put(collection, partition, position, value)
    }
  })
}

function other(records: RecordsName): RecordsName {
  return records === 'records-a' ? 'records-b' : 'records-a'
}

export const DEFAULT_NAME = 'couplet'
const DATABASE_VERSION = 1
const VERSION = 1
const HOME = 'home'
const BATCH = 500
