/** Vectors of message.md, receipts.md and safety-number.md. */

import { changed, flipped, RESULT, type Suite } from './spec-vectors.bytes.ts'
import { type Cast, seeded } from './spec-vectors.people.ts'
import {
  cat,
  digits,
  etm,
  etmTagged,
  fingerprint,
  type Person,
  pad,
  receiptOf,
  sha256,
  u8,
  verificationCode,
} from './spec-vectors.reference.ts'
import type { Plain } from './spec-vectors.story.ts'

export function etmCases(): Suite {
  const keyOf = seeded('etm/keys', 64)
  const iv = seeded('etm/iv', 16)
  const good = (name: string, plaintext: Buffer, associated: Buffer) => ({
    name,
    keys: keyOf,
    iv,
    plaintext,
    associatedData: associated,
    sealed: etm(keyOf, iv, plaintext, associated),
    result: 'valid',
  })
  const base = good('a short text', Buffer.from('a short text'), Buffer.from('associated'))
  const bad = (name: string, sealed: Buffer, more: Plain = {}) => ({
    name,
    keys: keyOf,
    associatedData: base.associatedData,
    sealed,
    ...more,
    result: 'undecryptable',
  })
  const { sealed } = base
  const wrongPadding = etmTagged(keyOf, cat(iv, seeded('etm/block', 16)), base.associatedData)
  return {
    description:
      'EtM(keys, iv, plaintext, associatedData) = sealed. Opening anything flawed gives one error.',
    fields: {
      keys: 'ke ‖ km, 64 bytes',
      iv: '16 bytes',
      plaintext: 'before PKCS#7',
      associatedData: 'AD',
      sealed: 'IV ‖ C ‖ tag',
      result: RESULT,
    },
    vectors: [
      base,
      good('nothing, without associated data', Buffer.alloc(0), Buffer.alloc(0)),
      good('one block', seeded('etm/16', 16), Buffer.from('associated')),
      good('a thousand bytes', seeded('etm/1000', 1000), seeded('etm/ad', 300)),
      bad('bit of the IV changed', flipped(sealed, 0)),
      bad('bit of the ciphertext changed', flipped(sealed, 20)),
      bad('bit of the tag changed', flipped(sealed, sealed.length - 1)),
      bad('tag truncated to 31 bytes', sealed.subarray(0, -1)),
      bad('tag truncated to 8 bytes', sealed.subarray(0, -24)),
      bad('no tag', sealed.subarray(0, -32)),
      bad('shorter than IV and tag', sealed.subarray(0, 47)),
      bad('nothing', Buffer.alloc(0)),
      bad('a byte behind it', cat(sealed, u8(0))),
      bad('other associated data', sealed, { associatedData: Buffer.from('Associated') }),
      bad('byte moved from associated data to IV', cat(Buffer.from('d'), sealed), {
        associatedData: Buffer.from('associate'),
      }),
      bad('keys swapped', sealed, { keys: cat(keyOf.subarray(32), keyOf.subarray(0, 32)) }),
      bad('right tag over IV alone', etmTagged(keyOf, iv, base.associatedData)),
      bad(
        'right tag over half a block',
        etmTagged(keyOf, cat(iv, Buffer.alloc(8)), base.associatedData),
      ),
      bad('right tag over wrong PKCS#7', wrongPadding),
    ],
  }
}

const PREFIXES = {
  bare: 16 + 96,
  'with ciphertext': 16 + 1184,
  'with offer': 16 + 1280,
  'with both': 16 + 2368,
  'with handshake': 16 + 2160 + 96,
  'with handshake and offer': 16 + 2160 + 1280,
}

export function padding(): Suite {
  const sizes: Plain[] = []
  for (const [name, prefixLength] of Object.entries(PREFIXES)) {
    for (let size = 1024; size <= 65_536; size *= 2) {
      const largest = size - prefixLength - 50
      if (largest < 0) continue
      sizes.push({
        name,
        prefixLength,
        contentLength: largest,
        envelopeLength: size,
        result: 'valid',
      })
      const next =
        size === 65_536
          ? { result: 'content-too-large' }
          : { envelopeLength: 2 * size, result: 'valid' }
      sizes.push({ name, prefixLength, contentLength: largest + 1, ...next })
    }
  }
  const small = Buffer.from('content')
  const padded = pad(small, PREFIXES.bare)
  return {
    description:
      'Sizes at which an envelope leaves one bucket for the next, then paddings to be removed.',
    fields: {
      prefixLength: 'bytes before the IV',
      contentLength: 'bytes of encoded content',
      envelopeLength: 'bytes of the envelope',
      padded: 'content ‖ 0x80 ‖ 0x00*, as it is encrypted',
      content: 'without its padding',
      result: RESULT,
    },
    vectors: [
      ...sizes,
      { name: 'content', padded, content: small, result: 'valid' },
      {
        name: 'no content',
        padded: changed(Buffer.alloc(863), 0, 0x80),
        content: Buffer.alloc(0),
        result: 'valid',
      },
      {
        name: 'content that ends like padding',
        padded: changed(Buffer.alloc(863), 0, Buffer.of(1, 0x80, 0, 0x80)),
        content: Buffer.of(1, 0x80, 0),
        result: 'valid',
      },
      unpad('no marker', Buffer.alloc(863)),
      unpad('another marker', changed(padded, 7, 0x40)),
      unpad('something behind the zeros', changed(padded, 862, 1)),
      unpad('a byte too short', padded.subarray(0, -1)),
      unpad('a byte too long', cat(padded, u8(0))),
      unpad('nothing', Buffer.alloc(0)),
    ],
  }
}

const unpad = (name: string, bytes: Buffer, result = 'undecryptable') => ({
  name,
  padded: bytes,
  result,
})

export function receipts(): Suite {
  const key = seeded('receipts/key', 32)
  const envelope = seeded('receipts/envelope', 1024)
  const id = sha256(envelope)
  const tag = receiptOf(key, id)
  const one = (name: string, receipt: Buffer, result: string) => ({
    name,
    receiptKey: key,
    envelope,
    id,
    receipt,
    result,
  })
  return {
    description: 'Receipts: the right one, and ones that a sender must not believe.',
    fields: {
      receiptKey: '32 bytes, derived from the message key',
      envelope: 'the envelope that is acknowledged',
      id: 'SHA-256(envelope)',
      receipt: 'HMAC(receiptKey, label `receipt` ‖ id)',
      result: '`valid`, or `refused`: the sender treats it as an envelope that could not be used',
    },
    vectors: [
      one('right', tag, 'valid'),
      one('one bit changed', flipped(tag, 31), 'refused'),
      one('truncated', tag.subarray(0, 16), 'refused'),
      one('of another envelope', receiptOf(key, sha256(flipped(envelope, 0))), 'refused'),
      one('under another key', receiptOf(seeded('receipts/other', 32), id), 'refused'),
      one('zeros', Buffer.alloc(32), 'refused'),
      one('the id itself', id, 'refused'),
    ],
  }
}

export function safetyNumber(cast: Cast): Suite {
  const { ana, ben, mallory } = cast
  const code = verificationCode(ana.phone, ana.id, ben.id)
  return {
    description:
      'Safety numbers of two people, and verification codes as one shows them to another.',
    fields: {
      kind: '`number` or `code`',
      'a, b, halfA, halfB':
        'two people, and 30 bytes of each; the order of the people does not matter',
      digits: 'sixty of them',
      'own, contact': 'who scans, and whose code it is taken for',
      code: 'bytes of the QR code',
      result: '`valid`; `mismatch` when it is not the code of these two; or the code of the error',
    },
    vectors: [
      number(ana, ben),
      number(ben, ana),
      number(ana, mallory),
      number(ben, mallory),
      scan("Ana's code for Ben", code, 'valid'),
      scan(
        "Ana's code for somebody else",
        verificationCode(ana.phone, ana.id, mallory.id),
        'mismatch',
      ),
      scan("somebody else's code", verificationCode(mallory.phone, mallory.id, ben.id), 'mismatch'),
      scan(
        "Ana's keys under another number",
        verificationCode(mallory.phone, ana.id, ben.id),
        'mismatch',
      ),
      scan("Ben's own code", verificationCode(ben.phone, ben.id, ana.id), 'mismatch'),
      scan('another magic', changed(code, 0, 0x43), 'malformed'),
      scan('version 2', changed(code, 7, 2), 'malformed'),
      scan('number of 6 digits', verificationCode('123456', ana.id, ben.id), 'malformed'),
      scan('a byte too short', code.subarray(0, -1), 'malformed'),
      scan('a byte too long', cat(code, u8(0)), 'malformed'),
    ],
  }
}
const half = (person: Person) => fingerprint(person.id, person.phone)

const scan = (name: string, shown: Buffer, result: string) => ({
  kind: 'code',
  name,
  own: 'ben',
  contact: 'ana',
  code: shown,
  result,
})

const number = (a: Person, b: Person) => ({
  kind: 'number',
  name: `${a.name} and ${b.name}`,
  a: a.name,
  b: b.name,
  halfA: half(a),
  halfB: half(b),
  digits: [half(a), half(b)]
    .toSorted((x, y) => Buffer.compare(x, y))
    .map(digits)
    .join(''),
  result: 'valid',
})
