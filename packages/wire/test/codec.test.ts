/** The codec under every structure, and the textual forms of bytes. (spec/conventions.md) */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  fromUtf8,
  Reader,
  toBase64Url,
  toHex,
  utf8,
  WireError,
  Writer,
  wipe,
} from '../src/index.ts'
import { isBlank, recordArrays } from './arrays.ts'
import { codeOf } from './support.ts'

describe('Writer and Reader', () => {
  test('integers are big-endian and of fixed width', () => {
    const bytes = new Writer().u8(0x01).u16(0x0203).u32(0x04050607).u64(0x0001020304050607).finish()
    expect(toHex(bytes)).toBe('010203040506070001020304050607')
  })

  test('every integer in its range survives, the largest included', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xff }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.maxSafeNat(),
        (a, b, c, d) => {
          const reader = new Reader(new Writer().u8(a).u16(b).u32(c).u64(d).finish())
          expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([a, b, c, d])
          reader.finish()
        },
      ),
      { examples: [[0xff, 0xffff, 0xffff_ffff, Number.MAX_SAFE_INTEGER]] },
    )
  })

  test('a u64 that is no safe integer is malformed', () => {
    expect(new Reader(fromHex('001fffffffffffff')).u64()).toBe(Number.MAX_SAFE_INTEGER)
    for (const hex of ['0020000000000000', 'ffffffffffffffff']) {
      expect(codeOf(() => new Reader(fromHex(hex)).u64())).toBe('malformed')
    }
  })

  test('a writer refuses a number that its field cannot hold, rather than cutting it', () => {
    for (const value of [-1, 0.5, Number.NaN, 0x100]) {
      expect(() => new Writer().u8(value)).toThrow(RangeError)
    }
    expect(() => new Writer().u16(0x1_0000)).toThrow(RangeError)
    expect(() => new Writer().u32(2 ** 32)).toThrow(RangeError)
    expect(() => new Writer().u64(2 ** 53)).toThrow(RangeError)
    expect(() => new Writer().bytes16(new Uint8Array(0x1_0000))).toThrow(RangeError)
  })

  test('a writer that grew leaves what it wrote in one place', () => {
    const secret = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
    for (const expected of [0, 1, 40, 64, undefined]) {
      const { made, stop } = recordArrays()
      const writer = new Writer(expected)
      for (let part = 0; part < 5; part++) writer.bytes(secret)
      const written = writer.finish()
      stop()
      expect(written).toHaveLength(160)
      expect(written.subarray(128)).toEqual(secret)
      expect(made.length).toBeGreaterThan(1)
      expect(made.every((each) => each === written || isBlank(each))).toBe(true)
    }
  })

  test('length-prefixed bytes survive, and lengths are read before bytes', () => {
    const field = Uint8Array.of(9, 8, 7)
    const bytes = new Writer().bytes16(field).bytes32(field).finish()
    expect(toHex(bytes)).toBe('000309080700000003090807')
    const reader = new Reader(bytes)
    expect(reader.bytes16()).toEqual(field)
    expect(reader.bytes32()).toEqual(field)
    reader.finish()
    expect(codeOf(() => new Reader(fromHex('ffff00')).bytes16())).toBe('malformed')
    expect(codeOf(() => new Reader(fromHex('ffffffff00')).bytes32())).toBe('malformed')
  })

  test('every read of too few bytes is malformed and trailing bytes are refused', () => {
    const reads: ((reader: Reader) => unknown)[] = [
      (reader) => reader.u8(),
      (reader) => reader.u16(),
      (reader) => reader.u32(),
      (reader) => reader.u64(),
      (reader) => reader.bytes(5),
    ]
    const lengths = [1, 2, 4, 8, 5]
    for (const [i, read] of reads.entries()) {
      for (let length = 0; length < lengths[i]!; length++) {
        expect(codeOf(() => read(new Reader(new Uint8Array(length))))).toBe('malformed')
      }
      const longer = new Reader(new Uint8Array(lengths[i]! + 1))
      read(longer)
      expect(longer.remaining).toBe(1)
      expect(codeOf(() => longer.finish())).toBe('malformed')
      expect(longer.rest().length).toBe(1)
      longer.finish()
    }
  })

  test('an expected byte of another value is malformed', () => {
    expect(new Reader(Uint8Array.of(1)).expect(1, 'version').remaining).toBe(0)
    expect(codeOf(() => new Reader(Uint8Array.of(2)).expect(1, 'version'))).toBe('malformed')
    expect(codeOf(() => new Reader(new Uint8Array()).expect(0, 'version'))).toBe('malformed')
  })
})

describe('bytes', () => {
  test('joined bytes are a fresh copy', () => {
    const part = Uint8Array.of(1, 2)
    const joined = concatBytes(part, new Uint8Array(), part)
    part[0] = 9
    expect(toHex(joined)).toBe('01020102')
  })

  test('equality sees every byte and the length', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => i)
    expect(equalBytes(bytes, bytes.slice())).toBe(true)
    expect(equalBytes(bytes, bytes.subarray(0, 39))).toBe(false)
    for (let i = 0; i < bytes.length; i++) {
      const other = bytes.slice()
      other[i]! ^= 0x80
      expect(equalBytes(bytes, other)).toBe(false)
    }
  })

  test('order is that of the bytes, a prefix first', () => {
    const sorted = ['', '00', '0000', '0001', '01', '7fff', '80', 'ff'].map(fromHex)
    for (let i = 0; i < sorted.length; i++) {
      for (let j = 0; j < sorted.length; j++) {
        expect(Math.sign(compareBytes(sorted[i]!, sorted[j]!))).toBe(Math.sign(i - j))
      }
    }
  })

  test('wiping leaves zeros, and takes what is not there', () => {
    const secret = Uint8Array.of(1, 2, 3)
    wipe(secret, undefined)
    expect(secret).toEqual(new Uint8Array(3))
  })

  test('hexadecimal and base64url survive and agree with the platform', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes)
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes)
      }),
    )
  })

  test('one byte string has one base64url spelling', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 12 }), (text) => {
        let bytes: Uint8Array
        try {
          bytes = fromBase64Url(text)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          return
        }
        expect(toBase64Url(bytes)).toBe(text)
      }),
    )
    for (const text of ['A', 'AAAAA', 'AA==', 'AB', 'AAB', 'A A', 'AA\n', 'AA+/', 'Aä']) {
      expect(() => fromBase64Url(text)).toThrow(TypeError)
    }
  })

  test('what is not hexadecimal is refused', () => {
    for (const text of ['0', '0g', ' 00', '0x00', '٠٠']) {
      expect(() => fromHex(text)).toThrow(TypeError)
    }
  })

  test('UTF-8 survives, a byte order mark included, and what is not UTF-8 is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fromUtf8(utf8(text))).toBe(text)
      }),
      { examples: [['\uFEFFmark'], ['\0'], ['👩‍👩‍👧']] },
    )
    for (const hex of ['ff', 'c080', 'eda080', 'e282']) {
      expect(() => fromUtf8(fromHex(hex))).toThrow(TypeError)
    }
  })
})

test('an error carries its code and its details', () => {
  const error = new WireError('rate-limited', 'wait', { retryAfter: 3 })
  expect(error).toBeInstanceOf(Error)
  expect([error.name, error.code, error.details.retryAfter]).toEqual([
    'WireError',
    'rate-limited',
    3,
  ])
})
