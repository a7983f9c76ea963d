/** Vectors of identity.md: records, prekeys, and which keys may be used. */

import {
  CURVE_FLAWS,
  changed,
  flipped,
  littleEndian,
  P,
  RESULT,
  SIGNING_FLAWS,
  type Suite,
} from './spec-vectors.bytes.ts'
import { type Cast, NOW, type RecordedRsa } from './spec-vectors.people.ts'
import {
  cat,
  ed25519Public,
  ed25519Sign,
  fromHex,
  hex,
  identityRecord,
  label,
  type Person,
  prekeySet,
  u8,
  u64,
  x25519Public,
} from './spec-vectors.reference.ts'
import type { Plain } from './spec-vectors.story.ts'

const SPKI_PREFIX = 33

/** RSA keys that must not be used, all of the right length but the last. */
function exchangeFlaws(cast: Cast, rsa: RecordedRsa): readonly (readonly [string, Buffer])[] {
  const good = cast.ana.exchangePublicKey
  const n = BigInt(`0x${hex(good.subarray(SPKI_PREFIX, SPKI_PREFIX + 384))}`)
  const withModulus = (modulus: bigint) => changed(good, SPKI_PREFIX, modulusBytes(modulus))
  const [p, q] = rsa.closePrimes.map((prime) => BigInt(`0x${prime}`))
  return [
    ['modulus of 3071 bits', withModulus(n - 2n ** 3071n)],
    ['even modulus', withModulus(n - 1n)],
    ['modulus divisible by 3', withModulus(n - (n % 6n) + 3n)],
    ['modulus divisible by 19997', withModulus(n - (n % 39994n) + 19997n)],
    ['modulus divisible by 65537', withModulus(n - (n % 131074n) + 65537n)],
    ['modulus with the ROCA fingerprint', withModulus(rocaModulus())],
    ['modulus with close factors', withModulus(p! * q!)],
    ['prime modulus', withModulus(BigInt(`0x${rsa.prime}`))],
    ['exponent 65539', changed(good, 421, 3)],
    ['another algorithm identifier', changed(good, 16, 0x0a)],
    ['2048 bits', fromHex(rsa.short)],
    ['a byte behind it', cat(good, u8(0))],
  ]
}

const modulusBytes = (n: bigint): Buffer => fromHex(n.toString(16).padStart(768, '0'))

/** A power of 65537 modulo every prime up to 167, with no small factor. */
function rocaModulus(): bigint {
  const primes = Array.from({ length: 9998 }, (_, i) => 2 * i + 3).filter((candidate) => {
    for (let d = 3; d * d <= candidate; d += 2) if (candidate % d === 0) return false
    return true
  })
  let m = 2n
  for (const prime of primes) if (prime <= 167) m *= BigInt(prime)
  let power = 1n
  for (let i = 0; i < 12345; i++) power = (power * 65537n) % m
  const start = (2n ** 3072n - 2n ** 3000n) / m
  for (let k = start; ; k--) {
    const n = k * m + power
    if (n % 2n === 1n && primes.every((prime) => n % BigInt(prime) !== 0n)) return n
  }
}

export function identity(cast: Cast, rsa: RecordedRsa): Suite {
  const { ana, mallory } = cast
  const signingKey = ed25519Public(ana.signingSeed)
  const identityKey = x25519Public(ana.identitySecret)
  const fields = { ...ana, signingKey, identityKey }
  const resigned = (record: Buffer, signer: Person = ana, purpose = 'sign/identity') =>
    cat(record, ed25519Sign(signer.signingSeed, cat(label(purpose), record)))
  const { signed, record } = ana
  const valid = [ana, cast.ben, mallory].map((person) => ({
    name: person.name,
    signed: person.signed,
    identityId: person.id,
    result: 'valid',
  }))
  const phone = (digitsOfPhone: string) =>
    resigned(identityRecord({ ...fields, phone: digitsOfPhone }))
  const [, even] = exchangeFlaws(cast, rsa)[1]!
  return {
    description:
      'Signed identity records: valid ones, and one flaw each. Flawed ones are signed again.',
    fields: {
      signed: 'record ‖ signature',
      identityId: 'of the valid ones',
      result: RESULT,
    },
    vectors: [
      ...valid,
      flawedIdentity('a byte too short', signed.subarray(0, -1), 'malformed'),
      flawedIdentity('a byte too long', cat(signed, u8(0)), 'malformed'),
      flawedIdentity('version 2', resigned(changed(record, 0, 2)), 'malformed'),
      flawedIdentity(
        'RSA key with another type byte',
        resigned(changed(record, 9, 1)),
        'malformed',
      ),
      flawedIdentity(
        'Ed25519 key with another type byte',
        resigned(changed(record, 432, 1)),
        'malformed',
      ),
      flawedIdentity(
        'X25519 key with another type byte',
        resigned(changed(record, 465, 4)),
        'malformed',
      ),
      flawedIdentity('phone number of 6 digits', phone('123456'), 'malformed'),
      flawedIdentity('phone number of 16 digits', phone('1234567890123456'), 'malformed'),
      flawedIdentity(
        'time over 2^53 - 1',
        resigned(changed(record, 498, u64(2n ** 53n))),
        'malformed',
      ),
      flawedIdentity(
        'signature of another record',
        cat(record, mallory.signature),
        'invalid-signature',
      ),
      flawedIdentity('signed by somebody else', resigned(record, mallory), 'invalid-signature'),
      flawedIdentity(
        'signed as prekeys',
        resigned(record, ana, 'sign/prekeys'),
        'invalid-signature',
      ),
      flawedIdentity(
        'signed without a label',
        cat(record, ed25519Sign(ana.signingSeed, record)),
        'invalid-signature',
      ),
      flawedIdentity('one bit of the record changed', flipped(signed, 505), 'invalid-signature'),
      flawedIdentity('one bit of the signature changed', flipped(signed, 569), 'invalid-signature'),
      flawedIdentity(
        'X25519 key with the top bit',
        resigned(changed(record, 497, record[497]! | 0x80)),
        'invalid-key',
      ),
      flawedIdentity(
        'X25519 key of small order',
        resigned(changed(record, 466, CURVE_FLAWS[2]![1])),
        'invalid-key',
      ),
      flawedIdentity(
        'Ed25519 key of small order',
        resigned(changed(record, 433, SIGNING_FLAWS[2]![1])),
        'invalid-key',
      ),
      flawedIdentity(
        'RSA key with an even modulus',
        resigned(changed(record, 10, even)),
        'invalid-key',
      ),
    ],
  }
}

export function prekeys(cast: Cast): Suite {
  const { ben, mallory } = cast
  const { encoded, signed } = cast.prekeys['ben/1']
  const fields = { ...cast.prekeys['ben/1'], identityId: ben.id }
  const resigned = (set: Buffer, signer: Person = ben, purpose = 'sign/prekeys') =>
    cat(set, ed25519Sign(signer.signingSeed, cat(label(purpose), set)))
  const set = (more: Partial<Parameters<typeof prekeySet>[0]>) =>
    resigned(prekeySet({ ...fields, ...more }))
  const unreduced = changed(
    fields.kemPublicKey,
    0,
    Buffer.of(0x01, 0x0d | (fields.kemPublicKey[1]! & 0xf0)),
  )
  return {
    description:
      'Signed prekey sets against the identity of their owner: valid ones, and one flaw each.',
    fields: {
      owner: 'a person of people.json, whose identity was imported',
      signed: 'prekey set ‖ signature',
      now: 'milliseconds since 1970, when they are checked',
      highestSeenId: 'highest id seen from this owner, 0 for none',
      result: RESULT,
    },
    vectors: [
      checkedPrekeys('first', signed, 'valid'),
      checkedPrekeys('seen before', signed, 'valid', { highestSeenId: 1 }),
      checkedPrekeys('next', cast.prekeys['ben/2'].signed, 'valid', { highestSeenId: 1 }),
      checkedPrekeys('one millisecond before the end', signed, 'valid', {
        now: fields.notAfter - 1,
      }),
      checkedPrekeys('a byte too short', signed.subarray(0, -1), 'malformed'),
      checkedPrekeys('a byte too long', cat(signed, u8(0)), 'malformed'),
      checkedPrekeys('version 2', resigned(changed(encoded, 0, 2)), 'malformed'),
      checkedPrekeys(
        'X25519 key with another type byte',
        resigned(changed(encoded, 37, 2)),
        'malformed',
      ),
      checkedPrekeys(
        'ML-KEM key with another type byte',
        resigned(changed(encoded, 70, 1)),
        'malformed',
      ),
      checkedPrekeys('id 0', set({ id: 0 }), 'malformed'),
      checkedPrekeys('of another identity', set({ identityId: mallory.id }), 'invalid-signature'),
      checkedPrekeys("somebody else's", cast.prekeys['mallory/1'].signed, 'invalid-signature'),
      checkedPrekeys('signed by somebody else', resigned(encoded, mallory), 'invalid-signature'),
      checkedPrekeys(
        'signed as an identity',
        resigned(encoded, ben, 'sign/identity'),
        'invalid-signature',
      ),
      checkedPrekeys('one bit changed', flipped(signed, 100), 'invalid-signature'),
      checkedPrekeys(
        'X25519 key of small order',
        set({ publicKey: CURVE_FLAWS[0]![1] }),
        'invalid-key',
      ),
      checkedPrekeys(
        'X25519 key with the top bit',
        set({ publicKey: changed(fields.publicKey, 31, fields.publicKey[31]! | 0x80) }),
        'invalid-key',
      ),
      checkedPrekeys(
        'ML-KEM key with the coefficient 3329',
        set({ kemPublicKey: unreduced }),
        'invalid-key',
      ),
      checkedPrekeys('older than seen', signed, 'stale-prekeys', { highestSeenId: 2 }),
      checkedPrekeys('at the end', signed, 'expired-prekeys', { now: fields.notAfter }),
    ],
  }
}

export function keys(cast: Cast, rsa: RecordedRsa): Suite {
  const kem = cast.prekeys['ben/1'].kemPublicKey
  const curve = x25519Public(cast.ana.identitySecret)
  const signing = ed25519Public(cast.ana.signingSeed)
  return {
    description: 'Public keys as they are judged when they are imported.',
    fields: {
      kind: '`rsa3072`, `x25519`, `ed25519` or `mlKem768`',
      key: 'as it is encoded on the wire; RSA as SubjectPublicKeyInfo (DER)',
      result: RESULT,
    },
    vectors: [
      judged('x25519', "Ana's", curve),
      judged('x25519', '2', littleEndian(2n)),
      judged('x25519', 'p - 2', littleEndian(P - 2n)),
      ...CURVE_FLAWS.map(bad('x25519')),
      judged('x25519', 'top bit', changed(curve, 31, curve[31]! | 0x80), 'invalid-key'),
      judged('x25519', '31 bytes', curve.subarray(1), 'invalid-key'),
      judged('ed25519', "Ana's", signing),
      ...SIGNING_FLAWS.map(bad('ed25519')),
      judged('ed25519', '33 bytes', cat(signing, u8(0)), 'invalid-key'),
      judged('mlKem768', "Ben's", kem),
      judged(
        'mlKem768',
        'first coefficient 3329',
        changed(kem, 0, Buffer.of(0x01, 0x0d | (kem[1]! & 0xf0))),
        'invalid-key',
      ),
      judged(
        'mlKem768',
        'second coefficient 4095',
        changed(kem, 1, Buffer.of(kem[1]! | 0xf0, 0xff)),
        'invalid-key',
      ),
      judged(
        'mlKem768',
        'last coefficient 4095',
        changed(kem, 1150, Buffer.of(kem[1150]! | 0xf0, 0xff)),
        'invalid-key',
      ),
      judged('mlKem768', '1183 bytes', kem.subarray(1), 'invalid-key'),
      judged('rsa3072', "Ana's", cast.ana.exchangePublicKey),
      judged('rsa3072', "Ben's", cast.ben.exchangePublicKey),
      ...exchangeFlaws(cast, rsa).map(bad('rsa3072')),
    ],
  }
}
const flawedIdentity = (name: string, signed: Buffer, result: string) => ({ name, signed, result })

const checkedPrekeys = (name: string, blob: Buffer, result: string, more: Plain = {}) => ({
  name,
  owner: 'ben',
  signed: blob,
  now: NOW,
  highestSeenId: 0,
  ...more,
  result,
})

const judged = (kind: string, name: string, key: Buffer, result = 'valid') => ({
  kind,
  name,
  key,
  result,
})

const bad =
  (kind: string) =>
  ([name, key]: readonly [string, Buffer]) =>
    judged(kind, name, key, 'invalid-key')
