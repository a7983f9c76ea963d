/**
 * Labels: every signature, hash and derived key has one of its own, so that no value made for one
 * purpose passes for another. (spec/conventions.md, "Labels")
 */
import { type Bytes, concatBytes, utf8 } from './bytes.ts'

/** A label as it enters a hash or a signature: its length as a byte, then `couplet/v1/…` in ASCII. */
export function label(purpose: string): Bytes {
  const text = utf8(`couplet/v1/${purpose}`)
  return concatBytes(Uint8Array.of(text.length), text)
}

/** The labels that both sides of the wire use; those of the key schedule are in `protocol`. */
export const LABEL_IDENTITY_ID: Bytes = label('identity-id')
export const LABEL_SIGN_IDENTITY: Bytes = label('sign/identity')
export const LABEL_SIGN_PREKEYS: Bytes = label('sign/prekeys')
export const LABEL_SIGN_REGISTRATION: Bytes = label('sign/registration')
export const LABEL_SIGN_LOGIN: Bytes = label('sign/login')
export const LABEL_SIGN_REQUEST: Bytes = label('sign/request')
