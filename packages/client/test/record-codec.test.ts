import { deepStrictEqual } from 'node:assert/strict'
import { fromHex, toHex } from '@couplet/wire'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClientError } from '../src/errors.ts'
import type { Plain } from '../src/ports.ts'
import { decodeRecord, encodeRecord } from '../src/record-codec.ts'

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -(2 ** 53) + 1),
)
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))

const plain = fc.letrec<{ value: Plain; fields: Record<string, Plain>; list: Plain[] }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    number,
    text,
    fc.uint8Array({ maxLength: 300 }),
    tie('list'),
    tie('fields'),
  ),
  list: fc.array(tie('value')),
  fields: fc.dictionary(
    fc.oneof(text, fc.constantFrom('__proto__', 'constructor', '1')),
    tie('value'),
  ),
})).value

describe('records', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(plain, (value) => {
        deepStrictEqual(decodeRecord(encodeRecord(value)), withPlainPrototypes(value))
      }),
      { numRuns: 2000 },
    )
  })

  test('are refused or understood, whatever the bytes; and understood in one spelling', () => {
    fc.assert(
      fc.property(damagedRecord(), (bytes) => {
        let value: Plain
        try {
          value = decodeRecord(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ClientError)
          expect((error as ClientError).code).toBe('unreadable-home')
          return
        }
        // The order of fields is the only freedom.
        const again = encodeRecord(value)
        expect(again.length).toBe(bytes.length)
        expect(again.toSorted()).toEqual(bytes.toSorted())
      }),
      { numRuns: 20_000 },
    )
  })

  test('leave out fields that are undefined', () => {
    const bytes = encodeRecord({ kept: 1, left: undefined })
    expect(bytes).toEqual(encodeRecord({ kept: 1 }))
    expect(decodeRecord(bytes)).toStrictEqual({ kept: 1 })
  })

  test('share no memory with what went in or came out', () => {
    const inner = Uint8Array.of(1, 2, 3)
    const encoded = encodeRecord({ inner })
    inner.fill(9)
    const { inner: first } = decodeRecord(encoded) as { inner: Uint8Array }
    encoded.fill(9)
    expect(first).toEqual(Uint8Array.of(1, 2, 3))
  })

  test('give plain bytes also from a Buffer, with a buffer of their own', () => {
    const encoded = Buffer.from(encodeRecord([Buffer.from('bytes')]))
    const [bytes] = decodeRecord(encoded) as [Uint8Array]
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
    expect(bytes.buffer.byteLength).toBe(5)
  })

  test.each([
    ['an integer', 1000, '011903e8'],
    ['a negative one', -500, '013901f3'],
    ['a time', 1_788_000_000_000, '011b000001a04d1ad800'],
    ['a fraction', 1.1, '01fb3ff199999999999a'],
    ['text', '水', '0163e6b0b4'],
    ['bytes', fromHex('01020304'), '014401020304'],
    ['fields', { a: 1, b: [2, null, true] }, '01a261610161628302f6f5'],
  ] as const)('are CBOR behind a version: %s', (_, value, hex) => {
    expect(toHex(encodeRecord(value))).toBe(hex)
  })

  test.each([
    ['nothing', ''],
    ['another version', '02f6'],
    ['no value', '01'],
    ['trailing bytes', '01f6f6'],
    ['a short number in a long head', '011817'],
    ['an unsafe integer', '011b0020000000000000'],
    ['an unsafe negative integer', '013b001fffffffffffff'],
    ['an integer as a float', '01fb3ff0000000000000'],
    ['infinity', '01fb7ff0000000000000'],
    ['undefined', '01f7'],
    ['a tag', '01c000'],
    ['an endless array', '019f01ff'],
    ['a count beyond the bytes', '019b000fffffffffffff'],
    ['a length beyond the bytes', '015a7fffffff'],
    ['a field twice', '01a2616101616102'],
    ['a field that is not text', '01a10101'],
    ['text that is not UTF-8', '0161ff'],
  ])('refuse %s', (_, hex) => {
    expect(() => decodeRecord(fromHex(hex))).toThrow(
      expect.objectContaining({ code: 'unreadable-home' }),
    )
  })

  test('refuse a nesting that would overflow the stack', () => {
    const nested = new Uint8Array(1_000_000).fill(0x81)
    nested[0] = 0x01
    expect(() => decodeRecord(nested)).toThrow(expect.objectContaining({ code: 'unreadable-home' }))
    const circular: Plain[] = []
    circular.push(circular)
    expect(() => encodeRecord(circular)).toThrow(TypeError)
  })

  test.each([
    ['NaN', Number.NaN],
    ['infinity', { x: Number.POSITIVE_INFINITY }],
    ['half a surrogate pair', '\ud83d'],
    ['half a pair in the name of a field', { 'é\ud83d': 1 }],
    ['undefined', undefined],
    ['a hole in an array', Object.assign([1], { 2: 3 })],
    ['a function', { f: () => 1 }],
    ['a bigint', 1n],
    ['a Date', new Date()],
    ['a Map', new Map()],
  ])('refuse to hold %s', (_, value) => {
    expect(() => encodeRecord(value as Plain)).toThrow(TypeError)
  })
})

/** Mostly records with a few bytes changed: arbitrary bytes alone do not get far. */
function damagedRecord(): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 })
  return fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Uint8Array.of(1, ...bytes)),
    fc.tuple(plain, changes).map(([value, damage]) => {
      const bytes = encodeRecord(value)
      for (const [at, byte] of damage) bytes[at % bytes.length] = byte
      return bytes
    }),
  )
}

/** fast-check makes objects without a prototype too; decoding makes plain ones. */
function withPlainPrototypes(value: Plain): Plain {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return (value as readonly Plain[]).map(withPlainPrototypes)
  const entries = Object.entries(value as Record<string, Plain>)
  return Object.fromEntries(
    entries.map(([field, content]) => [field, withPlainPrototypes(content)]),
  )
}
