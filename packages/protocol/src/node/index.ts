/**
 * Primitives from node:crypto (OpenSSL). Needs Node 24.15 or newer, for ML-KEM and
 * for keys as raw bytes: through DER, each key costs several times as much.
 *
 * node:crypto gives causes with its errors; none leaves this module, since a cause is an oracle.
 */
import {
  checkPrimeSync,
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPair,
  hash,
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import { type Bytes, equalBytes, wipe } from '@couplet/wire'
import type { ExchangeKeyPair, ExchangePrivateKey, Primitives } from '../primitives.ts'
import { hmacSha256 } from './hmac.ts'
import { RETURNING } from './returning-keys.ts'

export const nodePrimitives: Primitives = {
  sha256: (message) => own(hash('sha256', message, 'buffer')),
  sha512: (message) => own(hash('sha512', message, 'buffer')),
  hmacSha256: (key, ...parts) => own(hmacSha256(key, parts)),
  hkdfSha256: ({ salt, ikm, info, length }) =>
    new Uint8Array(hkdfSync('sha256', ikm, salt, info, length)),

  // PKCS#7 by hand: what OpenSSL pads comes in two pieces, and to join them costs more than to
  // encrypt them.
  aesCbcEncrypt(key, iv, plaintext) {
    const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
    const padded = withPadding(plaintext)
    const ciphertext = cipher.update(padded)
    wipe(padded)
    return own(ciphertext)
  },
  aesCbcDecrypt(key, iv, ciphertext) {
    if (ciphertext.length % BLOCK_BYTES !== 0) return undefined
    const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
    return withoutPadding(own(decipher.update(ciphertext)))
  },

  x25519PublicKey(secret, returns = false) {
    const key = curveKey(secret)
    if (returns) RETURNING.keep(secret, key)
    return rawPublicKey(key)
  },
  x25519(secret, publicKey) {
    try {
      return own(
        diffieHellman({
          privateKey: RETURNING.take(secret) ?? curveKey(secret),
          publicKey: publicKeyOf('x25519', publicKey),
        }),
      )
    } catch {
      // OpenSSL refuses the all-zero result itself.
      return undefined
    }
  },

  ed25519PublicKey: (seed) => rawPublicKey(privateKey('ed25519', seed)),
  ed25519Sign: (seed, message) => own(sign(null, message, privateKey('ed25519', seed))),
  ed25519Verify(publicKey, message, signature) {
    try {
      return verify(null, message, publicKeyOf('ed25519', publicKey), signature)
    } catch {
      return false
    }
  },

  kemPublicKey: (seed) => rawPublicKey(privateKey('ml-kem-768', seed)),
  kemEncapsulate(publicKey) {
    const { sharedKey, ciphertext } = encapsulate(publicKeyOf('ml-kem-768', publicKey))
    return { ciphertext: own(ciphertext), sharedSecret: own(sharedKey) }
  },
  kemDecapsulate: (seed, ciphertext) =>
    own(decapsulate(privateKey('ml-kem-768', seed), ciphertext)),

  async rsaOaepEncrypt(publicKeySpki, plaintext, label) {
    const key = createPublicKey({ key: Buffer.from(publicKeySpki), format: 'der', type: 'spki' })
    return own(publicEncrypt({ key, ...OAEP, oaepLabel: label }, plaintext))
  },
  async rsaOaepDecrypt(exchangeKey, ciphertext, label) {
    try {
      const key = (exchangeKey as NodeExchangeKey).key
      return own(privateDecrypt({ key, ...OAEP, oaepLabel: label }, ciphertext))
    } catch {
      return undefined
    }
  },
  // A composite number nearly always fails the first of the rounds, a prime is put through all.
  isProbablePrime: (value) => checkPrimeSync(value, { checks: PRIME_ROUNDS }),
  async generateExchangeKey(): Promise<ExchangeKeyPair> {
    const pair = await generateKeyPairAsync('rsa', { modulusLength: 3072, publicExponent: 65537 })
    return {
      publicKey: own(pair.publicKey.export({ type: 'spki', format: 'der' })),
      privateKey: new NodeExchangeKey(pair.privateKey),
    }
  },
}

/** Forgets at once every key that was kept for its next use: a home closes. */
export function forgetKeys(): void {
  RETURNING.forget()
}

/** An RSA private key as PKCS#8 (DER), for a store that encrypts what it holds. */
export function exportExchangeKey(exchangeKey: ExchangePrivateKey): Bytes {
  return own((exchangeKey as NodeExchangeKey).key.export({ type: 'pkcs8', format: 'der' }))
}

/** @throws {Error} when the bytes are not an RSA private key in PKCS#8. */
export function importExchangeKey(pkcs8: Uint8Array): ExchangePrivateKey {
  return new NodeExchangeKey(
    createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }),
  )
}

class NodeExchangeKey implements ExchangePrivateKey {
  readonly provider = 'node'
  readonly key: KeyObject

  constructor(key: KeyObject) {
    this.key = key
  }
}

function privateKey(type: KeyType, secret: Uint8Array): KeyObject {
  const { format, length } = PRIVATE_KEYS[type]
  return createPrivateKey({ key: sized(secret, length), format, asymmetricKeyType: type })
}

/**
 * An X25519 secret as a key. OpenSSL multiplies by the base point when it takes one in, which costs
 * as much as an agreement; and a ratchet step wants of one secret both its public key and an
 * agreement. So the key stays for as long as its secret's array does, and serves if that still holds
 * the same secret.
 */
function curveKey(secret: Uint8Array): KeyObject {
  const known = CURVE_KEYS.get(secret)
  if (known && holds(known, secret)) return known
  const key = privateKey('x25519', secret)
  CURVE_KEYS.set(secret, key)
  return key
}

function holds(key: KeyObject, secret: Uint8Array): boolean {
  const held = key.export({ format: 'raw-private' })
  const same = equalBytes(held, secret)
  wipe(held)
  return same
}

function publicKeyOf(type: KeyType, raw: Uint8Array): KeyObject {
  const key = sized(raw, PUBLIC_KEY_BYTES[type])
  return createPublicKey({ key, format: 'raw-public', asymmetricKeyType: type })
}

function rawPublicKey(key: KeyObject): Bytes {
  return own(createPublicKey(key).export({ format: 'raw-public' }))
}

/** Keys have one length each, whatever OpenSSL would make of others. */
function sized(key: Uint8Array, length: number): Uint8Array {
  if (key.length !== length) throw new RangeError(`key is not ${length} bytes`)
  return key
}

/** For the caller to wipe before anything else is padded. */
function withPadding(plaintext: Uint8Array): Uint8Array {
  const length = plaintext.length - (plaintext.length % BLOCK_BYTES) + BLOCK_BYTES
  const padded = length > SCRATCH.length ? new Uint8Array(length) : SCRATCH.subarray(0, length)
  padded.set(plaintext)
  return padded.fill(length - plaintext.length, plaintext.length)
}

/** Only ever of what was authenticated: its time shows where a padding is wrong. */
function withoutPadding(padded: Bytes): Bytes | undefined {
  const padding = padded.at(-1) ?? 0
  if (padding < 1 || padding > BLOCK_BYTES) return undefined
  const end = padded.length - padding
  return padded.subarray(end).every((byte) => byte === padding)
    ? padded.subarray(0, end)
    : undefined
}

/** The same memory where it is this result's alone, so that who wipes it wipes the only copy. */
function own(buffer: Uint8Array<ArrayBuffer>): Bytes {
  const { buffer: memory, byteLength } = buffer
  return memory.byteLength === byteLength ? new Uint8Array(memory) : new Uint8Array(buffer)
}

const generateKeyPairAsync = promisify(generateKeyPair)
const CURVE_KEYS = new WeakMap<Uint8Array, KeyObject>()
const PRIME_ROUNDS = 64
const BLOCK_BYTES = 16
/** Nothing is awaited while it is in use, so one serves every call. Most plaintexts fit. */
const SCRATCH = new Uint8Array(2 ** 16)
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const

type KeyType = 'x25519' | 'ed25519' | 'ml-kem-768'

/** ML-KEM by its seed d ‖ z (FIPS 203). */
const PRIVATE_KEYS = {
  x25519: { format: 'raw-private', length: 32 },
  ed25519: { format: 'raw-private', length: 32 },
  'ml-kem-768': { format: 'raw-seed', length: 64 },
} as const
const PUBLIC_KEY_BYTES = { x25519: 32, ed25519: 32, 'ml-kem-768': 1184 } as const
