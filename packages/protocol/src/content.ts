/**
 * What is inside a message: a Protobuf `Content`, since this is where formats grow.
 * (spec/message.md, "Content"; the schema is spec/content.proto)
 *
 * The field-level reader and writer come from @bufbuild/protobuf; unknown fields are skipped, an
 * unknown kind of body is kept as `unsupported`.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { type Bytes, fromUtf8, utf8 } from '@couplet/wire'
import { MAX_TEXT_BYTES, MESSAGE_ID_BYTES } from './constants.ts'
import { ProtocolError } from './errors.ts'

export interface Content {
  /** 16 random bytes, the same in every resend: the recipient shows a message once. */
  readonly messageId: Uint8Array
  /** Counts this direction's messages from 1; 0 for control messages, which nobody sees. */
  readonly sequence: number
  /** The lowest sequence number that its sender may still send: what is below is closed. */
  readonly oldestPending: number
  /** Milliseconds since 1970, the sender's clock. */
  readonly sentAt: number
  /** Milliseconds after which both ends delete the message; 0 for never. */
  readonly expiresAfter: number
  readonly body: Body
}

export type Body =
  | { readonly kind: 'text'; readonly text: string }
  /** Says nothing but "I am here": lets the ratchet turn in a one-way conversation. */
  | { readonly kind: 'heartbeat' }
  /** From a newer version. */
  | { readonly kind: 'unsupported' }

const FIELD = {
  messageId: 1,
  sequence: 2,
  oldestPending: 3,
  sentAt: 4,
  expiresAfter: 5,
  text: 6,
  control: 7,
} as const

const NUMBER_FIELDS: ReadonlySet<number> = new Set([
  FIELD.sequence,
  FIELD.oldestPending,
  FIELD.sentAt,
  FIELD.expiresAfter,
])

const CONTROL_HEARTBEAT = 1
const MAX_VARINT_BYTES = 10

/** @throws {ProtocolError} `content-too-large` for a text over MAX_TEXT_BYTES. */
export function encodeContent(content: Content): Bytes {
  const writer = new BinaryWriter()
  writer.tag(FIELD.messageId, WireType.LengthDelimited).bytes(content.messageId)
  writeNumber(writer, FIELD.sequence, content.sequence)
  writeNumber(writer, FIELD.oldestPending, content.oldestPending)
  writeNumber(writer, FIELD.sentAt, content.sentAt)
  writeNumber(writer, FIELD.expiresAfter, content.expiresAfter)
  if (content.body.kind === 'text') {
    writer.tag(FIELD.text, WireType.LengthDelimited).bytes(encodeText(content.body.text))
  } else if (content.body.kind === 'heartbeat') {
    writer.tag(FIELD.control, WireType.Varint).uint32(CONTROL_HEARTBEAT)
  }
  return writer.finish().slice()
}

/** @throws {ProtocolError} `malformed`. */
export function decodeContent(encoded: Uint8Array): Content {
  try {
    return readContent(encoded, new BinaryReader(encoded))
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    throw new ProtocolError('malformed', 'content is not a valid Content', { cause: error })
  }
}

function readContent(encoded: Uint8Array, reader: BinaryReader): Content {
  let messageId: Uint8Array = new Uint8Array()
  let body: Body = { kind: 'unsupported' }
  const numbers = new Map<number, number>()
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (field === FIELD.messageId && type === WireType.LengthDelimited) {
      messageId = readBytes(encoded, reader)
    } else if (field === FIELD.text && type === WireType.LengthDelimited) {
      // Not `string()`, which drops a byte order mark and takes what is no UTF-8.
      body = { kind: 'text', text: fromUtf8(readBytes(encoded, reader)) }
    } else if (field === FIELD.control && type === WireType.Varint) {
      body = {
        kind: readVarint(encoded, reader) === CONTROL_HEARTBEAT ? 'heartbeat' : 'unsupported',
      }
    } else if (NUMBER_FIELDS.has(field) && type === WireType.Varint) {
      numbers.set(field, readNumber(encoded, reader))
    } else if (type === WireType.LengthDelimited) {
      readBytes(encoded, reader)
    } else if (type === WireType.Varint) {
      readVarint(encoded, reader)
    } else {
      reader.skip(type, field)
    }
  }
  if (messageId.length !== MESSAGE_ID_BYTES) {
    throw new ProtocolError('malformed', 'message id is not 16 bytes')
  }
  return {
    messageId: new Uint8Array(messageId),
    sequence: numbers.get(FIELD.sequence) ?? 0,
    oldestPending: numbers.get(FIELD.oldestPending) ?? 0,
    sentAt: numbers.get(FIELD.sentAt) ?? 0,
    expiresAfter: numbers.get(FIELD.expiresAfter) ?? 0,
    body,
  }
}

function encodeText(text: string): Bytes {
  const encoded = utf8(text)
  if (encoded.length > MAX_TEXT_BYTES) {
    throw new ProtocolError('content-too-large', `a text has at most ${MAX_TEXT_BYTES} bytes`)
  }
  return encoded
}

function writeNumber(writer: BinaryWriter, field: number, value: number): void {
  if (value !== 0) writer.tag(field, WireType.Varint).uint64(value)
}

/** Not the reader's own `bytes()` and `skip()`, for which a length is its lower 32 bits. */
function readBytes(encoded: Uint8Array, reader: BinaryReader): Uint8Array {
  const length = readVarint(encoded, reader)
  if (length > reader.len - reader.pos) {
    throw new ProtocolError('malformed', 'a field is longer than the content')
  }
  const start = reader.pos
  reader.pos += length
  return encoded.subarray(start, reader.pos)
}

/** Not the reader's own, which cut a number to 32 or 64 bits. Inexact above 2^53, but above it. */
function readVarint(encoded: Uint8Array, reader: BinaryReader): number {
  let value = 0
  for (let i = 0; i < MAX_VARINT_BYTES && reader.pos < reader.len; i++) {
    const byte = encoded[reader.pos++]!
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return value
  }
  throw new ProtocolError('malformed', 'a number has no end')
}

function readNumber(encoded: Uint8Array, reader: BinaryReader): number {
  const value = readVarint(encoded, reader)
  if (!Number.isSafeInteger(value)) throw new ProtocolError('malformed', 'number too large')
  return value
}
