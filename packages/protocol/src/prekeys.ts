/**
 * Signed prekeys: what lets somebody begin a chat with a user who is away. (spec/identity.md)
 *
 * No one-time prekeys: they can be drained, turn reads into writes, and reveal presence when
 * refilled. Prekeys rotate instead; when, is the client's matter (constants.ts has the times).
 */
import {
  type Bytes,
  decodePrekeySet,
  encodePrekeySet,
  equalBytes,
  joinSigned,
  type PrekeySet,
  prekeysSignedBytes,
  splitSignedPrekeys,
} from '@couplet/wire'
import { PREKEY_LIFETIME_MS } from './constants.ts'
import { ProtocolError } from './errors.ts'
import { asProtocolError, type Identity, type OwnIdentity } from './identity.ts'
import { validateCurveKey, validateKemKey } from './key-validation.ts'
import type { Primitives } from './primitives.ts'

/** Somebody's prekeys, checked against their identity. Only `importPrekeys` makes one. */
export interface PrekeyBundle {
  readonly set: PrekeySet
  /** The set as it enters the transcript, 1263 bytes. */
  readonly encoded: Bytes
}

/** One's own prekeys with their private halves. */
export interface OwnPrekeys {
  readonly id: number
  /** X25519 secret, 32 bytes. */
  readonly secret: Bytes
  /** ML-KEM-768 seed d ‖ z, 64 bytes. */
  readonly kemSeed: Bytes
  readonly encoded: Bytes
  /** The set and its signature as they are published, 1327 bytes. */
  readonly signed: Bytes
}

export function createPrekeys(
  primitives: Primitives,
  input: {
    readonly owner: OwnIdentity
    /** Greater than every id before. */
    readonly id: number
    readonly now: number
    /** 32 random bytes, kept. */
    readonly secret: Bytes
    /** 64 random bytes, kept. */
    readonly kemSeed: Bytes
  },
): OwnPrekeys {
  const encoded = encodePrekeySet({
    identityId: input.owner.id,
    id: input.id,
    signedPrekey: primitives.x25519PublicKey(input.secret),
    kemPrekey: primitives.kemPublicKey(input.kemSeed),
    notAfter: input.now + PREKEY_LIFETIME_MS,
  })
  const signature = primitives.ed25519Sign(input.owner.signingSeed, prekeysSignedBytes(encoded))
  return {
    id: input.id,
    secret: input.secret,
    kemSeed: input.kemSeed,
    encoded,
    signed: joinSigned({ encoded, signature }),
  }
}

/**
 * Takes somebody's signed prekeys: exact form, theirs, signed, good keys, not expired, and not
 * older than ones seen before.
 *
 * @throws {ProtocolError} `malformed`, `invalid-key`, `invalid-signature`, `expired-prekeys`,
 *   `stale-prekeys`.
 */
export function importPrekeys(
  primitives: Primitives,
  input: {
    readonly owner: Identity
    readonly signed: Uint8Array
    readonly now: number
    /** Highest id seen from this identity, 0 for none. */
    readonly highestSeenId: number
  },
): PrekeyBundle {
  const own = new Uint8Array(input.signed)
  const { encoded, signature } = asProtocolError(() => splitSignedPrekeys(own))
  const set = asProtocolError(() => decodePrekeySet(encoded))
  if (!equalBytes(set.identityId, input.owner.id)) {
    throw new ProtocolError('invalid-signature', 'prekeys belong to another identity')
  }
  const { signingKey } = input.owner.record
  if (!primitives.ed25519Verify(signingKey, prekeysSignedBytes(encoded), signature)) {
    throw new ProtocolError('invalid-signature', 'prekeys are not signed by their identity')
  }
  if (set.id === 0) throw new ProtocolError('malformed', 'prekey ids begin at 1')
  validateCurveKey(set.signedPrekey)
  validateKemKey(set.kemPrekey)
  if (set.id < input.highestSeenId) throw new ProtocolError('stale-prekeys', 'prekeys went back')
  if (set.notAfter <= input.now) throw new ProtocolError('expired-prekeys', 'prekeys have expired')
  return { set, encoded: own.subarray(0, encoded.length) }
}
