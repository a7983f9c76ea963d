/** Ed25519 and SHA-256 for the server, by node:crypto. It checks signatures and makes none. */
import { createPublicKey, hash, verify } from 'node:crypto'

/**
 * Whether `signature` is the one of `signingKey` over `message`. False, too, for a key that is no
 * point of the curve.
 *
 * @param signingKey - Ed25519 public key, 32 bytes.
 */
export function verifies(
  signingKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const der = Buffer.concat([ED25519_SPKI_PREFIX, signingKey])
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  } catch {
    return false
  }
}

export function sha256(message: Uint8Array): Uint8Array {
  return hash('sha256', message, 'buffer')
}

/** SubjectPublicKeyInfo of an Ed25519 key, up to its 32 bytes. (RFC 8410 §4) */
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
