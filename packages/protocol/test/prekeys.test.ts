/** Signed prekeys: theirs, signed, good, fresh, and never going back. (protocol.md, "Prekeys") */
import {
  concatBytes,
  decodePrekeySet,
  encodePrekeySet,
  fromHex,
  identitySignedBytes,
  joinSigned,
  type PrekeySet,
  prekeysSignedBytes,
} from '@couplet/wire'
import { beforeAll, describe, expect, test } from 'vitest'
import { createPrekeys, importPrekeys, PREKEY_LIFETIME_MS } from '../src/index.ts'
import { type Cast, cast, codeOf, damaged } from './conversation.ts'
import { NOW, PROVIDERS, seededRandom } from './support.ts'

function unlabelled(encoded: Uint8Array) {
  return new Uint8Array(encoded)
}

describe.each(Object.entries(PROVIDERS))('%s', (name, primitives) => {
  let people: Cast
  let set: PrekeySet
  beforeAll(async () => {
    people = await cast(name)
    set = decodePrekeySet(people.ben.prekeys.encoded)
  })

  const take = (blob: Uint8Array, now = NOW, highestSeenId = 0, reader = primitives) =>
    importPrekeys(reader, { owner: people.ben.public, signed: blob, now, highestSeenId })

  function signed(
    change: Partial<PrekeySet>,
    by = people.ben.own.signingSeed,
    what = prekeysSignedBytes,
  ) {
    const encoded = encodePrekeySet({ ...set, ...change })
    return joinSigned({ encoded, signature: primitives.ed25519Sign(by, what(encoded)) })
  }

  test('a set survives the journey, and both providers read it alike', () => {
    for (const reader of Object.values(PROVIDERS)) {
      const { set: taken, encoded } = take(people.ben.prekeys.signed, NOW, 0, reader)
      expect(taken).toEqual(set)
      expect(encoded).toEqual(people.ben.prekeys.encoded)
    }
  })

  test('a set is of constant size, names its owner, and lives for 30 days', () => {
    expect(people.ben.prekeys.signed.length).toBe(1327)
    expect(set.identityId).toEqual(people.ben.own.id)
    expect(set.notAfter).toBe(NOW + 30 * 24 * 60 * 60 * 1000)
    expect(PREKEY_LIFETIME_MS).toBe(30 * 24 * 60 * 60 * 1000)
  })

  test('private halves belong to the public ones, ML-KEM by its 64-byte seed', () => {
    const { secret, kemSeed } = people.ben.prekeys
    expect(primitives.x25519PublicKey(secret)).toEqual(set.signedPrekey)
    expect(primitives.kemPublicKey(kemSeed)).toEqual(set.kemPrekey)
    expect(kemSeed.length).toBe(64)
  })

  test('past notAfter they are expired', () => {
    expect(codeOf(() => take(people.ben.prekeys.signed, set.notAfter - 1))).toBe('nothing thrown')
    expect(codeOf(() => take(people.ben.prekeys.signed, set.notAfter + 1))).toBe('expired-prekeys')
  })

  test('a lower id than one seen is stale, the same and a higher one are not', () => {
    const blob = signed({ id: 5 })
    expect(codeOf(() => take(blob, NOW, 6))).toBe('stale-prekeys')
    expect(codeOf(() => take(blob, NOW, 5))).toBe('nothing thrown')
    expect(codeOf(() => take(blob, NOW, 4))).toBe('nothing thrown')
    expect(codeOf(() => take(signed({ id: 2 ** 32 - 1 }), NOW, 5))).toBe('nothing thrown')
  })

  test('ids begin at 1', () => {
    expect(codeOf(() => take(signed({ id: 0 })))).toBe('malformed')
  })

  test('the set of another identity is refused, whoever signed it', () => {
    const owner = { identityId: people.ana.own.id }
    expect(codeOf(() => take(signed(owner)))).toBe('invalid-signature')
    expect(codeOf(() => take(people.ana.prekeys.signed))).toBe('invalid-signature')
  })

  test('a set that its owner did not sign as prekeys is refused', () => {
    const { signingSeed } = people.ben.own
    expect(codeOf(() => take(signed({}, people.mallory.own.signingSeed)))).toBe('invalid-signature')
    expect(codeOf(() => take(signed({}, signingSeed, identitySignedBytes)))).toBe(
      'invalid-signature',
    )
    expect(codeOf(() => take(signed({}, signingSeed, unlabelled)))).toBe('invalid-signature')
  })

  test('keys that must not be used are refused, though properly signed', () => {
    for (const signedPrekey of ['00', 'ff'].map((byte) => fromHex(byte.repeat(32)))) {
      expect(codeOf(() => take(signed({ signedPrekey })))).toBe('invalid-key')
    }
    const kemPrekey = set.kemPrekey.slice()
    kemPrekey.set([0xff, 0xff, 0xff])
    expect(codeOf(() => take(signed({ kemPrekey })))).toBe('invalid-key')
  })

  test('any other byte or length is refused', () => {
    const blob = people.ben.prekeys.signed
    for (let at = 0; at < blob.length; at += 9) {
      expect(codeOf(() => take(damaged(blob, at)))).toMatch(/^(malformed|invalid-signature)$/)
    }
    for (const length of [0, 1, 1263, 1326]) {
      expect(codeOf(() => take(blob.subarray(0, length)))).toBe('malformed')
    }
    expect(codeOf(() => take(concatBytes(blob, Uint8Array.of(0))))).toBe('malformed')
  })

  test('what is imported is a copy', () => {
    const blob = people.ben.prekeys.signed.slice()
    const taken = take(blob)
    blob.fill(0)
    expect(taken.set.signedPrekey).toEqual(set.signedPrekey)
    expect(taken.encoded).toEqual(people.ben.prekeys.encoded)
  })

  test('creating takes the id and time given', () => {
    const random = seededRandom('prekeys')
    const prekeys = createPrekeys(primitives, {
      owner: people.ben.own,
      id: 7,
      now: NOW + 5,
      secret: random(32),
      kemSeed: random(64),
    })
    expect(take(prekeys.signed, NOW, 6).set).toMatchObject({
      id: 7,
      notAfter: NOW + 5 + PREKEY_LIFETIME_MS,
    })
  })
})
