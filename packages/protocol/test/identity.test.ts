/** Identities: one name, one key for each purpose, every check. (protocol.md, "Identity") */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  concatBytes,
  encodeIdentityRecord,
  fromBase64Url,
  fromHex,
  type IdentityRecord,
  identitySignedBytes,
  joinSigned,
  loginSignedBytes,
  parsePhoneNumber,
  prekeysSignedBytes,
  registrationSignedBytes,
  requestSignedBytes,
  toHex,
  utf8,
} from '@couplet/wire'
import { beforeAll, describe, expect, test } from 'vitest'
import { createIdentity, importIdentity } from '../src/index.ts'
import { type Cast, cast, codeOf, damaged } from './conversation.ts'
import { NOW, PROVIDERS, seededRandom } from './support.ts'

describe.each(Object.entries(PROVIDERS))('%s', (name, primitives) => {
  let people: Cast
  beforeAll(async () => {
    people = await cast(name)
  })

  /** A record as a forger would sign it: any fields, any key, over any bytes. */
  function signed(
    change: Partial<IdentityRecord>,
    by = people.ana.own.signingSeed,
    what = identitySignedBytes,
  ) {
    const encoded = encodeIdentityRecord({ ...people.ana.own.record, ...change })
    return joinSigned({ encoded, signature: primitives.ed25519Sign(by, what(encoded)) })
  }

  test('a record survives the journey, and both providers read it alike', () => {
    for (const reader of Object.values(PROVIDERS)) {
      const identity = importIdentity(reader, people.ana.own.signed)
      expect(identity.id).toEqual(people.ana.own.id)
      expect(identity.record).toEqual(people.ana.own.record)
      expect(identity.signed.length).toBe(570)
    }
  })

  test('identityId = SHA-256(label ‖ record): the one name, of every field', () => {
    const { own } = people.ana
    const label = utf8('couplet/v1/identity-id')
    const hash = createHash('sha256')
      .update(concatBytes(Uint8Array.of(label.length), label))
      .update(own.signed.subarray(0, 506))
    expect(toHex(own.id)).toBe(hash.digest('hex'))

    const seed = seededRandom('other')(32)
    const ids = [
      own.id,
      ...[
        signed({ phone: parsePhoneNumber('+12025550199') }),
        signed({ createdAt: NOW + 1 }),
        signed({ exchangeKey: people.ben.own.record.exchangeKey }),
        signed({ identityKey: people.ben.own.record.identityKey }),
        signed({ signingKey: primitives.ed25519PublicKey(seed) }, seed),
      ].map((blob) => importIdentity(primitives, blob).id),
    ].map(toHex)
    expect(new Set(ids).size).toBe(6)
  })

  test('what is imported may come in a Buffer, whose slices share its memory', () => {
    // Until the top bit of the signing key is set: that is the one that a check clears in its copy.
    let signingSeed = people.ana.own.signingSeed
    while (primitives.ed25519PublicKey(signingSeed)[31]! < 0x80) {
      signingSeed = primitives.sha256(signingSeed)
    }
    const signingKey = primitives.ed25519PublicKey(signingSeed)
    const given = Buffer.from(signed({ signingKey }, signingSeed))
    const before = toHex(given)
    const identity = importIdentity(primitives, given)
    expect(toHex(given)).toBe(before)
    given.fill(0)
    expect(identity.record.signingKey).toEqual(signingKey)
  })

  test('one that is known is not judged again, and no other is taken for it', () => {
    let judged = 0
    const counting = {
      ...primitives,
      ed25519Verify: (...given: Parameters<typeof primitives.ed25519Verify>) => {
        judged++
        return primitives.ed25519Verify(...given)
      },
    }
    const good = people.ana.own.signed
    const again = importIdentity(counting, good, good.slice())
    expect([judged, again]).toEqual([0, importIdentity(primitives, good)])
    const forged = good.slice()
    forged[569]! ^= 1
    expect(codeOf(() => importIdentity(counting, forged, good))).toBe('invalid-signature')
    expect(importIdentity(counting, people.ben.own.signed, good).id).toEqual(people.ben.own.id)
    expect(judged).toBe(2)
    expect(codeOf(() => importIdentity(primitives, good.subarray(1), good.subarray(1)))).toBe(
      'malformed',
    )
  })

  test('what is imported is a copy', () => {
    const blob = people.ana.own.signed.slice()
    const { record, signed: kept } = importIdentity(primitives, blob)
    blob.fill(0)
    expect(record.signingKey).toEqual(people.ana.own.record.signingKey)
    expect(kept).toEqual(people.ana.own.signed)
  })

  test('any other byte is refused, whatever it is', () => {
    const codes = new Set<string>()
    const step = name === 'node:crypto' ? 1 : 7
    for (let at = 0; at < 570; at += step) {
      codes.add(codeOf(() => importIdentity(primitives, damaged(people.ana.own.signed, at))))
    }
    expect([...codes].toSorted()).toEqual(
      expect.arrayContaining(['invalid-signature', 'malformed']),
    )
    expect(codes).not.toContain('nothing thrown')
    expect([...codes].every((code) => /^(invalid-(key|signature)|malformed)$/.test(code))).toBe(
      true,
    )
  })

  test('any other length is malformed', () => {
    const blob = people.ana.own.signed
    for (const length of [0, 1, 506, 569]) {
      expect(codeOf(() => importIdentity(primitives, blob.subarray(0, length)))).toBe('malformed')
    }
    expect(codeOf(() => importIdentity(primitives, concatBytes(blob, blob)))).toBe('malformed')
  })

  test('a record that its own key did not sign is refused', () => {
    const forged = signed({}, people.mallory.own.signingSeed)
    expect(codeOf(() => importIdentity(primitives, forged))).toBe('invalid-signature')
  })

  test('a signature made for any other purpose does not pass for that of a record', () => {
    const { id } = people.ana.own
    const purposes = [
      prekeysSignedBytes,
      (encoded: Uint8Array) => encoded,
      (encoded: Uint8Array) =>
        loginSignedBytes({ serverName: 's', challenge: encoded.subarray(0, 32), identityId: id }),
      (encoded: Uint8Array) =>
        registrationSignedBytes({
          serverName: 's',
          registrationId: 'r',
          challenge: encoded.subarray(0, 32),
          identityId: id,
        }),
      (encoded: Uint8Array) =>
        requestSignedBytes({
          serverName: 's',
          identityId: id,
          at: NOW,
          method: 'GET',
          path: '/',
          bodyHash: encoded.subarray(0, 32),
        }),
    ] as (typeof identitySignedBytes)[]
    for (const purpose of purposes) {
      const forged = signed({}, people.ana.own.signingSeed, purpose)
      expect(codeOf(() => importIdentity(primitives, forged))).toBe('invalid-signature')
    }
  })

  test('keys that must not be used are refused, though properly signed', () => {
    for (const identityKey of [fromHex('00'.repeat(32)), fromHex('ff'.repeat(32))]) {
      expect(codeOf(() => importIdentity(primitives, signed({ identityKey })))).toBe('invalid-key')
    }
    for (const signingKey of [fromHex(`01${'00'.repeat(31)}`), fromHex('ff'.repeat(32))]) {
      expect(codeOf(() => importIdentity(primitives, signed({ signingKey })))).toBe('invalid-key')
    }
    for (const exchangeKey of weakExchangeKeys()) {
      expect(codeOf(() => importIdentity(primitives, signed({ exchangeKey })))).toBe('invalid-key')
    }
  })

  test('creating signs the record of the keys given', () => {
    const random = seededRandom('created')
    const created = createIdentity(primitives, {
      phone: parsePhoneNumber('+12025550104'),
      createdAt: NOW,
      exchangePublicKey: people.ana.own.record.exchangeKey,
      exchangeKey: people.ana.own.exchangeKey,
      signingSeed: random(32),
      identitySecret: random(32),
    })
    expect(importIdentity(primitives, created.signed).id).toEqual(created.id)
    expect(created.record.identityKey).toEqual(primitives.x25519PublicKey(created.identitySecret))
  })
})

/** Of the project's own weak keys, those of the right size. */
function weakExchangeKeys(): Uint8Array[] {
  const file = join(import.meta.dirname, '../../../test/vectors/weakkeys/rsa3072_public_keys.json')
  const { tests } = JSON.parse(readFileSync(file, 'utf8')) as {
    tests: { accept: boolean | null; spki?: string }[]
  }
  const keys = tests
    .filter(({ accept, spki }) => accept === false && spki !== undefined)
    .map(({ spki }) =>
      fromBase64Url(spki!.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')),
    )
    .filter(({ length }) => length === 422)
  expect(keys.length).toBeGreaterThan(8)
  return keys
}
