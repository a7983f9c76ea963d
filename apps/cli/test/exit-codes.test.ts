import { readFileSync } from 'node:fs'
import { ERROR_CODES } from '@couplet/wire'
import { expect, test } from 'vitest'
import { EXIT_CODES, exitCodeFor } from '../src/exit-codes.ts'

const DOCUMENT = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8')

test('the document has the same table', () => {
  const rows = [...DOCUMENT.matchAll(/^\| (\d+) +\| `([a-z-]+)` +\| (.+?) +\|$/gm)].map(
    ([, exit, code, meaning]) => ({ exit: Number(exit), code, meaning }),
  )
  expect(rows).toEqual(EXIT_CODES)
})

test('every kind of failure has a code of its own, in the range of sysexits', () => {
  expect(new Set(EXIT_CODES.map(({ exit }) => exit)).size).toBe(EXIT_CODES.length)
  expect(new Set(EXIT_CODES.map(({ code }) => code)).size).toBe(EXIT_CODES.length)
  for (const { exit } of EXIT_CODES.slice(1)) {
    expect(exit).toBeGreaterThanOrEqual(64)
    expect(exit).toBeLessThanOrEqual(113)
  }
})

test.each([
  ['usage', 64],
  ['invalid-phone-number', 65],
  ['not-registered', 66],
  ['unknown-recipient', 67],
  ['unreachable', 69],
  ['unavailable', 69],
  ['rate-limited', 75],
  ['nobody-foresaw-this', 70],
])('%s ends with %i', (code, exit) => {
  expect(exitCodeFor(code)).toBe(exit)
})

test('every code of the server has an exit code that was chosen', () => {
  for (const code of ERROR_CODES) {
    if (code !== 'internal') expect(exitCodeFor(code), code).not.toBe(70)
  }
})
