/**
 * A second implementation of the protocol, written from `spec/` alone: plain node:crypto, mutable
 * state, nothing from `src`. It makes the vectors of `spec/vectors`, so that the code under test is
 * compared with something else than itself. Neither constant-time nor careful: not for use.
 *
 * Two things are done by hand, because no library takes them as input: the seed of OAEP, and the
 * coins of ML-KEM (noble).
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
} from 'node:crypto'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'

// -------------------------------------------------------------------------------------------------
// conventions.md

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Buffer => Buffer.from(text, 'hex')
export const cat = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

export const u8 = (value: number): Buffer => Buffer.of(value)
export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
export const text16 = (text: string): Buffer => cat(u16(Buffer.byteLength(text)), Buffer.from(text))

export function label(purpose: string): Buffer {
  const text = Buffer.from(`couplet/v1/${purpose}`, 'ascii')
  return cat(u8(text.length), text)
}

// -------------------------------------------------------------------------------------------------
// Primitives

export const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256')
    .update(cat(...parts))
    .digest()
export const sha512 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha512')
    .update(cat(...parts))
    .digest()
export const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  createHmac('sha256', key)
    .update(cat(...parts))
    .digest()
export const hkdf = (salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, length))

const pkcs8 = (prefix: string, secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: cat(fromHex(prefix), secret), format: 'der', type: 'pkcs8' })
const x25519Private = (secret: Uint8Array): KeyObject =>
  pkcs8('302e020100300506032b656e04220420', secret)
const ed25519Private = (seed: Uint8Array): KeyObject =>
  pkcs8('302e020100300506032b657004220420', seed)
const publicBytes = (key: KeyObject, length: number): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-length)

export const x25519Public = (secret: Uint8Array): Buffer => publicBytes(x25519Private(secret), 32)
export function x25519(secret: Uint8Array, publicKey: Uint8Array): Buffer {
  const der = cat(fromHex('302a300506032b656e032100'), publicKey)
  return diffieHellman({
    privateKey: x25519Private(secret),
    publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }),
  })
}

export const ed25519Public = (seed: Uint8Array): Buffer => publicBytes(ed25519Private(seed), 32)
export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Buffer =>
  sign(null, message, ed25519Private(seed))

const kemPrivate = (seed: Uint8Array): KeyObject =>
  pkcs8('3054020100300b060960864801650304040204428040', seed)
export const kemPublic = (seed: Uint8Array): Buffer => publicBytes(kemPrivate(seed), 1184)
export function kemEncapsulate(publicKey: Uint8Array, coins: Uint8Array) {
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, coins)
  return { ciphertext: Buffer.from(cipherText), sharedSecret: Buffer.from(sharedSecret) }
}
export const kemDecapsulate = (seed: Uint8Array, ciphertext: Uint8Array): Buffer =>
  decapsulate(kemPrivate(seed), ciphertext)

/** RSAES-OAEP-ENCRYPT with a given seed: RFC 8017, 7.1.1, the encoding by hand. */
export function oaepEncrypt(
  spki: Uint8Array,
  message: Uint8Array,
  oaepLabel: Uint8Array,
  seed: Uint8Array,
): Buffer {
  const k = 384
  const padding = Buffer.alloc(k - message.length - 2 * 32 - 2)
  const db = cat(sha256(oaepLabel), padding, u8(1), message)
  const maskedDb = xor(db, mgf1(seed, db.length))
  const maskedSeed = xor(seed, mgf1(maskedDb, 32))
  return rawRsa(spki, cat(u8(0), maskedSeed, maskedDb))
}

export function rawRsa(spki: Uint8Array, block: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, block)
}

/** RSA-OAEP decryption with SHA-256 for both hashes; anything wrong gives `undefined`. */
export function oaepDecrypt(
  key: KeyObject,
  ciphertext: Uint8Array,
  oaepLabel: Uint8Array,
): Buffer | undefined {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  try {
    return privateDecrypt({ key, padding, oaepHash: 'sha256', oaepLabel }, ciphertext)
  } catch {
    return undefined
  }
}

function mgf1(seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let i = 0; i * 32 < length; i++) blocks.push(sha256(seed, u32(i)))
  return cat(...blocks).subarray(0, length)
}

const xor = (a: Uint8Array, b: Uint8Array): Buffer => Buffer.from(a.map((byte, i) => byte ^ b[i]!))

// -------------------------------------------------------------------------------------------------
// message.md, "EtM"

/** IV ‖ C ‖ tag. */
export function etm(
  keys: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
  ad: Uint8Array,
): Buffer {
  const cipher = createCipheriv('aes-256-cbc', keys.subarray(0, 32), iv)
  return etmTagged(keys, cat(iv, cipher.update(plaintext), cipher.final()), ad)
}

/** The tag behind IV ‖ C. */
export function etmTagged(keys: Uint8Array, ivAndC: Uint8Array, ad: Uint8Array): Buffer {
  return cat(ivAndC, hmac(keys.subarray(32, 64), u32(ad.length), ad, ivAndC))
}

export function etmOpen(keys: Uint8Array, sealed: Uint8Array, ad: Uint8Array): Buffer | undefined {
  const body = sealed.subarray(0, sealed.length - 32)
  if (!etmTagged(keys, body, ad).equals(sealed)) return undefined
  try {
    const cipher = createDecipheriv('aes-256-cbc', keys.subarray(0, 32), body.subarray(0, 16))
    return cat(cipher.update(body.subarray(16)), cipher.final())
  } catch {
    return undefined
  }
}

// -------------------------------------------------------------------------------------------------
// identity.md

export interface Person {
  readonly name: string
  /** Digits without the plus. */
  readonly phone: string
  readonly createdAt: number
  readonly exchangeKey: KeyObject
  readonly exchangePublicKey: Buffer
  readonly signingSeed: Buffer
  readonly identitySecret: Buffer
  readonly record: Buffer
  readonly signature: Buffer
  readonly signed: Buffer
  readonly id: Buffer
}

export interface Prekeys {
  readonly name: string
  readonly id: number
  readonly secret: Buffer
  readonly kemSeed: Buffer
  readonly publicKey: Buffer
  readonly kemPublicKey: Buffer
  readonly notAfter: number
  readonly encoded: Buffer
  readonly signature: Buffer
  readonly signed: Buffer
}

export const identityRecord = (fields: {
  readonly phone: string
  readonly exchangePublicKey: Uint8Array
  readonly signingKey: Uint8Array
  readonly identityKey: Uint8Array
  readonly createdAt: number
}): Buffer =>
  cat(
    u8(1),
    u64(BigInt(fields.phone)),
    u8(3),
    fields.exchangePublicKey,
    u8(4),
    fields.signingKey,
    u8(1),
    fields.identityKey,
    u64(fields.createdAt),
  )

export function makePerson(
  input: Omit<Person, 'exchangePublicKey' | 'record' | 'signature' | 'signed' | 'id'>,
): Person {
  const exchangePublicKey = createPublicKey(input.exchangeKey).export({
    format: 'der',
    type: 'spki',
  })
  const record = identityRecord({
    ...input,
    exchangePublicKey,
    signingKey: ed25519Public(input.signingSeed),
    identityKey: x25519Public(input.identitySecret),
  })
  const signature = ed25519Sign(input.signingSeed, cat(label('sign/identity'), record))
  return {
    ...input,
    exchangePublicKey,
    record,
    signature,
    signed: cat(record, signature),
    id: sha256(label('identity-id'), record),
  }
}

export const prekeySet = (fields: {
  readonly identityId: Uint8Array
  readonly id: number
  readonly publicKey: Uint8Array
  readonly kemPublicKey: Uint8Array
  readonly notAfter: number
}): Buffer =>
  cat(
    u8(1),
    fields.identityId,
    u32(fields.id),
    u8(1),
    fields.publicKey,
    u8(2),
    fields.kemPublicKey,
    u64(fields.notAfter),
  )

export function makePrekeys(
  owner: Person,
  input: Pick<Prekeys, 'name' | 'id' | 'secret' | 'kemSeed' | 'notAfter'>,
): Prekeys {
  const publicKey = x25519Public(input.secret)
  const kemPublicKey = kemPublic(input.kemSeed)
  const encoded = prekeySet({ ...input, identityId: owner.id, publicKey, kemPublicKey })
  const signature = ed25519Sign(owner.signingSeed, cat(label('sign/prekeys'), encoded))
  return {
    ...input,
    publicKey,
    kemPublicKey,
    encoded,
    signature,
    signed: cat(encoded, signature),
  }
}

// -------------------------------------------------------------------------------------------------
// handshake.md

export interface HandshakeEntropy {
  readonly ephemeralSeed: Buffer
  readonly sessionSecret: Buffer
  readonly identityBlockIv: Buffer
  readonly oaepSeed: Buffer
  readonly kemCoins: Buffer
}

/** Every value of one handshake, in the order in which they arise. */
export interface HandshakeTrace {
  readonly ephemeralKey: Buffer
  readonly wrappedSecret: Buffer
  readonly encapsulatedKey: Buffer
  readonly kemSecret: Buffer
  readonly th1: Buffer
  readonly handshakeHash: Buffer
  readonly dhEphemeralIdentity: Buffer
  readonly dhEphemeralPrekey: Buffer
  readonly ck: Buffer
  readonly identityBlockKeys: Buffer
  readonly continuityProof: Buffer
  readonly identityBlock: Buffer
  readonly th2: Buffer
  readonly dhIdentityPrekey: Buffer
  readonly rootKey: Buffer
  readonly initiatorHeaderKey: Buffer
  readonly responderHeaderKey: Buffer
  readonly resetKey: Buffer
  readonly sessionId: Buffer
}

/** What a dishonest or mistaken initiator may do otherwise. */
export interface HandshakeFlaw {
  readonly oaepLabel?: Buffer
  readonly wrapped?: Buffer
  readonly wrappedSecret?: Buffer
  readonly signed?: Buffer
  readonly blockPlaintext?: Buffer
  readonly responderId?: Buffer
  readonly initiatorId?: Buffer
  readonly encodedPrekeys?: Buffer
}

export function makeHandshake(
  initiator: Person,
  responder: Person,
  prekeys: Prekeys,
  entropy: HandshakeEntropy,
  resetKey?: Buffer,
  flaw: HandshakeFlaw = {},
): HandshakeTrace {
  const ephemeralKey = x25519Public(entropy.ephemeralSeed)
  const wrappedSecret =
    flaw.wrappedSecret ??
    oaepEncrypt(
      responder.exchangePublicKey,
      flaw.wrapped ?? entropy.sessionSecret,
      flaw.oaepLabel ?? label('session-secret'),
      entropy.oaepSeed,
    )
  const kem = kemEncapsulate(prekeys.kemPublicKey, entropy.kemCoins)
  const responderIdentityKey = x25519Public(responder.identitySecret)
  return schedule({
    ephemeralKey,
    wrappedSecret,
    encapsulatedKey: kem.ciphertext,
    kemSecret: kem.sharedSecret,
    sessionSecret: entropy.sessionSecret,
    dhEphemeralIdentity: x25519(entropy.ephemeralSeed, responderIdentityKey),
    dhEphemeralPrekey: x25519(entropy.ephemeralSeed, prekeys.publicKey),
    dhIdentityPrekey: x25519(initiator.identitySecret, prekeys.publicKey),
    responderId: flaw.responderId ?? responder.id,
    encodedPrekeys: flaw.encodedPrekeys ?? prekeys.encoded,
    seal: (th1, keys, hash) => {
      const proof = resetKey ? hmac(resetKey, label('continuity'), hash) : Buffer.alloc(32)
      const plaintext = flaw.blockPlaintext ?? cat(flaw.signed ?? initiator.signed, proof)
      return { proof, block: etm(keys, entropy.identityBlockIv, plaintext, th1) }
    },
    initiatorId: flaw.initiatorId ?? initiator.id,
  })
}

function schedule(input: {
  readonly ephemeralKey: Buffer
  readonly wrappedSecret: Buffer
  readonly encapsulatedKey: Buffer
  readonly kemSecret: Buffer
  readonly sessionSecret: Buffer
  readonly dhEphemeralIdentity: Buffer
  readonly dhEphemeralPrekey: Buffer
  readonly dhIdentityPrekey: Buffer
  readonly responderId: Buffer
  readonly encodedPrekeys: Buffer
  readonly initiatorId: Buffer
  readonly seal: (th1: Buffer, keys: Buffer, hash: Buffer) => { proof: Buffer; block: Buffer }
}): HandshakeTrace {
  const { ephemeralKey, wrappedSecret, encapsulatedKey, kemSecret } = input
  const { dhEphemeralIdentity, dhEphemeralPrekey, dhIdentityPrekey } = input
  const th1 = sha256(
    label('handshake/transcript-1'),
    input.responderId,
    input.encodedPrekeys,
    u8(1),
    ephemeralKey,
    wrappedSecret,
    encapsulatedKey,
  )
  const handshakeHash = sha256(label('handshake/hash'), th1)
  const ikm = cat(
    Buffer.alloc(32, 0xff),
    input.sessionSecret,
    dhEphemeralIdentity,
    dhEphemeralPrekey,
    kemSecret,
  )
  const ck = hkdf(th1, ikm, label('handshake/key'), 32)
  const identityBlockKeys = hkdf(ck, Buffer.alloc(0), label('handshake/identity-block'), 64)
  const { proof, block } = input.seal(th1, identityBlockKeys, handshakeHash)
  const th2 = sha256(
    label('handshake/transcript-2'),
    th1,
    block,
    input.initiatorId,
    input.responderId,
  )
  const okm = hkdf(ck, dhIdentityPrekey, cat(label('handshake/session'), th2), 224)
  return {
    ephemeralKey,
    wrappedSecret,
    encapsulatedKey,
    kemSecret,
    th1,
    handshakeHash,
    dhEphemeralIdentity,
    dhEphemeralPrekey,
    ck,
    identityBlockKeys,
    continuityProof: proof,
    identityBlock: block,
    th2,
    dhIdentityPrekey,
    rootKey: okm.subarray(0, 32),
    initiatorHeaderKey: okm.subarray(32, 96),
    responderHeaderKey: okm.subarray(96, 160),
    resetKey: okm.subarray(160, 192),
    sessionId: okm.subarray(192, 224),
  }
}

/** EK ‖ ctR ‖ ctK ‖ idb. */
export const handshakeBytes = (trace: HandshakeTrace): Buffer =>
  cat(trace.ephemeralKey, trace.wrappedSecret, trace.encapsulatedKey, trace.identityBlock)

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
  const number = (field: number, value: number) =>
    value === 0 ? Buffer.alloc(0) : cat(varint(field << 3), varint(value))
  const block = (field: number, value: Buffer) =>
    cat(varint((field << 3) | 2), varint(value.length), value)
  return cat(
    block(1, fromHex(content.messageId)),
    number(2, content.sequence),
    number(3, content.oldestPending),
    number(4, content.sentAt),
    number(5, content.expiresAfter),
    content.text === undefined ? Buffer.alloc(0) : block(6, Buffer.from(content.text)),
    content.control === undefined ? Buffer.alloc(0) : number(7, content.control),
  )
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
