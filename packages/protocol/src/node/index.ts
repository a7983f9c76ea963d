/**
 * Primitives from node:crypto (OpenSSL). Needs Node 24 or newer, for ML-KEM.
 *
 * node:crypto gives causes with its errors; none leaves this module, since a cause is an oracle.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPair,
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import { type Bytes, concatBytes, fromHex } from '@couplet/wire'
import type { ExchangeKeyPair, ExchangePrivateKey, Primitives } from '../primitives.ts'

export const nodePrimitives: Primitives = {
  sha256: (message) => own(createHash('sha256').update(message).digest()),
  sha512: (message) => own(createHash('sha512').update(message).digest()),
  hmacSha256(key, ...parts) {
    const hmac = createHmac('sha256', key)
    for (const part of parts) hmac.update(part)
    return own(hmac.digest())
  },
  hkdfSha256: ({ salt, ikm, info, length }) =>
    new Uint8Array(hkdfSync('sha256', ikm, salt, info, length)),

  aesCbcEncrypt(key, iv, plaintext) {
    const cipher = createCipheriv('aes-256-cbc', key, iv)
    return concatBytes(cipher.update(plaintext), cipher.final())
  },
  aesCbcDecrypt(key, iv, ciphertext) {
    try {
      const decipher = createDecipheriv('aes-256-cbc', key, iv)
      return concatBytes(decipher.update(ciphertext), decipher.final())
    } catch {
      return undefined
    }
  },

  x25519PublicKey: (secret) => rawPublicKey(privateKey(X25519_PKCS8, secret)),
  x25519(secret, publicKey) {
    try {
      const shared = diffieHellman({
        privateKey: privateKey(X25519_PKCS8, secret),
        publicKey: publicKeyOf(X25519_SPKI, publicKey),
      })
      return own(shared)
    } catch {
      // OpenSSL refuses the all-zero result itself.
      return undefined
    }
  },

  ed25519PublicKey: (seed) => rawPublicKey(privateKey(ED25519_PKCS8, seed)),
  ed25519Sign: (seed, message) => own(sign(null, message, privateKey(ED25519_PKCS8, seed))),
  ed25519Verify(publicKey, message, signature) {
    try {
      return verify(null, message, publicKeyOf(ED25519_SPKI, publicKey), signature)
    } catch {
      return false
    }
  },

  kemPublicKey: (seed) =>
    own(createPublicKey(kemPrivateKey(seed)).export({ type: 'spki', format: 'der' })).slice(
      KEM_SPKI.prefix.length,
    ),
  kemEncapsulate(publicKey) {
    const { sharedKey, ciphertext } = encapsulate(publicKeyOf(KEM_SPKI, publicKey))
    return { ciphertext: own(ciphertext), sharedSecret: own(sharedKey) }
  },
  kemDecapsulate: (seed, ciphertext) => own(decapsulate(kemPrivateKey(seed), ciphertext)),

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
  async generateExchangeKey(): Promise<ExchangeKeyPair> {
    const pair = await generateKeyPairAsync('rsa', { modulusLength: 3072, publicExponent: 65537 })
    return {
      publicKey: own(pair.publicKey.export({ type: 'spki', format: 'der' })),
      privateKey: new NodeExchangeKey(pair.privateKey),
    }
  },
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

/** DER of a key of one kind, up to the key itself, which has exactly `length` bytes. */
interface Template {
  readonly prefix: Uint8Array
  readonly length: number
}

function privateKey(template: Template, secret: Uint8Array): KeyObject {
  const key = fill(template, secret)
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } finally {
    key.fill(0)
  }
}

/** ML-KEM-768 by seed: PKCS#8 with the seed alone (FIPS 203's d ‖ z). */
function kemPrivateKey(seed: Uint8Array): KeyObject {
  return privateKey(KEM_PKCS8, seed)
}

function publicKeyOf(template: Template, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: fill(template, raw), format: 'der', type: 'spki' })
}

/** OpenSSL ignores bytes behind the structure: a key too long would pass as its own beginning. */
function fill({ prefix, length }: Template, raw: Uint8Array): Buffer {
  if (raw.length !== length) throw new RangeError(`key is not ${length} bytes`)
  return Buffer.concat([prefix, raw])
}

/** The last 32 bytes of an X25519 or Ed25519 SubjectPublicKeyInfo are the key itself. */
function rawPublicKey(key: KeyObject): Bytes {
  return own(createPublicKey(key).export({ type: 'spki', format: 'der' })).slice(-32)
}

/** A `Buffer` may be a window of a shared pool; what we return is not. */
function own(buffer: Uint8Array): Bytes {
  return new Uint8Array(buffer)
}

const generateKeyPairAsync = promisify(generateKeyPair)
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const
const X25519_PKCS8: Template = { prefix: fromHex('302e020100300506032b656e04220420'), length: 32 }
const X25519_SPKI: Template = { prefix: fromHex('302a300506032b656e032100'), length: 32 }
const ED25519_PKCS8: Template = { prefix: fromHex('302e020100300506032b657004220420'), length: 32 }
const ED25519_SPKI: Template = { prefix: fromHex('302a300506032b6570032100'), length: 32 }
const KEM_PKCS8: Template = {
  prefix: fromHex('3054020100300b060960864801650304040204428040'),
  length: 64,
}
const KEM_SPKI: Template = {
  prefix: fromHex('308204b2300b0609608648016503040402038204a100'),
  length: 1184,
}
