/** What the documents point to is there, and what they quote is what runs. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = dirname(import.meta.dirname)
const DOCUMENTS = execFileSync('git', ['ls-files', '--', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '')

describe.each(DOCUMENTS)('%s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')

  test('points to nothing that is not there', () => {
    const targets = Array.from(
      prose(text).matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g),
      ([, to]) => to!,
    )
    const own = targets.filter((to) => !/^[a-z]+:/.test(to))
    expect(own.filter((to) => !existsSync(join(ROOT, dirname(path), to)))).toEqual([])
  })
})

test('quoted files are quoted as they are', () => {
  const quotes = DOCUMENTS.flatMap((path) =>
    Array.from(
      readFileSync(join(ROOT, path), 'utf8').matchAll(/^```\w+ file=(\S+)\n(.*?)^```$/gms),
      ([, file, quoted]) => ({ file: file!, quoted: quoted! }),
    ),
  )
  expect(quotes.length).toBeGreaterThan(0)
  for (const { file, quoted } of quotes) {
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain(quoted)
  }
})

/** Without blocks of code, in which brackets mean something else. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```$/gms, '')
}
