/**
 * The key schedule of the handshake, the same for both roles. (spec/handshake.md)
 *
 *     th1 = SHA-256(label ‖ identityId_B ‖ prekey set of B ‖ EK ‖ ctR ‖ ctK)
 *     ck  = HKDF(salt = th1, 0xFF*32 ‖ S ‖ DH(EK, IK_B) ‖ DH(EK, SPK_B) ‖ K)
 *     th2 = SHA-256(label ‖ th1 ‖ idb ‖ identityId_A ‖ identityId_B)
 *     RK ‖ header keys ‖ reset key ‖ sid = HKDF(salt = ck, DH(IK_A, SPK_B), info = label ‖ th2)
 */
import { type Bytes, concatBytes, KEY_TYPE, wipe } from '@couplet/wire'
import { ETM_KEYS_BYTES, KEY_BYTES } from './constants.ts'
import type { HandshakeHeader } from './envelope.ts'
import { ProtocolError } from './errors.ts'
import {
  LABEL_CONTINUITY,
  LABEL_HANDSHAKE_HASH,
  LABEL_HANDSHAKE_KEY,
  LABEL_IDENTITY_BLOCK,
  LABEL_SESSION,
  LABEL_TRANSCRIPT_1,
  LABEL_TRANSCRIPT_2,
} from './labels.ts'
import type { Primitives } from './primitives.ts'

type Offer = Pick<HandshakeHeader, 'ephemeralKey' | 'wrappedSecret' | 'encapsulatedKey'>

export function transcript1(
  primitives: Primitives,
  responder: Uint8Array,
  encodedPrekeys: Uint8Array,
  offer: Offer,
): Bytes {
  return primitives.sha256(
    concatBytes(
      LABEL_TRANSCRIPT_1,
      responder,
      encodedPrekeys,
      Uint8Array.of(KEY_TYPE.x25519),
      offer.ephemeralKey,
      offer.wrappedSecret,
      offer.encapsulatedKey,
    ),
  )
}

export function hashTranscript(primitives: Primitives, th1: Uint8Array): Bytes {
  return primitives.sha256(concatBytes(LABEL_HANDSHAKE_HASH, th1))
}

/** ck, from secrets in the order S, DH(EK, IK_B), DH(EK, SPK_B), K; they are wiped. */
export function handshakeKey(
  primitives: Primitives,
  th1: Uint8Array,
  secrets: readonly [Uint8Array, Bytes, Bytes, Bytes],
): Bytes {
  const ikm = concatBytes(FULL, ...secrets)
  const ck = primitives.hkdfSha256({ salt: th1, ikm, info: LABEL_HANDSHAKE_KEY, length: KEY_BYTES })
  wipe(ikm, ...secrets.slice(1))
  return ck
}

export function identityBlockKeys(primitives: Primitives, ck: Uint8Array): Bytes {
  return primitives.hkdfSha256({
    salt: ck,
    ikm: new Uint8Array(),
    info: LABEL_IDENTITY_BLOCK,
    length: ETM_KEYS_BYTES,
  })
}

export function transcript2(
  primitives: Primitives,
  input: {
    readonly th1: Uint8Array
    readonly identityBlock: Uint8Array
    readonly initiator: Uint8Array
    readonly responder: Uint8Array
  },
): Bytes {
  const { th1, identityBlock, initiator, responder } = input
  return primitives.sha256(
    concatBytes(LABEL_TRANSCRIPT_2, th1, identityBlock, initiator, responder),
  )
}

export interface SessionSecrets {
  /** RK */
  readonly rootKey: Bytes
  /** Header keys of the initiator's first chain and of the responder's. */
  readonly initiatorHeaderKey: Bytes
  readonly responderHeaderKey: Bytes
  readonly resetKey: Bytes
  /** sid */
  readonly id: Bytes
}

export function sessionSecrets(
  primitives: Primitives,
  input: { readonly ck: Uint8Array; readonly authenticator: Uint8Array; readonly th2: Uint8Array },
): SessionSecrets {
  const okm = primitives.hkdfSha256({
    salt: input.ck,
    ikm: input.authenticator,
    info: concatBytes(LABEL_SESSION, input.th2),
    length: 3 * KEY_BYTES + 2 * ETM_KEYS_BYTES,
  })
  const secrets = {
    rootKey: okm.slice(0, 32),
    initiatorHeaderKey: okm.slice(32, 96),
    responderHeaderKey: okm.slice(96, 160),
    resetKey: okm.slice(160, 192),
    id: okm.slice(192, 224),
  }
  wipe(okm)
  return secrets
}

/** DH, refusing the all-zero result (RFC 7748, 6.1). */
export function agree(
  primitives: Primitives,
  secret: Uint8Array,
  publicKey: Uint8Array,
  otherwise: 'invalid-key' | 'undecryptable',
): Bytes {
  const shared = primitives.x25519(secret, publicKey)
  if (!shared) throw new ProtocolError(otherwise, 'key agreement gave zero')
  return shared
}

export function continuityProof(
  primitives: Primitives,
  resetKey: Uint8Array,
  hash: Uint8Array,
): Bytes {
  return primitives.hmacSha256(resetKey, LABEL_CONTINUITY, hash)
}

/** X3DH's domain separation from a curve point. */
const FULL = new Uint8Array(KEY_BYTES).fill(0xff)
