/** Telling what has changed between two readings of the same thing, so that only that is drawn anew. */

/** The newer list, with what is the same as before being the very same object. */
export function kept<T extends object>(before: readonly T[], now: readonly T[]): readonly T[] {
  const known = new Map(before.map((entry) => [nameOf(entry), entry]))
  const list = now.map((entry) => {
    const earlier = known.get(nameOf(entry))
    return earlier && isSame(earlier, entry) ? earlier : entry
  })
  return list.length === before.length && list.every((entry, i) => entry === before[i])
    ? before
    : list
}

/** Contacts, and what belongs to one. */
function nameOf(entry: object): unknown {
  const { contact, phone } = entry as { contact?: { phone: string }; phone?: string }
  return contact?.phone ?? phone
}

/** Whether two plain values are alike through and through. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const fields = Object.keys(a)
  return (
    fields.length === Object.keys(b).length &&
    fields.every((field) => isSame(a[field as keyof typeof a], b[field as keyof typeof b]))
  )
}
