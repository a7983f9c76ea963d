/**
 * Frames of the socket: one binary WebSocket message each, a type byte and then fixed fields.
 * (spec/socket.md)
 *
 * A strict codec by hand: few fields, and the envelope, always last, passes through uncopied when
 * decoding. `ref` is chosen by the client and repeated in the answer.
 */
import type { Bytes } from './bytes.ts'
import { Reader, Writer } from './codec.ts'
import { ERROR_CODES, type ErrorCode, WireError } from './errors.ts'
import {
  MAX_ENVELOPE_BYTES,
  MAX_FRAME_BYTES,
  MAX_STATUS_IDS,
  MIN_ENVELOPE_BYTES,
} from './limits.ts'

/** The WebSocket subprotocol, and the path it is served at. */
export const SOCKET_PROTOCOL = 'couplet.v1'
export const SOCKET_PATH = '/v1/socket'
/** Offered besides, with the client's version behind it: browsers can say it in no other way. */
export const CLIENT_SUBPROTOCOL_PREFIX = 'couplet.client.'

/** `evict`: a fresh message, the oldest leaves when full. `if-room`: a resend, never evicts. */
export type PutMode = 'evict' | 'if-room'

/** Why a recipient could not use an envelope. The server only passes it on. */
export type NackReason = 'late' | 'unknown-session' | 'retired-prekey' | 'invalid'

/** Where an envelope is, in the words that `put`, `status` and `notice` share. */
export type EnvelopeStatus =
  /** In the mailbox. */
  | { readonly kind: 'waiting' }
  /** Acknowledged with a receipt, 32 bytes, that only its sender can check. */
  | { readonly kind: 'delivered'; readonly receipt: Uint8Array }
  /** Acknowledged without a receipt. */
  | { readonly kind: 'settled' }
  /** The recipient could not use it. */
  | { readonly kind: 'refused'; readonly reason: NackReason }
  /** Pushed out by a newer one, or expired. */
  | { readonly kind: 'evicted' }
  /** Nothing is known of this id. */
  | { readonly kind: 'unknown' }

/**
 * What became of a put.
 * `stored`: it survives a crash of the server. `duplicate`: the same id is waiting already.
 * `full`: only for `if-room`. The others: this id came to its end before.
 */
export type PutOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'full' }
  | Exclude<EnvelopeStatus, { readonly kind: 'waiting' | 'unknown' }>

export type ClientFrame =
  | { readonly type: 'login'; readonly identityId: Uint8Array; readonly signature: Uint8Array }
  | {
      readonly type: 'put'
      readonly ref: number
      readonly mode: PutMode
      /** identityId, 32 bytes. */
      readonly recipient: Uint8Array
      readonly envelope: Uint8Array
    }
  | { readonly type: 'ack'; readonly id: Uint8Array; readonly receipt?: Uint8Array | undefined }
  | { readonly type: 'nack'; readonly id: Uint8Array; readonly reason: NackReason }
  | { readonly type: 'status'; readonly ref: number; readonly ids: readonly Uint8Array[] }

export type ServerFrame =
  | { readonly type: 'challenge'; readonly challenge: Uint8Array }
  | {
      readonly type: 'welcome'
      /** Messages that a mailbox holds. */
      readonly capacity: number
      /** Deliveries that the server has under way before it waits for acknowledgements. */
      readonly window: number
      /** The server's clock, milliseconds since 1970. */
      readonly now: number
    }
  | {
      readonly type: 'deliver'
      /** identityId as the server knows it: a hint for finding the session, never a proof. */
      readonly sender: Uint8Array
      readonly storedAt: number
      readonly envelope: Uint8Array
    }
  /** All that was waiting at login has been delivered; what follows is live. */
  | { readonly type: 'caught-up' }
  | { readonly type: 'put-result'; readonly ref: number; readonly outcome: PutOutcome }
  | {
      readonly type: 'status-result'
      readonly ref: number
      /** In the order of the ids asked for. */
      readonly statuses: readonly EnvelopeStatus[]
    }
  /** An `ack` or `nack` has been applied. */
  | { readonly type: 'acked'; readonly id: Uint8Array }
  /** Something happened to an envelope that this connection's user sent. */
  | { readonly type: 'notice'; readonly id: Uint8Array; readonly status: EnvelopeStatus }
  /** A mailbox that was full, or that evicted this user's message, has room again. */
  | { readonly type: 'room'; readonly recipient: Uint8Array }
  /** `ref` 0: about the connection, which is then closed. */
  | {
      readonly type: 'error'
      readonly ref: number
      readonly code: ErrorCode
      /** Seconds until it makes sense to try again, 0 when there is nothing to wait for. */
      readonly retryAfter: number
    }

/** Close codes of the socket (RFC 6455 leaves 4000 to 4999 to applications). */
export const CLOSE_CODE = {
  /** A newer connection of the same user took over: do not reconnect by yourself. */
  replaced: 4001,
  malformed: 4002,
  unauthenticated: 4003,
  /** No login in time, or no answer to pings. */
  timeout: 4004,
  /** The server is stopping: reconnect after a moment. */
  stopping: 4005,
  /** The reader does not read, or sends more than its share. */
  tooSlow: 4006,
  /** The client is too old for this server: do not reconnect by yourself. */
  tooOld: 4007,
} as const

const ID_BYTES = 32
const RECEIPT_BYTES = 32
const LOGIN_SIGNATURE_BYTES = 64

const TYPE = {
  login: 0x01,
  put: 0x02,
  ack: 0x03,
  nack: 0x04,
  status: 0x05,
  challenge: 0x81,
  welcome: 0x82,
  deliver: 0x83,
  'caught-up': 0x84,
  'put-result': 0x85,
  'status-result': 0x86,
  acked: 0x87,
  notice: 0x88,
  room: 0x89,
  error: 0x8f,
} as const

const PUT_MODES: readonly PutMode[] = ['evict', 'if-room']
/** By their numbers on the wire. */
export const NACK_REASONS: readonly NackReason[] = [
  'late',
  'unknown-session',
  'retired-prekey',
  'invalid',
]
const STATUS_KINDS = ['waiting', 'delivered', 'settled', 'refused', 'evicted', 'unknown'] as const
/** Positions of `STATUS_KINDS` and, behind them, what only a put can answer. */
const OUTCOME_KINDS = [...STATUS_KINDS, 'stored', 'duplicate', 'full'] as const

export function encodeClientFrame(frame: ClientFrame): Bytes {
  const writer = new Writer(frameLength(frame)).u8(TYPE[frame.type])
  switch (frame.type) {
    case 'login':
      return writer.bytes(frame.identityId).bytes(frame.signature).finish()
    case 'put':
      return writer
        .u32(frame.ref)
        .u8(PUT_MODES.indexOf(frame.mode))
        .bytes(frame.recipient)
        .bytes(frame.envelope)
        .finish()
    case 'ack':
      writer.bytes(frame.id).u8(frame.receipt ? 1 : 0)
      if (frame.receipt) writer.bytes(frame.receipt)
      return writer.finish()
    case 'nack':
      return writer.bytes(frame.id).u8(NACK_REASONS.indexOf(frame.reason)).finish()
    case 'status':
      writer.u32(frame.ref).u16(frame.ids.length)
      for (const id of frame.ids) writer.bytes(id)
      return writer.finish()
  }
}

/** Bytes of the encoded frame. */
export function frameLength(frame: ClientFrame | ServerFrame): number {
  switch (frame.type) {
    case 'put':
      return 1 + 4 + 1 + ID_BYTES + frame.envelope.length
    case 'deliver':
      return 1 + ID_BYTES + 8 + frame.envelope.length
    case 'put-result':
      return 1 + 4 + statusLength(frame.outcome)
    case 'ack':
      return 1 + ID_BYTES + 1 + (frame.receipt?.length ?? 0)
    case 'acked':
    case 'room':
    case 'challenge':
      return 1 + ID_BYTES
    case 'notice':
      return 1 + ID_BYTES + statusLength(frame.status)
    case 'nack':
      return 1 + ID_BYTES + 1
    case 'status':
      return 1 + 4 + 2 + frame.ids.length * ID_BYTES
    case 'status-result':
      return frame.statuses.reduce((sum, status) => sum + statusLength(status), 1 + 4 + 2)
    case 'login':
      return 1 + ID_BYTES + LOGIN_SIGNATURE_BYTES
    case 'welcome':
      return 1 + 2 + 2 + 8
    case 'caught-up':
      return 1
    case 'error':
      return 1 + 4 + 1 + 4
  }
}

function statusLength({ kind }: EnvelopeStatus | PutOutcome): number {
  if (kind === 'delivered') return 1 + RECEIPT_BYTES
  return kind === 'refused' ? 2 : 1
}

/** @throws {WireError} `malformed` or `too-large`. Byte fields are views into `bytes`. */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const reader = frameReader(bytes)
  const type = reader.u8()
  const frame = decodeClientFields(type, reader)
  reader.finish()
  return frame
}

function decodeClientFields(type: number, reader: Reader): ClientFrame {
  switch (type) {
    case TYPE.login:
      return {
        type: 'login',
        identityId: reader.bytes(ID_BYTES),
        signature: reader.bytes(LOGIN_SIGNATURE_BYTES),
      }
    case TYPE.put:
      return {
        type: 'put',
        ref: reader.u32(),
        mode: oneOf(PUT_MODES, reader.u8()),
        recipient: reader.bytes(ID_BYTES),
        envelope: envelope(reader),
      }
    case TYPE.ack: {
      const id = reader.bytes(ID_BYTES)
      const receipt = flag(reader) ? reader.bytes(RECEIPT_BYTES) : undefined
      return { type: 'ack', id, receipt }
    }
    case TYPE.nack:
      return {
        type: 'nack',
        id: reader.bytes(ID_BYTES),
        reason: oneOf(NACK_REASONS, reader.u8()),
      }
    case TYPE.status: {
      const ref = reader.u32()
      const count = reader.u16()
      if (count > MAX_STATUS_IDS) throw new WireError('too-large', 'too many ids')
      return { type: 'status', ref, ids: times(count, () => reader.bytes(ID_BYTES)) }
    }
    default:
      throw new WireError('malformed', 'unknown frame')
  }
}

/** @param into - where it goes, when there is a place already: `frameLength` bytes. */
export function encodeServerFrame(frame: ServerFrame, into?: Bytes): Bytes {
  const writer = new Writer(into ?? frameLength(frame)).u8(TYPE[frame.type])
  switch (frame.type) {
    case 'challenge':
      return writer.bytes(frame.challenge).finish()
    case 'welcome':
      return writer.u16(frame.capacity).u16(frame.window).u64(frame.now).finish()
    case 'deliver':
      return writer.bytes(frame.sender).u64(frame.storedAt).bytes(frame.envelope).finish()
    case 'caught-up':
      return writer.finish()
    case 'put-result':
      return writeStatus(writer.u32(frame.ref), frame.outcome).finish()
    case 'status-result':
      writer.u32(frame.ref).u16(frame.statuses.length)
      for (const status of frame.statuses) writeStatus(writer, status)
      return writer.finish()
    case 'acked':
      return writer.bytes(frame.id).finish()
    case 'notice':
      return writeStatus(writer.bytes(frame.id), frame.status).finish()
    case 'room':
      return writer.bytes(frame.recipient).finish()
    case 'error':
      return writer
        .u32(frame.ref)
        .u8(ERROR_CODES.indexOf(frame.code))
        .u32(frame.retryAfter)
        .finish()
  }
}

/** @throws {WireError} `malformed` or `too-large`. Byte fields are views into `bytes`. */
export function decodeServerFrame(bytes: Uint8Array): ServerFrame {
  const reader = frameReader(bytes)
  const type = reader.u8()
  const frame = decodeServerFields(type, reader)
  reader.finish()
  return frame
}

function decodeServerFields(type: number, reader: Reader): ServerFrame {
  switch (type) {
    case TYPE.challenge:
      return { type: 'challenge', challenge: reader.bytes(ID_BYTES) }
    case TYPE.welcome:
      return {
        type: 'welcome',
        capacity: reader.u16(),
        window: reader.u16(),
        now: reader.u64(),
      }
    case TYPE.deliver:
      return {
        type: 'deliver',
        sender: reader.bytes(ID_BYTES),
        storedAt: reader.u64(),
        envelope: envelope(reader),
      }
    case TYPE['caught-up']:
      return { type: 'caught-up' }
    case TYPE['put-result']: {
      const ref = reader.u32()
      const outcome = readOutcome(reader)
      if (outcome.kind === 'waiting' || outcome.kind === 'unknown') {
        throw new WireError('malformed', 'not an outcome of a put')
      }
      return { type: 'put-result', ref, outcome }
    }
    case TYPE['status-result']: {
      const ref = reader.u32()
      const count = reader.u16()
      if (count > MAX_STATUS_IDS) throw new WireError('too-large', 'too many statuses')
      return { type: 'status-result', ref, statuses: times(count, () => readStatus(reader)) }
    }
    case TYPE.acked:
      return { type: 'acked', id: reader.bytes(ID_BYTES) }
    case TYPE.notice:
      return { type: 'notice', id: reader.bytes(ID_BYTES), status: readStatus(reader) }
    case TYPE.room:
      return { type: 'room', recipient: reader.bytes(ID_BYTES) }
    case TYPE.error:
      return {
        type: 'error',
        ref: reader.u32(),
        code: oneOf(ERROR_CODES, reader.u8()),
        retryAfter: reader.u32(),
      }
    default:
      throw new WireError('malformed', 'unknown frame')
  }
}

function writeStatus(writer: Writer, status: EnvelopeStatus | PutOutcome): Writer {
  writer.u8(OUTCOME_KINDS.indexOf(status.kind))
  if (status.kind === 'delivered') writer.bytes(status.receipt)
  if (status.kind === 'refused') writer.u8(NACK_REASONS.indexOf(status.reason))
  return writer
}

function readStatus(reader: Reader): EnvelopeStatus {
  const status = readOutcome(reader)
  if (status.kind === 'stored' || status.kind === 'duplicate' || status.kind === 'full') {
    throw new WireError('malformed', 'not a status')
  }
  return status
}

function readOutcome(reader: Reader): EnvelopeStatus | PutOutcome {
  const kind = oneOf(OUTCOME_KINDS, reader.u8())
  if (kind === 'delivered') return { kind, receipt: reader.bytes(RECEIPT_BYTES) }
  if (kind === 'refused') return { kind, reason: oneOf(NACK_REASONS, reader.u8()) }
  return { kind }
}

/** An envelope is a power of two from 1 KiB to 64 KiB; anything else is refused unseen. */
function envelope(reader: Reader): Uint8Array {
  const size = reader.remaining
  if (size > MAX_ENVELOPE_BYTES) throw new WireError('too-large', 'envelope over 64 KiB')
  if (size < MIN_ENVELOPE_BYTES || (size & (size - 1)) !== 0) {
    throw new WireError('malformed', 'envelope is not a power of two from 1 KiB')
  }
  return reader.rest()
}

function frameReader(bytes: Uint8Array): Reader {
  if (bytes.length > MAX_FRAME_BYTES) throw new WireError('too-large', 'frame too large')
  return new Reader(bytes)
}

function flag(reader: Reader): boolean {
  return oneOf([false, true] as const, reader.u8())
}

function oneOf<T>(values: readonly T[], index: number): T {
  if (index >= values.length) throw new WireError('malformed', 'unknown value')
  return values[index]!
}

function times<T>(count: number, read: () => T): T[] {
  return Array.from({ length: count }, read)
}
