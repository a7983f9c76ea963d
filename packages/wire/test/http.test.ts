/** Shapes of the HTTP API. (spec/http-api.md) */
import { describe, expect, test } from 'vitest'
import {
  CODE_DIGITS,
  directoryEntry,
  ERROR_CODES,
  ERROR_STATUS,
  parseShape,
  prekeysRequest,
  problem,
  registrationRequest,
  registrationResponse,
  type Shape,
  SIGNED_IDENTITY_BYTES,
  SIGNED_PREKEYS_BYTES,
  serverInfo,
  toBase64Url,
  verificationRequest,
  verificationResponse,
  WireError,
} from '../src/index.ts'
import { codeOf, marked } from './support.ts'

const identity = marked(1, SIGNED_IDENTITY_BYTES)
const prekeys = marked(2, SIGNED_PREKEYS_BYTES)
const challenge = marked(3, 32)
const proof = marked(4, 64)

/** Each shape: the JSON as it travels, what it means, and whether it stands for untrusted input. */
const SHAPES: readonly [string, Shape<unknown>, Record<string, unknown>, unknown, boolean][] = [
  [
    'registrationRequest',
    registrationRequest,
    {
      phone: '+12025550101',
      identity: toBase64Url(identity),
      prekeys: toBase64Url(prekeys),
    },
    { phone: '+12025550101', identity, prekeys },
    true,
  ],
  [
    'registrationResponse',
    registrationResponse,
    { id: 'r1', challenge: toBase64Url(challenge), expiresAt: 5 },
    { id: 'r1', challenge, expiresAt: 5 },
    false,
  ],
  [
    'verificationRequest',
    verificationRequest,
    { code: '012345', proof: toBase64Url(proof) },
    { code: '012345', proof },
    true,
  ],
  [
    'verificationResponse',
    verificationResponse,
    { identityId: toBase64Url(challenge), replaced: true },
    { identityId: challenge, replaced: true },
    false,
  ],
  [
    'directoryEntry',
    directoryEntry,
    { identity: toBase64Url(identity), prekeys: toBase64Url(prekeys) },
    { identity, prekeys },
    false,
  ],
  ['prekeysRequest', prekeysRequest, { prekeys: toBase64Url(prekeys) }, { prekeys }, true],
  [
    'serverInfo',
    serverInfo,
    { name: 'couplet', version: '0.1.0', capacity: 2, development: true },
    { name: 'couplet', version: '0.1.0', capacity: 2, development: true },
    false,
  ],
  [
    'problem',
    problem,
    { type: 'about:blank', title: 't', status: 403, code: 'wrong-code', detail: 'd', triesLeft: 4 },
    { type: 'about:blank', title: 't', status: 403, code: 'wrong-code', detail: 'd', triesLeft: 4 },
    false,
  ],
]

describe.each(SHAPES)('%s', (_name, shape, json, value, strict) => {
  test('is read from JSON, bytes as base64url without padding', () => {
    expect(parseShape(shape, json)).toEqual(value)
  })

  test('without one of its fields, or with one of another type, is malformed', () => {
    for (const field of Object.keys(json)) {
      if (field !== 'triesLeft') {
        const without = Object.fromEntries(Object.entries(json).filter(([key]) => key !== field))
        expect(codeOf(() => parseShape(shape, without))).toBe('malformed')
      }
      for (const wrong of [null, [], {}, field === 'replaced' ? 1 : Symbol.iterator]) {
        expect(codeOf(() => parseShape(shape, { ...json, [field]: wrong }))).toBe('malformed')
      }
    }
  })

  test('what is no object is malformed', () => {
    for (const wrong of [undefined, null, 1, 'text', [], [json]]) {
      expect(codeOf(() => parseShape(shape, wrong))).toBe('malformed')
    }
  })

  test(`with a field more is ${strict ? 'malformed' : 'taken, so that the server may grow'}`, () => {
    const more = { ...json, extra: 1 }
    if (strict) expect(codeOf(() => parseShape(shape, more))).toBe('malformed')
    else expect(parseShape(shape, more)).toEqual(value)
  })
})

describe('fields', () => {
  test('bytes of another length, spelling or padding are malformed, and the field is named', () => {
    const wrong = [
      toBase64Url(challenge.subarray(1)),
      toBase64Url(marked(0, 33)),
      `${toBase64Url(challenge)}=`,
      `${toBase64Url(challenge).slice(0, -1)}B`,
      `${toBase64Url(challenge).slice(0, -1)}+`,
      '',
    ]
    for (const text of wrong) {
      const action = () =>
        parseShape(registrationResponse, { id: 'r', challenge: text, expiresAt: 1 })
      expect(codeOf(action)).toBe('malformed')
      expect(action).toThrow(/^challenge: /)
    }
  })

  test('a code is exactly six ASCII digits', () => {
    expect(CODE_DIGITS).toBe(6)
    for (const code of ['12345', '1234567', '12345a', ' 12345', '12345\n', '١٢٣٤٥٦', '-12345']) {
      const json = { code, proof: toBase64Url(proof) }
      expect(codeOf(() => parseShape(verificationRequest, json))).toBe('malformed')
    }
  })

  test('a very long phone number is malformed before anybody looks at it', () => {
    const json = { ...SHAPES[0]![2], phone: `+1${'0'.repeat(31)}` }
    expect(codeOf(() => parseShape(registrationRequest, json))).toBe('malformed')
  })

  test('a problem carries one of the codes that both sides know', () => {
    const json = SHAPES[7]![2]
    for (const code of ERROR_CODES) {
      expect(parseShape(problem, { ...json, code })).toMatchObject({ code })
      expect(ERROR_STATUS[code]).toBeGreaterThanOrEqual(400)
      expect(ERROR_STATUS[code]).toBeLessThan(600)
    }
    expect(codeOf(() => parseShape(problem, { ...json, code: 'no-such' }))).toBe('malformed')
  })

  test('errors name the field, never the value', () => {
    try {
      parseShape(registrationRequest, { ...SHAPES[0]![2], identity: 'c2VjcmV0' })
      throw new Error('not refused')
    } catch (error) {
      expect(error).toBeInstanceOf(WireError)
      expect((error as WireError).message).not.toContain('c2VjcmV0')
    }
  })
})
