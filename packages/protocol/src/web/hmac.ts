/**
 * HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869) over noble's SHA-256.
 *
 *     HMAC(K, m) = H((K ^ opad) ‖ H((K ^ ipad) ‖ m))
 *
 * noble's own build two hashers for every call, which costs a ratchet more than the hashing of its short
 * inputs. Here a few hashers serve all calls: nothing is awaited inside one, so no two calls ever meet,
 * and each ends by wiping what it used.
 */
import type { Bytes } from '@couplet/wire'
import { sha256 } from '@noble/hashes/sha2.js'

/** @returns 32 bytes. */
export function hmacSha256(key: Uint8Array, parts: readonly Uint8Array[]): Bytes {
  const tag = new Uint8Array(HASH_BYTES)
  try {
    padKey(key)
    begin(WORKER, INNER)
    for (const part of parts) WORKER.update(part)
    WORKER.digestInto(tag)
    begin(WORKER, OUTER)
    WORKER.update(tag).digestInto(tag)
    return tag
  } finally {
    WORKER.destroy()
    PAD.fill(0)
  }
}

export function hkdfSha256(input: {
  readonly salt: Uint8Array
  readonly ikm: Uint8Array
  readonly info: Uint8Array
  readonly length: number
}): Bytes {
  const { salt, ikm, info, length } = input
  if (length > 255 * HASH_BYTES) throw new RangeError('HKDF gives at most 255 hashes')
  // 1. Extract.
  const block = hmacSha256(salt, [ikm])
  // 2. Expand: T(n) = HMAC(PRK, T(n-1) ‖ info ‖ n). The key is hashed in once for all of them.
  try {
    padKey(block)
    begin(INNER_KEYED, INNER)
    begin(OUTER_KEYED, OUTER)
    const output = new Uint8Array(length)
    for (let offset = 0; offset < length; offset += HASH_BYTES) {
      copyInto(INNER_KEYED, WORKER)
      if (offset > 0) WORKER.update(block)
      COUNTER[0] = offset / HASH_BYTES + 1
      WORKER.update(info).update(COUNTER).digestInto(block)
      copyInto(OUTER_KEYED, WORKER)
      WORKER.update(block).digestInto(block)
      output.set(length - offset < HASH_BYTES ? block.subarray(0, length - offset) : block, offset)
    }
    return output
  } finally {
    for (const hasher of [WORKER, INNER_KEYED, OUTER_KEYED]) hasher.destroy()
    block.fill(0)
    PAD.fill(0)
  }
}

/** K ^ ipad into `PAD`. Keys that are longer than a block are hashed first. */
function padKey(key: Uint8Array): void {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key
  PAD.set(short)
  for (let i = 0; i < BLOCK_BYTES; i++) PAD[i] = (i < short.length ? PAD[i]! : 0) ^ INNER
}

/** A fresh hasher that has taken the key in. `INNER` comes before `OUTER`, which turns the pad over. */
function begin(hasher: Hasher, pad: typeof INNER | typeof OUTER): void {
  if (pad === OUTER) for (let i = 0; i < BLOCK_BYTES; i++) PAD[i]! ^= INNER ^ OUTER
  copyInto(FRESH, hasher)
  hasher.update(PAD)
}

/** `to` becomes as `from` is. */
function copyInto(from: Hasher, to: Hasher): void {
  // oxlint-disable-next-line no-underscore-dangle -- the name that noble gives it
  from._cloneInto(to)
}

type Hasher = ReturnType<typeof sha256.create>

const HASH_BYTES = 32
const BLOCK_BYTES = 64
/** ipad and opad. */
const INNER = 0x36
const OUTER = 0x5c
/** Never written to: the others become fresh by copying it. */
const FRESH: Hasher = sha256.create()
const WORKER: Hasher = sha256.create()
const INNER_KEYED: Hasher = sha256.create()
const OUTER_KEYED: Hasher = sha256.create()
const PAD = new Uint8Array(BLOCK_BYTES)
const COUNTER = new Uint8Array(1)
