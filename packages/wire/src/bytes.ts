/**
 * Bytes: joining, comparing, and the two textual forms that appear at the edges.
 *
 * Pure: no `Buffer`, no environment. `subarray` shares memory and `slice` copies; functions here
 * that return bytes return fresh ones unless they say otherwise.
 */

/** Bytes that we return: backed by a plain `ArrayBuffer`, so that WebCrypto and IndexedDB take them. */
export type Bytes = Uint8Array<ArrayBuffer>

/** The parts one after another, as one fresh array. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/**
 * Whether two byte strings are equal, in time that depends on their lengths alone.
 * For secrets, tags and codes; lengths are public.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** The same for public values, such as ids: ends at the first difference, and is twice as fast. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Byte-wise order, for public values: negative, zero or positive like `Array.sort` wants it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Overwrites secrets with zeros. Best effort: JavaScript may have made copies (SECURITY.md). */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0)
}

/** Text as UTF-8. */
export function utf8(text: string): Bytes {
  return ENCODER.encode(text)
}

/**
 * UTF-8 as text.
 *
 * @throws {TypeError} when the bytes are not well-formed UTF-8.
 */
export function fromUtf8(bytes: Uint8Array): string {
  return DECODER.decode(bytes)
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]!
  return text
}

/**
 * Bytes from hexadecimal of either case.
 *
 * @throws {TypeError} when the text is not whole bytes of hexadecimal.
 */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new TypeError('not hexadecimal')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  }
  return bytes
}

/** base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const characters = Math.min(bytes.length - i, 3) + 1
    for (let j = 0; j < characters; j++) text += BASE64URL[(group >> (18 - 6 * j)) & 63]!
  }
  return text
}

/**
 * Bytes from base64url without padding. Strict: no padding, no line breaks, no stray bits, so that
 * one byte string has one spelling.
 *
 * @throws {TypeError} when the text is anything else.
 */
export function fromBase64Url(text: string): Bytes {
  if (text.length % 4 === 1) throw new TypeError('not base64url')
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let held = 0
  let offset = 0
  for (let i = 0; i < text.length; i++) {
    const value = BASE64URL_VALUES.get(text[i]!)
    if (value === undefined) throw new TypeError('not base64url')
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[offset++] = (held >> bits) & 0xff
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new TypeError('not base64url: stray bits')
  return bytes
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const BASE64URL_VALUES = new Map(Array.from(BASE64URL, (character, value) => [character, value]))

/** In every runtime we support, though not in the language's own library (ES2023). */
declare const TextEncoder: new () => { encode(text: string): Bytes }
declare const TextDecoder: new (
  label: 'utf-8',
  options: { fatal: true; ignoreBOM: true },
) => { decode(bytes: Uint8Array): string }

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
