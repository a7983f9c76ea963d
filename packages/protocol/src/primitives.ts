/**
 * The cryptographic primitives that the protocol is built on, as one small interface.
 *
 * Two implementations: `@couplet/protocol/node` (node:crypto) and `@couplet/protocol/web` (the
 * noble libraries, and WebCrypto for RSA). Everything but RSA is synchronous, so that a ratchet
 * step and the transaction around it cannot be interrupted; RSA is asynchronous because WebCrypto
 * is, and is used only when a chat begins.
 *
 * Implementations check nothing but lengths; whether a key is a good one is judged in
 * key-validation.ts, the same for both.
 */
import type { Bytes } from '@couplet/wire'

export interface Primitives {
  /** SHA-256 (FIPS 180-4), 32 bytes. */
  sha256(message: Uint8Array): Bytes
  /** SHA-512 (FIPS 180-4), 64 bytes. */
  sha512(message: Uint8Array): Bytes
  /** HMAC-SHA-256 (RFC 2104) over the parts one after another, 32 bytes, never truncated. */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes
  /** HKDF-SHA-256 (RFC 5869), extract and expand. */
  hkdfSha256(input: {
    readonly salt: Uint8Array
    readonly ikm: Uint8Array
    readonly info: Uint8Array
    readonly length: number
  }): Bytes

  /** AES-256-CBC with PKCS#7 (SP 800-38A). Key 32 bytes, IV 16 bytes. */
  aesCbcEncrypt(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Bytes
  /** `undefined` for a ciphertext of impossible length or wrong padding, whatever is wrong with it. */
  aesCbcDecrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Bytes | undefined

  /**
   * X25519 (RFC 7748): the public key of a 32-byte secret.
   *
   * @param returns - one agreement with this secret is to come, perhaps at once: a provider may keep
   *   for seconds what it would cost to make again.
   */
  x25519PublicKey(secret: Uint8Array, returns?: boolean): Bytes
  /** DH(secret, public), 32 bytes; `undefined` when the result is all zero. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Bytes | undefined

  /** Ed25519 (RFC 8032): the public key of a 32-byte seed. */
  ed25519PublicKey(seed: Uint8Array): Bytes
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Bytes
  /** Never throws: `false` for anything that is not a valid signature. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean

  /** ML-KEM-768 (FIPS 203): the encapsulation key, 1184 bytes, of a 64-byte seed d ‖ z. */
  kemPublicKey(seed: Uint8Array): Bytes
  /** Draws its own randomness. The key has passed `validateKemKey`. */
  kemEncapsulate(publicKey: Uint8Array): Encapsulation
  /** Implicit rejection: a wrong ciphertext gives a pseudo-random secret. */
  kemDecapsulate(seed: Uint8Array, ciphertext: Uint8Array): Bytes

  /** RSA-OAEP with SHA-256 and MGF1-SHA-256 (RFC 8017). Draws its own seed. */
  rsaOaepEncrypt(
    publicKeySpki: Uint8Array,
    plaintext: Uint8Array,
    label: Uint8Array,
  ): Promise<Bytes>
  /** `undefined` for every failure alike. The ciphertext has exactly 384 bytes. */
  rsaOaepDecrypt(
    privateKey: ExchangePrivateKey,
    ciphertext: Uint8Array,
    label: Uint8Array,
  ): Promise<Bytes | undefined>
  /** Whether a big-endian number is a probable prime; only where it is faster than our own. */
  readonly isProbablePrime?: (value: Uint8Array) => boolean
  /** A fresh RSA-3072 pair with e = 65537. */
  generateExchangeKey(): Promise<ExchangeKeyPair>
}

export interface Encapsulation {
  /** 1088 bytes. */
  readonly ciphertext: Bytes
  /** 32 bytes. */
  readonly sharedSecret: Bytes
}

/**
 * The private half of an RSA exchange key, in whatever form its provider holds it. Opaque, so that
 * a browser can keep one that nobody, not even its own page, can read out.
 */
export interface ExchangePrivateKey {
  readonly provider: 'node' | 'web'
}

export interface ExchangeKeyPair {
  /** SubjectPublicKeyInfo (DER), 422 bytes. */
  readonly publicKey: Bytes
  readonly privateKey: ExchangePrivateKey
}
