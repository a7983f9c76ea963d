/** What is being typed: lines of text and a cursor. Pure: each step gives the next state. */
import { sanitize } from '../sanitize.ts'
import { graphemes, widthOf } from './text.ts'

export interface Editor {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export const EMPTY: Editor = { before: [], after: [] }

export type Edit =
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'home'
  | 'end'
  | 'word-left'
  | 'word-right'
  | 'backspace'
  | 'delete'
  | 'delete-word'
  | 'delete-to-start'
  | 'delete-to-end'

export function editorWith(text: string): Editor {
  return { before: graphemes(text), after: [] }
}

export function textOf({ before, after }: Editor): string {
  return [...before, ...after].join('')
}

/** Puts text where the cursor is. Line breaks of any kind become one kind. */
export function insert(editor: Editor, text: string): Editor {
  const before = [...editor.before, ...graphemes(text.replace(/\r\n?/g, '\n'))]
  // A combining mark joins what stands before it.
  return { before: graphemes(before.join('')), after: editor.after }
}

export function edit(editor: Editor, step: Edit): Editor {
  const all = [...editor.before, ...editor.after]
  const cursor = editor.before.length
  const to = (place: number): Editor => ({ before: all.slice(0, place), after: all.slice(place) })
  const without = (from: number, end: number): Editor => ({
    before: all.slice(0, from),
    after: all.slice(end),
  })
  switch (step) {
    case 'left':
      return to(Math.max(0, cursor - 1))
    case 'right':
      return to(Math.min(all.length, cursor + 1))
    case 'up':
    case 'down':
      return to(otherLine(all, cursor, step))
    case 'home':
      return to(lineStart(all, cursor))
    case 'end':
      return to(lineEnd(all, cursor))
    case 'word-left':
      return to(wordStart(all, cursor))
    case 'word-right':
      return to(wordEnd(all, cursor))
    case 'backspace':
      return without(Math.max(0, cursor - 1), cursor)
    case 'delete':
      return without(cursor, Math.min(all.length, cursor + 1))
    case 'delete-word':
      return without(wordStart(all, cursor), cursor)
    case 'delete-to-start':
      return without(lineStart(all, cursor), cursor)
    case 'delete-to-end':
      return without(cursor, lineEnd(all, cursor))
  }
}

export interface Layout {
  readonly rows: readonly string[]
  /** Where the cursor is: row, and cells from the left. */
  readonly row: number
  readonly column: number
}

/** The text as rows of at most `width` cells, broken anywhere, so that the cursor is easy to find. */
export function layout({ before, after }: Editor, width: number): Layout {
  const rows = ['']
  let used = 0
  let place = { row: 0, column: 0 }
  const put = (grapheme: string): void => {
    if (grapheme === '\n') {
      rows.push('')
      used = 0
      return
    }
    const shown = grapheme === '\t' ? '    ' : sanitize(grapheme)
    const cells = widthOf(shown)
    if (used + cells > width) {
      rows.push('')
      used = 0
    }
    rows[rows.length - 1] += shown
    used += cells
  }
  for (const grapheme of before) put(grapheme)
  if (used >= width) put('\n')
  place = { row: rows.length - 1, column: used }
  for (const grapheme of after) put(grapheme)
  return { rows, ...place }
}

function lineStart(all: readonly string[], cursor: number): number {
  return all.lastIndexOf('\n', cursor - 1) + (cursor === 0 ? 0 : 1)
}

function lineEnd(all: readonly string[], cursor: number): number {
  const end = all.indexOf('\n', cursor)
  return end === -1 ? all.length : end
}

function otherLine(all: readonly string[], cursor: number, step: 'up' | 'down'): number {
  const start = lineStart(all, cursor)
  const column = cursor - start
  if (step === 'up') {
    if (start === 0) return 0
    const above = lineStart(all, start - 1)
    return Math.min(above + column, start - 1)
  }
  const end = lineEnd(all, cursor)
  if (end === all.length) return end
  return Math.min(end + 1 + column, lineEnd(all, end + 1))
}

function wordStart(all: readonly string[], cursor: number): number {
  let place = cursor
  while (place > 0 && isSpace(all[place - 1]!)) place--
  while (place > 0 && !isSpace(all[place - 1]!)) place--
  return place
}

function wordEnd(all: readonly string[], cursor: number): number {
  let place = cursor
  while (place < all.length && isSpace(all[place]!)) place++
  while (place < all.length && !isSpace(all[place]!)) place++
  return place
}

function isSpace(grapheme: string): boolean {
  return /^\s/.test(grapheme)
}
