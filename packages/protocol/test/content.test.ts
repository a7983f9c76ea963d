/** What is inside a message, and how its Protobuf is read. (spec/message.md, "Content") */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { concatBytes, fromHex, utf8 } from '@couplet/wire'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_GROUP_DEPTH } from '../src/constants.ts'
import { type Content, decodeContent, encodeContent } from '../src/content.ts'
import { MAX_TEXT_BYTES, PROTOCOL_ERROR_CODES, ProtocolError } from '../src/index.ts'
import { codeOf } from './conversation.ts'
import { text } from './support.ts'

const ID = Uint8Array.from({ length: 16 }, (_, i) => i)
const MINIMAL = encodeContent({ ...text('x'), messageId: ID, body: { kind: 'unsupported' } })

/** Of a content with more bytes behind it. */
const decoded = (hex: string) => decodeContent(concatBytes(MINIMAL, fromHex(hex)))
const resultOf = (hex: string) => codeOf(() => decoded(hex))

/** Groups within one another, in hex. */
const nested = (depth: number) => '53'.repeat(depth) + '54'.repeat(depth)

/** Content with one more field, as another version would write it. */
function withField(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter()
  write(writer)
  return concatBytes(MINIMAL, writer.finish())
}

describe('content', () => {
  test('every field survives', () => {
    const anyContent: fc.Arbitrary<Content> = fc.record({
      messageId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      sequence: fc.maxSafeNat(),
      oldestPending: fc.maxSafeNat(),
      sentAt: fc.maxSafeNat(),
      expiresAfter: fc.maxSafeNat(),
      body: fc.oneof(
        fc.string({ unit: 'grapheme' }).map((body) => ({ kind: 'text', text: body }) as const),
        fc.constant({ kind: 'heartbeat' } as const),
        fc.constant({ kind: 'unsupported' } as const),
      ),
    })
    fc.assert(
      fc.property(anyContent, (content) => {
        expect(decodeContent(encodeContent(content))).toEqual(content)
      }),
    )
  })

  test('a text arrives as it was sent, a byte order mark and an empty one included', () => {
    for (const body of ['', '\uFEFFmark', '\0', 'Grüße 👋🏽', 'e\u0301']) {
      expect(decodeContent(encodeContent(text(body))).body).toEqual({ kind: 'text', text: body })
    }
  })

  test('a text of 60,000 bytes is the longest, counted in UTF-8', () => {
    expect(MAX_TEXT_BYTES).toBe(60_000)
    expect(() => encodeContent(text('x'.repeat(60_000)))).not.toThrow()
    expect(() => encodeContent(text('ü'.repeat(30_000)))).not.toThrow()
    expect(codeOf(() => encodeContent(text('x'.repeat(60_001))))).toBe('content-too-large')
    expect(codeOf(() => encodeContent(text('ü'.repeat(30_001))))).toBe('content-too-large')
  })

  test('the largest content leaves room in the largest envelope', () => {
    const most: Content = {
      ...text('x'.repeat(60_000)),
      sequence: Number.MAX_SAFE_INTEGER,
      oldestPending: Number.MAX_SAFE_INTEGER,
      sentAt: Number.MAX_SAFE_INTEGER,
      expiresAfter: Number.MAX_SAFE_INTEGER,
    }
    expect(encodeContent(most).length).toBeLessThanOrEqual(60_080)
  })

  test('unknown fields are skipped, and an unknown kind of body is kept as unsupported', () => {
    const later = withField((writer) => {
      writer.tag(6, WireType.LengthDelimited).string('hello')
      writer.tag(100, WireType.LengthDelimited).string('from the future')
      writer.tag(101, WireType.Varint).uint32(7)
      writer.tag(102, WireType.Bit64).fixed64(7)
    })
    expect(decodeContent(later)).toMatchObject({ body: { kind: 'text', text: 'hello' } })
    const body = withField((writer) => writer.tag(8, WireType.LengthDelimited).string('picture'))
    expect(decodeContent(body).body).toEqual({ kind: 'unsupported' })
    const control = withField((writer) => writer.tag(7, WireType.Varint).uint32(2))
    expect(decodeContent(control).body).toEqual({ kind: 'unsupported' })
  })

  test('a message id that is not 16 bytes is malformed', () => {
    for (const length of [0, 15, 17]) {
      const content = { ...text('x'), messageId: new Uint8Array(length) }
      expect(codeOf(() => decodeContent(encodeContent(content)))).toBe('malformed')
    }
    expect(codeOf(() => decodeContent(new Uint8Array()))).toBe('malformed')
  })

  test('text that is not UTF-8 is malformed', () => {
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80]]) {
      const content = withField((writer) =>
        writer.tag(6, WireType.LengthDelimited).bytes(Uint8Array.from(bytes)),
      )
      expect(codeOf(() => decodeContent(content))).toBe('malformed')
    }
  })

  test('a number that is no safe integer is malformed', () => {
    for (const value of [2n ** 53n, 2n ** 64n - 1n]) {
      const content = withField((writer) => writer.tag(2, WireType.Varint).uint64(value))
      expect(codeOf(() => decodeContent(content))).toBe('malformed')
    }
  })

  test('property: arbitrary bytes are content or malformed, and nothing else happens', () => {
    const full = encodeContent({ ...text('hello'), sequence: 300, expiresAfter: 5 })
    const cut = fc.nat(full.length).map((length) => full.subarray(0, length))
    const edited = fc
      .array(fc.tuple(fc.nat(full.length - 1), fc.nat(255)), { maxLength: 4 })
      .map((edits) => {
        const other = full.slice()
        for (const [at, value] of edits) other[at] = value
        return other
      })
    fc.assert(
      fc.property(
        fc.oneof(cut, edited, fc.uint8Array({ size: 'max', maxLength: 300 })),
        (bytes) => {
          expect(['nothing thrown', 'malformed']).toContain(codeOf(() => decodeContent(bytes)))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('no compression: content grows with its text, byte by byte', () => {
    const [short, long] = [500, 1000].map(
      (length) => encodeContent(text('a'.repeat(length))).length,
    )
    expect(long! - short!).toBe(500)
    expect(encodeContent(text(`needle${'a'.repeat(100)}`))).toSatisfy((bytes: Uint8Array) =>
      Buffer.from(bytes).includes(utf8(`needle${'a'.repeat(100)}`)),
    )
  })
})

describe('the Protobuf of a content', () => {
  test('a library of others reads what we write', () => {
    const reader = new BinaryReader(
      encodeContent({ ...text('Grüße'), messageId: ID, sequence: 2 ** 53 - 1, sentAt: 128 }),
    )
    const fields: unknown[] = []
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag()
      fields.push([field, type === WireType.Varint ? Number(reader.uint64()) : reader.bytes()])
    }
    expect(fields).toEqual([
      [1, ID],
      [2, 2 ** 53 - 1],
      [3, 1],
      [4, 128],
      [6, utf8('Grüße')],
    ])
  })

  test('a number that cannot be written exactly is the caller’s mistake', () => {
    for (const sequence of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => encodeContent({ ...text('x'), sequence })).toThrow(RangeError)
    }
  })

  test.each(['an unknown field: ba10', 'the text: 32', 'a group: 530a'])(
    'lengths beyond the content or beyond 32 and 64 bits are malformed in %s',
    (place) => {
      const tag = place.split(': ')[1]!
      for (const length of ['8080808010', '808080808010', '80808080808080808010', '05']) {
        expect([length, resultOf(tag + length)]).toEqual([length, 'malformed'])
      }
    },
  )

  test('numbers of more than 10 bytes, cut short or above 2^53 are malformed', () => {
    const ten = 'ff'.repeat(9)
    expect(resultOf(`f87b${ten}7f`)).toBe('nothing thrown')
    for (const number of [`f87b${ten}ff0f`, `53f87b${ten}ff0f54`, '1080808080808080808002', '10ff'])
      expect([number, resultOf(number)]).toEqual([number, 'malformed'])
    expect(decoded('388180808010').body).toEqual({ kind: 'unsupported' })
  })

  test('tags are numbers like others, of fields that can be', () => {
    expect(decoded('908080808080808080000a').sequence).toBe(10)
    expect(resultOf('f8ffffff0f01')).toBe('nothing thrown')
    for (const tag of [
      '9080808080808080800000',
      '8080808010',
      '9080808010',
      '00',
      '07',
      '0e',
      '0f',
    ])
      expect([tag, resultOf(`${tag}05`)]).toEqual([tag, 'malformed'])
    // As if a type that there is not had four bytes, or eight.
    for (const type of ['0e', '0f'])
      for (const bytes of [4, 8]) {
        expect([type, resultOf(type + '00'.repeat(bytes))]).toEqual([type, 'malformed'])
      }
  })

  test('groups are skipped whole, and end where they should', () => {
    expect(decoded('530a01ff5b5c54320161').body).toEqual({ kind: 'text', text: 'a' })
    for (const flaw of ['53', '5308', '54', '535c', '535b545c', '5354 54', '530354', '5300 54']) {
      const hex = flaw.replace(' ', '')
      expect([hex, resultOf(hex)]).toEqual([hex, 'malformed'])
    }
  })

  test('fixed numbers have 8 and 4 bytes, inside groups and outside', () => {
    for (const [bits, bytes] of [
      ['51', 8],
      ['5d', 4],
    ] as const) {
      expect(resultOf(bits + '00'.repeat(bytes))).toBe('nothing thrown')
      expect(resultOf(`53${bits}${'54'.repeat(bytes)}54`)).toBe('nothing thrown')
      expect(resultOf(bits + '00'.repeat(bytes - 1))).toBe('malformed')
      expect(resultOf(`53${bits}${'00'.repeat(bytes)}`)).toBe('malformed')
    }
  })

  test('groups may be 100 deep and no deeper; no depth overflows the stack', () => {
    expect(MAX_GROUP_DEPTH).toBe(100)
    expect(resultOf(nested(100))).toBe('nothing thrown')
    expect(resultOf(nested(100) + nested(100))).toBe('nothing thrown')
    for (const depth of [101, 30_000]) expect(resultOf(nested(depth))).toBe('malformed')
    expect(resultOf('53'.repeat(60_000))).toBe('malformed')
  })
})

describe('errors', () => {
  test('every code has a fault, and there are few', () => {
    expect(PROTOCOL_ERROR_CODES.length).toBeLessThanOrEqual(12)
    for (const code of PROTOCOL_ERROR_CODES) {
      const error = new ProtocolError(code, 'text')
      expect(error).toMatchObject({ name: 'ProtocolError', code })
      expect(['peer', 'caller', 'state']).toContain(error.fault)
    }
  })
})
