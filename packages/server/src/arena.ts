/**
 * Moves values between threads without copying each byte string on its own.
 *
 * A structured clone of a view copies the whole buffer behind it, and a socket's small frame is a
 * view into a large one. So all byte strings of a message go into one exact buffer, which is
 * transferred, not copied.
 */

/** The value with its byte strings moved into one buffer, and what to transfer with it. */
export function pack<T>(value: T): { readonly value: T; readonly transfer: ArrayBuffer[] } {
  const size = measure(value)
  if (size === 0) return { value, transfer: [] }
  const arena = new Uint8Array(size)
  let offset = 0
  const move = (bytes: Uint8Array): Uint8Array => {
    arena.set(bytes, offset)
    offset += bytes.length
    return arena.subarray(offset - bytes.length, offset)
  }
  return { value: relocate(value, move) as T, transfer: [arena.buffer] }
}

function measure(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (value instanceof Uint8Array) return value.length
  let size = 0
  for (const name in value) size += measure((value as Record<string, unknown>)[name])
  return size
}

/** Plain objects and arrays only, which is all that crosses between our threads. */
function relocate(value: unknown, move: (bytes: Uint8Array) => Uint8Array): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return move(value)
  if (Array.isArray(value)) return value.map((one) => relocate(one, move))
  const copy: Record<string, unknown> = {}
  for (const name in value) copy[name] = relocate((value as Record<string, unknown>)[name], move)
  return copy
}
