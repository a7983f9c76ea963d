/** Of the handshake. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const HANDSHAKE_MUTANTS: readonly Mutant[] = [
  {
    name: 'identities and prekeys enter no derivation (misbinding, unknown key-share)',
    edits: [
      { file: SOURCE.schedule, find: '      responder,\n      encodedPrekeys,\n', replace: '' },
      {
        file: SOURCE.schedule,
        find: 'th1, identityBlock, initiator, responder)',
        replace: 'th1, identityBlock, initiator)',
      },
      {
        file: SOURCE.ratchet,
        find: '[LABEL_ASSOCIATED_DATA, sessionId, sender, recipient]',
        replace: '[LABEL_ASSOCIATED_DATA, sessionId]',
      },
    ],
    killedBy: [TEST.attacks, 'unknown key-share'],
  },
  mutant(
    'th1 without the recipient',
    [SOURCE.schedule, '      responder,\n      encodedPrekeys,\n', '      encodedPrekeys,\n'],
    [TEST.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th1 without the prekeys',
    [SOURCE.schedule, '      responder,\n      encodedPrekeys,\n', '      responder,\n'],
    [TEST.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th1 without ctR',
    [SOURCE.schedule, '      offer.wrappedSecret,\n', ''],
    [TEST.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th1 without ctK',
    [SOURCE.schedule, '      offer.encapsulatedKey,\n', ''],
    [TEST.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th2 without the identity block',
    [SOURCE.schedule, 'th1, identityBlock, initiator, responder)', 'th1, initiator, responder)'],
    [TEST.handshake, 'as computed by hand'],
  ),
  mutant(
    'the RSA-wrapped secret does not enter ck',
    [SOURCE.schedule, 'concatBytes(FULL, ...secrets)', 'concatBytes(FULL, ...secrets.slice(1))'],
    [TEST.handshake, 'as computed by hand'],
  ),
  mutant(
    'the ML-KEM secret does not enter ck',
    [SOURCE.schedule, 'concatBytes(FULL, ...secrets)', 'concatBytes(FULL, ...secrets.slice(0, 3))'],
    [TEST.handshake, 'as computed by hand'],
  ),
  mutant(
    'nothing authenticates the initiator',
    [SOURCE.schedule, 'ikm: input.authenticator', 'ikm: new Uint8Array(32)'],
    [TEST.attacks, 'who shows another’s record'],
  ),
  mutant(
    'an all-zero agreement goes on',
    [
      SOURCE.schedule,
      'if (!shared) throw new ProtocolError(otherwise',
      'if (!shared) return new Uint8Array(32)\n  if (shared.length === 0) throw new ProtocolError(otherwise',
    ],
    [TEST.attacks, 'an all-zero agreement is refused by the initiator'],
  ),
  mutant(
    'the ephemeral key is not validated',
    [SOURCE.handshake, '  validateCurveKey(header.ephemeralKey)\n', ''],
    [TEST.attacks, 'an ephemeral key of small order'],
  ),
  mutant(
    'a failure of OAEP shows as one',
    [
      SOURCE.handshake,
      'return secret?.length === KEY_BYTES ? secret : fallback',
      "if (!secret) throw new ProtocolError('undecryptable', 'OAEP')\n  return secret",
    ],
    [TEST.handshake, 'OAEP with another label'],
  ),
  mutant(
    'ctR of another length reaches RSA',
    [
      SOURCE.handshake,
      'if (header.wrappedSecret.length !== RSA_CIPHERTEXT_BYTES) return fallback',
      '',
    ],
    [TEST.handshake, '383 bytes never reach RSA'],
  ),
  mutant(
    'any proof of continuity is taken',
    [SOURCE.handshake, 'let proven = false', 'let proven = earlier.continuity.accepted.length > 0'],
    [TEST.handshake, 'is not proven without a claim'],
  ),
  mutant(
    'a proof of continuity is of no handshake',
    [SOURCE.schedule, 'resetKey, LABEL_CONTINUITY, hash)', 'resetKey, LABEL_CONTINUITY)'],
    [TEST.handshake, 'as computed by hand'],
  ),
  mutant(
    'the responder takes no note of a claim to continuity',
    [SOURCE.handshake, 'successor: !equalBytes(proof, NO_PROOF)', 'successor: false'],
    [TEST.handshake, 'both ends know whether one was claimed'],
  ),
  mutant(
    'the caller’s session secret is wiped',
    [SOURCE.schedule, '...secrets.slice(1))', '...secrets)'],
    [TEST.handshake, 'secrets handed in are the caller’s'],
  ),
]
