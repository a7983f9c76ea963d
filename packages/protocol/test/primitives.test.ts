/** What both providers must do alike, beyond known answers. (protocol.md, "Primitives") */

import { createCipheriv, createHmac, hkdfSync } from 'node:crypto'
import { type Bytes, concatBytes, equalBytes, fromHex, toHex, utf8 } from '@couplet/wire'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { shake256 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { describe, expect, test } from 'vitest'
import { PROVIDERS, seededRandom } from './support.ts'

describe.each(Object.entries(PROVIDERS))('%s', (_name, primitives) => {
  const random = seededRandom('primitives')

  test('keys and seeds of another length are refused, not cut', () => {
    for (const length of [0, 31, 33, 64]) {
      const wrong = random(length)
      expect(() => primitives.x25519PublicKey(wrong)).toThrow()
      expect(() => primitives.ed25519PublicKey(wrong)).toThrow()
      expect(() => primitives.ed25519Sign(wrong, wrong)).toThrow()
      expect(primitives.x25519(wrong, random(32))).toBeUndefined()
      expect(primitives.x25519(random(32), wrong)).toBeUndefined()
      expect(primitives.ed25519Verify(wrong, wrong, random(64))).toBe(false)
    }
    for (const length of [0, 32, 63, 65, 128]) {
      expect(() => primitives.kemPublicKey(random(length))).toThrow()
      expect(() => primitives.kemDecapsulate(random(length), random(1088))).toThrow()
    }
    for (const length of [0, 1183, 1185]) {
      expect(() => primitives.kemEncapsulate(random(length))).toThrow()
    }
    expect(() => primitives.aesCbcEncrypt(random(31), random(16), random(3))).toThrow()
    expect(() => primitives.aesCbcEncrypt(random(32), random(15), random(3))).toThrow()
  })

  test('SHA-256 and SHA-512 of "abc" (FIPS 180-4, examples)', () => {
    expect(toHex(primitives.sha256(utf8('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(toHex(primitives.sha512(utf8('abc')))).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
        '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    )
  })

  test('what is returned is on a buffer of its own, and inputs are left alone', () => {
    const seed = random(64)
    const before = toHex(seed)
    const results = [
      primitives.sha256(seed),
      primitives.hmacSha256(seed, seed),
      primitives.hkdfSha256({ salt: seed, ikm: seed, info: seed, length: 40 }),
      primitives.aesCbcEncrypt(seed.subarray(0, 32), seed.subarray(0, 16), seed),
      primitives.x25519PublicKey(seed.subarray(0, 32)),
      primitives.kemPublicKey(seed),
    ]
    for (const { buffer, byteLength } of results) expect(buffer.byteLength).toBe(byteLength)
    expect(toHex(seed)).toBe(before)
  })

  test('a secret agrees as its bytes say, copied, reused or after many others', () => {
    const peer = primitives.x25519PublicKey(random(32))
    const secrets = Array.from({ length: 40 }, () => random(32))
    const publics = secrets.map((secret) => primitives.x25519PublicKey(secret, true))
    const expected = secrets.map((secret) => toHex(x25519.getSharedSecret(secret, peer)))
    // Newest first, each twice: whatever a provider remembers of them, and for how long.
    for (const i of [...secrets.keys()].toReversed()) {
      for (const copy of [secrets[i]!.slice(), secrets[i]!.slice()]) {
        expect(toHex(primitives.x25519(copy, peer)!)).toBe(expected[i])
      }
    }
    const [array, other] = [secrets[0]!, secrets[1]!]
    array.set(other)
    expect(primitives.x25519PublicKey(array)).toEqual(publics[1])
    expect(toHex(primitives.x25519(array, peer)!)).toBe(expected[1])
  })

  test('HMAC and HKDF with keys and outputs of every length around a block', () => {
    const long = random(300)
    // What an earlier call leaves behind must not reach a later one.
    const tags = [0, 1, 31, 32, 55, 56, 63, 64, 65, 131, 64, 32, 5, 0].map((length) => {
      const key = long.subarray(0, length)
      const tag = primitives.hmacSha256(key, long.subarray(0, length), long)
      return [key, length, tag] as const
    })
    for (const [key, length, tag] of tags) {
      const expected = createHmac('sha256', key).update(long.subarray(0, length)).update(long)
      expect(toHex(tag)).toBe(expected.digest('hex'))
      const input = { salt: key, ikm: long, info: long.subarray(0, length) }
      for (const size of [1, 31, 32, 33, 160, 255 * 32]) {
        const okm = hkdfSync('sha256', input.ikm, input.salt, input.info, size)
        expect(primitives.hkdfSha256({ ...input, length: size })).toEqual(new Uint8Array(okm))
      }
      expect(() => primitives.hkdfSha256({ ...input, length: 255 * 32 + 1 })).toThrow()
    }
  })

  test('HMAC and AES-CBC of every length around what a provider holds ready, in any order', () => {
    const [key, iv, long] = [random(32), random(16), random(70_000)]
    const lengths = [4031, 4032, 4033, 65_519, 65_520, 65_535, 65_536, 69_999]
    for (const length of [...lengths, ...lengths.toReversed(), 15, 16, 17, 1, 0]) {
      const text = long.subarray(0, length)
      const tag = primitives.hmacSha256(key, text.subarray(0, 10), text.subarray(10))
      expect(toHex(tag)).toBe(createHmac('sha256', key).update(text).digest('hex'))
      const cipher = createCipheriv('aes-256-cbc', key, iv)
      const expected = concatBytes(cipher.update(text), cipher.final())
      const ciphertext = primitives.aesCbcEncrypt(key, iv, text)
      expect(equalBytes(ciphertext, expected)).toBe(true)
      expect(equalBytes(primitives.aesCbcDecrypt(key, iv, ciphertext)!, text)).toBe(true)
    }
  })

  test('an HMAC of what are no bytes spoils no other one', () => {
    const [key, shorter, text] = [random(64), random(32), random(40)]
    const expected = createHmac('sha256', shorter).update(text).digest('hex')
    for (const wrong of [text.buffer, new DataView(text.buffer), 'text', undefined]) {
      for (const [of, part] of [
        [key, wrong],
        [wrong, text],
      ] as unknown as [Uint8Array, Uint8Array][]) {
        try {
          primitives.hmacSha256(of, part)
        } catch {
          // Refused, or taken for the bytes that it stands for.
        }
        expect(toHex(primitives.hmacSha256(shorter, text))).toBe(expected)
      }
    }
  })

  test('two encapsulations differ, and both open', () => {
    const seed = random(64)
    const key = primitives.kemPublicKey(seed)
    const [a, b] = [primitives.kemEncapsulate(key), primitives.kemEncapsulate(key)]
    expect(a.ciphertext).not.toEqual(b.ciphertext)
    expect(primitives.kemDecapsulate(seed, a.ciphertext)).toEqual(a.sharedSecret)
    expect(primitives.kemDecapsulate(seed, b.ciphertext)).toEqual(b.sharedSecret)
  })

  test('implicit rejection compares whole ciphertexts, though both begin with a zero byte', () => {
    const seed = random(64)
    const key = primitives.kemPublicKey(seed)
    let ciphertext = random(1088)
    let honest: Uint8Array = ciphertext
    for (let tries = 0; ciphertext[0] !== 0; tries++) {
      expect(tries).toBeLessThan(5000)
      const made = ml_kem768.encapsulate(key, random(32))
      ciphertext = new Uint8Array(made.cipherText)
      honest = made.sharedSecret
    }
    expect(primitives.kemDecapsulate(seed, ciphertext)).toEqual(new Uint8Array(honest))
    ciphertext[1087]! ^= 1
    // FIPS 203, algorithm 18: K = J(z ‖ c).
    const rejected = shake256(concatBytes(seed.subarray(32), ciphertext), { dkLen: 32 })
    expect(primitives.kemDecapsulate(seed, ciphertext)).toEqual(new Uint8Array(rejected))
  })

  test('an OAEP ciphertext opens under its own label and key only', async () => {
    const [own, other] = await Promise.all([
      primitives.generateExchangeKey(),
      primitives.generateExchangeKey(),
    ])
    const secret = random(32)
    const wrapped = await primitives.rsaOaepEncrypt(own.publicKey, secret, utf8('label'))
    expect(wrapped.length).toBe(384)
    expect(await primitives.rsaOaepDecrypt(own.privateKey, wrapped, utf8('label'))).toEqual(secret)
    for (const [key, label] of [
      [own.privateKey, 'labem'],
      [own.privateKey, ''],
      [other.privateKey, 'label'],
    ] as const) {
      expect(await primitives.rsaOaepDecrypt(key, wrapped, utf8(label))).toBeUndefined()
    }
    expect(await primitives.rsaOaepDecrypt(own.privateKey, MAX, utf8('label'))).toBeUndefined()
  })
})

test('both providers give one verdict on a signature under a key of mixed order', () => {
  // RFC 8032 lets a verifier multiply by the cofactor or not; if our providers differed, a crafted
  // identity would be valid for some users only.
  const verdicts = Array.from({ length: 16 }, (_, i) => {
    const { publicKey, message, signature } = mixedOrder(BigInt(i + 1))
    return Object.values(PROVIDERS).map((primitives) =>
      primitives.ed25519Verify(publicKey, message, signature),
    )
  })
  for (const [node, web] of verdicts) expect(node).toBe(web)
  expect(verdicts.flat()).toContain(false)
})

/** A signature that holds only when the equation is multiplied by the cofactor. */
function mixedOrder(i: bigint): { publicKey: Bytes; message: Bytes; signature: Bytes } {
  const { Point } = ed25519
  const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
  const [a, r] = [1234567n * i + 7n, 7654321n + i]
  const publicKey = new Uint8Array(Point.BASE.multiply(a).add(torsion).toBytes())
  const commitment = new Uint8Array(Point.BASE.multiply(r).toBytes())
  const message = utf8(`message ${i}`)
  const k = littleEndian(sha512(concatBytes(commitment, publicKey, message)))
  const { Fn } = Point
  const s = Fn.toBytes(Fn.create(r + Fn.create(k) * a))
  return { publicKey, message, signature: concatBytes(commitment, s) }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`)
}

const MAX = fromHex('ff'.repeat(384))
