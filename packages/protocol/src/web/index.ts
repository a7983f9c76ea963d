/**
 * Primitives from the noble libraries, and WebCrypto for RSA. Runs in browsers and in Node 22 and
 * newer. Synchronous where the ratchet needs it: WebCrypto costs 40 to 150 µs a call, and an await
 * inside a transaction ends an IndexedDB transaction.
 */
import { type Bytes, concatBytes, toHex } from '@couplet/wire'
import { cbc } from '@noble/ciphers/aes.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import type { ExchangeKeyPair, ExchangePrivateKey, Primitives } from '../primitives.ts'
import { hkdfSha256, hmacSha256 } from './hmac.ts'

export const webPrimitives: Primitives = {
  sha256: (message) => own(sha256(message)),
  sha512: (message) => own(sha512(message)),
  hmacSha256: (key, ...parts) => hmacSha256(key, parts),
  hkdfSha256,

  aesCbcEncrypt: (key, iv, plaintext) => own(cbc(key, iv).encrypt(plaintext)),
  aesCbcDecrypt(key, iv, ciphertext) {
    try {
      return own(cbc(key, iv).decrypt(ciphertext))
    } catch {
      return undefined
    }
  },

  x25519PublicKey: (secret) => own(x25519.getPublicKey(secret)),
  x25519(secret, publicKey) {
    try {
      return own(x25519.getSharedSecret(secret, publicKey))
    } catch {
      // noble refuses the all-zero result itself.
      return undefined
    }
  },

  ed25519PublicKey: (seed) => own(ed25519.getPublicKey(seed)),
  ed25519Sign: (seed, message) => own(ed25519.sign(message, seed)),
  ed25519Verify(publicKey, message, signature) {
    try {
      // Canonical encodings only, and no key of small order.
      const valid = ed25519.verify(signature, message, publicKey, { zip215: false })
      return valid && holdsWithoutCofactor(publicKey, message, signature)
    } catch {
      return false
    }
  },

  kemPublicKey(seed) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed)
    secretKey.fill(0)
    return own(publicKey)
  },
  kemEncapsulate(publicKey) {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey)
    return { ciphertext: own(cipherText), sharedSecret: own(sharedSecret) }
  },
  kemDecapsulate(seed, ciphertext) {
    const { secretKey } = ml_kem768.keygen(seed)
    try {
      return own(ml_kem768.decapsulate(ciphertext, secretKey))
    } finally {
      secretKey.fill(0)
    }
  },

  async rsaOaepEncrypt(publicKeySpki, plaintext, label) {
    const { subtle } = crypto
    const key = await subtle.importKey('spki', own(publicKeySpki), ALGORITHM, false, ['encrypt'])
    return new Uint8Array(
      await subtle.encrypt({ name: 'RSA-OAEP', label: own(label) }, key, own(plaintext)),
    )
  },
  async rsaOaepDecrypt(exchangeKey, ciphertext, label) {
    try {
      const plaintext = await crypto.subtle.decrypt(
        { name: 'RSA-OAEP', label: own(label) },
        (exchangeKey as WebExchangeKey).key,
        own(ciphertext),
      )
      return new Uint8Array(plaintext)
    } catch {
      return undefined
    }
  },
  async generateExchangeKey(): Promise<ExchangeKeyPair> {
    const parameters = {
      ...ALGORITHM,
      modulusLength: 3072,
      publicExponent: Uint8Array.of(1, 0, 1),
    }
    // Not extractable: what runs in this page can use the private key, and never read it.
    const pair = await crypto.subtle.generateKey(parameters, false, ['encrypt', 'decrypt'])
    return {
      publicKey: new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey)),
      privateKey: new WebExchangeKey(pair.privateKey),
    }
  },
}

/** The exchange key around a `CryptoKey`, as IndexedDB gives it back. */
export function exchangeKeyOf(key: CryptoKey): ExchangePrivateKey {
  return new WebExchangeKey(key)
}

/** @throws when the bytes are not an RSA private key in PKCS#8. The key is not extractable again. */
export async function importExchangeKey(pkcs8: Uint8Array): Promise<ExchangePrivateKey> {
  return new WebExchangeKey(
    await crypto.subtle.importKey('pkcs8', own(pkcs8), ALGORITHM, false, ['decrypt']),
  )
}

class WebExchangeKey implements ExchangePrivateKey {
  readonly provider = 'web'
  readonly key: CryptoKey

  constructor(key: CryptoKey) {
    this.key = key
  }
}

/**
 * noble multiplies the equation by the cofactor, OpenSSL does not; RFC 8032 allows both. A crafted
 * key of mixed order would be valid for some of our users only. The stricter equation decides:
 * S·B = R + k·A, for a signature that has the right form.
 */
function holdsWithoutCofactor(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { Point } = ed25519
  const [encodedR, encodedS] = [signature.subarray(0, 32), signature.subarray(32)]
  const k = Point.Fn.create(littleEndian(sha512(concatBytes(encodedR, publicKey, message))))
  const left = Point.BASE.multiplyUnsafe(littleEndian(encodedS))
  const right = Point.fromBytes(encodedR).add(Point.fromBytes(publicKey).multiplyUnsafe(k))
  return left.equals(right)
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`)
}

/**
 * On an `ArrayBuffer` of its own, which is what WebCrypto and our types ask for: noble's results, and
 * what callers give to WebCrypto, which copies it. What is alone already is handed on as it is, so
 * nothing that comes out of here may be written to.
 */
function own(bytes: Uint8Array): Bytes {
  const { buffer, byteLength } = bytes
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return isAlone ? (bytes as Bytes) : new Uint8Array(bytes)
}

const ALGORITHM = { name: 'RSA-OAEP', hash: 'SHA-256' }
