/** Which public keys may be used. (protocol.md, "Identity"; RSA vectors: primitives.vectors.test.ts) */

import { concatBytes, fromHex, toHex } from '@couplet/wire'
import { ed25519 } from '@noble/curves/ed25519.js'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  validateCurveKey,
  validateExchangeKey,
  validateKemKey,
  validateSigningKey,
} from '../src/index.ts'
import { type Cast, cast, codeOf } from './conversation.ts'
import { PROVIDERS, seededRandom } from './support.ts'

const P = 2n ** 255n - 19n
/** u of every X25519 point of small order, canonical (RFC 7748, 6.1 and "May the Fourth"). */
const SMALL_U = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  P - 1n,
]

function littleEndian(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).toReversed()
}

describe('X25519', () => {
  test('keys of every provider are taken, and 32 bytes only', () => {
    const random = seededRandom('x25519')
    for (const primitives of Object.values(PROVIDERS)) {
      for (let i = 0; i < 20; i++) {
        const key = primitives.x25519PublicKey(random(32))
        expect(codeOf(() => validateCurveKey(key))).toBe('nothing thrown')
        expect(codeOf(() => validateCurveKey(key.subarray(1)))).toBe('invalid-key')
        expect(codeOf(() => validateCurveKey(concatBytes(key, key)))).toBe('invalid-key')
      }
    }
  })

  test('points of small order are invalid', () => {
    for (const u of SMALL_U) {
      expect(codeOf(() => validateCurveKey(littleEndian(u)))).toBe('invalid-key')
    }
  })

  test('every canonical point that gives an all-zero secret is among them, under both providers', () => {
    const secret = seededRandom('secret')(32)
    for (const primitives of Object.values(PROVIDERS)) {
      for (const u of SMALL_U) expect(primitives.x25519(secret, littleEndian(u))).toBeUndefined()
    }
  })

  test('encodings that are not canonical are invalid: the top bit, and values from p on', () => {
    const key = PROVIDERS['node:crypto']!.x25519PublicKey(seededRandom('top')(32))
    const top = key.slice()
    top[31]! |= 0x80
    expect(codeOf(() => validateCurveKey(top))).toBe('invalid-key')
    for (let i = 0n; i < 19n; i++) {
      expect(codeOf(() => validateCurveKey(littleEndian(P + i)))).toBe('invalid-key')
    }
    expect(codeOf(() => validateCurveKey(littleEndian(P - 2n)))).toBe('nothing thrown')
    expect(codeOf(() => validateCurveKey(littleEndian(2n)))).toBe('nothing thrown')
  })
})

describe('Ed25519', () => {
  test('keys of every provider are taken, and 32 bytes only', () => {
    const random = seededRandom('ed25519')
    for (const primitives of Object.values(PROVIDERS)) {
      for (let i = 0; i < 20; i++) {
        const key = primitives.ed25519PublicKey(random(32))
        expect(codeOf(() => validateSigningKey(key))).toBe('nothing thrown')
        expect(codeOf(() => validateSigningKey(key.subarray(1)))).toBe('invalid-key')
      }
    }
  })

  test('all eight points of small order are invalid, under either sign', () => {
    const generator = ed25519.Point.fromHex(
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    )
    const seen = new Set<string>()
    let point = ed25519.Point.ZERO
    for (let i = 0; i < 8; i++, point = point.add(generator)) seen.add(point.toHex())
    expect(seen.size).toBe(8)
    for (const encoded of seen) {
      for (const sign of [0x00, 0x80]) {
        const key = fromHex(encoded)
        key[31]! ^= sign
        expect(codeOf(() => validateSigningKey(key))).toBe('invalid-key')
      }
    }
  })

  test('judging a key in a Buffer leaves it as it is', () => {
    const key = Buffer.from(fromHex(`${'02'.padEnd(62, '0')}80`))
    validateSigningKey(key)
    expect(key[31]).toBe(0x80)
  })

  test('y from p on is invalid, under either sign', () => {
    for (let i = 0n; i < 19n; i++) {
      for (const sign of [0n, 2n ** 255n]) {
        expect(codeOf(() => validateSigningKey(littleEndian(P + i + sign)))).toBe('invalid-key')
      }
    }
  })
})

describe('ML-KEM-768', () => {
  const key = PROVIDERS['node:crypto']!.kemPublicKey(seededRandom('kem')(64))

  test('a key of the right size is taken, and of no other', () => {
    expect(codeOf(() => validateKemKey(key))).toBe('nothing thrown')
    for (const length of [0, 1183, 1185]) {
      const other = concatBytes(key, key).subarray(0, length)
      expect(codeOf(() => validateKemKey(other))).toBe('invalid-key')
    }
  })

  test('a coefficient of 3328 is taken, one of 3329 or 4095 is not, at every place', () => {
    for (let i = 0; i < 768; i++) {
      for (const value of [3328, 3329, 4095]) {
        const other = key.slice()
        const at = Math.floor(i / 2) * 3
        if (i % 2 === 0) {
          other[at] = value & 0xff
          other[at + 1] = (other[at + 1]! & 0xf0) | (value >> 8)
        } else {
          other[at + 1] = (other[at + 1]! & 0x0f) | ((value & 0x0f) << 4)
          other[at + 2] = value >> 4
        }
        const expected = value < 3329 ? 'nothing thrown' : 'invalid-key'
        expect(codeOf(() => validateKemKey(other))).toBe(expected)
      }
    }
  })
})

describe('RSA', () => {
  let people: Cast
  beforeAll(async () => {
    people = await cast('node:crypto')
  })

  test('a fresh key of either provider is taken', async () => {
    const web = await cast('noble and WebCrypto')
    for (const { own } of [people.ana, web.ana]) {
      expect(codeOf(() => validateExchangeKey(own.record.exchangeKey))).toBe('nothing thrown')
    }
  })

  test('one key has one encoding: any other byte around the modulus is invalid', () => {
    const key = people.ana.own.record.exchangeKey
    const modulus = { from: 33, to: 33 + 384 }
    for (let at = 0; at < key.length; at++) {
      if (at >= modulus.from && at < modulus.to) continue
      const other = key.slice()
      other[at]! ^= 0x01
      expect([at, codeOf(() => validateExchangeKey(other))]).toEqual([at, 'invalid-key'])
    }
    expect(toHex(key.subarray(modulus.to))).toBe('0203010001')
  })

  test('a modulus of 3071 bits, or an even one, is invalid', () => {
    const key = people.ana.own.record.exchangeKey
    // With nothing else wrong: odd and without small factors.
    let n = BigInt(`0x${toHex(key.subarray(33, 417))}`) - 2n ** 3071n
    while (hasPrimeBelow(n, 20_000n)) n += 1n
    const short = key.slice()
    short.set(fromHex(n.toString(16).padStart(768, '0')), 33)
    // Twice a number without small factors.
    let half = (BigInt(`0x${toHex(key.subarray(33, 417))}`) >> 1n) | 1n
    while (hasPrimeBelow(half, 20_000n)) half += 2n
    const even = key.slice()
    even.set(fromHex((2n * half).toString(16)), 33)
    expect(codeOf(() => validateExchangeKey(short))).toBe('invalid-key')
    expect(codeOf(() => validateExchangeKey(even))).toBe('invalid-key')
    expect(codeOf(() => validateExchangeKey(key.subarray(1)))).toBe('invalid-key')
    expect(codeOf(() => validateExchangeKey(new Uint8Array()))).toBe('invalid-key')
  })

  test('a small factor is invalid, up to 19,997 and 65,537', () => {
    for (const factor of [3n, 5n, 101n, 19_997n, 65_537n]) {
      expect(codeOf(() => validateExchangeKey(withFactor(people, factor)))).toBe('invalid-key')
    }
  })

  test('a prime modulus is invalid under every provider', () => {
    // The largest prime of 3072 bits.
    const prime = people.ana.own.record.exchangeKey.slice()
    prime.set(fromHex((2n ** 3072n - 1_103_717n).toString(16)), 33)
    for (const primitives of Object.values(PROVIDERS)) {
      const judge = (spki: Uint8Array) => validateExchangeKey(spki, primitives.isProbablePrime)
      expect(() => judge(prime)).toThrow('RSA modulus is prime')
      expect(codeOf(() => judge(people.ana.own.record.exchangeKey))).toBe('nothing thrown')
    }
  })
})

/** Ana's key with the next odd modulus that this factor divides, and no smaller prime does. */
function withFactor(people: Cast, factor: bigint): Uint8Array {
  const key = people.ana.own.record.exchangeKey.slice()
  const n = BigInt(`0x${toHex(key.subarray(33, 417))}`)
  let other = n - (n % factor)
  while (hasPrimeBelow(other, factor < 20_000n ? factor : 20_000n)) other -= factor
  key.set(fromHex(other.toString(16)), 33)
  return key
}

function hasPrimeBelow(n: bigint, limit: bigint): boolean {
  for (let divisor = 2n; divisor < limit; divisor++) if (n % divisor === 0n) return true
  return false
}
