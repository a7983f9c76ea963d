/**
 * Limits that several processes of one service hold together, over the bus: what one has given, the
 * others count, too. (Those that guard codes are in the store: registration-limits.ts)
 *
 * Counts arrive a moment late, so at one moment each process may give a little more; whoever goes on
 * is held by all of them. Where somebody has one connection at a time, it is enough to say how much
 * is left when that ends.
 */
import type { Bus } from './bus.ts'
import type { LimitName, TokenBuckets } from './limits.ts'

/** Nothing to do where a process is alone. */
export function shareLimit(bus: Bus | undefined, name: LimitName, buckets: TokenBuckets): void {
  if (!bus) return
  const subject = `limit.${name}`
  buckets.onTold((key, left) => bus.say(subject, encode(key, left)))
  bus.hear(subject, (message) => {
    const told = decode(message)
    if (told) buckets.told(told.key, told.left)
  })
}

/** @param left - none: one was taken. */
function encode(key: string, left: number | undefined): Uint8Array {
  const bytes = Buffer.alloc(LEFT_BYTES + key.length)
  bytes.writeDoubleBE(left ?? Number.NaN)
  bytes.write(key, LEFT_BYTES, 'latin1')
  return bytes
}

/** Nothing, for what another version says. */
function decode(
  message: Uint8Array,
): { readonly key: string; readonly left: number | undefined } | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  if (bytes.length <= LEFT_BYTES || bytes.length > LEFT_BYTES + MAX_KEY) return undefined
  const left = bytes.readDoubleBE()
  const key = bytes.toString('latin1', LEFT_BYTES)
  return { key, left: Number.isNaN(left) ? undefined : left }
}

const LEFT_BYTES = 8
/** Of an identity or an address block. */
const MAX_KEY = 128
