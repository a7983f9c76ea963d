import { expect, test } from 'vitest'
import { durationMs, durationWords } from '../src/duration.ts'
import { UsageError } from '../src/errors.ts'

test.each([
  ['30s', 30_000, '30s'],
  ['90m', 5_400_000, '90m'],
  ['24h', 86_400_000, '1d'],
  ['7d', 604_800_000, '1w'],
  ['2w', 1_209_600_000, '2w'],
  ['off', 0, 'off'],
  ['0', 0, 'off'],
])('%s', (text, ms, words) => {
  expect(durationMs(text, 'timer')).toBe(ms)
  expect(durationWords(ms)).toBe(words)
})

test.each(['', '5', 's', '-1s', '1.5h', '1y', '0s', '99999999w', 'forever'])('not %j', (text) => {
  expect(() => durationMs(text, 'timer')).toThrow(UsageError)
})
