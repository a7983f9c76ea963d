/** QR codes made of half blocks: two modules in one character, dark on light whatever the colours. */
import { encode } from 'uqr'

/** Lines of a QR code with these bytes; each line sets its own colours when `colours` says so. */
export function qrLines(bytes: Uint8Array, colours: boolean): readonly string[] {
  const { data, size } = encode([...bytes], { ecc: 'M', border: QUIET_ZONE })
  const isDark = (row: number, column: number): boolean => data[row]?.[column] ?? false
  const lines: string[] = []
  for (let row = 0; row < size; row += 2) {
    let line = ''
    for (let column = 0; column < size; column++) {
      line += halfBlock(isDark(row, column), row + 1 < size && isDark(row + 1, column), colours)
    }
    lines.push(colours ? `${BLACK_ON_WHITE}${line}${RESET}` : line)
  }
  return lines
}

/** Without colours, what is drawn is light: nearly every terminal writes light on dark. */
function halfBlock(upper: boolean, lower: boolean, colours: boolean): string {
  if (upper === lower) return upper === colours ? '█' : ' '
  return upper === colours ? '▀' : '▄'
}

/** Modules of margin; the standard asks for four, and readers manage with two. */
const QUIET_ZONE = 2
const BLACK_ON_WHITE = '\u001b[38;5;16;48;5;231m'
const RESET = '\u001b[0m'
