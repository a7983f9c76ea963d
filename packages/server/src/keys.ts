/** Bytes as keys of a `Map`: ids, and names of identities. */

/** What `Buffer.toString` calls in the end: without a `Buffer` for each of the many. */
const { latin1Slice } = Buffer.prototype

/** One string for each byte string. Not for people to read: one character a byte. */
export function keyOf(bytes: Uint8Array): string {
  return latin1Slice.call(bytes, 0, bytes.length)
}

/** The bytes that a key was made of. */
export function bytesOf(key: string): Uint8Array {
  return Uint8Array.from(Buffer.from(key, 'latin1'))
}
