/** Of the ratchet. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const RATCHET_MUTANTS: readonly Mutant[] = [
  mutant(
    'only the latest reset key is accepted',
    [
      SOURCE.step,
      '...session.continuity.accepted].slice(0, 2)',
      '...session.continuity.accepted].slice(0, 1)',
    ],
    [TEST.handshake, 'is proven in every lock-step'],
  ),
  mutant(
    'reset keys are accepted for ever',
    [SOURCE.step, '...session.continuity.accepted].slice(0, 2)', '...session.continuity.accepted]'],
    [TEST.handshake, 'is not proven from a state one round trip old'],
  ),
  mutant(
    'an end goes on proving with its first reset key',
    [
      SOURCE.step,
      'continuity: { ...session.continuity, proving: derived.resetKey }',
      'continuity: session.continuity',
    ],
    [TEST.handshake, 'is proven in every lock-step'],
  ),
  mutant(
    'associated data without sender and recipient',
    [
      SOURCE.ratchet,
      '[LABEL_ASSOCIATED_DATA, sessionId, sender, recipient]',
      '[LABEL_ASSOCIATED_DATA, sessionId]',
    ],
    [TEST.ratchet, 'session, sender and recipient are in'],
  ),
  {
    name: 'what comes before the content is not authenticated with it',
    edits: [
      {
        file: SOURCE.etm,
        find: 'whole.subarray(from, end)]',
        replace: 'whole.subarray(at, end)]',
      },
      {
        file: SOURCE.etm,
        find: 'totalLength(associatedData) + at - from',
        replace: 'totalLength(associatedData)',
      },
      {
        file: SOURCE.ratchet,
        find: 'associatedData: [...ad, parsed.prefix],',
        replace: 'associatedData: ad,',
      },
    ],
    killedBy: [TEST.attacks, 'the prekey id is authenticated'],
  },
  mutant(
    'a jump of 25,001 is accepted',
    [
      SOURCE.ratchet,
      'header.number - chain.count > MAX_FORWARD_JUMP',
      'header.number - chain.count > MAX_FORWARD_JUMP + 1',
    ],
    [TEST.ratchet, 'a jump of 25,000 is accepted'],
  ),
  mutant(
    'a jump of 25,000 is refused',
    [
      SOURCE.ratchet,
      'header.number - chain.count > MAX_FORWARD_JUMP',
      'header.number - chain.count >= MAX_FORWARD_JUMP',
    ],
    [TEST.ratchet, 'a jump of 25,000 is accepted'],
  ),
  mutant(
    'a late message is taken for a damaged one',
    [SOURCE.ratchet, "if (header.number < chain.count) return { kind: 'late' }", ''],
    [TEST.ratchet, 'any message can be lost'],
  ),
  mutant(
    'four chains gone by are remembered',
    [SOURCE.step, 'slice(0, REMEMBERED_CHAINS)', 'slice(0, REMEMBERED_CHAINS - 1)'],
    [TEST.ratchet, 'late messages of the last five'],
  ),
  mutant(
    'six chains gone by are remembered',
    [SOURCE.step, 'slice(0, REMEMBERED_CHAINS)', 'slice(0, REMEMBERED_CHAINS + 1)'],
    [TEST.ratchet, 'late messages of the last five'],
  ),
  mutant(
    'a sender never waits for a receipt',
    [SOURCE.ratchet, 'if (mustWaitForReceipt(state)) {', 'if (state.id.length === 0) {'],
    [TEST.attacks, '30,000 messages to an absent recipient'],
  ),
  mutant(
    'a sender waits one message late',
    [
      SOURCE.ratchet,
      'sending.count - sending.receipted >= MAX_UNRECEIPTED',
      'sending.count - sending.receipted > MAX_UNRECEIPTED',
    ],
    [TEST.ratchet, '20,000 ahead of the last receipt'],
  ),
  mutant(
    'a sender waits though the next chain is due',
    [SOURCE.ratchet, 'return !stepDue && sending', 'return (stepDue || !stepDue) && sending'],
    [TEST.ratchet, 'a reply lets a waiting sender go on'],
  ),
  mutant(
    'the handshake rides on the first message only',
    [
      SOURCE.ratchet,
      'session: { ...session, sending: { ...chain, key: nextKey',
      'session: { ...session, handshake: undefined, sending: { ...chain, key: nextKey',
    ],
    [TEST.ratchet, 'byte for byte the same'],
  ),
  mutant(
    'the handshake rides for ever',
    [
      SOURCE.ratchet,
      '      handshake: undefined,\n      // The peer sends',
      '      // The peer sends',
    ],
    [TEST.ratchet, 'byte for byte the same'],
  ),
  mutant(
    'the receipt of any session takes the handshake off',
    [SOURCE.ratchet, 'if (!equalBytes(session.id, position.sessionId)) return session', ''],
    [TEST.attacks, 'a receipt of another session'],
  ),
  mutant(
    'the receipt of any chain takes the offer off',
    [SOURCE.ratchet, '!chain || chain.index !== position.chain', '!chain'],
    [TEST.ratchet, 'an offer rides on each message'],
  ),
  mutant(
    'a receipt lowers what is receipted',
    [SOURCE.ratchet, 'Math.max(chain.receipted, position.number + 1)', 'position.number + 1'],
    [TEST.ratchet, 'only raise what is receipted'],
  ),
  mutant(
    'offer and ciphertext ride on the first message only',
    [
      SOURCE.ratchet,
      'key: nextKey, count: chain.count + 1 } }',
      'key: nextKey, count: chain.count + 1, announce: false } }',
    ],
    [TEST.ratchet, 'its answer rides in the same way'],
  ),
  mutant(
    'a KEM key is offered after 17 steps',
    [SOURCE.step, 'stepsSinceKem >= KEM_STEP_INTERVAL', 'stepsSinceKem > KEM_STEP_INTERVAL'],
    [TEST.ratchet, 'come after 16 DH steps'],
  ),
  mutant(
    'a KEM key is offered after a little more than 24 hours',
    [
      SOURCE.step,
      'now - kemMixedAt >= KEM_TIME_INTERVAL_MS',
      'now - kemMixedAt > KEM_TIME_INTERVAL_MS',
    ],
    [TEST.ratchet, 'come after 24 hours'],
  ),
  mutant(
    'the KEM secret is not mixed in',
    [SOURCE.step, 'input.kemSecret ? concatBytes(shared, input.kemSecret) : shared', 'shared'],
    [TEST.ratchet, 'the secret enters the root key'],
  ),
  mutant(
    'an unanswered offer stays valid',
    [SOURCE.step, 'secret: undefined, offer: undefined }', 'secret: undefined }'],
    [TEST.ratchet, 'does not answer is void'],
  ),
  mutant(
    'the old ratchet secret is kept',
    [SOURCE.step, 'secret: undefined, offer: undefined }', 'offer: undefined }'],
    [TEST.ratchet, 'no message key outlives its turn'],
  ),
  mutant(
    'a session is established by the first message of any kind',
    [SOURCE.step, 'session.established || session.sending !== undefined', 'true'],
    [TEST.ratchet, 'a session is established by'],
  ),
  mutant(
    'ratchet keys are not validated',
    [SOURCE.step, '  validateCurveKey(header.ratchetKey)\n', ''],
    [TEST.ratchet, 'a ratchet key that must not be used'],
  ),
  mutant(
    'offered KEM keys are not validated',
    [SOURCE.header, '  if (header.offer) validateKemKey(header.offer)\n', ''],
    [TEST.ratchet, 'an offered key that is not reduced'],
  ),
  mutant(
    'an all-zero step goes on',
    [
      SOURCE.step,
      "if (!shared) throw new ProtocolError('invalid-key', 'key agreement gave zero')\n  const ikm = input.kemSecret ? concatBytes(shared, input.kemSecret) : shared",
      'const ikm = shared ?? new Uint8Array(32)',
    ],
    [TEST.ratchet, 'a ratchet key that must not be used'],
  ),
  mutant(
    'header and content share an IV',
    [SOURCE.ratchet, 'iv: input.entropy.contentIv', 'iv: input.entropy.headerIv'],
    [TEST.ratchet, 'a rolled-back state repeats no IV'],
  ),
  mutant(
    'a receipt is of no envelope',
    [SOURCE.ratchet, 'receiptKey, LABEL_RECEIPT, id)', 'receiptKey, LABEL_RECEIPT)'],
    [TEST.handshake, 'as computed by hand'],
  ),
  mutant(
    'message keys come from the chain key itself',
    [SOURCE.chain, 'ikm: messageKey,', 'ikm: chainKey,'],
    [TEST.handshake, 'as computed by hand'],
  ),
  mutant(
    'chain keys stay as they are',
    [
      SOURCE.chain,
      'nextKey: primitives.hmacSha256(chainKey, CHAIN_KEY_CONSTANT)',
      'nextKey: chainKey.slice() as Bytes',
    ],
    [TEST.ratchet, 'no message key outlives its turn'],
  ),
]
