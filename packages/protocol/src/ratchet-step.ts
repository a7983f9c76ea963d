/**
 * Steps of the ratchet: a new chain from a Diffie-Hellman secret, and now and then one of ML-KEM.
 * (spec/session.md, "Root step", "Sending", "Receiving")
 *
 *     step    RK', CK, NHK, reset key = HKDF(salt = RK, DH(own, theirs) ‖ [KEM secret], label)
 */
import { type Bytes, concatBytes, wipe } from '@couplet/wire'
import {
  ETM_KEYS_BYTES,
  KEM_STEP_INTERVAL,
  KEM_TIME_INTERVAL_MS,
  KEY_BYTES,
  REMEMBERED_CHAINS,
} from './constants.ts'
import { ProtocolError } from './errors.ts'
import { validateCurveKey } from './key-validation.ts'
import { LABEL_RATCHET } from './labels.ts'
import type { Header } from './message-header.ts'
import type { Primitives } from './primitives.ts'
import type { Session } from './session.ts'

/** Fresh random bytes for one message; what is not needed is not used. */
export interface MessageEntropy {
  /** IVs of header and content, 16 bytes each. */
  readonly headerIv: Bytes
  readonly contentIv: Bytes
  /** Secret of a new ratchet key, 32 bytes. */
  readonly ratchetSeed: Bytes
  /** Seed of a KEM key to offer, 64 bytes. */
  readonly kemSeed: Bytes
}

/** This end turns its ratchet: its next message opens a chain. */
export function sendingStep(
  primitives: Primitives,
  session: Session,
  { entropy, now }: { readonly entropy: MessageEntropy; readonly now: number },
): Session {
  const remote = session.remote
  if (!remote) throw new ProtocolError('unreadable-state', 'session has no remote key')
  const secret = new Uint8Array(entropy.ratchetSeed)
  const kem = remote.offer ? primitives.kemEncapsulate(remote.offer) : undefined
  const derived = rootStep(primitives, {
    rootKey: session.rootKey,
    secret,
    remoteKey: remote.key,
    kemSecret: kem?.sharedSecret,
  })
  const stepsSinceKem = kem ? 0 : session.stepsSinceKem + 1
  const kemMixedAt = kem ? now : session.kemMixedAt
  const offers = stepsSinceKem >= KEM_STEP_INTERVAL || now - kemMixedAt >= KEM_TIME_INTERVAL_MS
  return {
    ...session,
    rootKey: derived.rootKey,
    sending: {
      index: session.sending ? session.sending.index + 1 : 0,
      key: derived.chainKey,
      headerKey: session.nextSendingHeaderKey,
      count: 0,
      receipted: 0,
      publicKey: primitives.x25519PublicKey(secret, true),
      secret,
      offer: offers ? kemOffer(primitives, entropy.kemSeed) : undefined,
      ciphertext: kem?.ciphertext,
      announce: true,
    },
    nextSendingHeaderKey: derived.nextHeaderKey,
    stepDue: false,
    stepsSinceKem,
    kemMixedAt,
    continuity: {
      ...session.continuity,
      accepted: [derived.resetKey, ...session.continuity.accepted].slice(0, 2),
    },
  }
}

/** The peer has turned its ratchet: a chain of its messages begins. */
export function receivingStep(
  primitives: Primitives,
  session: Session,
  header: Header,
  { now, initialSecret }: { readonly now: number; readonly initialSecret?: Uint8Array },
): Session {
  validateCurveKey(header.ratchetKey)
  const secret = session.sending?.secret ?? initialSecret
  if (!secret) throw new ProtocolError('undecryptable', 'no own key for this chain')
  const offerSeed = session.sending?.offer?.seed
  if (header.ciphertext && !offerSeed) {
    throw new ProtocolError('undecryptable', 'answers an offer that was not made')
  }
  const mixed = header.ciphertext !== undefined && offerSeed !== undefined
  const derived = rootStep(primitives, {
    rootKey: session.rootKey,
    secret,
    remoteKey: header.ratchetKey,
    kemSecret: mixed ? primitives.kemDecapsulate(offerSeed, header.ciphertext) : undefined,
  })
  const past = session.receiving
    ? [session.receiving.headerKey, ...session.pastHeaderKeys].slice(0, REMEMBERED_CHAINS)
    : session.pastHeaderKeys
  return {
    ...session,
    rootKey: derived.rootKey,
    established: session.established || session.sending !== undefined,
    // Its secret half has done its work; an offer that this step did not answer is void.
    sending: session.sending && { ...session.sending, secret: undefined, offer: undefined },
    remote: { key: header.ratchetKey.slice(), offer: header.offer?.slice() },
    receiving: { key: derived.chainKey, headerKey: session.nextReceivingHeaderKey, count: 0 },
    nextReceivingHeaderKey: derived.nextHeaderKey,
    pastHeaderKeys: past,
    stepDue: true,
    stepsSinceKem: mixed ? 0 : session.stepsSinceKem + 1,
    kemMixedAt: mixed ? now : session.kemMixedAt,
    continuity: { ...session.continuity, proving: derived.resetKey },
  }
}

function kemOffer(primitives: Primitives, freshSeed: Bytes): { seed: Bytes; key: Bytes } {
  const seed = new Uint8Array(freshSeed)
  return { seed, key: primitives.kemPublicKey(seed) }
}

/** KDF_RK: RK' ‖ CK ‖ NHK ‖ reset key. Wipes the KEM secret. */
function rootStep(
  primitives: Primitives,
  input: {
    readonly rootKey: Uint8Array
    readonly secret: Uint8Array
    readonly remoteKey: Uint8Array
    readonly kemSecret: Bytes | undefined
  },
): { rootKey: Bytes; chainKey: Bytes; nextHeaderKey: Bytes; resetKey: Bytes } {
  const shared = primitives.x25519(input.secret, input.remoteKey)
  if (!shared) throw new ProtocolError('invalid-key', 'key agreement gave zero')
  const ikm = input.kemSecret ? concatBytes(shared, input.kemSecret) : shared
  const okm = primitives.hkdfSha256({
    salt: input.rootKey,
    ikm,
    info: LABEL_RATCHET,
    length: 3 * KEY_BYTES + ETM_KEYS_BYTES,
  })
  const derived = {
    rootKey: okm.slice(0, 32),
    chainKey: okm.slice(32, 64),
    nextHeaderKey: okm.slice(64, 128),
    resetKey: okm.slice(128, 160),
  }
  wipe(shared, ikm, input.kemSecret, okm)
  return derived
}
