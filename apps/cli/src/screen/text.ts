/**
 * Text in the cells of a terminal: what a person sees as one character may be many code units and
 * take no, one or two cells. Texts given to these functions have been made harmless (sanitize.ts).
 */
import stringWidth from 'string-width'

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** What a person sees as characters. */
export function graphemes(text: string): readonly string[] {
  if (PLAIN.test(text)) return text.split('')
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment)
}

/** How many cells a text takes. */
export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text)
}

/** The text in rows of at most `width` cells, broken where words end, or within a longer word. */
export function wrap(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((line) => wrapLine(line.replaceAll('\t', '    '), width))
}

function wrapLine(line: string, width: number): readonly string[] {
  const rows: string[] = []
  let row = ''
  let used = 0
  for (const word of line.match(/ *[^ ]+| +$/g) ?? []) {
    const cells = widthOf(word)
    if (used > 0 && used + cells > width) {
      rows.push(row)
      row = ''
      used = 0
    }
    // The spaces before a word end the row before it.
    for (const grapheme of graphemes(used === 0 && rows.length > 0 ? word.trimStart() : word)) {
      const each = widthOf(grapheme)
      if (used + each > width) {
        rows.push(row)
        row = ''
        used = 0
      }
      row += grapheme
      used += each
    }
  }
  return [...rows, row]
}

/** The beginning that fits, with … when something is left out. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let used = 0
  for (const grapheme of graphemes(text)) {
    const cells = widthOf(grapheme)
    if (used + cells > width - 1) break
    kept += grapheme
    used += cells
  }
  return width > 0 ? `${kept}…` : ''
}

/** One cell for each code unit. */
const PLAIN = /^[\u0020-\u007e]*$/
