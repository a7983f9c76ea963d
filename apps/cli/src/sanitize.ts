/**
 * Makes text from elsewhere safe to print: nothing in a message may move the cursor, colour the
 * screen, set the title, hide or reorder what stands next to it. What is dangerous is shown as an
 * escape (`\x1b`), never dropped.
 */

/** For people: line breaks and tabs stay. */
export function sanitize(text: string): string {
  return text.replace(DANGEROUS, escapeOf)
}

/** For places that hold one line: line breaks and tabs become spaces. */
export function sanitizeLine(text: string): string {
  return sanitize(text.replace(/\r\n|[\n\r\t\u2028\u2029]/g, ' '))
}

/** For programs: JSON with the same value, in which nothing dangerous stands for itself. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(DANGEROUS, (character) =>
    unicodeEscape(character.charCodeAt(0)),
  )
}

function escapeOf(character: string): string {
  const unit = character.charCodeAt(0)
  return unit < 0x100 ? `\\x${unit.toString(16).padStart(2, '0')}` : unicodeEscape(unit)
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

/**
 * C0 without tab and line feed, DEL, C1; line and paragraph separators; lone surrogates;
 * bidirectional embeddings, overrides and isolates; interlinear annotations.
 */
const DANGEROUS = /(?![\t\n])\p{Cc}|[\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/gu
