/**
 * A home: the folder that holds one identity and its messages.
 *
 *     couplet.db   the store, sealed under the data key (sqlite-store.ts)
 *     key.json     the data key: wrapped under a passphrase with argon2id, or as it is
 *
 * Order of making: lock `couplet.db`, write `key.json`, and only then the first record. So a home
 * exists from the moment that its key does, nothing is ever sealed under a key that is not on disk,
 * and a crash anywhere before leaves what counts as no home.
 */
import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type Bytes, fromBase64Url, label, toBase64Url, wipe } from '@couplet/wire'
import { ClientError } from '../errors.ts'
import { ARGON2ID, type Argon2id, isArgon2id, passphraseBytes, SALT_BYTES } from '../passphrase.ts'
import type { Store } from '../ports.ts'
import { isEmptyDatabase, openDatabase, sqliteStore, storeError } from './sqlite-store.ts'
import { stretch } from './stretch.ts'

/** What keeps the data key: a passphrase, or nothing but the permissions of its file. */
export type Protection = 'passphrase' | 'none'

export interface HomeOptions {
  /** Path of the folder. */
  readonly home: string
  /** Text is taken in Unicode's form NFC, bytes as they are. */
  readonly passphrase?: string | Uint8Array | undefined
  /** Whether to make it when it does not exist: under the passphrase, or without one. */
  readonly create: boolean
}

export interface Home {
  readonly path: string
  /** Holds the home's lock until it is closed. */
  readonly store: Store
  readonly protection: Protection
  /** Whether this call made it. */
  readonly created: boolean
}

/**
 * Opens a home and locks it for this process.
 *
 * @throws {ClientError} `not-registered` when it does not exist and is not to be made;
 *   `home-locked`; `passphrase-required`; `wrong-passphrase`, also when it has none;
 *   `unreadable-home`. Nothing has changed then, but for an empty folder or database.
 */
export async function openHome(options: HomeOptions): Promise<Home> {
  const { home, create } = options
  const { passphrase: given } = options
  const passphrase = given === undefined ? undefined : passphraseBytes(given)
  let database: DatabaseSync | undefined
  try {
    const exists = (await readKeyFile(home)) !== undefined
    if (!exists && !create) {
      throw new ClientError('not-registered', `there is no registered identity in ${home}`)
    }
    if (exists && !create && !existsSync(join(home, DATABASE_FILE))) {
      throw new ClientError('unreadable-home', `${DATABASE_FILE} is missing in ${home}`)
    }
    await mkdir(home, { recursive: true, mode: 0o700 })
    database = openDatabase(join(home, DATABASE_FILE))
    // Under the lock, the answer cannot change any more.
    const found = await readKeyFile(home)
    const { dataKey, protection } = found
      ? { dataKey: await unwrapKey(found, passphrase), protection: found.protection }
      : await makeKey(home, database, passphrase)
    try {
      const store = sqliteStore(database, dataKey)
      return { path: home, store, protection, created: !found }
    } finally {
      wipe(dataKey)
    }
  } catch (error) {
    database?.close()
    throw homeError(error, home)
  } finally {
    wipe(passphrase)
  }
}

/** What a home is, without opening it: for knowing whether to ask for a passphrase. */
export async function inspectHome(home: string): Promise<Protection | 'absent'> {
  try {
    return (await readKeyFile(home))?.protection ?? 'absent'
  } catch (error) {
    throw homeError(error, home)
  }
}

/** `couplet` in the user's data folder: XDG's, or that of Windows. */
export function defaultHome(environment: Readonly<Record<string, string | undefined>>): string {
  // The specification of XDG: a path that is not absolute is to be ignored.
  const xdg = environment.XDG_DATA_HOME
  if (xdg && isAbsolute(xdg)) return join(xdg, 'couplet')
  const windows = environment.LOCALAPPDATA
  if (process.platform === 'win32' && windows) return join(windows, 'couplet')
  return join(environment.HOME || homedir(), '.local', 'share', 'couplet')
}

/** `key.json`. Bytes are base64url. */
type KeyFile =
  | {
      readonly format: typeof FORMAT
      readonly version: typeof VERSION
      readonly protection: 'none'
      /** For whoever opens the file. */
      readonly note: string
      readonly dataKey: string
    }
  | {
      readonly format: typeof FORMAT
      readonly version: typeof VERSION
      readonly protection: 'passphrase'
      readonly argon2id: StoredArgon2id
      /** nonce || AES-256-GCM(argon2id(passphrase), nonce, LABEL_WRAP, data key) */
      readonly wrappedKey: string
    }

type StoredArgon2id = Argon2id & { readonly salt: string }

async function makeKey(
  home: string,
  database: DatabaseSync,
  passphrase: Bytes | undefined,
): Promise<{ dataKey: Bytes; protection: Protection }> {
  if (!isEmptyDatabase(database)) {
    throw new ClientError(
      'unreadable-home',
      `${KEY_FILE} is missing in ${home}: without it, the messages there cannot be read.`,
    )
  }
  const dataKey = randomFillSync(new Uint8Array(KEY_BYTES))
  try {
    await writeDurably(home, KEY_FILE, await wrapKey(dataKey, passphrase))
    return { dataKey, protection: passphrase ? 'passphrase' : 'none' }
  } catch (error) {
    wipe(dataKey)
    throw error
  }
}

async function wrapKey(dataKey: Uint8Array, passphrase: Bytes | undefined): Promise<KeyFile> {
  const common = { format: FORMAT, version: VERSION } as const
  if (!passphrase) {
    return { ...common, protection: 'none', note: NOTE, dataKey: toBase64Url(dataKey) }
  }
  const salt = randomFillSync(new Uint8Array(SALT_BYTES))
  const argon2id = { ...ARGON2ID, salt: toBase64Url(salt) }
  const wrappingKey = await stretch(passphrase, salt, ARGON2ID, KEY_BYTES)
  try {
    const nonce = randomFillSync(new Uint8Array(NONCE_BYTES))
    const cipher = createCipheriv('aes-256-gcm', wrappingKey, nonce).setAAD(LABEL_WRAP)
    const parts = [nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]
    const wrappedKey = toBase64Url(Buffer.concat(parts))
    return { ...common, protection: 'passphrase', argon2id, wrappedKey }
  } finally {
    wipe(wrappingKey)
  }
}

async function unwrapKey(file: KeyFile, passphrase: Bytes | undefined): Promise<Bytes> {
  if (file.protection === 'none') {
    if (!passphrase) return fromBase64Url(file.dataKey)
    throw new ClientError('wrong-passphrase', 'this home has no passphrase: open it without one')
  }
  if (!passphrase) {
    throw new ClientError('passphrase-required', 'this home needs its passphrase')
  }
  const { salt } = file.argon2id
  const wrappingKey = await stretch(passphrase, fromBase64Url(salt), file.argon2id, KEY_BYTES)
  try {
    const wrapped = fromBase64Url(file.wrappedKey)
    const nonce = wrapped.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', wrappingKey, nonce).setAAD(LABEL_WRAP)
    decipher.setAuthTag(wrapped.subarray(NONCE_BYTES + KEY_BYTES))
    const dataKey = new Uint8Array(
      decipher.update(wrapped.subarray(NONCE_BYTES, NONCE_BYTES + KEY_BYTES)),
    )
    decipher.final()
    return dataKey
  } catch (error) {
    throw new ClientError('wrong-passphrase', 'the passphrase is not the one of this home', {
      cause: error,
    })
  } finally {
    wipe(wrappingKey)
  }
}

async function readKeyFile(home: string): Promise<KeyFile | undefined> {
  let text: string
  try {
    text = await readFile(join(home, KEY_FILE), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const file = parseKeyFile(text)
  if (file === 'newer') {
    throw new ClientError(
      'unreadable-home',
      'this home was written by a newer version of Couplet: update Couplet to open it',
    )
  }
  if (!file) throw new ClientError('unreadable-home', `${KEY_FILE} in ${home} is damaged`)
  return file
}

/** A key file whose every field has been checked; nothing for a damaged one. */
function parseKeyFile(text: string): KeyFile | 'newer' | undefined {
  try {
    const file: Partial<Record<string, unknown>> = JSON.parse(text)
    if (
      file.format !== FORMAT ||
      !Number.isSafeInteger(file.version) ||
      (file.version as number) < 1
    )
      return undefined
    if (file.version !== VERSION) return 'newer'
    switch (file.protection) {
      case 'none':
        return hasBytes(file.dataKey, KEY_BYTES) ? (file as KeyFile) : undefined
      case 'passphrase': {
        const argon2id = file.argon2id as StoredArgon2id
        const valid =
          isArgon2id(argon2id) &&
          hasBytes(argon2id.salt, SALT_BYTES) &&
          hasBytes(file.wrappedKey, NONCE_BYTES + KEY_BYTES + TAG_BYTES)
        return valid ? (file as KeyFile) : undefined
      }
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}

function hasBytes(value: unknown, length: number): boolean {
  return typeof value === 'string' && fromBase64Url(value).length === length
}

/** Whole or not at all, whatever crashes. The caller holds the home's lock. */
async function writeDurably(home: string, name: string, content: KeyFile): Promise<void> {
  const temporary = join(home, `${name}.new`)
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(content, undefined, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, join(home, name))
  await syncFolder(home)
  await syncFolder(join(home, '..'))
}

async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function homeError(error: unknown, home: string): unknown {
  const translated = storeError(error)
  if (translated instanceof ClientError) return translated
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined) return error
  return new ClientError('unreadable-home', `${home} cannot be used: ${code}`, { cause: error })
}

const KEY_FILE = 'key.json'
const DATABASE_FILE = 'couplet.db'
const FORMAT = 'couplet-home'
const VERSION = 1
const NOTE = 'No passphrase was chosen: whoever can read this file can read every message here.'
const LABEL_WRAP = label('home/wrap')

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
