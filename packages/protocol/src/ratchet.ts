/**
 * The Double Ratchet with header encryption and a post-quantum step, in order only.
 * (spec/session.md; Double Ratchet, revision 4, with the names of its section 4)
 *
 * Steps are in ratchet-step.ts, keys of messages in chain.ts, headers in message-header.ts.
 *
 * Stepping is lazy: a side turns its ratchet when it next sends. No skipped keys are stored: a gap
 * is jumped over and the keys in it are gone, so no message key outlives its turn. A message that
 * arrives late is known by its header key, answered `late`, and sent again by its sender.
 *
 * Every function goes from a state to a new state. One that throws, or answers anything but
 * `opened`, has changed nothing. `previousCount` (PN) is not sent: nothing would use it.
 */
import { type Bytes, equalBytes, wipe } from '@couplet/wire'
import { advance, advanceTo } from './chain.ts'
import { MAX_FORWARD_JUMP, MAX_UNRECEIPTED } from './constants.ts'
import { type Content, decodeContent, encodeContent } from './content.ts'
import {
  draftEnvelope,
  type ParsedEnvelope,
  padContent,
  parseEnvelope,
  prefixLength,
  unpadContent,
} from './envelope.ts'
import { ProtocolError } from './errors.ts'
import { etmLength, etmOpen, etmSealInto } from './etm.ts'
import { LABEL_ASSOCIATED_DATA, LABEL_RECEIPT } from './labels.ts'
import { decodeHeader, encodeHeader, findChain } from './message-header.ts'
import type { Primitives } from './primitives.ts'
import { type MessageEntropy, receivingStep, sendingStep } from './ratchet-step.ts'
import type { Position, Session } from './session.ts'

export type { MessageEntropy } from './ratchet-step.ts'

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
  const header = encodeHeader(chain)
  const headerLength = etmLength(header.length)
  const messageAt = prefixLength(session.handshake, headerLength)
  const plaintext = padContent(encodeContent(content), messageAt)
  const envelope = draftEnvelope(session.handshake, {
    header: headerLength,
    message: etmLength(plaintext.length),
  })
  const headerAt = messageAt - headerLength
  etmSealInto(
    primitives,
    { keys: chain.headerKey, iv: input.entropy.headerIv, plaintext: header, associatedData: ad },
    { whole: envelope, from: headerAt, at: headerAt },
  )
  const { nextKey, messageKeys, receiptKey } = advance(primitives, chain.key)
  etmSealInto(
    primitives,
    { keys: messageKeys, iv: input.entropy.contentIv, plaintext, associatedData: ad },
    { whole: envelope, from: 0, at: messageAt },
  )
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

function openContent(
  primitives: Primitives,
  parsed: ParsedEnvelope,
  { messageKeys, ad }: { readonly messageKeys: Bytes; readonly ad: readonly Uint8Array[] },
): Content {
  const padded = etmOpen(primitives, {
    keys: messageKeys,
    sealed: parsed.sealed,
    associatedData: [...ad, parsed.prefix],
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
function associatedData(
  sessionId: Uint8Array,
  sender: Uint8Array,
  recipient: Uint8Array,
): readonly Uint8Array[] {
  return [LABEL_ASSOCIATED_DATA, sessionId, sender, recipient]
}

const STANDING_AFTER_MESSAGE = {
  live: 'live',
  dead: 'revived',
  revived: 'revived',
  superseded: 'recalled',
  recalled: 'recalled',
} as const satisfies Record<Session['standing'], Session['standing']>
