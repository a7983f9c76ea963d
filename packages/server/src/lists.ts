/** Short lists: what is in flight to one user, what one mailbox knows. */
import { sameBytes } from '@couplet/wire'

/** The first with this id. */
export function findById<T extends { readonly id: Uint8Array }>(
  entries: readonly T[],
  id: Uint8Array,
): T | undefined {
  for (const entry of entries) if (sameBytes(entry.id, id)) return entry
  return undefined
}

/** Takes an entry out, if it is there. The others keep their order. */
export function removeFrom<T>(entries: T[], entry: T): void {
  const place = entries.indexOf(entry)
  if (place === -1) return
  for (let at = place + 1; at < entries.length; at++) entries[at - 1] = entries[at]!
  entries.pop()
}
