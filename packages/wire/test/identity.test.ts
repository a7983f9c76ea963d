/** Identity records, prekey sets and what is signed: exact bytes. (spec/identity.md) */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as wire from '../src/index.ts'
import {
  concatBytes,
  decodeIdentityRecord,
  decodePrekeySet,
  encodeIdentityRecord,
  encodePrekeySet,
  type IdentityRecord,
  joinSigned,
  type PrekeySet,
  parsePhoneNumber,
  splitSignedIdentity,
  splitSignedPrekeys,
  toHex,
  utf8,
  WireError,
} from '../src/index.ts'
import { codeOf, marked } from './support.ts'

const RECORD: IdentityRecord = {
  phone: parsePhoneNumber('+12025550101'),
  exchangeKey: marked(1, 422),
  signingKey: marked(2, 32),
  identityKey: marked(3, 32),
  createdAt: 0x0102030405,
}
const PREKEYS: PrekeySet = {
  identityId: marked(4, 32),
  id: 0x01020304,
  signedPrekey: marked(5, 32),
  kemPrekey: marked(6, 1184),
  notAfter: 0x0607080900,
}

const STRUCTURES = [
  ['identity record', encodeIdentityRecord(RECORD), 506, [0, 9, 432, 465], decodeIdentityRecord],
  ['prekey set', encodePrekeySet(PREKEYS), 1263, [0, 37, 70], decodePrekeySet],
] as const

describe.each(STRUCTURES)('%s', (name, bytes, size, fixed, decode) => {
  const encodeAgain = (value: unknown) =>
    name === 'prekey set'
      ? encodePrekeySet(value as PrekeySet)
      : encodeIdentityRecord(value as IdentityRecord)

  test('has its exact size and survives', () => {
    expect(bytes.length).toBe(size)
    expect(decode(bytes)).toEqual(name === 'prekey set' ? PREKEYS : RECORD)
  })

  test('cut at every length, or with a byte behind it, is malformed', () => {
    for (let length = 0; length < size; length++) {
      expect(codeOf(() => decode(bytes.subarray(0, length)))).toBe('malformed')
    }
    expect(codeOf(() => decode(concatBytes(bytes, Uint8Array.of(0))))).toBe('malformed')
  })

  test('carries a version and a type byte for each key: any other value is malformed', () => {
    for (const at of fixed) {
      for (let value = 0; value < 256; value++) {
        if (value === bytes[at]) continue
        const other = bytes.slice()
        other[at] = value
        expect(codeOf(() => decode(other))).toBe('malformed')
      }
    }
  })

  test('property: what decodes encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(size - 1), fc.nat(255)), { maxLength: 5 }), (edits) => {
        const other = bytes.slice()
        for (const [at, value] of edits) other[at] = value
        let value: unknown
        try {
          value = decode(other)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
          return
        }
        expect(toHex(encodeAgain(value))).toBe(toHex(other))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('layout', () => {
  test('fields of the identity record stand where the specification puts them', () => {
    const bytes = encodeIdentityRecord(RECORD)
    expect(toHex(bytes.subarray(0, 10))).toBe(`01${(12025550101).toString(16).padStart(16, '0')}03`)
    expect(bytes.subarray(10, 432)).toEqual(RECORD.exchangeKey)
    expect(bytes[432]).toBe(4)
    expect(bytes.subarray(433, 465)).toEqual(RECORD.signingKey)
    expect(bytes[465]).toBe(1)
    expect(bytes.subarray(466, 498)).toEqual(RECORD.identityKey)
    expect(toHex(bytes.subarray(498))).toBe('0000000102030405'.padStart(16, '0'))
  })

  test('fields of the prekey set stand where the specification puts them', () => {
    const bytes = encodePrekeySet(PREKEYS)
    expect(bytes.subarray(1, 33)).toEqual(PREKEYS.identityId)
    expect(toHex(bytes.subarray(33, 38))).toBe('0102030401')
    expect(bytes.subarray(38, 70)).toEqual(PREKEYS.signedPrekey)
    expect(bytes[70]).toBe(2)
    expect(bytes.subarray(71, 1255)).toEqual(PREKEYS.kemPrekey)
    expect(toHex(bytes.subarray(1255))).toBe('0000000607080900')
  })

  test('a phone number that cannot be is refused', () => {
    const bytes = encodeIdentityRecord(RECORD)
    bytes.fill(0, 1, 9)
    expect(codeOf(() => decodeIdentityRecord(bytes))).toBe('invalid-phone-number')
  })
})

describe('signed structures', () => {
  test('are the structure and 64 bytes, and nothing else', () => {
    const signature = marked(9, 64)
    for (const [encoded, split] of [
      [encodeIdentityRecord(RECORD), splitSignedIdentity],
      [encodePrekeySet(PREKEYS), splitSignedPrekeys],
    ] as const) {
      const blob = joinSigned({ encoded, signature })
      expect(blob.length).toBe(encoded.length + 64)
      expect(split(blob)).toEqual({ encoded, signature })
      expect(codeOf(() => split(blob.subarray(1)))).toBe('malformed')
      expect(codeOf(() => split(concatBytes(blob, Uint8Array.of(0))))).toBe('malformed')
    }
    expect([wire.SIGNED_IDENTITY_BYTES, wire.SIGNED_PREKEYS_BYTES]).toEqual([570, 1327])
  })
})

describe('what is signed', () => {
  const base = { serverName: 'chat.example', challenge: marked(7, 32), identityId: marked(8, 32) }
  const login = wire.loginSignedBytes(base)
  const registration = wire.registrationSignedBytes({ ...base, registrationId: 'r-1' })
  const request = wire.requestSignedBytes({
    ...base,
    at: 5,
    method: 'PUT',
    path: '/v1/prekeys',
    bodyHash: marked(9, 32),
  })
  const record = wire.identitySignedBytes(encodeIdentityRecord(RECORD))
  const prekeys = wire.prekeysSignedBytes(encodePrekeySet(PREKEYS))

  test('begins with a label of its own, so that none passes for another', () => {
    const labels = {
      'sign/login': login,
      'sign/registration': registration,
      'sign/request': request,
      'sign/identity': record,
      'sign/prekeys': prekeys,
      'identity-id': wire.identityIdPreimage(encodeIdentityRecord(RECORD)),
    }
    for (const [purpose, bytes] of Object.entries(labels)) {
      const label = utf8(`couplet/v1/${purpose}`)
      expect(bytes[0]).toBe(label.length)
      expect(bytes.subarray(1, 1 + label.length)).toEqual(label)
    }
  })

  test('names the server and every field: changing any changes the bytes', () => {
    const toLogin = { ...base }
    const toRegister = { ...base, registrationId: 'r-1' }
    const toAsk = {
      ...base,
      at: 5,
      method: 'PUT',
      path: '/v1/prekeys',
      bodyHash: marked(9, 32),
    }
    const variants = [
      ...[
        toLogin,
        { ...toLogin, serverName: 'chat.exampl' },
        { ...toLogin, challenge: marked(0, 32) },
        { ...toLogin, identityId: marked(0, 32) },
      ].map(wire.loginSignedBytes),
      ...[
        toRegister,
        { ...toRegister, serverName: 'chat.exampl' },
        { ...toRegister, registrationId: 'r-2' },
        { ...toRegister, challenge: marked(0, 32) },
        { ...toRegister, identityId: marked(0, 32) },
      ].map(wire.registrationSignedBytes),
      ...[
        toAsk,
        { ...toAsk, serverName: 'chat.exampl' },
        { ...toAsk, identityId: marked(0, 32) },
        { ...toAsk, at: 6 },
        { ...toAsk, method: 'PUT/', path: 'v1/prekeys' },
        { ...toAsk, bodyHash: marked(1, 32) },
      ].map(wire.requestSignedBytes),
    ]
    expect(new Set(variants.map(toHex)).size).toBe(variants.length)
  })

  test('no label begins another', () => {
    const labels = Object.entries(wire)
      .filter(([name]) => name.startsWith('LABEL_'))
      .map(([, value]) => toHex(value as Uint8Array))
    expect(labels.length).toBeGreaterThanOrEqual(6)
    for (const a of labels) {
      for (const b of labels) if (a !== b) expect(b.startsWith(a)).toBe(false)
    }
  })
})
