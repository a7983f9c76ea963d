/**
 * The Double Ratchet with header encryption and a post-quantum step, in order only.
 * (spec/session.md; Double Ratchet, revision 4, with the names of its section 4)
 *
 *     step    RK', CK, NHK, reset key = HKDF(salt = RK, DH(own, theirs) ‖ [KEM secret], label)
 *     chain   MK = HMAC(CK, 0x01)          CK' = HMAC(CK, 0x02)
 *     keys    encKey ‖ macKey ‖ receiptKey = HKDF(MK, label, 96)
 *     header  type ‖ dhPub ‖ n ‖ flags ‖ [type ‖ ek] ‖ [ct]            eh = EtM(header keys, header)
 *
 * Stepping is lazy: a side turns its ratchet when it next sends. No skipped keys are stored: a gap
 * is jumped over and the keys in it are gone, so no message key outlives its turn. A message that
 * arrives late is known by its header key, answered `late`, and sent again by its sender.
 *
 * Every function goes from a state to a new state. One that throws, or answers anything but
 * `opened`, has changed nothing. `previousCount` (PN) is not sent: nothing would use it.
 */
import {
  type Bytes,
  CURVE_KEY_BYTES,
  concatBytes,
  equalBytes,
  KEM_PUBLIC_KEY_BYTES,
  KEY_TYPE,
  Reader,
  Writer,
  wipe,
} from '@couplet/wire'
import {
  ETM_KEYS_BYTES,
  KEM_CIPHERTEXT_BYTES,
  KEM_STEP_INTERVAL,
  KEM_TIME_INTERVAL_MS,
  KEY_BYTES,
  MAX_FORWARD_JUMP,
  MAX_UNRECEIPTED,
  REMEMBERED_CHAINS,
} from './constants.ts'
import { type Content, decodeContent, encodeContent } from './content.ts'
import {
  envelopePrefix,
  type ParsedEnvelope,
  padContent,
  parseEnvelope,
  unpadContent,
} from './envelope.ts'
import { ProtocolError } from './errors.ts'
import { etmOpen, etmSeal } from './etm.ts'
import { asProtocolError } from './identity.ts'
import { validateCurveKey, validateKemKey } from './key-validation.ts'
import { LABEL_ASSOCIATED_DATA, LABEL_MESSAGE, LABEL_RATCHET, LABEL_RECEIPT } from './labels.ts'
import type { Primitives } from './primitives.ts'
import type { Position, ReceivingChain, SendingChain, Session } from './session.ts'

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

/** A message ready to be stored and sent. */
export interface Sealed {
  readonly session: Session
  readonly envelope: Bytes
  /** SHA-256(envelope), 32 bytes. */
  readonly id: Bytes
  /** The receipt that proves its delivery, 32 bytes. Secret until it comes back. */
  readonly receipt: Bytes
  readonly position: Position
}

/** A message that was opened. */
export interface Opened {
  readonly kind: 'opened'
  readonly session: Session
  readonly content: Content
  readonly id: Bytes
  /** What proves to the sender that this end has the message, 32 bytes. */
  readonly receipt: Bytes
}

export type OpenResult =
  | Opened
  /** Of this session, but its turn is past: ask for it again. */
  | { readonly kind: 'late' }
  /** Not of this session. */
  | { readonly kind: 'foreign' }

/** Whether the next message must wait for a receipt, so that a long absence cannot jam the session. */
export function mustWaitForReceipt(session: Session): boolean {
  const { sending, stepDue } = session
  return !stepDue && sending !== undefined && sending.count - sending.receipted >= MAX_UNRECEIPTED
}

/**
 * RatchetEncrypt: turns the ratchet if a step is due, and seals one content.
 *
 * @param input.now - milliseconds since 1970; decides whether a KEM key is offered.
 * @throws {ProtocolError} `chain-exhausted`, `content-too-large`; `invalid-key` when the peer's
 *   ratchet key gives a zero secret.
 */
export function sealMessage(
  primitives: Primitives,
  state: Session,
  content: Content,
  input: { readonly entropy: MessageEntropy; readonly now: number },
): Sealed {
  if (mustWaitForReceipt(state)) {
    throw new ProtocolError('chain-exhausted', 'too many messages without a receipt')
  }
  const session = state.stepDue ? sendingStep(primitives, state, input) : state
  const chain = session.sending
  if (!chain) throw new ProtocolError('unreadable-state', 'session has no sending chain')

  const ad = associatedData(session.id, session.self, session.peer)
  const encryptedHeader = etmSeal(primitives, {
    keys: chain.headerKey,
    iv: input.entropy.headerIv,
    plaintext: encodeHeader(chain),
    associatedData: [ad],
  })
  const prefix = envelopePrefix(session.handshake, encryptedHeader)
  const { nextKey, messageKeys, receiptKey } = advance(primitives, chain.key)
  const envelope = etmSeal(primitives, {
    keys: messageKeys,
    iv: input.entropy.contentIv,
    plaintext: padContent(encodeContent(content), prefix.length),
    associatedData: [ad],
    prefix,
  })
  const id = primitives.sha256(envelope)
  const receipt = makeReceipt(primitives, receiptKey, id)
  wipe(messageKeys, receiptKey)
  return {
    session: { ...session, sending: { ...chain, key: nextKey, count: chain.count + 1 } },
    envelope,
    id,
    receipt,
    position: { sessionId: session.id, chain: chain.index, number: chain.count },
  }
}

/**
 * RatchetDecrypt: opens an envelope if it belongs to this session.
 *
 * @throws {ProtocolError} `malformed` for what is not an envelope; `undecryptable` when it is of
 *   this session but does not authenticate; `too-far` past MAX_FORWARD_JUMP missing messages;
 *   `invalid-key` for a ratchet key that must not be used.
 */
export function openMessage(
  primitives: Primitives,
  session: Session,
  envelope: Uint8Array,
  input: {
    readonly now: number
    /** Only for a handshake being accepted: the prekey's secret, which answers the first chain. */
    readonly initialSecret?: Uint8Array
  },
): OpenResult {
  const parsed = parseEnvelope(envelope)
  const ad = associatedData(session.id, session.peer, session.self)
  const found = findChain(primitives, session, parsed.encryptedHeader, ad)
  if (found.kind === 'foreign' || found.kind === 'late') return found
  const header = decodeHeader(found.header)
  const stepped =
    found.kind === 'next' ? receivingStep(primitives, session, header, input) : session
  const chain = stepped.receiving!
  if (header.number < chain.count) return { kind: 'late' }
  if (header.number - chain.count > MAX_FORWARD_JUMP) {
    throw new ProtocolError('too-far', `more than ${MAX_FORWARD_JUMP} messages are missing`)
  }
  const { nextKey, messageKeys, receiptKey } = advanceTo(primitives, chain, header.number)
  const content = openContent(primitives, parsed, { messageKeys, ad })
  const id = primitives.sha256(envelope)
  const receipt = makeReceipt(primitives, receiptKey, id)
  wipe(receiptKey)
  return {
    kind: 'opened',
    session: {
      ...stepped,
      handshake: undefined,
      // The peer sends in this session, so it knows it, whatever was said or begun meanwhile.
      standing: STANDING_AFTER_MESSAGE[stepped.standing],
      receiving: { ...chain, key: nextKey, count: header.number + 1 },
    },
    content,
    id,
    receipt,
  }
}

/**
 * Takes note that a message has its receipt: what rode along for fear of loss may stop riding.
 * A position in another session says nothing about this one, and changes nothing.
 */
export function noteReceipt(session: Session, position: Position): Session {
  if (!equalBytes(session.id, position.sessionId)) return session
  const chain = session.sending
  const handshake = undefined
  if (!chain || chain.index !== position.chain) return { ...session, handshake }
  const receipted = Math.max(chain.receipted, position.number + 1)
  return { ...session, handshake, sending: { ...chain, receipted, announce: false } }
}

// -------------------------------------------------------------------------------------------------
// Steps

function sendingStep(
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
      publicKey: primitives.x25519PublicKey(secret),
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

function receivingStep(
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

// -------------------------------------------------------------------------------------------------
// Chains

interface Advanced {
  readonly nextKey: Bytes
  /** encKey ‖ macKey */
  readonly messageKeys: Bytes
  readonly receiptKey: Bytes
}

/** KDF_CK and the message's keys. */
function advance(primitives: Primitives, chainKey: Uint8Array): Advanced {
  const messageKey = primitives.hmacSha256(chainKey, MESSAGE_KEY_CONSTANT)
  const okm = primitives.hkdfSha256({
    salt: NO_SALT,
    ikm: messageKey,
    info: LABEL_MESSAGE,
    length: ETM_KEYS_BYTES + KEY_BYTES,
  })
  const advanced = {
    nextKey: primitives.hmacSha256(chainKey, CHAIN_KEY_CONSTANT),
    messageKeys: okm.slice(0, ETM_KEYS_BYTES),
    receiptKey: okm.slice(ETM_KEYS_BYTES),
  }
  wipe(messageKey, okm)
  return advanced
}

/** Jumps over a gap; the keys in it are destroyed. */
function advanceTo(primitives: Primitives, chain: ReceivingChain, number: number): Advanced {
  let key = chain.key
  for (let count = chain.count; count < number; count++) {
    const next = primitives.hmacSha256(key, CHAIN_KEY_CONSTANT)
    if (key !== chain.key) wipe(key)
    key = next
  }
  const advanced = advance(primitives, key)
  if (key !== chain.key) wipe(key)
  return advanced
}

function openContent(
  primitives: Primitives,
  parsed: ParsedEnvelope,
  { messageKeys, ad }: { readonly messageKeys: Bytes; readonly ad: Uint8Array },
): Content {
  const padded = etmOpen(primitives, {
    keys: messageKeys,
    sealed: parsed.sealed,
    associatedData: [ad, parsed.prefix],
  })
  wipe(messageKeys)
  const encoded = padded && unpadContent(padded)
  if (!encoded) throw new ProtocolError('undecryptable', 'message does not authenticate')
  return decodeContent(encoded)
}

function makeReceipt(primitives: Primitives, receiptKey: Uint8Array, id: Uint8Array): Bytes {
  return primitives.hmacSha256(receiptKey, LABEL_RECEIPT, id)
}

/** AD: who sends to whom in which session. */
function associatedData(sessionId: Uint8Array, sender: Uint8Array, recipient: Uint8Array): Bytes {
  return concatBytes(LABEL_ASSOCIATED_DATA, sessionId, sender, recipient)
}

// -------------------------------------------------------------------------------------------------
// Headers

interface Header {
  readonly ratchetKey: Uint8Array
  /** n */
  readonly number: number
  /** ek */
  readonly offer: Uint8Array | undefined
  /** ct */
  readonly ciphertext: Uint8Array | undefined
}

const OFFER_FLAG = 0x01
const CIPHERTEXT_FLAG = 0x02

function encodeHeader(chain: SendingChain): Bytes {
  const offer = chain.announce ? chain.offer : undefined
  const ciphertext = chain.announce ? chain.ciphertext : undefined
  const writer = new Writer()
    .u8(KEY_TYPE.x25519)
    .bytes(chain.publicKey)
    .u32(chain.count)
    .u8((offer ? OFFER_FLAG : 0) | (ciphertext ? CIPHERTEXT_FLAG : 0))
  if (offer) writer.u8(KEY_TYPE.mlKem768).bytes(offer.key)
  if (ciphertext) writer.bytes(ciphertext)
  return writer.finish()
}

/** The header is authenticated by the time it is read; what is wrong with it, its peer made so. */
function decodeHeader(encoded: Uint8Array): Header {
  const header = asProtocolError(() => {
    const reader = new Reader(encoded)
    const ratchetKey = reader.expect(KEY_TYPE.x25519, 'key type').bytes(CURVE_KEY_BYTES)
    const number = reader.u32()
    const flags = reader.u8()
    if (flags & ~(OFFER_FLAG | CIPHERTEXT_FLAG)) {
      throw new ProtocolError('malformed', 'unknown header flags')
    }
    const offer =
      flags & OFFER_FLAG
        ? reader.expect(KEY_TYPE.mlKem768, 'key type').bytes(KEM_PUBLIC_KEY_BYTES)
        : undefined
    const ciphertext = flags & CIPHERTEXT_FLAG ? reader.bytes(KEM_CIPHERTEXT_BYTES) : undefined
    reader.finish()
    return { ratchetKey, number, offer, ciphertext }
  })
  if (header.offer) validateKemKey(header.offer)
  return header
}

type FoundChain =
  | { readonly kind: 'current' | 'next'; readonly header: Bytes }
  | { readonly kind: 'late' }
  | { readonly kind: 'foreign' }

/** Tries the header keys: of the current chain, of the next one, of those gone by. */
function findChain(
  primitives: Primitives,
  session: Session,
  encryptedHeader: Uint8Array,
  ad: Uint8Array,
): FoundChain {
  const open = (keys: Uint8Array) =>
    etmOpen(primitives, { keys, sealed: encryptedHeader, associatedData: [ad] })
  const current = session.receiving && open(session.receiving.headerKey)
  if (current) return { kind: 'current', header: current }
  const next = open(session.nextReceivingHeaderKey)
  if (next) return { kind: 'next', header: next }
  const late = session.pastHeaderKeys.some((keys) => open(keys) !== undefined)
  return { kind: late ? 'late' : 'foreign' }
}

const MESSAGE_KEY_CONSTANT = Uint8Array.of(0x01)
const CHAIN_KEY_CONSTANT = Uint8Array.of(0x02)
/** HKDF without a salt: as many zeros as the hash is long (RFC 5869, 2.2). */
const NO_SALT = new Uint8Array(KEY_BYTES)
const STANDING_AFTER_MESSAGE = {
  live: 'live',
  dead: 'revived',
  revived: 'revived',
  superseded: 'recalled',
  recalled: 'recalled',
} as const satisfies Record<Session['standing'], Session['standing']>
