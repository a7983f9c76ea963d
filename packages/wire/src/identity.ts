/**
 * Identity records and prekey sets: their bytes, and what exactly is signed. (spec/identity.md)
 *
 * Encoding only. Whether the keys inside are good ones is judged by `protocol`; whether a
 * signature verifies is asked of the caller's cryptography.
 */
import { type Bytes, concatBytes } from './bytes.ts'
import { Reader, Writer } from './codec.ts'
import { LABEL_IDENTITY_ID, LABEL_SIGN_IDENTITY, LABEL_SIGN_PREKEYS } from './labels.ts'
import { type PhoneNumber, phoneNumberFromInteger, phoneNumberToInteger } from './phone-number.ts'

/** Type bytes: every public key in a signed structure or a transcript carries one. */
export const KEY_TYPE = { x25519: 0x01, mlKem768: 0x02, rsa3072: 0x03, ed25519: 0x04 } as const

export const SIGNATURE_BYTES = 64
export const IDENTITY_ID_BYTES = 32
export const RSA_SPKI_BYTES = 422
export const CURVE_KEY_BYTES = 32
export const KEM_PUBLIC_KEY_BYTES = 1184
export const IDENTITY_RECORD_BYTES = 506
export const PREKEY_SET_BYTES = 1263
/** A record or a prekey set with its signature behind it. */
export const SIGNED_IDENTITY_BYTES: number = IDENTITY_RECORD_BYTES + SIGNATURE_BYTES
export const SIGNED_PREKEYS_BYTES: number = PREKEY_SET_BYTES + SIGNATURE_BYTES

/** Who somebody is: a phone number and three public keys, one for each purpose. */
export interface IdentityRecord {
  readonly phone: PhoneNumber
  /** RSA-3072 as SubjectPublicKeyInfo (DER), 422 bytes: receives session secrets. */
  readonly exchangeKey: Uint8Array
  /** Ed25519, 32 bytes: signs. */
  readonly signingKey: Uint8Array
  /** X25519, 32 bytes: authenticates handshakes. (IK) */
  readonly identityKey: Uint8Array
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

/** What a user publishes so that others can begin a chat while the user is away. */
export interface PrekeySet {
  /** SHA-256 name of the identity that these prekeys belong to, 32 bytes. */
  readonly identityId: Uint8Array
  /** Counts up from 1; a contact refuses a lower one than it has seen. */
  readonly id: number
  /** X25519, 32 bytes. (SPK) */
  readonly signedPrekey: Uint8Array
  /** ML-KEM-768 encapsulation key, 1184 bytes. (PQSPK) */
  readonly kemPrekey: Uint8Array
  /** Milliseconds since 1970, after which nobody begins a chat with these. */
  readonly notAfter: number
}

/** A structure's bytes and the Ed25519 signature over its label and those bytes. */
export interface Signed {
  readonly encoded: Uint8Array
  readonly signature: Uint8Array
}

const VERSION = 0x01

export function encodeIdentityRecord(record: IdentityRecord): Bytes {
  return new Writer()
    .u8(VERSION)
    .u64(phoneNumberToInteger(record.phone))
    .u8(KEY_TYPE.rsa3072)
    .bytes(record.exchangeKey)
    .u8(KEY_TYPE.ed25519)
    .bytes(record.signingKey)
    .u8(KEY_TYPE.x25519)
    .bytes(record.identityKey)
    .u64(record.createdAt)
    .finish()
}

/** @throws {WireError} `malformed`; `invalid-phone-number`. Fields are views into `encoded`. */
export function decodeIdentityRecord(encoded: Uint8Array): IdentityRecord {
  const reader = new Reader(encoded).expect(VERSION, 'version of the identity record')
  const phone = phoneNumberFromInteger(reader.u64())
  const exchangeKey = reader.expect(KEY_TYPE.rsa3072, 'key type').bytes(RSA_SPKI_BYTES)
  const signingKey = reader.expect(KEY_TYPE.ed25519, 'key type').bytes(CURVE_KEY_BYTES)
  const identityKey = reader.expect(KEY_TYPE.x25519, 'key type').bytes(CURVE_KEY_BYTES)
  const createdAt = reader.u64()
  reader.finish()
  return { phone, exchangeKey, signingKey, identityKey, createdAt }
}

export function encodePrekeySet(prekeys: PrekeySet): Bytes {
  return new Writer()
    .u8(VERSION)
    .bytes(prekeys.identityId)
    .u32(prekeys.id)
    .u8(KEY_TYPE.x25519)
    .bytes(prekeys.signedPrekey)
    .u8(KEY_TYPE.mlKem768)
    .bytes(prekeys.kemPrekey)
    .u64(prekeys.notAfter)
    .finish()
}

/** @throws {WireError} `malformed`. Fields are views into `encoded`. */
export function decodePrekeySet(encoded: Uint8Array): PrekeySet {
  const reader = new Reader(encoded).expect(VERSION, 'version of the prekey set')
  const identityId = reader.bytes(IDENTITY_ID_BYTES)
  const id = reader.u32()
  const signedPrekey = reader.expect(KEY_TYPE.x25519, 'key type').bytes(CURVE_KEY_BYTES)
  const kemPrekey = reader.expect(KEY_TYPE.mlKem768, 'key type').bytes(KEM_PUBLIC_KEY_BYTES)
  const notAfter = reader.u64()
  reader.finish()
  return { identityId, id, signedPrekey, kemPrekey, notAfter }
}

/** What is hashed for `identityId = SHA-256(label ‖ record)`. */
export function identityIdPreimage(encodedRecord: Uint8Array): Bytes {
  return concatBytes(LABEL_IDENTITY_ID, encodedRecord)
}

/** What the identity's own Ed25519 key signs to vouch for its record. */
export function identitySignedBytes(encodedRecord: Uint8Array): Bytes {
  return concatBytes(LABEL_SIGN_IDENTITY, encodedRecord)
}

/** What the identity's Ed25519 key signs to vouch for its prekeys. */
export function prekeysSignedBytes(encodedPrekeys: Uint8Array): Bytes {
  return concatBytes(LABEL_SIGN_PREKEYS, encodedPrekeys)
}

/** One blob as it travels: the structure, then its signature. */
export function joinSigned(signed: Signed): Bytes {
  return concatBytes(signed.encoded, signed.signature)
}

/** @throws {WireError} `malformed` unless the blob has exactly the length of a signed record. */
export function splitSignedIdentity(blob: Uint8Array): Signed {
  return splitSigned(blob, IDENTITY_RECORD_BYTES)
}

/** @throws {WireError} `malformed` unless the blob has exactly the length of a signed prekey set. */
export function splitSignedPrekeys(blob: Uint8Array): Signed {
  return splitSigned(blob, PREKEY_SET_BYTES)
}

function splitSigned(blob: Uint8Array, length: number): Signed {
  const reader = new Reader(blob)
  const encoded = reader.bytes(length)
  const signature = reader.bytes(SIGNATURE_BYTES)
  reader.finish()
  return { encoded, signature }
}
