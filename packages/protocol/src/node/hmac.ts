/**
 * HMAC-SHA-256 (RFC 2104) from OpenSSL's SHA-256 in one shot.
 *
 *     HMAC(K, m) = H((K ^ opad) ‖ H((K ^ ipad) ‖ m))
 *
 * `createHmac` looks its hash up by name, and makes an object on the other side of a border for the
 * collector to finalize: for the short inputs of a ratchet that costs more than the hashing. Long ones
 * go that way.
 */
import { createHmac, hash } from 'node:crypto'

/** @returns 32 bytes, in memory of their own. */
export function hmacSha256(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const end = BLOCK_BYTES + totalLength(parts)
  const isShort = key.length <= BLOCK_BYTES && end <= INNER.length
  // What a program without types may give: createHmac knows what to do with it.
  const isBytes = key instanceof Uint8Array && parts.every((part) => part instanceof Uint8Array)
  return isShort && isBytes ? hmacOfShort(key, parts, end) : hmacOfLong(key, parts)
}

function hmacOfShort(
  key: Uint8Array,
  parts: readonly Uint8Array[],
  end: number,
): Uint8Array<ArrayBuffer> {
  try {
    INNER.set(key)
    for (let i = 0; i < BLOCK_BYTES; i++) INNER[i]! ^= IPAD
    for (let i = 0; i < BLOCK_BYTES; i++) OUTER_BYTES[i] = INNER[i]! ^ IPAD ^ OPAD
    let at = BLOCK_BYTES
    for (const part of parts) {
      INNER.set(part, at)
      at += part.length
    }
    // As text, since bytes would be one more object to collect. Nobody without the key can use it.
    OUTER.write(hash('sha256', INNER.subarray(0, end), 'latin1'), BLOCK_BYTES, 'latin1')
    return hash('sha256', OUTER, 'buffer')
  } finally {
    // The next key may be shorter.
    INNER.fill(0, 0, end)
    OUTER_BYTES.fill(0)
  }
}

function hmacOfLong(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

const HASH_BYTES = 32
const BLOCK_BYTES = 64
const IPAD = 0x36
const OPAD = 0x5c
/** Nothing is awaited while they are in use, so they serve all calls. They are zero between calls. */
const INNER = new Uint8Array(2 ** 12)
/** K ^ opad, and behind it the inner hash. */
const OUTER = Buffer.alloc(BLOCK_BYTES + HASH_BYTES)
const OUTER_BYTES = new Uint8Array(OUTER.buffer, OUTER.byteOffset, OUTER.length)
