/** What is inside a message. (protocol.md, "Session": Body) */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { concatBytes, fromHex, utf8 } from '@couplet/wire'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Content, decodeContent, encodeContent } from '../src/content.ts'
import { MAX_TEXT_BYTES, PROTOCOL_ERROR_CODES, ProtocolError } from '../src/index.ts'
import { codeOf } from './conversation.ts'
import { text } from './support.ts'

const ID = Uint8Array.from({ length: 16 }, (_, i) => i)
const MINIMAL = encodeContent({ ...text('x'), messageId: ID, body: { kind: 'unsupported' } })

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

describe('errors', () => {
  test('every code has a fault, and there are few', () => {
    expect(PROTOCOL_ERROR_CODES.length).toBeLessThanOrEqual(12)
    for (const code of PROTOCOL_ERROR_CODES) {
      const error = new ProtocolError(code, 'text')
      expect(error).toMatchObject({ name: 'ProtocolError', code })
      expect(['peer', 'caller', 'state']).toContain(error.fault)
    }
  })

  test('lengths and numbers beyond what Protobuf has are malformed, wherever they stand', () => {
    for (const [field, length] of [
      ['an unknown field', 'ba10'],
      ['the text', '32'],
    ] as const) {
      for (const flaw of ['808080808010', '80808080808080808010', '05']) {
        const encoded = concatBytes(MINIMAL, fromHex(length + flaw))
        expect([field, flaw, codeOf(() => decodeContent(encoded))]).toEqual([
          field,
          flaw,
          'malformed',
        ])
      }
    }
    for (const number of ['f87bffffffffffffffffffff0f', '1080808080808080808002', '10ff']) {
      const encoded = concatBytes(MINIMAL, fromHex(number))
      expect([number, codeOf(() => decodeContent(encoded))]).toEqual([number, 'malformed'])
    }
    const beyond32Bits = concatBytes(MINIMAL, fromHex('388180808010'))
    expect(decodeContent(beyond32Bits).body).toEqual({ kind: 'unsupported' })
  })
})
