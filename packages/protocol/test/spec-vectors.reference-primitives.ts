/** The reference's bytes and primitives: conventions.md, and "EtM" of message.md. */
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
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
} from 'node:crypto'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'

// -------------------------------------------------------------------------------------------------
// conventions.md

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Buffer => Buffer.from(text, 'hex')
export const cat = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

export const u8 = (value: number): Buffer => Buffer.of(value)
export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
export const text16 = (text: string): Buffer => cat(u16(Buffer.byteLength(text)), Buffer.from(text))

export function label(purpose: string): Buffer {
  const text = Buffer.from(`couplet/v1/${purpose}`, 'ascii')
  return cat(u8(text.length), text)
}

// -------------------------------------------------------------------------------------------------
// Primitives

export const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256')
    .update(cat(...parts))
    .digest()
export const sha512 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha512')
    .update(cat(...parts))
    .digest()
export const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  createHmac('sha256', key)
    .update(cat(...parts))
    .digest()
export const hkdf = (salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, length))

const pkcs8 = (prefix: string, secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: cat(fromHex(prefix), secret), format: 'der', type: 'pkcs8' })
const x25519Private = (secret: Uint8Array): KeyObject =>
  pkcs8('302e020100300506032b656e04220420', secret)
const ed25519Private = (seed: Uint8Array): KeyObject =>
  pkcs8('302e020100300506032b657004220420', seed)
const publicBytes = (key: KeyObject, length: number): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-length)

export const x25519Public = (secret: Uint8Array): Buffer => publicBytes(x25519Private(secret), 32)
export function x25519(secret: Uint8Array, publicKey: Uint8Array): Buffer {
  const der = cat(fromHex('302a300506032b656e032100'), publicKey)
  return diffieHellman({
    privateKey: x25519Private(secret),
    publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }),
  })
}

export const ed25519Public = (seed: Uint8Array): Buffer => publicBytes(ed25519Private(seed), 32)
export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Buffer =>
  sign(null, message, ed25519Private(seed))

const kemPrivate = (seed: Uint8Array): KeyObject =>
  pkcs8('3054020100300b060960864801650304040204428040', seed)
export const kemPublic = (seed: Uint8Array): Buffer => publicBytes(kemPrivate(seed), 1184)
export function kemEncapsulate(publicKey: Uint8Array, coins: Uint8Array) {
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, coins)
  return { ciphertext: Buffer.from(cipherText), sharedSecret: Buffer.from(sharedSecret) }
}
export const kemDecapsulate = (seed: Uint8Array, ciphertext: Uint8Array): Buffer =>
  decapsulate(kemPrivate(seed), ciphertext)

/** RSAES-OAEP-ENCRYPT with a given seed: RFC 8017, 7.1.1, the encoding by hand. */
export function oaepEncrypt(
  spki: Uint8Array,
  message: Uint8Array,
  oaepLabel: Uint8Array,
  seed: Uint8Array,
): Buffer {
  const k = 384
  const padding = Buffer.alloc(k - message.length - 2 * 32 - 2)
  const db = cat(sha256(oaepLabel), padding, u8(1), message)
  const maskedDb = xor(db, mgf1(seed, db.length))
  const maskedSeed = xor(seed, mgf1(maskedDb, 32))
  return rawRsa(spki, cat(u8(0), maskedSeed, maskedDb))
}

export function rawRsa(spki: Uint8Array, block: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, block)
}

/** RSA-OAEP decryption with SHA-256 for both hashes; anything wrong gives `undefined`. */
export function oaepDecrypt(
  key: KeyObject,
  ciphertext: Uint8Array,
  oaepLabel: Uint8Array,
): Buffer | undefined {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  try {
    return privateDecrypt({ key, padding, oaepHash: 'sha256', oaepLabel }, ciphertext)
  } catch {
    return undefined
  }
}

function mgf1(seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let i = 0; i * 32 < length; i++) blocks.push(sha256(seed, u32(i)))
  return cat(...blocks).subarray(0, length)
}

const xor = (a: Uint8Array, b: Uint8Array): Buffer => Buffer.from(a.map((byte, i) => byte ^ b[i]!))

// -------------------------------------------------------------------------------------------------
// message.md, "EtM"

/** IV ‖ C ‖ tag. */
export function etm(
  keys: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
  ad: Uint8Array,
): Buffer {
  const cipher = createCipheriv('aes-256-cbc', keys.subarray(0, 32), iv)
  return etmTagged(keys, cat(iv, cipher.update(plaintext), cipher.final()), ad)
}

/** The tag behind IV ‖ C. */
export function etmTagged(keys: Uint8Array, ivAndC: Uint8Array, ad: Uint8Array): Buffer {
  return cat(ivAndC, hmac(keys.subarray(32, 64), u32(ad.length), ad, ivAndC))
}

export function etmOpen(keys: Uint8Array, sealed: Uint8Array, ad: Uint8Array): Buffer | undefined {
  const body = sealed.subarray(0, sealed.length - 32)
  if (!etmTagged(keys, body, ad).equals(sealed)) return undefined
  try {
    const cipher = createDecipheriv('aes-256-cbc', keys.subarray(0, 32), body.subarray(0, 16))
    return cat(cipher.update(body.subarray(16)), cipher.final())
  } catch {
    return undefined
  }
}
