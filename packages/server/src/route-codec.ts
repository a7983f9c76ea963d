/**
 * What the processes of one service say to each other, in the frames of the wire where there is one:
 * the same fields, checked by the same strict reader.
 */
import {
  decodeClientFrame,
  decodeServerFrame,
  type EnvelopeStatus,
  encodeClientFrame,
  encodeServerFrame,
  type PutMode,
  type PutOutcome,
  Reader,
  WireError,
  Writer,
} from '@couplet/wire'
import type { End } from './mailbox.ts'

/** A put on its way to the process that has its recipient's connection. */
export interface RoutedPut {
  readonly sender: Uint8Array
  readonly recipient: Uint8Array
  readonly mode: PutMode
  /** Whether the sender is no stranger to the recipient, as the sender's process knows. */
  readonly isFriend: boolean
  readonly bytes: Uint8Array
}

/** What is said to the process that has a user's connection. */
export type RouteMessage =
  | ({ readonly kind: 'put' } & RoutedPut)
  /** The user has a connection here now. `nonce`, 8 bytes, is the higher the later. */
  | { readonly kind: 'here'; readonly nonce: Uint8Array }
  /** An envelope that the user put for `recipient` came to its end. */
  | {
      readonly kind: 'ended'
      readonly recipient: Uint8Array
      readonly id: Uint8Array
      readonly end: End
    }

/** Answer to a put. `gone`: the recipient's connection is not here any more. */
export type RouteAnswer =
  | { readonly kind: 'outcome'; readonly outcome: PutOutcome }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'gone' }

const KIND = { put: 1, here: 2, ended: 3 } as const
const NO_REF = 0
const ID_BYTES = 32
export const NONCE_BYTES = 8

export function encodeRoute(message: RouteMessage): Uint8Array {
  const writer = new Writer().u8(KIND[message.kind])
  switch (message.kind) {
    case 'put': {
      const { sender, recipient, mode, isFriend, bytes: envelope } = message
      const frame = encodeClientFrame({ type: 'put', ref: NO_REF, mode, recipient, envelope })
      return writer
        .bytes(sender)
        .u8(isFriend ? 1 : 0)
        .bytes(frame)
        .finish()
    }
    case 'here':
      return writer.bytes(message.nonce).finish()
    case 'ended': {
      const { recipient, id, end } = message
      const frame = encodeServerFrame({ type: 'notice', id, status: end })
      return writer.bytes(recipient).bytes(frame).finish()
    }
  }
}

/** @throws {WireError} `malformed`: a process of another version said it. Fields are views. */
export function decodeRoute(bytes: Uint8Array): RouteMessage {
  const reader = new Reader(bytes)
  switch (reader.u8()) {
    case KIND.put: {
      const sender = reader.bytes(ID_BYTES)
      const isFriend = reader.u8() === 1
      const frame = decodeClientFrame(reader.rest())
      if (frame.type !== 'put') throw malformed()
      const { mode, recipient, envelope } = frame
      return { kind: 'put', sender, mode, isFriend, recipient, bytes: envelope }
    }
    case KIND.here: {
      const nonce = reader.bytes(NONCE_BYTES)
      reader.finish()
      return { kind: 'here', nonce }
    }
    case KIND.ended: {
      const recipient = reader.bytes(ID_BYTES)
      const frame = decodeServerFrame(reader.rest())
      if (frame.type !== 'notice') throw malformed()
      return { kind: 'ended', recipient, id: frame.id, end: endOf(frame.status) }
    }
    default:
      throw malformed()
  }
}

export function encodeAnswer(answer: RouteAnswer): Uint8Array {
  switch (answer.kind) {
    case 'outcome':
      return encodeServerFrame({ type: 'put-result', ref: NO_REF, outcome: answer.outcome })
    case 'failed': {
      const { code, details } = answer.error
      const retryAfter = details.retryAfter ?? 0
      return encodeServerFrame({ type: 'error', ref: NO_REF, code, retryAfter })
    }
    case 'gone':
      return new Uint8Array(0)
  }
}

/** @throws {WireError} `malformed`. */
export function decodeAnswer(bytes: Uint8Array): RouteAnswer {
  if (bytes.length === 0) return { kind: 'gone' }
  const frame = decodeServerFrame(bytes)
  if (frame.type === 'put-result') return { kind: 'outcome', outcome: frame.outcome }
  if (frame.type !== 'error') throw malformed()
  const { code, retryAfter } = frame
  return { kind: 'failed', error: new WireError(code, 'said by another process', { retryAfter }) }
}

/** A notice holds an end and nothing else. */
function endOf(status: EnvelopeStatus): End {
  if (status.kind === 'waiting' || status.kind === 'unknown') throw malformed()
  return status
}

function malformed(): WireError {
  return new WireError('malformed', 'not a message between processes of this version')
}
