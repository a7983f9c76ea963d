/** Bars as SVG: one group for each measure, on a scale where ten times is always the same length. */

export interface Bars {
  readonly title: string
  readonly unit: string
  readonly groups: readonly {
    readonly name: string
    readonly bars: readonly { readonly name: string; readonly value: number }[]
  }[]
  /** The one whose bars stand out. */
  readonly ours: string
}

/** @returns an SVG document that reads on light and on dark. */
export function barChart({ title, unit, groups, ours }: Bars): string {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value))
  const low = 10 ** Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(...values)
  const length = (value: number) =>
    Math.max(2, (BAR_SPACE * Math.log10(value / low)) / Math.log10(high / low))
  const lines: string[] = []
  let y = TOP
  for (const { name, bars } of groups) {
    lines.push(`<text x="0" y="${y + 12}" font-weight="600">${escaped(name)}</text>`)
    y += ROW
    for (const bar of bars) {
      const color = bar.name === ours ? OURS_COLOR : OTHERS_COLOR
      const width = length(bar.value)
      lines.push(
        `<text x="${LABELS - 8}" y="${y + 12}" text-anchor="end">${escaped(bar.name)}</text>`,
        `<rect x="${LABELS}" y="${y + 2}" width="${width.toFixed(1)}" height="12" rx="2" fill="${color}"/>`,
        `<text x="${(LABELS + width + 6).toFixed(1)}" y="${y + 12}">${bar.value}</text>`,
      )
      y += ROW
    }
    y += GAP
  }
  const caption = `${title}, ${unit}, logarithmic: shorter is better`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${escaped(caption)}"`,
    `  font-family="system-ui, sans-serif" font-size="12" fill="${TEXT_COLOR}">`,
    `<text x="0" y="14" font-size="13">${escaped(caption)}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

const WIDTH = 720
const TOP = 30
const ROW = 18
const GAP = 10
const LABELS = 220
/** Leaves room for the figure at the end of the longest bar. */
const BAR_SPACE: number = WIDTH - LABELS - 70
const OURS_COLOR = '#4a63de'
const OTHERS_COLOR = '#a3a9b4'
/** Enough contrast on white and on near black. */
const TEXT_COLOR = '#7c8290'
