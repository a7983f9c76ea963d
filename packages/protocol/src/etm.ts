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

/** IV ‖ C ‖ tag. */
export function etmSeal(
  primitives: Primitives,
  { keys, iv, plaintext, associatedData }: EtmInput,
): Bytes {
  const ciphertext = primitives.aesCbcEncrypt(keys.subarray(0, KEY_BYTES), iv, plaintext)
  const sealed = new Uint8Array(ciphertext.length + ETM_OVERHEAD_BYTES)
  const body = sealed.subarray(0, sealed.length - TAG_BYTES)
  body.set(iv)
  body.set(ciphertext, IV_BYTES)
  sealed.set(etmTag(primitives, { keys, associatedData, body }), body.length)
  return sealed
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
  const expected = etmTag(primitives, { keys, associatedData, body })
  if (!equalBytes(expected, sealed.subarray(body.length))) return undefined
  return primitives.aesCbcDecrypt(
    keys.subarray(0, KEY_BYTES),
    body.subarray(0, IV_BYTES),
    body.subarray(IV_BYTES),
  )
}

function etmTag(
  primitives: Primitives,
  input: {
    readonly keys: Uint8Array
    readonly associatedData: readonly Uint8Array[]
    /** IV ‖ C. */
    readonly body: Uint8Array
  },
): Bytes {
  const { keys, associatedData, body } = input
  let length = 0
  for (const part of associatedData) length += part.length
  const prefix = Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length)
  return primitives.hmacSha256(keys.subarray(KEY_BYTES), prefix, ...associatedData, body)
}
