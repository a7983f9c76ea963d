/** Frames of the socket: exact bytes, bounds, and a decoder that takes one form only. (spec/socket.md) */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ClientFrame,
  concatBytes,
  decodeClientFrame,
  decodeServerFrame,
  type EnvelopeStatus,
  ERROR_CODES,
  encodeClientFrame,
  encodeServerFrame,
  frameLength,
  MAX_ENVELOPE_BYTES,
  MAX_FRAME_BYTES,
  MAX_STATUS_IDS,
  type PutOutcome,
  type ServerFrame,
  toHex,
  WireError,
} from '../src/index.ts'
import { codeOf, marked } from './support.ts'

const ID = marked(0x10, 32)
const RECEIPT = marked(0x40, 32)
const ENVELOPE = marked(0x80, 1024)

/** Every kind of frame with every branch, and its exact size. */
const CLIENT_FRAMES: readonly [ClientFrame, number][] = [
  [{ type: 'login', identityId: ID, signature: marked(0, 64) }, 97],
  [{ type: 'put', ref: 0xdeadbeef, mode: 'evict', recipient: ID, envelope: ENVELOPE }, 1062],
  [{ type: 'put', ref: 1, mode: 'if-room', recipient: ID, envelope: marked(0, 65_536) }, 65_574],
  [{ type: 'ack', id: ID, receipt: RECEIPT }, 66],
  [{ type: 'ack', id: ID, receipt: undefined }, 34],
  [{ type: 'nack', id: ID, reason: 'late' }, 34],
  [{ type: 'nack', id: ID, reason: 'unknown-session' }, 34],
  [{ type: 'nack', id: ID, reason: 'retired-prekey' }, 34],
  [{ type: 'nack', id: ID, reason: 'invalid' }, 34],
  [{ type: 'status', ref: 7, ids: [] }, 7],
  [{ type: 'status', ref: 7, ids: [ID, RECEIPT] }, 71],
  [{ type: 'status', ref: 7, ids: Array.from({ length: MAX_STATUS_IDS }, () => ID) }, 8199],
]

const STATUSES: readonly EnvelopeStatus[] = [
  { kind: 'waiting' },
  { kind: 'delivered', receipt: RECEIPT },
  { kind: 'settled' },
  { kind: 'refused', reason: 'retired-prekey' },
  { kind: 'evicted' },
  { kind: 'unknown' },
]
const OUTCOMES: readonly PutOutcome[] = [
  { kind: 'stored' },
  { kind: 'duplicate' },
  { kind: 'full' },
  { kind: 'delivered', receipt: RECEIPT },
  { kind: 'settled' },
  { kind: 'refused', reason: 'invalid' },
  { kind: 'evicted' },
]

const SERVER_FRAMES: readonly [ServerFrame, number][] = [
  [{ type: 'challenge', challenge: ID }, 33],
  [{ type: 'welcome', capacity: 2, window: 16, now: Number.MAX_SAFE_INTEGER }, 13],
  [{ type: 'deliver', sender: ID, storedAt: 1, envelope: ENVELOPE }, 1065],
  [{ type: 'caught-up' }, 1],
  ...OUTCOMES.map((outcome): [ServerFrame, number] => [
    { type: 'put-result', ref: 0xffff_ffff, outcome },
    6 + extra(outcome),
  ]),
  [{ type: 'status-result', ref: 3, statuses: STATUSES }, 7 + 6 + 32 + 1],
  [{ type: 'status-result', ref: 3, statuses: [] }, 7],
  [{ type: 'acked', id: ID }, 33],
  ...STATUSES.map((status): [ServerFrame, number] => [
    { type: 'notice', id: ID, status },
    34 + extra(status),
  ]),
  [{ type: 'room', recipient: ID }, 33],
  ...ERROR_CODES.map((code): [ServerFrame, number] => [
    { type: 'error', ref: 0, code, retryAfter: 60 },
    10,
  ]),
]

function extra(status: { readonly kind: string }): number {
  return status.kind === 'delivered' ? 32 : Number(status.kind === 'refused')
}

const BOTH = [
  ['client', CLIENT_FRAMES, encodeClientFrame, decodeClientFrame],
  ['server', SERVER_FRAMES, encodeServerFrame, decodeServerFrame],
] as const

describe.each(BOTH)('%s frames', (_name, frames, encode, decode) => {
  const encodeAny = encode as (frame: ClientFrame | ServerFrame) => Uint8Array

  test('every kind survives, and has its exact size', () => {
    for (const [frame, size] of frames) {
      const bytes = encodeAny(frame)
      expect([frame.type, bytes.length]).toEqual([frame.type, size])
      expect([frame.type, frameLength(frame)]).toEqual([frame.type, size])
      expect(decode(bytes)).toEqual(frame)
    }
  })

  test('a place that is there already is filled, and nothing beside it', () => {
    for (const [frame, size] of SERVER_FRAMES) {
      const around = new Uint8Array(size + 2).fill(0xee)
      encodeServerFrame(frame, around.subarray(1, -1))
      const expected = concatBytes(
        Uint8Array.of(0xee),
        encodeServerFrame(frame),
        Uint8Array.of(0xee),
      )
      expect(around).toEqual(expected)
    }
  })

  test('every kind, cut at every length, is malformed', () => {
    for (const [frame, size] of frames) {
      if (size > 9000) continue
      const bytes = encodeAny(frame)
      for (let length = 0; length < bytes.length; length++) {
        expect(codeOf(() => decode(bytes.subarray(0, length)))).toBe('malformed')
      }
    }
  })

  test('every kind with a byte behind it is malformed', () => {
    for (const [frame, size] of frames) {
      if (size > MAX_ENVELOPE_BYTES) continue
      expect(codeOf(() => decode(concatBytes(encodeAny(frame), Uint8Array.of(0))))).toBe(
        'malformed',
      )
    }
  })

  test('an unknown type byte is malformed', () => {
    const known = new Set(frames.map(([frame]) => encodeAny(frame)[0]))
    for (let type = 0; type < 256; type++) {
      if (known.has(type)) continue
      const bytes = marked(0, 100)
      bytes[0] = type
      expect(codeOf(() => decode(bytes))).toBe('malformed')
    }
  })

  test('a frame over the limit is too large before anything is read', () => {
    expect(codeOf(() => decode(new Uint8Array(MAX_FRAME_BYTES + 1)))).toBe('too-large')
    expect(codeOf(() => decode(new Uint8Array(MAX_FRAME_BYTES)))).toBe('malformed')
  })

  test('property: bytes decode to what encodes to the same bytes, or are refused', () => {
    const valid = frames.filter(([, size]) => size < 2000).map(([frame]) => encodeAny(frame))
    const damaged = fc
      .record({
        bytes: fc.constantFrom(...valid),
        edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4, size: 'max' }),
        cut: fc.option(fc.nat(200)),
      })
      .map(({ bytes, edits, cut }) => {
        const copy = bytes.slice(0, cut === null ? bytes.length : bytes.length - cut)
        for (const [at, value] of edits) if (copy.length > 0) copy[at % copy.length] = value
        return copy
      })
    const random = fc.uint8Array({ maxLength: 2200, size: 'max' })
    fc.assert(
      fc.property(fc.oneof(damaged, random), (bytes) => {
        let frame: ClientFrame | ServerFrame
        try {
          frame = decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
          return
        }
        expect(toHex(encodeAny(frame))).toBe(toHex(bytes))
      }),
      { numRuns: 3000 },
    )
  })
})

function put(size: number): Uint8Array {
  const envelope = new Uint8Array(size)
  return encodeClientFrame({ type: 'put', ref: 1, mode: 'evict', recipient: ID, envelope })
}

function deliver(size: number): Uint8Array {
  const envelope = new Uint8Array(size)
  return encodeServerFrame({ type: 'deliver', sender: ID, storedAt: 0, envelope })
}

describe('fields', () => {
  test('unknown modes, reasons, flags, kinds and codes are malformed', () => {
    const wrongMode = put(1024)
    wrongMode[5] = 2
    expect(codeOf(() => decodeClientFrame(wrongMode))).toBe('malformed')
    const nack = encodeClientFrame({ type: 'nack', id: ID, reason: 'invalid' })
    nack[33] = 4
    expect(codeOf(() => decodeClientFrame(nack))).toBe('malformed')
    const ack = encodeClientFrame({ type: 'ack', id: ID })
    ack[33] = 2
    expect(codeOf(() => decodeClientFrame(ack))).toBe('malformed')
    const result = encodeServerFrame({ type: 'put-result', ref: 1, outcome: { kind: 'full' } })
    result[5] = 9
    expect(codeOf(() => decodeServerFrame(result))).toBe('malformed')
    const error = encodeServerFrame({ type: 'error', ref: 0, code: 'internal', retryAfter: 0 })
    error[5] = ERROR_CODES.length
    expect(codeOf(() => decodeServerFrame(error))).toBe('malformed')
  })

  test('a put never answers `waiting` or `unknown`, a status never what only a put can', () => {
    for (const kind of [0, 5]) {
      const result = encodeServerFrame({ type: 'put-result', ref: 1, outcome: { kind: 'full' } })
      result[5] = kind
      expect(codeOf(() => decodeServerFrame(result))).toBe('malformed')
    }
    for (const kind of [6, 7, 8]) {
      const notice = encodeServerFrame({ type: 'notice', id: ID, status: { kind: 'evicted' } })
      notice[33] = kind
      expect(codeOf(() => decodeServerFrame(notice))).toBe('malformed')
      const statuses = encodeServerFrame({
        type: 'status-result',
        ref: 1,
        statuses: [{ kind: 'evicted' }],
      })
      statuses[7] = kind
      expect(codeOf(() => decodeServerFrame(statuses))).toBe('malformed')
    }
  })

  test('an envelope is a power of two from 1 KiB to 64 KiB, in both directions', () => {
    for (let size = 1024; size <= 65_536; size *= 2) {
      expect(decodeClientFrame(put(size)).type).toBe('put')
      expect(decodeServerFrame(deliver(size)).type).toBe('deliver')
    }
    for (const size of [0, 1, 512, 1023, 1025, 1536, 3072, 65_535]) {
      expect(codeOf(() => decodeClientFrame(put(size)))).toBe('malformed')
      expect(codeOf(() => decodeServerFrame(deliver(size)))).toBe('malformed')
    }
    expect(codeOf(() => decodeClientFrame(put(65_537)))).toBe('too-large')
    expect(codeOf(() => decodeServerFrame(deliver(65_537)))).toBe('too-large')
    expect(codeOf(() => decodeClientFrame(put(131_072)))).toBe('too-large')
  })

  test('the largest envelope fits the largest frame', () => {
    expect(MAX_FRAME_BYTES).toBeGreaterThanOrEqual(MAX_ENVELOPE_BYTES + 41)
  })

  test('more ids or statuses than the limit are too large', () => {
    const ids = Array.from({ length: MAX_STATUS_IDS + 1 }, () => ID)
    expect(
      codeOf(() => decodeClientFrame(encodeClientFrame({ type: 'status', ref: 1, ids }))),
    ).toBe('too-large')
    const statuses = ids.map(() => ({ kind: 'waiting' }) as const)
    expect(
      codeOf(() =>
        decodeServerFrame(encodeServerFrame({ type: 'status-result', ref: 1, statuses })),
      ),
    ).toBe('too-large')
  })

  test('the envelope passes through uncopied', () => {
    const bytes = encodeClientFrame(CLIENT_FRAMES[1]![0])
    const frame = decodeClientFrame(bytes)
    if (frame.type !== 'put') throw new Error('not a put')
    expect(frame.envelope.buffer).toBe(bytes.buffer)
  })
})
