/** A server's frame as one WebSocket message, header and all in one piece: a single thing to write. */
import { encodeServerFrame, frameLength, type ServerFrame } from '@couplet/wire'

/**
 * A final binary frame, which servers do not mask (RFC 6455 §5.2).
 *
 * @param backlog - bytes that wait before it. A piece of the pool keeps the 64 KiB around it: only what leaves
 *   at once comes from there, so that a reader who does not read costs little more than its limit.
 */
export function messageOf(frame: ServerFrame, backlog: number): Buffer {
  const length = frameLength(frame)
  const headerLength = length <= MAX_SHORT ? 2 : length <= MAX_MEDIUM ? 4 : 10
  const isPooled = backlog <= MAX_POOLED_BACKLOG
  const size = headerLength + length
  const message = isPooled ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)
  message[0] = FINAL_BINARY
  if (headerLength === 2) message[1] = length
  else if (headerLength === 4) {
    message[1] = MEDIUM
    message.writeUInt16BE(length, 2)
  } else {
    message[1] = LONG
    message.writeBigUInt64BE(BigInt(length), 2)
  }
  const place = message.subarray(headerLength)
  if (encodeServerFrame(frame, place) !== place) throw new RangeError('not of its length')
  return message
}

const FINAL_BINARY = 0x82
/** Longest payload whose length stands in the second byte, and in the two behind it. */
const MAX_SHORT = 125
const MAX_MEDIUM = 0xffff
/** In place of a length: it follows in two bytes, or in eight. */
const MEDIUM = 126
const LONG = 127
/** Some two dozen pools at most. */
const MAX_POOLED_BACKLOG = 1024
