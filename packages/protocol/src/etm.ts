/**
 * EtM: encrypt-then-MAC with AES-256-CBC and HMAC-SHA-256. (spec/message.md, "EtM")
 *
 *     EtM(ke, km, P, AD) = IV ‖ C ‖ HMAC(km, len(AD) ‖ AD ‖ IV ‖ C)        len: u32
 *
 * The tag has its full 32 bytes and is compared in constant time before anything is decrypted.
 */
import { type Bytes, equalBytes } from '@couplet/wire'
import { IV_BYTES, KEY_BYTES, TAG_BYTES } from './constants.ts'
import type { Primitives } from './primitives.ts'

/** Bytes that EtM adds to a ciphertext: IV and tag. */
export const ETM_OVERHEAD_BYTES: number = IV_BYTES + TAG_BYTES

export interface EtmInput {
  /** ke ‖ km, 64 bytes. */
  readonly keys: Uint8Array
  /** 16 fresh random bytes. */
  readonly iv: Uint8Array
  readonly plaintext: Uint8Array
  /** Authenticated, not encrypted: the parts one after another. */
  readonly associatedData: readonly Uint8Array[]
}

/** Bytes of IV ‖ C ‖ tag: PKCS#7 adds at least one byte. */
export function etmLength(plaintextLength: number): number {
  return plaintextLength - (plaintextLength % BLOCK_BYTES) + BLOCK_BYTES + ETM_OVERHEAD_BYTES
}

/** IV ‖ C ‖ tag. */
export function etmSeal(primitives: Primitives, input: EtmInput): Bytes {
  const sealed = new Uint8Array(etmLength(input.plaintext.length))
  etmSealInto(primitives, input, { whole: sealed, from: 0, at: 0 })
  return sealed
}

/**
 * Writes IV ‖ C ‖ tag to where they belong in a larger whole, which is so made in one piece.
 *
 * @param place.from - where in the whole the last part of the associated data begins.
 * @param place.at - where that ends, and the IV begins.
 */
export function etmSealInto(
  primitives: Primitives,
  { keys, iv, plaintext, associatedData }: EtmInput,
  { whole, from, at }: { readonly whole: Uint8Array; readonly from: number; readonly at: number },
): void {
  const ciphertext = primitives.aesCbcEncrypt(keys.subarray(0, KEY_BYTES), iv, plaintext)
  whole.set(iv, at)
  whole.set(ciphertext, at + IV_BYTES)
  const end = at + IV_BYTES + ciphertext.length
  const parts = [...associatedData, whole.subarray(from, end)]
  const length = totalLength(associatedData) + at - from
  whole.set(etmTag(primitives, { keys, length, parts }), end)
}

/** The plaintext, or `undefined` when anything at all is wrong. */
export function etmOpen(
  primitives: Primitives,
  input: {
    readonly keys: Uint8Array
    /** IV ‖ C ‖ tag. */
    readonly sealed: Uint8Array
    readonly associatedData: readonly Uint8Array[]
  },
): Bytes | undefined {
  const { keys, sealed, associatedData } = input
  if (sealed.length < ETM_OVERHEAD_BYTES) return undefined
  const body = sealed.subarray(0, sealed.length - TAG_BYTES)
  const parts = [...associatedData, body]
  const expected = etmTag(primitives, { keys, length: totalLength(associatedData), parts })
  if (!equalBytes(expected, sealed.subarray(body.length))) return undefined
  return primitives.aesCbcDecrypt(
    keys.subarray(0, KEY_BYTES),
    body.subarray(0, IV_BYTES),
    body.subarray(IV_BYTES),
  )
}

/** HMAC(km, u32(length) ‖ parts): the length is that of the associated data among them. */
function etmTag(
  primitives: Primitives,
  input: {
    readonly keys: Uint8Array
    readonly length: number
    readonly parts: readonly Uint8Array[]
  },
): Bytes {
  const { keys, length, parts } = input
  const prefix = Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length)
  return primitives.hmacSha256(keys.subarray(KEY_BYTES), prefix, ...parts)
}

function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

const BLOCK_BYTES = 16
