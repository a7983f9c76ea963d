/** Phone numbers in E.164 form. (spec/identity.md) */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePhoneNumber, phoneNumberFromInteger, phoneNumberToInteger } from '../src/index.ts'
import { codeOf } from './support.ts'

const digits = fc
  .tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 6, maxLength: 14, size: 'max' }),
  )
  .map(([first, rest]) => [first, ...rest].join(''))

describe('phone numbers', () => {
  test('7 to 15 digits behind a plus survive, also as an integer', () => {
    fc.assert(
      fc.property(digits, (number) => {
        const phone = parsePhoneNumber(`+${number}`)
        expect(phone).toBe(`+${number}`)
        expect(phoneNumberFromInteger(phoneNumberToInteger(phone))).toBe(phone)
      }),
    )
  })

  test('spaces, dots, hyphens and brackets are dropped', () => {
    for (const text of [
      '+1 (202) 555-0101',
      ' +1.202.555.0101 ',
      '+1\u2010202\u2011555\u20130101',
    ]) {
      expect(parsePhoneNumber(text)).toBe('+12025550101')
    }
  })

  test('anything else is an invalid phone number', () => {
    const wrong = [
      '',
      '+',
      '12025550101',
      '0012025550101',
      '+02025550101',
      '+123456',
      '+1234567890123456',
      '+1202555010a',
      '++12025550101',
      '+1202+5550101',
      '+1202555/0101',
      '+١٢٠٢٥٥٥٠١٠١',
      '+12025550101\0',
    ]
    for (const text of wrong) {
      expect([text, codeOf(() => parsePhoneNumber(text))]).toEqual([text, 'invalid-phone-number'])
    }
  })

  test('an integer that is no number of 7 to 15 digits is refused', () => {
    for (const value of [0, 1, 999_999, 10 ** 15, Number.MAX_SAFE_INTEGER]) {
      expect(codeOf(() => phoneNumberFromInteger(value))).toBe('invalid-phone-number')
    }
    expect(phoneNumberFromInteger(1_000_000)).toBe('+1000000')
    expect(phoneNumberFromInteger(10 ** 15 - 1)).toBe('+999999999999999')
  })
})
