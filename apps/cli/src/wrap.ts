/** Line breaks where words end. */

/** The paragraph in lines of at most so many characters. */
export function wrapped(paragraph: string, width = 80): string {
  const lines: string[] = []
  for (const word of paragraph.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`
    } else lines.push(word)
  }
  return lines.join('\n')
}
