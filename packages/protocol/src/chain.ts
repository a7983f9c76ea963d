/**
 * Chains of the ratchet: one message key for each step, and none is kept. (spec/session.md, "Chain step")
 *
 *     chain   MK = HMAC(CK, 0x01)          CK' = HMAC(CK, 0x02)
 *     keys    encKey ‖ macKey ‖ receiptKey = HKDF(MK, label, 96)
 */
import { type Bytes, wipe } from '@couplet/wire'
import { ETM_KEYS_BYTES, KEY_BYTES } from './constants.ts'
import { LABEL_MESSAGE } from './labels.ts'
import type { Primitives } from './primitives.ts'
import type { ReceivingChain } from './session.ts'

export interface Advanced {
  readonly nextKey: Bytes
  /** encKey ‖ macKey */
  readonly messageKeys: Bytes
  readonly receiptKey: Bytes
}

/** KDF_CK and the message's keys. */
export function advance(primitives: Primitives, chainKey: Uint8Array): Advanced {
  const messageKey = primitives.hmacSha256(chainKey, MESSAGE_KEY_CONSTANT)
  const okm = primitives.hkdfSha256({
    salt: NO_SALT,
    ikm: messageKey,
    info: LABEL_MESSAGE,
    length: ETM_KEYS_BYTES + KEY_BYTES,
  })
  const advanced = {
    nextKey: primitives.hmacSha256(chainKey, CHAIN_KEY_CONSTANT),
    messageKeys: okm.subarray(0, ETM_KEYS_BYTES),
    receiptKey: okm.subarray(ETM_KEYS_BYTES),
  }
  wipe(messageKey)
  return advanced
}

/** Jumps over a gap; the keys in it are destroyed. */
export function advanceTo(primitives: Primitives, chain: ReceivingChain, number: number): Advanced {
  let key = chain.key
  for (let count = chain.count; count < number; count++) {
    const next = primitives.hmacSha256(key, CHAIN_KEY_CONSTANT)
    if (key !== chain.key) wipe(key)
    key = next
  }
  const advanced = advance(primitives, key)
  if (key !== chain.key) wipe(key)
  return advanced
}

const MESSAGE_KEY_CONSTANT = Uint8Array.of(0x01)
const CHAIN_KEY_CONSTANT = Uint8Array.of(0x02)
/** HKDF without a salt: as many zeros as the hash is long (RFC 5869, 2.2). */
const NO_SALT = new Uint8Array(KEY_BYTES)
