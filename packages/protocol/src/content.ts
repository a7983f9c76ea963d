/**
 * What is inside a message: a Protobuf `Content`, since this is where formats grow.
 * (spec/message.md, "Content"; the schema is spec/content.proto)
 *
 * Unknown fields are skipped, an unknown kind of body is kept as `unsupported`.
 */
import { type Bytes, fromUtf8, utf8 } from '@couplet/wire'
import { MAX_TEXT_BYTES, MESSAGE_ID_BYTES } from './constants.ts'
import { ProtocolError } from './errors.ts'
import { type Field, ProtobufReader, ProtobufWriter } from './protobuf.ts'

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

const CONTROL_HEARTBEAT = 1

/** @throws {ProtocolError} `content-too-large` for a text over MAX_TEXT_BYTES. */
export function encodeContent(content: Content): Bytes {
  const writer = new ProtobufWriter().bytes(FIELD.messageId, content.messageId)
  for (const name of NUMBERS) {
    if (content[name] !== 0) writer.number(FIELD[name], content[name])
  }
  if (content.body.kind === 'text') writer.bytes(FIELD.text, encodeText(content.body.text))
  if (content.body.kind === 'heartbeat') writer.number(FIELD.control, CONTROL_HEARTBEAT)
  return writer.finish()
}

/** @throws {ProtocolError} `malformed`. */
export function decodeContent(encoded: Uint8Array): Content {
  try {
    return readContent(new ProtobufReader(encoded))
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    throw new ProtocolError('malformed', 'content is not a valid Content', { cause: error })
  }
}

function readContent(reader: ProtobufReader): Content {
  let messageId: Uint8Array = new Uint8Array()
  let body: Body = { kind: 'unsupported' }
  const numbers = { sequence: 0, oldestPending: 0, sentAt: 0, expiresAfter: 0 }
  while (!reader.isAtEnd) {
    const field = reader.field()
    if (field.kind === 'bytes' && field.number === FIELD.messageId) messageId = field.value
    body = bodyOf(field) ?? body
    const name = field.kind === 'number' && NAME_OF_NUMBER[field.number]
    if (name) numbers[name] = safe(field.value)
  }
  if (messageId.length !== MESSAGE_ID_BYTES) {
    throw new ProtocolError('malformed', 'message id is not 16 bytes')
  }
  return { messageId: new Uint8Array(messageId), ...numbers, body }
}

function bodyOf(field: Field): Body | undefined {
  if (field.kind === 'bytes' && field.number === FIELD.text) {
    return { kind: 'text', text: fromUtf8(field.value) }
  }
  if (field.kind === 'number' && field.number === FIELD.control) {
    return { kind: field.value === CONTROL_HEARTBEAT ? 'heartbeat' : 'unsupported' }
  }
  return undefined
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new ProtocolError('malformed', 'number too large')
  return value
}

function encodeText(text: string): Bytes {
  const encoded = utf8(text)
  if (encoded.length > MAX_TEXT_BYTES) {
    throw new ProtocolError('content-too-large', `a text has at most ${MAX_TEXT_BYTES} bytes`)
  }
  return encoded
}

const NUMBERS = ['sequence', 'oldestPending', 'sentAt', 'expiresAfter'] as const
/** By field number. */
const NAME_OF_NUMBER: Readonly<Record<number, (typeof NUMBERS)[number]>> = Object.fromEntries(
  NUMBERS.map((name) => [FIELD[name], name]),
)
