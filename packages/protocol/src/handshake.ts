/**
 * The handshake: PQXDH with an RSA-wrapped session secret. (spec/handshake.md)
 *
 *     EK ← X25519 pair          S ← 32 random bytes: the chat's session secret
 *     ctR = RSA-OAEP(RSA_B, S)           (ctK, K) = ML-KEM-768.Encaps(PQSPK_B)
 *     th1 = SHA-256(label ‖ identityId_B ‖ prekey set of B ‖ EK ‖ ctR ‖ ctK)
 *     ck  = HKDF(salt = th1, 0xFF*32 ‖ S ‖ DH(EK, IK_B) ‖ DH(EK, SPK_B) ‖ K)
 *     idb = EtM(keys from ck, signed identity record of A ‖ continuity proof, AD = th1)
 *     th2 = SHA-256(label ‖ th1 ‖ idb ‖ identityId_A ‖ identityId_B)
 *     RK ‖ header keys ‖ reset key ‖ sid = HKDF(salt = ck, DH(IK_A, SPK_B), info = label ‖ th2)
 *
 * All of RSA, X25519 and ML-KEM must be broken to learn ck. DH(IK_A, SPK_B) authenticates the
 * initiator, deniably. Identities, roles, keys and ciphertexts are all in the derivation: nobody
 * can make another's handshake its own.
 *
 * Left to the caller: whether H(th1) was seen before (`handshakeHash` is cheap, ask first), and
 * what a missing continuity proof means (session-choice.ts).
 */
import { type Bytes, concatBytes, equalBytes, SIGNED_IDENTITY_BYTES, wipe } from '@couplet/wire'
import { KEY_BYTES, RSA_CIPHERTEXT_BYTES } from './constants.ts'
import { type HandshakeHeader, parseEnvelope } from './envelope.ts'
import { ProtocolError } from './errors.ts'
import { etmOpen, etmSeal } from './etm.ts'
import { type Identity, importIdentity, type OwnIdentity } from './identity.ts'
import {
  agree,
  continuityProof,
  handshakeKey,
  hashTranscript,
  identityBlockKeys,
  sessionSecrets,
  transcript1,
  transcript2,
} from './key-schedule.ts'
import { validateCurveKey } from './key-validation.ts'
import { LABEL_SESSION_SECRET } from './labels.ts'
import type { OwnPrekeys, PrekeyBundle } from './prekeys.ts'
import type { Primitives } from './primitives.ts'
import { type Opened, openMessage } from './ratchet.ts'
import type { Session } from './session.ts'

/** Fresh secrets of the initiator; all wiped by the caller afterwards. */
export interface HandshakeEntropy {
  /** Secret of EK, 32 bytes. */
  readonly ephemeralSeed: Bytes
  /** S, 32 bytes. */
  readonly sessionSecret: Bytes
  /** IV of idb, 16 bytes. */
  readonly identityBlockIv: Bytes
}

/**
 * Begins a chat as initiator. Nothing is sent: the handshake rides on the session's first messages.
 *
 * @param input.peer - checked identity of the other end, `prekeys` its checked prekeys.
 * @param input.continues - the session that this one replaces, to prove continuity.
 * @throws {ProtocolError} `invalid-key` when a DH result is zero.
 */
export async function initiateSession(
  primitives: Primitives,
  input: {
    readonly self: OwnIdentity
    readonly peer: Identity
    readonly prekeys: PrekeyBundle
    readonly continues?: Pick<Session, 'continuity'> | undefined
    readonly entropy: HandshakeEntropy
    readonly now: number
  },
): Promise<Session> {
  const { self, peer, prekeys, entropy } = input
  const wrappedSecret = await primitives.rsaOaepEncrypt(
    peer.record.exchangeKey,
    entropy.sessionSecret,
    LABEL_SESSION_SECRET,
  )
  const { ciphertext, sharedSecret } = primitives.kemEncapsulate(prekeys.set.kemPrekey)
  const offer = {
    ephemeralKey: primitives.x25519PublicKey(entropy.ephemeralSeed),
    wrappedSecret,
    encapsulatedKey: ciphertext,
  }
  const th1 = transcript1(primitives, peer.id, prekeys.encoded, offer)
  const hash = hashTranscript(primitives, th1)
  const ck = handshakeKey(primitives, th1, [
    entropy.sessionSecret,
    agree(primitives, entropy.ephemeralSeed, peer.record.identityKey, 'invalid-key'),
    agree(primitives, entropy.ephemeralSeed, prekeys.set.signedPrekey, 'invalid-key'),
    sharedSecret,
  ])
  const proof = input.continues
    ? continuityProof(primitives, input.continues.continuity.proving, hash)
    : NO_PROOF
  const identityBlock = etmSeal(primitives, {
    keys: identityBlockKeys(primitives, ck),
    iv: entropy.identityBlockIv,
    plaintext: concatBytes(self.signed, proof),
    associatedData: [th1],
  })
  const authenticator = agree(
    primitives,
    self.identitySecret,
    prekeys.set.signedPrekey,
    'invalid-key',
  )
  const secrets = sessionSecrets(primitives, {
    ck,
    authenticator,
    th2: transcript2(primitives, { th1, identityBlock, initiator: self.id, responder: peer.id }),
  })
  wipe(sharedSecret, ck, authenticator)
  return {
    ...blankSession(input.now),
    id: secrets.id,
    handshakeHash: hash,
    role: 'initiator',
    successor: input.continues !== undefined,
    self: self.id,
    peer: peer.id,
    handshake: { prekeyId: prekeys.set.id, ...offer, identityBlock },
    rootKey: secrets.rootKey,
    nextSendingHeaderKey: secrets.initiatorHeaderKey,
    nextReceivingHeaderKey: secrets.responderHeaderKey,
    remote: { key: prekeys.set.signedPrekey.slice(), offer: undefined },
    stepDue: true,
    continuity: { proving: secrets.resetKey, accepted: [secrets.resetKey] },
  }
}

/**
 * H(th1) of a handshake made for these prekeys: what a replay is known by. Costs one hash.
 *
 * @throws {ProtocolError} `malformed` for an envelope without a handshake.
 */
export function handshakeHash(
  primitives: Primitives,
  input: {
    readonly self: Identity
    readonly prekeys: OwnPrekeys
    readonly header: HandshakeHeader
  },
): Bytes {
  const { self, prekeys, header } = input
  return hashTranscript(primitives, transcript1(primitives, self.id, prekeys.encoded, header))
}

/**
 * The session secret S of a handshake: one RSA private operation. Whatever is wrong with ctR, the
 * answer is `fallback`, and the failure shows where every failure shows: at the MAC of idb.
 *
 * @param fallback - 32 random bytes.
 */
export async function unwrapSessionSecret(
  primitives: Primitives,
  self: OwnIdentity,
  header: HandshakeHeader,
  fallback: Bytes,
): Promise<Bytes> {
  if (header.wrappedSecret.length !== RSA_CIPHERTEXT_BYTES) return fallback
  const secret = await primitives.rsaOaepDecrypt(
    self.exchangeKey,
    header.wrappedSecret,
    LABEL_SESSION_SECRET,
  )
  return secret?.length === KEY_BYTES ? secret : fallback
}

/** What a handshake and the message that it rode on give. */
export interface Accepted extends Opened {
  /** The initiator, checked and authenticated. */
  readonly peer: Identity
  /** Checks the initiator's claim to continue a session; false for none or a wrong one. */
  readonly continues: (session: Pick<Session, 'continuity'>) => boolean
}

/**
 * Accepts a handshake as responder and opens the message that it rides on. Only when the message's
 * own MAC has verified is there a session at all.
 *
 * @param input.prekeys - own prekeys that the handshake names.
 * @param input.sessionSecret - from `unwrapSessionSecret`.
 * @throws {ProtocolError} `undecryptable` for every failure of authentication; `malformed`,
 *   `invalid-key` or `invalid-signature` for an initiator whose identity is not a good one.
 */
export function acceptSession(
  primitives: Primitives,
  input: {
    readonly self: OwnIdentity
    readonly prekeys: OwnPrekeys
    readonly envelope: Uint8Array
    readonly sessionSecret: Uint8Array
    readonly now: number
  },
): Accepted {
  const { self, prekeys } = input
  const header = parseEnvelope(input.envelope).handshake
  if (!header) throw new ProtocolError('malformed', 'envelope has no handshake')
  validateCurveKey(header.ephemeralKey)
  const th1 = transcript1(primitives, self.id, prekeys.encoded, header)
  const hash = hashTranscript(primitives, th1)
  const ck = handshakeKey(primitives, th1, [
    input.sessionSecret,
    agree(primitives, self.identitySecret, header.ephemeralKey, 'undecryptable'),
    agree(primitives, prekeys.secret, header.ephemeralKey, 'undecryptable'),
    primitives.kemDecapsulate(prekeys.kemSeed, header.encapsulatedKey),
  ])
  const block = etmOpen(primitives, {
    keys: identityBlockKeys(primitives, ck),
    sealed: header.identityBlock,
    associatedData: [th1],
  })
  if (block?.length !== SIGNED_IDENTITY_BYTES + KEY_BYTES) {
    throw new ProtocolError('undecryptable', 'handshake does not authenticate')
  }
  const peer = importIdentity(primitives, block.subarray(0, SIGNED_IDENTITY_BYTES))
  const proof = block.slice(SIGNED_IDENTITY_BYTES)
  const authenticator = agree(primitives, prekeys.secret, peer.record.identityKey, 'undecryptable')
  const secrets = sessionSecrets(primitives, {
    ck,
    authenticator,
    th2: transcript2(primitives, {
      th1,
      identityBlock: header.identityBlock,
      initiator: peer.id,
      responder: self.id,
    }),
  })
  wipe(ck, authenticator)
  const session: Session = {
    ...blankSession(input.now),
    id: secrets.id,
    handshakeHash: hash,
    role: 'responder',
    successor: !equalBytes(proof, NO_PROOF),
    self: self.id,
    peer: peer.id,
    handshake: undefined,
    rootKey: secrets.rootKey,
    nextSendingHeaderKey: secrets.responderHeaderKey,
    nextReceivingHeaderKey: secrets.initiatorHeaderKey,
    remote: undefined,
    stepDue: false,
    continuity: { proving: secrets.resetKey, accepted: [secrets.resetKey] },
  }
  const opened = openMessage(primitives, session, input.envelope, {
    now: input.now,
    initialSecret: prekeys.secret,
  })
  if (opened.kind !== 'opened') {
    throw new ProtocolError('undecryptable', 'first message does not authenticate')
  }
  return {
    ...opened,
    peer,
    continues: (earlier) => provesContinuity(primitives, earlier, hash, proof),
  }
}

function provesContinuity(
  primitives: Primitives,
  earlier: Pick<Session, 'continuity'>,
  hash: Uint8Array,
  proof: Uint8Array,
): boolean {
  let proven = false
  for (const key of earlier.continuity.accepted) {
    if (equalBytes(continuityProof(primitives, key, hash), proof)) proven = true
  }
  return proven
}

/** The fields that every session begins with. */
function blankSession(
  now: number,
): Pick<
  Session,
  | 'createdAt'
  | 'standing'
  | 'established'
  | 'unproven'
  | 'sending'
  | 'receiving'
  | 'pastHeaderKeys'
  | 'stepsSinceKem'
  | 'kemMixedAt'
> {
  return {
    createdAt: now,
    standing: 'live',
    established: false,
    unproven: false,
    sending: undefined,
    receiving: undefined,
    pastHeaderKeys: [],
    stepsSinceKem: 0,
    kemMixedAt: now,
  }
}

const NO_PROOF = new Uint8Array(KEY_BYTES)
