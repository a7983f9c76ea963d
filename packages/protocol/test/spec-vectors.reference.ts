/**
 * A second implementation of the protocol, written from `spec/` alone: plain node:crypto, mutable
 * state, nothing from `src`. It makes the vectors of `spec/vectors`, so that the code under test is
 * compared with something else than itself. Neither constant-time nor careful: not for use.
 *
 * Two things are done by hand, because no library takes them as input: the seed of OAEP, and the
 * coins of ML-KEM (noble).
 */
import {
  type HandshakeTrace,
  handshakeBytes,
  type Person,
  type Prekeys,
  schedule,
} from './spec-vectors.reference-handshake.ts'
import {
  cat,
  etm,
  etmOpen,
  fromHex,
  hkdf,
  hmac,
  kemDecapsulate,
  kemEncapsulate,
  kemPublic,
  label,
  oaepDecrypt,
  sha256,
  sha512,
  u8,
  u16,
  u32,
  u64,
  x25519,
  x25519Public,
} from './spec-vectors.reference-primitives.ts'

export * from './spec-vectors.reference-handshake.ts'
export * from './spec-vectors.reference-primitives.ts'

// -------------------------------------------------------------------------------------------------
// message.md, "Content" and "Padding"

export interface Content {
  readonly messageId: string
  readonly sequence: number
  readonly oldestPending: number
  readonly sentAt: number
  readonly expiresAfter: number
  readonly text?: string
  readonly control?: number
}

export function encodeContent(content: Content): Buffer {
  return cat(
    blockField(1, fromHex(content.messageId)),
    numberField(2, content.sequence),
    numberField(3, content.oldestPending),
    numberField(4, content.sentAt),
    numberField(5, content.expiresAfter),
    content.text === undefined ? Buffer.alloc(0) : blockField(6, Buffer.from(content.text)),
    content.control === undefined ? Buffer.alloc(0) : numberField(7, content.control),
  )
}

function numberField(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : cat(varint(field << 3), varint(value))
}

function blockField(field: number, value: Buffer): Buffer {
  return cat(varint((field << 3) | 2), varint(value.length), value)
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt(value)
  do {
    const more = rest > 0x7fn
    bytes.push(Number(rest & 0x7fn) | (more ? 0x80 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(bytes)
}

/** Content ‖ 0x80 ‖ 0x00*, one byte short of what makes the envelope a power of two. */
export function pad(content: Uint8Array, prefixLength: number): Buffer {
  let size = 1024
  while (size < prefixLength + 48 + content.length + 2) size *= 2
  const padded = Buffer.alloc(size - prefixLength - 48 - 1)
  padded.set(content)
  padded[content.length] = 0x80
  return padded
}

// -------------------------------------------------------------------------------------------------
// session.md

export interface Chain {
  index: number
  key: Buffer
  readonly headerKey: Buffer
  count: number
  receipted: number
  readonly publicKey: Buffer
  secret: Buffer | undefined
  offer: { readonly seed: Buffer; readonly key: Buffer } | undefined
  readonly ciphertext: Buffer | undefined
  announce: boolean
}

export interface Session {
  readonly name: string
  readonly role: 'initiator' | 'responder'
  readonly id: Buffer
  readonly handshakeHash: Buffer
  readonly self: Buffer
  readonly peer: Buffer
  handshake: { readonly prekeyId: number; readonly bytes: Buffer } | undefined
  standing: 'live' | 'superseded' | 'dead' | 'revived' | 'recalled'
  readonly successor: boolean
  established: boolean
  rootKey: Buffer
  sending: Chain | undefined
  nextSendingHeaderKey: Buffer
  remote: { readonly key: Buffer; readonly offer: Buffer | undefined } | undefined
  receiving: { key: Buffer; readonly headerKey: Buffer; count: number } | undefined
  nextReceivingHeaderKey: Buffer
  pastHeaderKeys: Buffer[]
  stepDue: boolean
  stepsSinceKem: number
  kemMixedAt: number
  proving: Buffer
  accepted: Buffer[]
}

export interface MessageEntropy {
  readonly headerIv: Buffer
  readonly contentIv: Buffer
  readonly ratchetSeed: Buffer
  readonly kemSeed: Buffer
  readonly kemCoins: Buffer
}

export interface StepTrace {
  readonly dh: Buffer
  readonly kemSecret: Buffer | undefined
  readonly rootKey: Buffer
  readonly chainKey: Buffer
  readonly nextHeaderKey: Buffer
  readonly resetKey: Buffer
}

export interface KeysTrace {
  readonly messageKey: Buffer
  readonly encryptionKey: Buffer
  readonly macKey: Buffer
  readonly receiptKey: Buffer
}

export interface SealTrace {
  readonly step: StepTrace | undefined
  readonly chain: number
  readonly number: number
  readonly header: Buffer
  readonly encryptedHeader: Buffer
  readonly keys: KeysTrace
  readonly content: Buffer
  readonly envelope: Buffer
  readonly id: Buffer
  readonly receipt: Buffer
}

/** What a dishonest or mistaken sender may do otherwise. */
export interface MessageFlaw {
  readonly header?: (header: Buffer) => Buffer
  readonly padded?: (padded: Buffer) => Buffer
  readonly content?: Buffer
  /** Swaps sender and recipient in the associated data. */
  readonly swapRoles?: boolean
  readonly sessionId?: Buffer
}

export function begin(
  name: string,
  role: 'initiator' | 'responder',
  trace: HandshakeTrace,
  ids: { readonly self: Buffer; readonly peer: Buffer },
  prekeys: Prekeys,
  now: number,
): Session {
  const isInitiator = role === 'initiator'
  return {
    name,
    role,
    id: trace.sessionId,
    handshakeHash: trace.handshakeHash,
    ...ids,
    handshake: isInitiator ? { prekeyId: prekeys.id, bytes: handshakeBytes(trace) } : undefined,
    standing: 'live',
    successor: trace.continuityProof.some((byte) => byte !== 0),
    established: false,
    rootKey: trace.rootKey,
    sending: undefined,
    nextSendingHeaderKey: isInitiator ? trace.initiatorHeaderKey : trace.responderHeaderKey,
    remote: isInitiator ? { key: prekeys.publicKey, offer: undefined } : undefined,
    receiving: undefined,
    nextReceivingHeaderKey: isInitiator ? trace.responderHeaderKey : trace.initiatorHeaderKey,
    pastHeaderKeys: [],
    stepDue: isInitiator,
    stepsSinceKem: 0,
    kemMixedAt: now,
    proving: trace.resetKey,
    accepted: [trace.resetKey],
  }
}

export function rootStep(
  rootKey: Buffer,
  secret: Buffer,
  remoteKey: Buffer,
  kemSecret: Buffer | undefined,
): StepTrace {
  const dh = x25519(secret, remoteKey)
  const okm = hkdf(rootKey, kemSecret ? cat(dh, kemSecret) : dh, label('ratchet/step'), 160)
  return {
    dh,
    kemSecret,
    rootKey: okm.subarray(0, 32),
    chainKey: okm.subarray(32, 64),
    nextHeaderKey: okm.subarray(64, 128),
    resetKey: okm.subarray(128, 160),
  }
}

export const nextChainKey = (chainKey: Buffer): Buffer => hmac(chainKey, u8(2))

export function messageKeys(chainKey: Buffer): KeysTrace {
  const messageKey = hmac(chainKey, u8(1))
  const okm = hkdf(Buffer.alloc(32), messageKey, label('ratchet/message'), 96)
  return {
    messageKey,
    encryptionKey: okm.subarray(0, 32),
    macKey: okm.subarray(32, 64),
    receiptKey: okm.subarray(64, 96),
  }
}

export const associatedData = (sid: Buffer, sender: Buffer, recipient: Buffer): Buffer =>
  cat(label('associated-data'), sid, sender, recipient)

export const receiptOf = (receiptKey: Buffer, id: Buffer): Buffer =>
  hmac(receiptKey, label('receipt'), id)

export function encodeHeader(header: {
  readonly ratchetKey: Buffer
  readonly number: number
  readonly offer?: Buffer | undefined
  readonly ciphertext?: Buffer | undefined
}): Buffer {
  const { ratchetKey, number, offer, ciphertext } = header
  return cat(
    u8(1),
    ratchetKey,
    u32(number),
    u8((offer ? 1 : 0) | (ciphertext ? 2 : 0)),
    offer ? cat(u8(2), offer) : Buffer.alloc(0),
    ciphertext ?? Buffer.alloc(0),
  )
}

export function preamble(prekeyId: number, headerLength: number, withHandshake: boolean): Buffer {
  return cat(Buffer.from('couplet/1'), u32(prekeyId), u16(headerLength), u8(withHandshake ? 1 : 0))
}

/** Changes `session`. */
export function seal(
  session: Session,
  content: Content,
  entropy: MessageEntropy,
  now: number,
  flaw: MessageFlaw = {},
): SealTrace {
  const step = session.stepDue ? sendingStep(session, entropy, now) : undefined
  const chain = session.sending!
  const plain = encodeHeader({
    ratchetKey: chain.publicKey,
    number: chain.count,
    offer: chain.announce ? chain.offer?.key : undefined,
    ciphertext: chain.announce ? chain.ciphertext : undefined,
  })
  const header = flaw.header?.(plain) ?? plain
  const ids: [Buffer, Buffer] = flaw.swapRoles
    ? [session.peer, session.self]
    : [session.self, session.peer]
  const ad = associatedData(flaw.sessionId ?? session.id, ...ids)
  const encryptedHeader = etm(chain.headerKey, entropy.headerIv, header, ad)
  const prefix = cat(
    preamble(session.handshake?.prekeyId ?? 0, encryptedHeader.length, !!session.handshake),
    session.handshake?.bytes ?? Buffer.alloc(0),
    encryptedHeader,
  )
  const encoded = flaw.content ?? encodeContent(content)
  const padded = pad(encoded, prefix.length)
  const keys = messageKeys(chain.key)
  const sealed = etm(
    cat(keys.encryptionKey, keys.macKey),
    entropy.contentIv,
    flaw.padded?.(padded) ?? padded,
    cat(ad, prefix),
  )
  const envelope = cat(prefix, sealed)
  const id = sha256(envelope)
  const number = chain.count
  chain.key = nextChainKey(chain.key)
  chain.count += 1
  return {
    step,
    chain: chain.index,
    number,
    header,
    encryptedHeader,
    keys,
    content: encoded,
    envelope,
    id,
    receipt: receiptOf(keys.receiptKey, id),
  }
}

function sendingStep(session: Session, entropy: MessageEntropy, now: number): StepTrace {
  const remote = session.remote!
  const kem = remote.offer && kemEncapsulate(remote.offer, entropy.kemCoins)
  const step = rootStep(session.rootKey, entropy.ratchetSeed, remote.key, kem?.sharedSecret)
  session.stepsSinceKem = kem ? 0 : session.stepsSinceKem + 1
  if (kem) session.kemMixedAt = now
  const offers = session.stepsSinceKem >= 16 || now - session.kemMixedAt >= 86_400_000
  session.sending = {
    index: session.sending ? session.sending.index + 1 : 0,
    key: step.chainKey,
    headerKey: session.nextSendingHeaderKey,
    count: 0,
    receipted: 0,
    publicKey: x25519Public(entropy.ratchetSeed),
    secret: entropy.ratchetSeed,
    offer: offers ? { seed: entropy.kemSeed, key: kemPublic(entropy.kemSeed) } : undefined,
    ciphertext: kem?.ciphertext,
    announce: true,
  }
  session.nextSendingHeaderKey = step.nextHeaderKey
  session.rootKey = step.rootKey
  session.stepDue = false
  session.accepted = [step.resetKey, ...session.accepted].slice(0, 2)
  return step
}

export interface OpenTrace {
  readonly step: StepTrace | undefined
  readonly header: Buffer
  readonly keys: KeysTrace
  readonly content: Buffer
  readonly id: Buffer
  readonly receipt: Buffer
}

export interface Parsed {
  readonly prekeyId: number
  readonly handshake: Buffer | undefined
  readonly encryptedHeader: Buffer
  readonly prefix: Buffer
  readonly sealed: Buffer
}

/** Of a well-formed envelope. */
export function parse(envelope: Buffer): Parsed {
  const headerLength = envelope.readUInt16BE(13)
  const handshakeLength = envelope[15] === 1 ? 2160 : 0
  const prefixLength = 16 + handshakeLength + headerLength
  return {
    prekeyId: envelope.readUInt32BE(9),
    handshake: handshakeLength ? envelope.subarray(16, 16 + 2160) : undefined,
    encryptedHeader: envelope.subarray(16 + handshakeLength, prefixLength),
    prefix: envelope.subarray(0, prefixLength),
    sealed: envelope.subarray(prefixLength),
  }
}

/**
 * For honest peers: what is flawed is made by this module, and judged by the code under test.
 * Changes `session` when the answer is a trace.
 */
export function open(
  session: Session,
  envelope: Buffer,
  now: number,
  initialSecret?: Buffer,
): OpenTrace | 'late' | 'foreign' {
  const { encryptedHeader, prefix, sealed } = parse(envelope)
  const ad = associatedData(session.id, session.peer, session.self)
  const current = session.receiving && etmOpen(session.receiving.headerKey, encryptedHeader, ad)
  const next = current ? undefined : etmOpen(session.nextReceivingHeaderKey, encryptedHeader, ad)
  const header = current ?? next
  if (!header) {
    const isLate = session.pastHeaderKeys.some((key) => etmOpen(key, encryptedHeader, ad))
    return isLate ? 'late' : 'foreign'
  }
  const number = header.readUInt32BE(33)
  if (current && number < session.receiving!.count) return 'late'
  const step = next && receivingStep(session, header, now, initialSecret)
  const chain = session.receiving!
  while (chain.count < number) {
    chain.key = nextChainKey(chain.key)
    chain.count += 1
  }
  const keys = messageKeys(chain.key)
  chain.key = nextChainKey(chain.key)
  chain.count += 1
  const padded = etmOpen(cat(keys.encryptionKey, keys.macKey), sealed, cat(ad, prefix))!
  session.handshake = undefined
  if (session.standing === 'dead') session.standing = 'revived'
  if (session.standing === 'superseded') session.standing = 'recalled'
  const id = sha256(envelope)
  return {
    step,
    header,
    keys,
    content: padded.subarray(0, padded.lastIndexOf(0x80)),
    id,
    receipt: receiptOf(keys.receiptKey, id),
  }
}

function receivingStep(
  session: Session,
  header: Buffer,
  now: number,
  initialSecret: Buffer | undefined,
): StepTrace {
  const flags = header[37]!
  const ratchetKey = header.subarray(1, 33)
  const offer = flags & 1 ? header.subarray(39, 39 + 1184) : undefined
  const ciphertext = flags & 2 ? header.subarray(-1088) : undefined
  const secret = session.sending?.secret ?? initialSecret!
  const kemSecret = ciphertext && kemDecapsulate(session.sending!.offer!.seed, ciphertext)
  const step = rootStep(session.rootKey, secret, ratchetKey, kemSecret)
  if (session.receiving) {
    session.pastHeaderKeys = [session.receiving.headerKey, ...session.pastHeaderKeys].slice(0, 5)
  }
  session.receiving = { key: step.chainKey, headerKey: session.nextReceivingHeaderKey, count: 0 }
  session.nextReceivingHeaderKey = step.nextHeaderKey
  session.rootKey = step.rootKey
  session.remote = { key: ratchetKey, offer }
  session.stepDue = true
  session.stepsSinceKem = kemSecret ? 0 : session.stepsSinceKem + 1
  if (kemSecret) session.kemMixedAt = now
  if (session.sending) {
    session.established = true
    session.sending.secret = undefined
    session.sending.offer = undefined
  }
  session.proving = step.resetKey
  return step
}

/** The session to send in, of several with one peer, in the order in which they came to be. */
export function sessionToSendIn(sessions: readonly Session[]): Session | undefined {
  const ranked = sessions.map((session, i) => {
    const behind = sessions.slice(i + 1).filter(({ successor }) => successor).length
    return { session, rank: rank(session, behind) }
  })
  return ranked
    .filter((one) => one.rank >= 0)
    .toSorted(
      (a, b) => b.rank - a.rank || Buffer.compare(a.session.handshakeHash, b.session.handshakeHash),
    )[0]?.session
}

function rank({ standing, established }: Session, successors: number): number {
  if (standing === 'superseded' || standing === 'dead') return -1
  if (standing === 'recalled') return 1 / Math.max(1, successors)
  if (standing === 'revived' && successors > 0) return 1 / successors
  return established ? 2 : 0
}

export function noteReceipt(session: Session, chain: number, number: number): void {
  session.handshake = undefined
  if (session.sending?.index !== chain) return
  session.sending.receipted = Math.max(session.sending.receipted, number + 1)
  session.sending.announce = false
}

/** The responder's side of a handshake, and the first message. */
export function accept(
  name: string,
  responder: Person,
  prekeys: Prekeys,
  initiator: Person,
  envelope: Buffer,
  now: number,
): { session: Session; handshake: HandshakeTrace; opened: OpenTrace } {
  const bytes = parse(envelope).handshake!
  const ephemeralKey = bytes.subarray(0, 32)
  const wrappedSecret = bytes.subarray(32, 416)
  const encapsulatedKey = bytes.subarray(416, 1504)
  const block = bytes.subarray(1504)
  const handshake = schedule({
    ephemeralKey,
    wrappedSecret,
    encapsulatedKey,
    kemSecret: kemDecapsulate(prekeys.kemSeed, encapsulatedKey),
    sessionSecret: oaepDecrypt(responder.exchangeKey, wrappedSecret, label('session-secret'))!,
    dhEphemeralIdentity: x25519(responder.identitySecret, ephemeralKey),
    dhEphemeralPrekey: x25519(prekeys.secret, ephemeralKey),
    dhIdentityPrekey: x25519(prekeys.secret, x25519Public(initiator.identitySecret)),
    responderId: responder.id,
    encodedPrekeys: prekeys.encoded,
    initiatorId: initiator.id,
    seal: (th1, keys) => {
      const plaintext = etmOpen(keys, block, th1)!
      if (!plaintext.subarray(0, 570).equals(initiator.signed)) throw new Error('not the initiator')
      return { proof: plaintext.subarray(570), block }
    },
  })
  const ids = { self: responder.id, peer: initiator.id }
  const session = begin(name, 'responder', handshake, ids, prekeys, now)
  const opened = open(session, envelope, now, prekeys.secret)
  if (typeof opened === 'string') throw new Error(`first message is ${opened}`)
  return { session, handshake, opened }
}

// -------------------------------------------------------------------------------------------------
// safety-number.md

/** The first 30 bytes of the iterated hash. */
export function fingerprint(id: Buffer, phone: string): Buffer {
  let hash = sha512(label('safety-number'), id, u64(BigInt(phone)))
  for (let i = 1; i < 5200; i++) hash = sha512(hash, id)
  return hash.subarray(0, 30)
}

export function digits(half: Buffer): string {
  let text = ''
  for (let i = 0; i < 30; i += 5) {
    text += String(half.readUIntBE(i, 5) % 100_000).padStart(5, '0')
  }
  return text
}

export const verificationCode = (phone: string, own: Buffer, contact: Buffer): Buffer =>
  cat(Buffer.from('couplet'), u8(1), u64(BigInt(phone)), own, contact)
