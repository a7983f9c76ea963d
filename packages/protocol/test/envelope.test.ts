/** The envelope: sizes, padding, and a parser that takes one form only. (protocol.md, "Session") */
import { concatBytes, utf8 } from '@couplet/wire'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  draftEnvelope,
  HANDSHAKE_BYTES,
  type HandshakeHeader,
  padContent,
  parseEnvelope,
  unpadContent,
} from '../src/envelope.ts'
import { codeOf } from './conversation.ts'
import { seededRandom } from './support.ts'

const random = seededRandom('envelope')
const HANDSHAKE: HandshakeHeader = {
  prekeyId: 0x01020304,
  ephemeralKey: random(32),
  wrappedSecret: random(384),
  encapsulatedKey: random(1088),
  identityBlock: random(656),
}
const HEADER = random(96)
/** Every size that a prefix can have: bare, offer, ciphertext or both, with a handshake or not. */
const PREFIXES = [96, 1184, 1280, 2368].flatMap((header) => [16 + header, 2176 + header])
const BUCKETS = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]
/** Everything around the content: IV, tag, 0x80 and one byte for PKCS#7. */
const AROUND = 16 + 32 + 2

/** Size of the envelope whose padded content this is: PKCS#7 adds exactly one byte. */
function sizeOf(padded: Uint8Array, prefixLength: number): number {
  expect(padded.length % 16).toBe(15)
  return prefixLength + 16 + padded.length + 1 + 32
}

describe('padding', () => {
  test('an envelope is the smallest power of two that holds its content: boundaries of each bucket', () => {
    for (const prefix of PREFIXES) {
      for (const [i, bucket] of BUCKETS.entries()) {
        const most = bucket - prefix - AROUND
        if (most < 0) continue
        expect(sizeOf(padContent(random(most), prefix), prefix)).toBe(bucket)
        const next = BUCKETS[i + 1]
        if (next === undefined) {
          expect(codeOf(() => padContent(random(most + 1), prefix))).toBe('content-too-large')
        } else {
          expect(sizeOf(padContent(random(most + 1), prefix), prefix)).toBe(next)
        }
      }
      const least = BUCKETS.find((bucket) => bucket >= prefix + AROUND)
      expect(sizeOf(padContent(new Uint8Array(), prefix), prefix)).toBe(least)
    }
  })

  test('the largest text fits the largest envelope, whatever rides along', () => {
    const largest = 60_000 + 80
    for (const prefix of PREFIXES) expect(() => padContent(random(largest), prefix)).not.toThrow()
  })

  test('content survives, whatever it ends in', () => {
    const tail = fc.array(fc.constantFrom(0x00, 0x80, 0xff), { maxLength: 20 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500, size: 'max' }), tail, (head, end) => {
        const content = concatBytes(head, Uint8Array.from(end))
        const prefix = PREFIXES[content.length % PREFIXES.length]!
        expect(unpadContent(padContent(content, prefix))).toEqual(content)
      }),
    )
  })

  test('padding that is not 0x80 0x00* to the end, or of another length, is refused', () => {
    const padded = padContent(utf8('content'), 112)
    for (let at = 8; at < padded.length; at++) {
      for (const value of [0x01, 0x7f, 0xff]) {
        const other = padded.slice()
        other[at] = value
        expect(unpadContent(other)).toBeUndefined()
      }
    }
    expect(unpadContent(new Uint8Array(15))).toBeUndefined()
    expect(unpadContent(new Uint8Array())).toBeUndefined()
    expect(unpadContent(padded.subarray(0, padded.length - 1))).toBeUndefined()
    expect(unpadContent(padded.subarray(0, padded.length - 16))).toBeDefined()
    const nothing = new Uint8Array(15)
    nothing[0] = 0x80
    expect(unpadContent(nothing)).toEqual(new Uint8Array())
  })
})

/** Everything before the IV. */
function prefixOf(
  handshake: HandshakeHeader | undefined,
  encryptedHeader: Uint8Array = HEADER,
): Uint8Array {
  const { length } = encryptedHeader
  const prefix = draftEnvelope(handshake, { header: length, message: 0 })
  prefix.set(encryptedHeader, prefix.length - length)
  return prefix
}

/** An envelope of this size, filled up with noise. */
function build(handshake: HandshakeHeader | undefined, size: number): Uint8Array {
  const prefix = prefixOf(handshake)
  return concatBytes(prefix, random(size - prefix.length))
}

describe('parsing', () => {
  test('every part stands in its place, with a handshake and without', () => {
    const bare = build(undefined, 1024)
    const parsed = parseEnvelope(bare)
    expect(parsed.handshake).toBeUndefined()
    expect(parsed.encryptedHeader).toEqual(HEADER)
    expect(parsed.prefix).toEqual(bare.subarray(0, 112))
    expect(parsed.sealed).toEqual(bare.subarray(112))

    const full = parseEnvelope(build(HANDSHAKE, 4096))
    expect(full.handshake).toEqual(HANDSHAKE)
    expect(full.prefix.length).toBe(16 + HANDSHAKE_BYTES + 96)
    expect(full.prefix.length + full.sealed.length).toBe(4096)
  })

  test('the preamble is `couplet/1`, prekey id, header length, type', () => {
    const prefix = prefixOf(HANDSHAKE)
    expect(prefix.subarray(0, 16)).toEqual(
      concatBytes(utf8('couplet/1'), Uint8Array.of(1, 2, 3, 4, 0, 96, 1)),
    )
    expect(prefixOf(undefined).subarray(9, 16)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 96, 0))
    expect(prefix.subarray(16, 48)).toEqual(HANDSHAKE.ephemeralKey)
  })

  test('a size that is no power of two from 1 KiB to 64 KiB is malformed', () => {
    for (const size of BUCKETS) expect(() => parseEnvelope(build(undefined, size))).not.toThrow()
    for (const size of [0, 1, 512, 1023, 1025, 1536, 65_535, 65_537, 131_072]) {
      const bytes = concatBytes(build(undefined, 1024), random(131_072)).subarray(0, size)
      expect([size, codeOf(() => parseEnvelope(bytes))]).toEqual([size, 'malformed'])
    }
  })

  test('another magic, type or version is malformed', () => {
    const bytes = build(undefined, 1024)
    for (let at = 0; at < 9; at++) {
      const other = bytes.slice()
      other[at]! ^= 0x20
      expect(codeOf(() => parseEnvelope(other))).toBe('malformed')
    }
    for (let type = 2; type < 256; type++) {
      const other = bytes.slice()
      other[15] = type
      expect(codeOf(() => parseEnvelope(other))).toBe('malformed')
    }
  })

  test('a handshake without a prekey id, or an id without a handshake, is malformed', () => {
    const without = build(HANDSHAKE, 4096)
    without.fill(0, 9, 13)
    expect(codeOf(() => parseEnvelope(without))).toBe('malformed')
    const alone = build(undefined, 1024)
    alone[12] = 1
    expect(codeOf(() => parseEnvelope(alone))).toBe('malformed')
  })

  test('a header length that leaves no room for a message is malformed', () => {
    const bytes = build(undefined, 1024)
    const withLength = (length: number) => {
      const other = bytes.slice()
      other[13] = length >> 8
      other[14] = length & 0xff
      return () => parseEnvelope(other)
    }
    const most = 1024 - 16 - 16 - 16 - 32
    expect(withLength(most)).not.toThrow()
    for (const length of [most + 1, 1024, 0xffff])
      expect(codeOf(withLength(length))).toBe('malformed')
    const short = prefixOf(HANDSHAKE).subarray(0, 1024)
    expect(codeOf(() => parseEnvelope(short))).toBe('malformed')
  })

  test('property: bytes parse to parts that join to the same bytes, or are malformed', () => {
    const valid = [build(undefined, 1024), build(HANDSHAKE, 4096)]
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(fc.tuple(fc.nat(20), fc.nat(255)), { maxLength: 4 }),
        (bytes, edits) => {
          const other = bytes.slice()
          for (const [at, value] of edits) other[at] = value
          const code = codeOf(() => {
            const { handshake, encryptedHeader, sealed } = parseEnvelope(other)
            expect(concatBytes(prefixOf(handshake, encryptedHeader), sealed)).toEqual(other)
          })
          expect(['nothing thrown', 'malformed']).toContain(code)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
