/**
 * What the server believes before it publishes somebody's keys: that record and prekeys are whole,
 * signed by their owner, and belong together. (spec/identity.md)
 *
 * Whether the keys are good ones is judged by the clients that use them: the server could lie.
 */
import {
  decodeIdentityRecord,
  decodePrekeySet,
  equalBytes,
  type IdentityRecord,
  identityIdPreimage,
  identitySignedBytes,
  type PrekeySet,
  prekeysSignedBytes,
  splitSignedIdentity,
  splitSignedPrekeys,
  WireError,
} from '@couplet/wire'
import { sha256, verifies } from './signatures.ts'

/** Prekeys may be published for this long ahead: 30 days (protocol.md) and a day of clock. */
export const MAX_PREKEY_LIFETIME_MS: number = 31 * 24 * 60 * 60 * 1000

export interface CheckedIdentity {
  readonly record: IdentityRecord
  readonly identityId: Uint8Array
}

/** @throws {WireError} `malformed`, `invalid-phone-number`, `invalid-identity`. */
export function checkIdentity(signed: Uint8Array): CheckedIdentity {
  const { encoded, signature } = splitSignedIdentity(signed)
  const record = decodeIdentityRecord(encoded)
  if (!verifies(record.signingKey, identitySignedBytes(encoded), signature)) {
    throw new WireError('invalid-identity', 'the identity record is not signed by its own key')
  }
  return { record, identityId: sha256(identityIdPreimage(encoded)) }
}

/** @throws {WireError} `malformed`, `invalid-identity`. */
export function checkPrekeys(signed: Uint8Array, owner: CheckedIdentity, now: number): PrekeySet {
  const { encoded, signature } = splitSignedPrekeys(signed)
  const prekeys = decodePrekeySet(encoded)
  if (!equalBytes(prekeys.identityId, owner.identityId)) {
    throw new WireError('invalid-identity', 'the prekeys belong to another identity')
  }
  if (!verifies(owner.record.signingKey, prekeysSignedBytes(encoded), signature)) {
    throw new WireError('invalid-identity', 'the prekeys are not signed by their owner')
  }
  if (prekeys.id === 0) throw new WireError('invalid-identity', 'prekey ids begin at 1')
  if (prekeys.notAfter <= now || prekeys.notAfter > now + MAX_PREKEY_LIFETIME_MS) {
    throw new WireError('invalid-identity', 'the prekeys have expired, or last too long')
  }
  return prekeys
}
