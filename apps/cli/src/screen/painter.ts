/** Puts frames on a terminal: on its alternate screen, and only the rows that have changed. */
import type { Streams } from '../terminal.ts'

export interface Frame {
  /** One string for each row of the screen, no wider than it; escape sequences for colours only. */
  readonly rows: readonly string[]
  readonly cursor: { readonly row: number; readonly column: number }
}

export class Painter {
  readonly #output: Streams['output']
  #shown: readonly string[] = []

  constructor(output: Streams['output']) {
    this.#output = output
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns = 80, rows = 24 } = this.#output as { columns?: number; rows?: number }
    return { columns: Math.max(columns, MIN_COLUMNS), rows: Math.max(rows, MIN_ROWS) }
  }

  /** Takes the screen: an alternate one, with bracketed paste. */
  enter(): void {
    this.#output.write(`${ALTERNATE_SCREEN}h${BRACKETED_PASTE}h${CLEAR}`)
    this.#shown = []
  }

  /** Gives the screen back as it was. */
  leave(): void {
    this.#output.write(`${BRACKETED_PASTE}l${ALTERNATE_SCREEN}l${CURSOR}h`)
  }

  /** From now on nothing is taken to be on the screen: it was resized, or somebody else wrote. */
  forget(): void {
    this.#shown = []
  }

  draw({ rows, cursor }: Frame): void {
    const changed = rows
      .map((row, index) => (row === this.#shown[index] ? '' : `${at(index, 0)}${CLEAR_ROW}${row}`))
      .join('')
    const clear = this.#shown.length === 0 ? CLEAR : ''
    this.#shown = rows
    this.#output.write(
      `${SYNCHRONIZED}h${CURSOR}l${clear}${changed}${at(cursor.row, cursor.column)}${CURSOR}h${SYNCHRONIZED}l`,
    )
  }
}

function at(row: number, column: number): string {
  return `\u001b[${row + 1};${column + 1}H`
}

const MIN_COLUMNS = 20
const MIN_ROWS = 6
const CLEAR = '\u001b[H\u001b[2J'
// Before a row is written: after a full one the cursor's place is a matter of taste.
const CLEAR_ROW = '\u001b[2K'
const CURSOR = '\u001b[?25'
const ALTERNATE_SCREEN = '\u001b[?1049'
const BRACKETED_PASTE = '\u001b[?2004'
/** So that no half-drawn frame is seen; terminals that do not know it ignore it. */
const SYNCHRONIZED = '\u001b[?2026'
