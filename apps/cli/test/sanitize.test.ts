import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { excerpt, indented } from '../src/message-lines.ts'
import { safeJson, sanitize, sanitizeLine } from '../src/sanitize.ts'

/** By code point, independently of the expression under test. */
function isDangerous(character: string): boolean {
  const point = character.codePointAt(0)!
  return (
    (point < 0x20 && point !== 0x09 && point !== 0x0a) ||
    (point >= 0x7f && point <= 0x9f) ||
    point === 0x2028 ||
    point === 0x2029 ||
    (point >= 0x202a && point <= 0x202e) ||
    (point >= 0x2066 && point <= 0x2069) ||
    (point >= 0xfff9 && point <= 0xfffb) ||
    (point >= 0xd800 && point <= 0xdfff)
  )
}

const TEXT = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer({ min: 0, max: 0xa0 }).map((point) => String.fromCodePoint(point)),
      fc.integer({ min: 0x2020, max: 0x2070 }).map((point) => String.fromCodePoint(point)),
      fc.integer({ min: 0xd700, max: 0xe000 }).map((unit) => String.fromCharCode(unit)),
    ),
    { size: 'max', maxLength: 60 },
  )
  .map((parts) => parts.join(''))

test('nothing dangerous is left, and nothing harmless is touched', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      expect(Array.from(sanitize(text)).some(isDangerous)).toBe(false)
      const harmless = Array.from(text)
        .filter((character) => !isDangerous(character))
        .join('')
      expect(sanitize(harmless)).toBe(harmless)
    }),
    { numRuns: 2000 },
  )
})

test('one line stays one line', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      expect(/[\n\r\u2028\u2029]/.test(sanitizeLine(text))).toBe(false)
      expect(/[\n\r\u2028\u2029]/.test(excerpt(text))).toBe(false)
      expect(Array.from(excerpt(text)).length).toBeLessThanOrEqual(40)
    }),
  )
})

test('no line of a message begins where lines of ours begin', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      const [, ...further] = indented(text).split('\n')
      expect(further.every((line) => line.startsWith('    '))).toBe(true)
    }),
  )
})

test('JSON keeps its value', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      const json = safeJson({ text })
      expect(Array.from(json).some(isDangerous)).toBe(false)
      expect(JSON.parse(json)).toEqual({ text })
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['\u001b[2Jgone', '\\x1b[2Jgone'],
  ['title \u001b]0;root\u0007', 'title \\x1b]0;root\\x07'],
  ['\u009b31mred', '\\x9b31mred'],
  ['over\rwritten', 'over\\x0dwritten'],
  ['abc\u202edcba', 'abc\\u202edcba'],
  ['half \ud83d', 'half \\ud83d'],
  ['Grüße, 你好, שלום, 👩‍👩‍👧\n\tdone', 'Grüße, 你好, שלום, 👩‍👩‍👧\n\tdone'],
])('%j', (text, safe) => {
  expect(sanitize(text)).toBe(safe)
})
