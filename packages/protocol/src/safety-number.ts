/**
 * The safety number: sixty digits that two people compare to know that nobody sits between them.
 * (spec/safety-number.md; construction: Signal's numeric fingerprint)
 *
 * Each half is SHA-512 iterated 5,200 times over one person's identityId, which covers all three of
 * that person's keys, and phone number. The halves are sorted, so both ends see the same digits.
 */
import {
  type Bytes,
  compareBytes,
  concatBytes,
  equalBytes,
  type PhoneNumber,
  phoneNumberFromInteger,
  phoneNumberToInteger,
  Reader,
  utf8,
  Writer,
} from '@couplet/wire'
import { asProtocolError, type Identity } from './identity.ts'
import { LABEL_SAFETY_NUMBER } from './labels.ts'
import type { Primitives } from './primitives.ts'

/** Sixty digits without spaces. Takes some milliseconds, on purpose. */
export function safetyNumber(primitives: Primitives, a: Identity, b: Identity): string {
  const halves = [fingerprint(primitives, a), fingerprint(primitives, b)].sort(compareBytes)
  return halves.map(toDigits).join('')
}

/** The bytes of the QR code that its owner shows to a contact. */
export function encodeVerificationCode(own: Identity, contact: Identity): Bytes {
  return new Writer()
    .bytes(CODE_MAGIC)
    .u8(CODE_VERSION)
    .u64(phoneNumberToInteger(own.record.phone))
    .bytes(own.id)
    .bytes(contact.id)
    .finish()
}

/** What a scanned code says: who showed it, and for which identity. */
export interface VerificationCode {
  readonly phone: PhoneNumber
  readonly identityId: Uint8Array
  readonly contactId: Uint8Array
}

/** @throws {ProtocolError} `malformed`. */
export function decodeVerificationCode(code: Uint8Array): VerificationCode {
  return asProtocolError(() => {
    const reader = new Reader(code)
    for (const byte of CODE_MAGIC) reader.expect(byte, 'code')
    const phone = phoneNumberFromInteger(reader.expect(CODE_VERSION, 'version of the code').u64())
    const identityId = reader.bytes(32)
    const contactId = reader.bytes(32)
    reader.finish()
    return { phone, identityId, contactId }
  })
}

/** Whether the code that `contact` showed proves that each of us has the other's true keys. */
export function matchesVerificationCode(
  code: VerificationCode,
  own: Identity,
  contact: Identity,
): boolean {
  const theirs = equalBytes(code.identityId, contact.id)
  const ours = equalBytes(code.contactId, own.id)
  return theirs && ours && code.phone === contact.record.phone
}

function fingerprint(primitives: Primitives, { id, record }: Identity): Bytes {
  const phone = new Writer().u64(phoneNumberToInteger(record.phone)).finish()
  let hash = primitives.sha512(concatBytes(LABEL_SAFETY_NUMBER, id, phone))
  for (let i = 1; i < ITERATIONS; i++) hash = primitives.sha512(concatBytes(hash, id))
  return hash.slice(0, 5 * GROUPS)
}

/** Five bytes, big-endian, make five digits: their value modulo 100,000. */
function toDigits(fingerprintBytes: Uint8Array): string {
  let digits = ''
  for (let i = 0; i < fingerprintBytes.length; i += 5) {
    let value = 0
    for (const byte of fingerprintBytes.subarray(i, i + 5)) value = value * 256 + byte
    digits += String(value % 100_000).padStart(5, '0')
  }
  return digits
}

const ITERATIONS = 5200
const GROUPS = 6
const CODE_MAGIC = utf8('couplet')
const CODE_VERSION = 1
