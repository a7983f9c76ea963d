/**
 * Sessions as bytes, for stores. Local to one device: the form may change with a new version byte,
 * and a store that holds a form from the future is refused, not guessed at.
 */
import { type Bytes, KEM_PUBLIC_KEY_BYTES, Reader, WireError, Writer } from '@couplet/wire'
import {
  ETM_KEYS_BYTES,
  KEM_CIPHERTEXT_BYTES,
  KEM_SEED_BYTES,
  KEY_BYTES,
  RSA_CIPHERTEXT_BYTES,
} from './constants.ts'
import { type HandshakeHeader, IDENTITY_BLOCK_BYTES } from './envelope.ts'
import { ProtocolError } from './errors.ts'
import type { ReceivingChain, SendingChain, Session } from './session.ts'

const VERSION = 1
const ROLES = ['initiator', 'responder'] as const
/** What every session has: ids and keys, header keys, times, counts, and bytes for flags and lengths. */
const FIXED_BYTES = 6 * KEY_BYTES + 2 * ETM_KEYS_BYTES + 2 * 8 + 4 + 13
const HANDSHAKE_BYTES =
  4 + KEY_BYTES + RSA_CIPHERTEXT_BYTES + KEM_CIPHERTEXT_BYTES + IDENTITY_BLOCK_BYTES
/** Without what is optional. */
const SENDING_BYTES = 2 * KEY_BYTES + ETM_KEYS_BYTES + 3 * 4 + 4
const STANDINGS = ['live', 'superseded', 'dead', 'revived', 'recalled'] as const

export function encodeSession(session: Session): Bytes {
  const writer = new Writer(encodedBytes(session))
    .u8(VERSION)
    .bytes(session.id)
    .bytes(session.handshakeHash)
    .u8(ROLES.indexOf(session.role))
    .bytes(session.self)
    .bytes(session.peer)
    .u64(session.createdAt)
    .u8(STANDINGS.indexOf(session.standing))
    .u8(Number(session.established))
    .u8(Number(session.unproven))
    .u8(Number(session.successor))
  optional(writer, session.handshake, writeHandshake)
  writer.bytes(session.rootKey)
  optional(writer, session.sending, writeSending)
  writer.bytes(session.nextSendingHeaderKey)
  optional(writer, session.remote, (w, remote) => {
    w.bytes(remote.key)
    optional(w, remote.offer, (inner, offer) => inner.bytes(offer))
  })
  optional(writer, session.receiving, (w, chain) =>
    w.bytes(chain.key).bytes(chain.headerKey).u32(chain.count),
  )
  writer.bytes(session.nextReceivingHeaderKey).u8(session.pastHeaderKeys.length)
  for (const key of session.pastHeaderKeys) writer.bytes(key)
  writer.u8(Number(session.stepDue)).u32(session.stepsSinceKem).u64(session.kemMixedAt)
  writer.bytes(session.continuity.proving).u8(session.continuity.accepted.length)
  for (const key of session.continuity.accepted) writer.bytes(key)
  return writer.finish()
}

/** Of a whole session: a writer that grows leaves its secrets in more than one place. */
function encodedBytes({
  handshake,
  sending,
  remote,
  receiving,
  pastHeaderKeys,
  continuity,
}: Session): number {
  return (
    FIXED_BYTES +
    (handshake ? HANDSHAKE_BYTES : 0) +
    (sending ? sendingBytes(sending) : 0) +
    (remote ? KEY_BYTES + 1 + (remote.offer ? KEM_PUBLIC_KEY_BYTES : 0) : 0) +
    (receiving ? KEY_BYTES + ETM_KEYS_BYTES + 4 : 0) +
    ETM_KEYS_BYTES * pastHeaderKeys.length +
    KEY_BYTES * continuity.accepted.length
  )
}

function sendingBytes({ secret, offer, ciphertext }: SendingChain): number {
  return (
    SENDING_BYTES +
    (secret ? KEY_BYTES : 0) +
    (offer ? KEM_SEED_BYTES + KEM_PUBLIC_KEY_BYTES : 0) +
    (ciphertext ? KEM_CIPHERTEXT_BYTES : 0)
  )
}

/**
 * @param encoded - given away: the session's keys are views of it.
 * @throws {ProtocolError} `unreadable-state`.
 */
export function decodeSession(encoded: Uint8Array): Session {
  try {
    const reader = new Reader(encoded)
    const session = readSession(reader)
    reader.finish()
    return session
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new ProtocolError('unreadable-state', 'stored session cannot be read', { cause: error })
  }
}

function readSession(reader: Reader): Session {
  reader.expect(VERSION, 'version of the stored session')
  return {
    id: bytes(reader, KEY_BYTES),
    handshakeHash: bytes(reader, KEY_BYTES),
    role: choice(reader, ROLES),
    self: bytes(reader, KEY_BYTES),
    peer: bytes(reader, KEY_BYTES),
    createdAt: reader.u64(),
    standing: choice(reader, STANDINGS),
    established: flag(reader),
    unproven: flag(reader),
    successor: flag(reader),
    handshake: maybe(reader, readHandshake),
    rootKey: bytes(reader, KEY_BYTES),
    sending: maybe(reader, readSending),
    nextSendingHeaderKey: bytes(reader, ETM_KEYS_BYTES),
    remote: maybe(reader, (r) => ({
      key: bytes(r, KEY_BYTES),
      offer: maybe(r, (inner) => bytes(inner, KEM_PUBLIC_KEY_BYTES)),
    })),
    receiving: maybe(reader, readReceiving),
    nextReceivingHeaderKey: bytes(reader, ETM_KEYS_BYTES),
    pastHeaderKeys: many(reader, ETM_KEYS_BYTES),
    stepDue: flag(reader),
    stepsSinceKem: reader.u32(),
    kemMixedAt: reader.u64(),
    continuity: { proving: bytes(reader, KEY_BYTES), accepted: many(reader, KEY_BYTES) },
  }
}

function writeHandshake(writer: Writer, handshake: HandshakeHeader): void {
  writer
    .u32(handshake.prekeyId)
    .bytes(handshake.ephemeralKey)
    .bytes(handshake.wrappedSecret)
    .bytes(handshake.encapsulatedKey)
    .bytes(handshake.identityBlock)
}

function readHandshake(reader: Reader): HandshakeHeader {
  return {
    prekeyId: reader.u32(),
    ephemeralKey: bytes(reader, KEY_BYTES),
    wrappedSecret: bytes(reader, RSA_CIPHERTEXT_BYTES),
    encapsulatedKey: bytes(reader, KEM_CIPHERTEXT_BYTES),
    identityBlock: bytes(reader, IDENTITY_BLOCK_BYTES),
  }
}

function writeSending(writer: Writer, chain: SendingChain): void {
  writer
    .u32(chain.index)
    .bytes(chain.key)
    .bytes(chain.headerKey)
    .u32(chain.count)
    .u32(chain.receipted)
    .bytes(chain.publicKey)
  optional(writer, chain.secret, (w, secret) => w.bytes(secret))
  optional(writer, chain.offer, (w, offer) => w.bytes(offer.seed).bytes(offer.key))
  optional(writer, chain.ciphertext, (w, ciphertext) => w.bytes(ciphertext))
  writer.u8(Number(chain.announce))
}

function readSending(reader: Reader): SendingChain {
  return {
    index: reader.u32(),
    key: bytes(reader, KEY_BYTES),
    headerKey: bytes(reader, ETM_KEYS_BYTES),
    count: reader.u32(),
    receipted: reader.u32(),
    publicKey: bytes(reader, KEY_BYTES),
    secret: maybe(reader, (r) => bytes(r, KEY_BYTES)),
    offer: maybe(reader, (r) => ({
      seed: bytes(r, KEM_SEED_BYTES),
      key: bytes(r, KEM_PUBLIC_KEY_BYTES),
    })),
    ciphertext: maybe(reader, (r) => bytes(r, KEM_CIPHERTEXT_BYTES)),
    announce: flag(reader),
  }
}

function readReceiving(reader: Reader): ReceivingChain {
  return {
    key: bytes(reader, KEY_BYTES),
    headerKey: bytes(reader, ETM_KEYS_BYTES),
    count: reader.u32(),
  }
}

function optional<T>(
  writer: Writer,
  value: T | undefined,
  write: (writer: Writer, value: T) => void,
): void {
  writer.u8(value === undefined ? 0 : 1)
  if (value !== undefined) write(writer, value)
}

function maybe<T>(reader: Reader, read: (reader: Reader) => T): T | undefined {
  return flag(reader) ? read(reader) : undefined
}

function many(reader: Reader, length: number): Bytes[] {
  const all: Bytes[] = []
  for (let left = reader.u8(); left > 0; left--) all.push(bytes(reader, length))
  return all
}

/** A view: who gave the reader's input gave it away. */
function bytes(reader: Reader, length: number): Bytes {
  return reader.bytes(length) as Bytes
}

function flag(reader: Reader): boolean {
  return choice(reader, [false, true] as const)
}

function choice<T>(reader: Reader, values: readonly T[]): T {
  const index = reader.u8()
  if (index >= values.length) throw new WireError('malformed', 'unknown value')
  return values[index]!
}
