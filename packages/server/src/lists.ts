/** Short lists whose entries come and go: no longer than a window or a mailbox. */
import { sameBytes } from '@couplet/wire'

/** The first with this id. */
export function findById<T extends { readonly id: Uint8Array }>(
  entries: readonly T[],
  id: Uint8Array,
): T | undefined {
  for (const entry of entries) if (sameBytes(entry.id, id)) return entry
  return undefined
}

/** Takes an entry out that is there. The others keep their order. */
export function removeFrom<T>(entries: T[], entry: T): void {
  for (let at = entries.indexOf(entry) + 1; at < entries.length; at++) {
    entries[at - 1] = entries[at]!
  }
  entries.pop()
}
