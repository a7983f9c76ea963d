/**
 * The keys of a browser's store. Without a passphrase they lie in IndexedDB as `CryptoKey`s, which
 * the page can use and never read. With one they lie there wrapped, and are `CryptoKey`s in memory
 * only:
 *
 *     wrapped = nonce || AES-256-GCM(argon2id(passphrase, salt), nonce, LABEL_WRAP, key)
 */
import { type Bytes, label, wipe } from '@couplet/wire'
import { ClientError } from '../errors.ts'
import {
  ARGON2ID,
  type Argon2id,
  passphraseBytes,
  SALT_BYTES,
  type Stretch,
} from '../passphrase.ts'
import type { StorageKeys } from './seal.ts'
import { stretchHere } from './stretch.ts'

/** As IndexedDB keeps them. */
export type StoredKeys =
  | ({ readonly protection: 'none' } & StorageKeys)
  | {
      readonly protection: 'passphrase'
      readonly argon2id: Argon2id
      readonly salt: Bytes
      readonly indexKey: Bytes
      readonly valueKey: Bytes
    }

export interface KeyProtection {
  /** Text is taken in Unicode's form NFC, bytes as they are. Left out: there is none. */
  readonly passphrase?: string | Uint8Array | undefined
  /** How a passphrase becomes a key: in this page, unless a page brings a worker for it. */
  readonly stretch?: Stretch | undefined
}

/** Fresh keys, as they are stored and as they are used. */
export async function makeKeys(
  protection: KeyProtection,
): Promise<{ stored: StoredKeys; keys: StorageKeys }> {
  if (protection.passphrase === undefined) {
    const keys = await generate(false)
    return { stored: { protection: 'none', ...keys }, keys }
  }
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
  const wrapping = await wrappingKey(protection, salt, ARGON2ID)
  // Extractable only until they are wrapped, and then forgotten: what is used is unwrapped again.
  const fresh = await generate(true)
  const stored: StoredKeys = {
    protection: 'passphrase',
    argon2id: ARGON2ID,
    salt,
    indexKey: await wrap(fresh.indexKey, wrapping),
    valueKey: await wrap(fresh.valueKey, wrapping),
  }
  return { stored, keys: await unwrapBoth(stored, wrapping) }
}

/** @throws {ClientError} `passphrase-required`; `wrong-passphrase`, also when there is none. */
export async function openKeys(
  stored: StoredKeys,
  protection: KeyProtection,
): Promise<StorageKeys> {
  if (stored.protection === 'none') {
    if (protection.passphrase === undefined) return stored
    throw new ClientError('wrong-passphrase', 'this home has no passphrase: open it without one')
  }
  if (protection.passphrase === undefined) {
    throw new ClientError('passphrase-required', 'this home needs its passphrase')
  }
  const wrapping = await wrappingKey(protection, stored.salt, stored.argon2id)
  return unwrapBoth(stored, wrapping)
}

async function generate(extractable: boolean): Promise<StorageKeys> {
  const { subtle } = crypto
  const [indexKey, valueKey] = await Promise.all([
    subtle.generateKey(INDEX, extractable, INDEX_USES),
    subtle.generateKey(VALUE, extractable, VALUE_USES),
  ])
  return { indexKey, valueKey }
}

async function wrappingKey(
  { passphrase = '', stretch = stretchHere }: KeyProtection,
  salt: Bytes,
  parameters: Argon2id,
): Promise<CryptoKey> {
  const text = passphraseBytes(passphrase)
  const key = await stretch(text, salt, parameters, KEY_BYTES)
  try {
    return await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
  } finally {
    wipe(text, key)
  }
}

async function wrap(key: CryptoKey, wrapping: CryptoKey): Promise<Bytes> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const wrapped = await crypto.subtle.wrapKey('raw', key, wrapping, wrapAlgorithm(nonce))
  const joined = new Uint8Array(NONCE_BYTES + wrapped.byteLength)
  joined.set(nonce)
  joined.set(new Uint8Array(wrapped), NONCE_BYTES)
  return joined
}

async function unwrapBoth(
  { indexKey, valueKey }: Extract<StoredKeys, { protection: 'passphrase' }>,
  wrapping: CryptoKey,
): Promise<StorageKeys> {
  try {
    return {
      indexKey: await unwrap(indexKey, wrapping, INDEX, INDEX_USES),
      valueKey: await unwrap(valueKey, wrapping, VALUE, VALUE_USES),
    }
  } catch (error) {
    throw new ClientError('wrong-passphrase', 'the passphrase is not the one of this home', {
      cause: error,
    })
  }
}

function unwrap(
  wrapped: Bytes,
  wrapping: CryptoKey,
  algorithm: HmacKeyGenParams | AesKeyGenParams,
  uses: KeyUsage[],
): Promise<CryptoKey> {
  const [nonce, rest] = [wrapped.subarray(0, NONCE_BYTES), wrapped.subarray(NONCE_BYTES)]
  const { subtle } = crypto
  return subtle.unwrapKey('raw', rest, wrapping, wrapAlgorithm(nonce), algorithm, false, uses)
}

function wrapAlgorithm(iv: Bytes): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: LABEL_WRAP }
}

const LABEL_WRAP = label('home/wrap')
const INDEX: HmacKeyGenParams = { name: 'HMAC', hash: 'SHA-256', length: 256 }
const INDEX_USES: KeyUsage[] = ['sign']
const VALUE: AesKeyGenParams = { name: 'AES-GCM', length: 256 }
const VALUE_USES: KeyUsage[] = ['encrypt', 'decrypt']
const KEY_BYTES = 32
const NONCE_BYTES = 12
