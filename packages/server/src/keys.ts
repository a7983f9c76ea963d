/** Bytes as keys of a `Map`: ids, and names of identities. */

/** One string for each byte string. Not for people to read: one character a byte. */
export function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
