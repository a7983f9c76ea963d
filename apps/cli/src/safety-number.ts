/** How a safety number is shown. */

/** Sixty digits as twelve groups of five, in rows of four. */
export function rowsOf(digits: string): readonly string[] {
  const groups = digits.match(/.{1,5}/g) ?? []
  return [0, 4, 8].map((first) => groups.slice(first, first + 4).join(' '))
}
