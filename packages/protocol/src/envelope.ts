/**
 * The envelope: what the server stores and passes on. (spec/message.md, "Envelope")
 *
 *     preamble   magic "couplet/1" (9) ‖ prekey id u32 ‖ header length u16 ‖ type of EK u8        16
 *     handshake  EK (32) ‖ ctR (384) ‖ ctK (1088) ‖ idb (656)          2160, only with type 0x01
 *     eh         encrypted header, EtM                                          96 to 2368
 *     message    IV (16) ‖ C ‖ tag (32)
 *
 * Every part is a multiple of 16 bytes, so that padding the content makes the whole a power of two
 * from 1 KiB to 64 KiB. `id = SHA-256(envelope)`.
 */
import {
  type Bytes,
  CURVE_KEY_BYTES,
  equalBytes,
  KEY_TYPE,
  MAX_ENVELOPE_BYTES,
  MIN_ENVELOPE_BYTES,
  Reader,
  utf8,
  Writer,
} from '@couplet/wire'
import { IV_BYTES, KEM_CIPHERTEXT_BYTES, RSA_CIPHERTEXT_BYTES, TAG_BYTES } from './constants.ts'
import { ProtocolError } from './errors.ts'
import { ETM_OVERHEAD_BYTES } from './etm.ts'
import { asProtocolError } from './identity.ts'

/** The handshake as it rides on messages, and the prekeys it was made for. */
export interface HandshakeHeader {
  readonly prekeyId: number
  /** EK, X25519, 32 bytes. */
  readonly ephemeralKey: Uint8Array
  /** ctR, RSA-OAEP, 384 bytes. */
  readonly wrappedSecret: Uint8Array
  /** ctK, ML-KEM-768, 1088 bytes. */
  readonly encapsulatedKey: Uint8Array
  /** idb, EtM, 656 bytes. */
  readonly identityBlock: Uint8Array
}

/** An envelope taken apart. All fields are views into it. */
export interface ParsedEnvelope {
  readonly handshake: HandshakeHeader | undefined
  /** eh */
  readonly encryptedHeader: Uint8Array
  /** Everything before the IV: the preamble, the handshake if any, and eh. */
  readonly prefix: Uint8Array
  /** IV ‖ C ‖ tag. */
  readonly sealed: Uint8Array
}

/** idb: EtM of a signed identity record (570) and a continuity proof (32), padded by PKCS#7. */
export const IDENTITY_BLOCK_BYTES = 656
/** EK ‖ ctR ‖ ctK ‖ idb. */
export const HANDSHAKE_BYTES = 2160

/** Bytes before the IV, from the length of eh. */
export function prefixLength(handshake: HandshakeHeader | undefined, headerLength: number): number {
  return PREAMBLE_BYTES + (handshake ? HANDSHAKE_BYTES : 0) + headerLength
}

/** An envelope with its preamble and handshake, and zeros where eh and message are to be sealed. */
export function draftEnvelope(
  handshake: HandshakeHeader | undefined,
  lengths: { readonly header: number; readonly message: number },
): Bytes {
  const writer = new Writer(prefixLength(handshake, lengths.header) + lengths.message)
    .bytes(MAGIC)
    .u32(handshake?.prekeyId ?? 0)
    .u16(lengths.header)
    .u8(handshake ? KEY_TYPE.x25519 : NO_HANDSHAKE)
  if (handshake) {
    writer
      .bytes(handshake.ephemeralKey)
      .bytes(handshake.wrappedSecret)
      .bytes(handshake.encapsulatedKey)
      .bytes(handshake.identityBlock)
  }
  return writer.zeros(lengths.header + lengths.message).finish()
}

/** @throws {ProtocolError} `malformed`. */
export function parseEnvelope(envelope: Uint8Array): ParsedEnvelope {
  const size = envelope.length
  const valid =
    size >= MIN_ENVELOPE_BYTES && size <= MAX_ENVELOPE_BYTES && (size & (size - 1)) === 0
  if (!valid)
    throw new ProtocolError('malformed', 'envelope is not a power of two from 1 to 64 KiB')
  return asProtocolError(() => readEnvelope(envelope))
}

function readEnvelope(envelope: Uint8Array): ParsedEnvelope {
  const reader = new Reader(envelope)
  if (!equalBytes(reader.bytes(MAGIC.length), MAGIC)) {
    throw new ProtocolError('malformed', 'not an envelope of this version')
  }
  const prekeyId = reader.u32()
  const headerLength = reader.u16()
  const keyType = reader.u8()
  const withHandshake = keyType === KEY_TYPE.x25519 && prekeyId !== 0
  if (!withHandshake && (keyType !== NO_HANDSHAKE || prekeyId !== 0)) {
    throw new ProtocolError('malformed', 'preamble contradicts itself')
  }
  const handshake = withHandshake ? readHandshake(prekeyId, reader) : undefined
  const encryptedHeader = reader.bytes(headerLength)
  const prefix = envelope.subarray(0, envelope.length - reader.remaining)
  const sealed = reader.rest()
  if (sealed.length < ETM_OVERHEAD_BYTES + BLOCK_BYTES) {
    throw new ProtocolError('malformed', 'no room for a message')
  }
  return { handshake, encryptedHeader, prefix, sealed }
}

function readHandshake(prekeyId: number, reader: Reader): HandshakeHeader {
  return {
    prekeyId,
    ephemeralKey: reader.bytes(CURVE_KEY_BYTES),
    wrappedSecret: reader.bytes(RSA_CIPHERTEXT_BYTES),
    encapsulatedKey: reader.bytes(KEM_CIPHERTEXT_BYTES),
    identityBlock: reader.bytes(IDENTITY_BLOCK_BYTES),
  }
}

/**
 * Pads content with 0x80 0x00* so that the envelope becomes the smallest power of two that holds
 * it. One byte is left for PKCS#7.
 *
 * @param lengthBefore - bytes before the IV.
 * @throws {ProtocolError} `content-too-large`.
 */
export function padContent(content: Uint8Array, lengthBefore: number): Bytes {
  const overhead = lengthBefore + IV_BYTES + TAG_BYTES
  const needed = overhead + content.length + 2
  let size = MIN_ENVELOPE_BYTES
  while (size < needed) size *= 2
  if (size > MAX_ENVELOPE_BYTES) {
    throw new ProtocolError('content-too-large', 'content does not fit the largest envelope')
  }
  const padded = new Uint8Array(size - overhead - 1)
  padded.set(content)
  padded[content.length] = 0x80
  return padded
}

/** The content without its padding, a view; `undefined` when the padding is not exactly right. */
export function unpadContent(padded: Uint8Array): Uint8Array | undefined {
  if (padded.length % BLOCK_BYTES !== BLOCK_BYTES - 1) return undefined
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  return end >= 0 && padded[end] === 0x80 ? padded.subarray(0, end) : undefined
}

const PREAMBLE_BYTES = 16
const BLOCK_BYTES = 16
const NO_HANDSHAKE = 0x00
const MAGIC = utf8('couplet/1')
