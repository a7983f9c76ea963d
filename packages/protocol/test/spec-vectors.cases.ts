/** Everything in spec/vectors but the conversations: known answers, and one flaw each. */
import type { Suite } from './spec-vectors.bytes.ts'
import { content } from './spec-vectors.cases-content.ts'
import { handshake } from './spec-vectors.cases-handshake.ts'
import { identity, keys, prekeys } from './spec-vectors.cases-identity.ts'
import { etmCases, padding, receipts, safetyNumber } from './spec-vectors.cases-message.ts'
import { frames, signatures } from './spec-vectors.cases-server.ts'
import { messages, ratchet } from './spec-vectors.cases-session.ts'
import { type Cast, personFields, type RecordedRsa } from './spec-vectors.people.ts'
import { label, type Person, type Prekeys } from './spec-vectors.reference.ts'

export type Suites = Readonly<Record<string, Suite>>

export function makeSuites(cast: Cast, rsa: RecordedRsa): Suites {
  return {
    'people.json': people(cast),
    'labels.json': labels(),
    'identity.json': identity(cast, rsa),
    'prekeys.json': prekeys(cast),
    'keys.json': keys(cast, rsa),
    'signatures.json': signatures(cast),
    'etm.json': etmCases(),
    'padding.json': padding(),
    'content.json': content(),
    'handshake.json': handshake(cast),
    'ratchet.json': ratchet(cast),
    'messages.json': messages(cast),
    'receipts.json': receipts(),
    'safety-number.json': safetyNumber(cast),
    'frames.json': frames(cast),
  }
}

function people(cast: Cast): Suite {
  const owners: readonly [Person, readonly Prekeys[]][] = [
    [cast.ana, [cast.prekeys['ana/1']]],
    [cast.ben, [cast.prekeys['ben/1'], cast.prekeys['ben/2']]],
    [cast.mallory, [cast.prekeys['mallory/1']]],
  ]
  return {
    description:
      'The people of all other files: identities and prekeys with their private halves. The RSA ' +
      'pairs are recorded inputs; everything else follows from the seeds.',
    fields: {
      name: 'how other files call this person',
      phone: 'E.164 digits without the plus',
      createdAt: 'milliseconds since 1970',
      exchangePrivateKey: 'RSA-3072, PKCS#8 (DER)',
      exchangePublicKey: 'RSA-3072, SubjectPublicKeyInfo (DER)',
      signingSeed: 'Ed25519 seed',
      signingKey: 'Ed25519 public key',
      identitySecret: 'X25519 secret',
      identityKey: 'X25519 public key, IK',
      record: 'identity record',
      signature: 'Ed25519 over label `sign/identity` ‖ record',
      signed: 'record ‖ signature',
      identityId: 'SHA-256(label `identity-id` ‖ record)',
      prekeys:
        'prekey sets: name, id, secret and kemSeed (private halves), publicKey (SPK), kemPublicKey ' +
        '(PQSPK), notAfter, encoded, signature over label `sign/prekeys` ‖ encoded, signed',
    },
    vectors: owners.map(([person, sets]) => ({ ...personFields(person), prekeys: sets })),
  }
}

function labels(): Suite {
  const purposes = [
    'identity-id',
    'sign/identity',
    'sign/prekeys',
    'sign/registration',
    'sign/login',
    'sign/request',
    'session-secret',
    'handshake/transcript-1',
    'handshake/key',
    'handshake/identity-block',
    'handshake/transcript-2',
    'handshake/session',
    'handshake/hash',
    'continuity',
    'ratchet/step',
    'ratchet/message',
    'associated-data',
    'receipt',
    'safety-number',
  ]
  return {
    description: 'Every label as it enters a hash, a signature or a derivation.',
    fields: { purpose: 'the part behind `couplet/v1/`', bytes: 'length byte ‖ ASCII' },
    vectors: purposes.map((purpose) => ({ purpose, bytes: label(purpose) })),
  }
}
