/**
 * Identities: making one's own, and importing somebody else's with every check. (spec/identity.md)
 *
 * `identityId = SHA-256(label ‖ record)` is the one name of a user below the phone number.
 */
import {
  type Bytes,
  decodeIdentityRecord,
  encodeIdentityRecord,
  equalBytes,
  type IdentityRecord,
  identityIdPreimage,
  identitySignedBytes,
  joinSigned,
  splitSignedIdentity,
  WireError,
} from '@couplet/wire'
import { ProtocolError } from './errors.ts'
import { validateCurveKey, validateExchangeKey, validateSigningKey } from './key-validation.ts'
import type { ExchangePrivateKey, Primitives } from './primitives.ts'

/** A public identity whose keys and signature were checked. Only `importIdentity` makes one. */
export interface Identity {
  /** identityId, 32 bytes. */
  readonly id: Bytes
  readonly record: IdentityRecord
  /** The record and its signature as they travel, 570 bytes. */
  readonly signed: Bytes
}

/** One's own identity with its private halves. Never leaves the device. */
export interface OwnIdentity extends Identity {
  readonly exchangeKey: ExchangePrivateKey
  /** Ed25519 seed, 32 bytes. */
  readonly signingSeed: Bytes
  /** X25519 secret, 32 bytes. */
  readonly identitySecret: Bytes
}

/** Makes an identity from fresh keys and signs its record. */
export function createIdentity(
  primitives: Primitives,
  input: {
    readonly phone: IdentityRecord['phone']
    readonly createdAt: number
    readonly exchangePublicKey: Uint8Array
    readonly exchangeKey: ExchangePrivateKey
    /** 32 random bytes, kept. */
    readonly signingSeed: Bytes
    /** 32 random bytes, kept. */
    readonly identitySecret: Bytes
  },
): OwnIdentity {
  const record: IdentityRecord = {
    phone: input.phone,
    exchangeKey: input.exchangePublicKey,
    signingKey: primitives.ed25519PublicKey(input.signingSeed),
    identityKey: primitives.x25519PublicKey(input.identitySecret),
    createdAt: input.createdAt,
  }
  const encoded = encodeIdentityRecord(record)
  const signature = primitives.ed25519Sign(input.signingSeed, identitySignedBytes(encoded))
  return {
    id: primitives.sha256(identityIdPreimage(encoded)),
    record,
    signed: joinSigned({ encoded, signature }),
    exchangeKey: input.exchangeKey,
    signingSeed: input.signingSeed,
    identitySecret: input.identitySecret,
  }
}

/**
 * Takes a signed record from outside: exact form, good keys, its own signature.
 *
 * @param signed - record ‖ signature, 570 bytes; copied.
 * @param known - one that was imported before: if it is this one, byte for byte, nothing about it is
 *   judged again, which takes ten milliseconds.
 * @throws {ProtocolError} `malformed`, `invalid-key`, `invalid-signature`.
 */
export function importIdentity(
  primitives: Primitives,
  signed: Uint8Array,
  known?: Uint8Array,
): Identity {
  const own = new Uint8Array(signed)
  const { encoded, signature } = asProtocolError(() => splitSignedIdentity(own))
  const record = asProtocolError(() => decodeIdentityRecord(encoded))
  if (!known || !equalBytes(known, own)) judge(primitives, { record, encoded, signature })
  return { id: primitives.sha256(identityIdPreimage(encoded)), record, signed: own }
}

function judge(
  primitives: Primitives,
  {
    record,
    encoded,
    signature,
  }: {
    readonly record: IdentityRecord
    readonly encoded: Uint8Array
    readonly signature: Uint8Array
  },
): void {
  validateSigningKey(record.signingKey)
  validateCurveKey(record.identityKey)
  if (!primitives.ed25519Verify(record.signingKey, identitySignedBytes(encoded), signature)) {
    throw new ProtocolError('invalid-signature', 'identity record is not signed by its own key')
  }
  // Last because dearest, and only for records that somebody vouched for.
  validateExchangeKey(record.exchangeKey, primitives.isProbablePrime)
}

/** Runs a decoder of `wire`; its errors become `malformed` of the protocol. */
export function asProtocolError<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof WireError)
      throw new ProtocolError('malformed', error.message, { cause: error })
    throw error
  }
}
