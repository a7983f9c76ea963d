/** Safety number and verification code. (protocol.md, "Verification") */
import { createHash } from 'node:crypto'
import { concatBytes, parsePhoneNumber, phoneNumberToInteger, utf8 } from '@couplet/wire'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  decodeVerificationCode,
  encodeVerificationCode,
  type Identity,
  matchesVerificationCode,
  safetyNumber,
} from '../src/index.ts'
import { type Cast, cast, codeOf, damaged } from './conversation.ts'
import { PROVIDERS } from './support.ts'

function halves(number: string): string[] {
  return [number.slice(0, 30), number.slice(30)]
}

function shown(own: Identity, contact: Identity) {
  return decodeVerificationCode(encodeVerificationCode(own, contact))
}

/** The construction of protocol.md with node:crypto alone: 5,200 times SHA-512, six groups each. */
function halfByHand({ id, record }: Identity): string {
  const label = utf8('couplet/v1/safety-number')
  const phone = Buffer.alloc(8)
  phone.writeBigUInt64BE(BigInt(phoneNumberToInteger(record.phone)))
  let hash: Uint8Array = concatBytes(Uint8Array.of(label.length), label, id, phone)
  for (let i = 0; i < 5200; i++) {
    hash = createHash('sha512')
      .update(i === 0 ? hash : concatBytes(hash, id))
      .digest()
  }
  return Array.from({ length: 6 }, (_, group) => {
    const value = Buffer.from(hash).readUIntBE(5 * group, 5) % 100_000
    return String(value).padStart(5, '0')
  }).join('')
}

describe.each(Object.entries(PROVIDERS))('%s', (name, primitives) => {
  let people: Cast
  beforeAll(async () => {
    people = await cast(name)
  })

  test('sixty digits, the same at both ends, as computed by hand', () => {
    const [ana, ben] = [people.ana.public, people.ben.public]
    const number = safetyNumber(primitives, ana, ben)
    expect(number).toMatch(/^[0-9]{60}$/)
    expect(safetyNumber(primitives, ben, ana)).toBe(number)
    expect([number.slice(0, 30), number.slice(30)].toSorted()).toEqual(
      [halfByHand(ana), halfByHand(ben)].toSorted(),
    )
  })

  test('another identity or phone number gives another number', () => {
    const [ana, ben, mallory] = [people.ana.public, people.ben.public, people.mallory.public]
    const moved = { ...ben, record: { ...ben.record, phone: parsePhoneNumber('+12025550199') } }
    const numbers = [
      safetyNumber(primitives, ana, ben),
      safetyNumber(primitives, ana, mallory),
      safetyNumber(primitives, ana, moved),
      safetyNumber(primitives, ana, { ...ben, id: mallory.id }),
    ]
    expect(new Set(numbers).size).toBe(4)
    // Only the half of whom it concerns changes.
    expect(halves(numbers[0]!).filter((half) => halves(numbers[1]!).includes(half)).length).toBe(1)
  })
})

test('halves are in byte order, so that both ends show the same', async () => {
  const { ana, ben, mallory } = await cast('node:crypto')
  const { primitives } = ana
  const people = [ana.public, ben.public, mallory.public]
  for (const a of people) {
    for (const b of people) {
      expect(safetyNumber(primitives, a, b)).toBe(safetyNumber(primitives, b, a))
    }
  }
})

describe('verification code', () => {
  let people: Cast
  beforeAll(async () => {
    people = await cast('node:crypto')
  })

  test('what one shows, the other recognises', () => {
    const [ana, ben] = [people.ana.public, people.ben.public]
    const code = encodeVerificationCode(ben, ana)
    expect(code.length).toBe(7 + 1 + 8 + 32 + 32)
    expect(code.subarray(0, 8)).toEqual(concatBytes(utf8('couplet'), Uint8Array.of(1)))
    const seen = decodeVerificationCode(code)
    expect(seen).toEqual({ phone: ben.record.phone, identityId: ben.id, contactId: ana.id })
    expect(matchesVerificationCode(seen, ana, ben)).toBe(true)
  })

  test('a code of others, or shown the wrong way round, does not match', () => {
    const [ana, ben, mallory] = [people.ana.public, people.ben.public, people.mallory.public]
    expect(matchesVerificationCode(shown(ana, ben), ana, ben)).toBe(false)
    expect(matchesVerificationCode(shown(ben, mallory), ana, ben)).toBe(false)
    expect(matchesVerificationCode(shown(mallory, ana), ana, ben)).toBe(false)
    const posing = { ...mallory, record: { ...mallory.record, phone: ben.record.phone } }
    expect(matchesVerificationCode(shown(posing, ana), ana, ben)).toBe(false)
    const moved = { ...ben, record: { ...ben.record, phone: parsePhoneNumber('+12025550199') } }
    expect(matchesVerificationCode(shown(moved, ana), ana, ben)).toBe(false)
  })

  test('another magic, version, phone or length is malformed', () => {
    const code = encodeVerificationCode(people.ben.public, people.ana.public)
    for (let at = 0; at < 8; at++) {
      expect(codeOf(() => decodeVerificationCode(damaged(code, at)))).toBe('malformed')
    }
    const nobody = code.slice()
    nobody.fill(0, 8, 16)
    expect(codeOf(() => decodeVerificationCode(nobody))).toBe('malformed')
    for (let length = 0; length < code.length; length++) {
      expect(codeOf(() => decodeVerificationCode(code.subarray(0, length)))).toBe('malformed')
    }
    expect(codeOf(() => decodeVerificationCode(concatBytes(code, code)))).toBe('malformed')
  })
})
