/**
 * Small faults in the code that a test must notice, one each, and the test that does. A mutant that
 * survives means that its test holds nothing. Run by `run-mutants.ts`, on a copy of the sources.
 */
export interface Mutant {
  /** What the fault is, in words. */
  readonly name: string
  /** Exact texts in files below packages/, each of which occurs once, and what stands there instead. */
  readonly edits: readonly Edit[]
  /** Test file in this folder and part of the test’s name. */
  readonly killedBy: readonly [file: string, test: string]
}

export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

const ETM = 'protocol/src/etm.ts'
const ENVELOPE = 'protocol/src/envelope.ts'
const CONTENT = 'protocol/src/content.ts'
const PROTOBUF = 'protocol/src/protobuf.ts'
const IDENTITY = 'protocol/src/identity.ts'
const PREKEYS = 'protocol/src/prekeys.ts'
const KEYS = 'protocol/src/key-validation.ts'
const HANDSHAKE = 'protocol/src/handshake.ts'
const RATCHET = 'protocol/src/ratchet.ts'
const CHOICE = 'protocol/src/session-choice.ts'
const CODEC = 'protocol/src/session-codec.ts'
const SAFETY = 'protocol/src/safety-number.ts'
const NODE = 'protocol/src/node/index.ts'
const WEB = 'protocol/src/web/index.ts'
const WIRE_IDENTITY = 'wire/src/identity.ts'

const T = {
  attacks: 'attacks.test.ts',
  choice: 'session-choice.test.ts',
  codec: 'session-codec.test.ts',
  content: 'content.test.ts',
  envelope: 'envelope.test.ts',
  etm: 'etm.test.ts',
  handshake: 'handshake.test.ts',
  identity: 'identity.test.ts',
  keys: 'key-validation.test.ts',
  prekeys: 'prekeys.test.ts',
  primitives: 'primitives.test.ts',
  ratchet: 'ratchet.test.ts',
  safety: 'safety-number.test.ts',
  simulation: 'session.simulation.test.ts',
  vectors: 'primitives.vectors.test.ts',
} as const

/** A mutant of one edit. */
function mutant(
  name: string,
  [file, find, replace]: readonly [string, string, string],
  killedBy: readonly [string, string],
): Mutant {
  return { name, edits: [{ file, find, replace }], killedBy }
}

export const MUTANTS: readonly Mutant[] = [
  // EtM
  mutant(
    'EtM decrypts before it compares the tag',
    [
      ETM,
      'if (!equalBytes(expected, sealed.subarray(body.length))) return undefined',
      'primitives.aesCbcDecrypt(keys.subarray(0, 32), body.subarray(0, 16), body.subarray(16))\n' +
        '  if (!equalBytes(expected, sealed.subarray(body.length))) return undefined',
    ],
    [T.etm, 'nothing is decrypted before'],
  ),
  mutant(
    'EtM compares no tag',
    [ETM, 'if (!equalBytes(expected, sealed.subarray(body.length)))', 'if (expected.length === 0)'],
    [T.etm, 'a change of any bit'],
  ),
  mutant(
    'EtM compares 8 bytes of the tag, as Signal and Olm do',
    [
      ETM,
      'equalBytes(expected, sealed.subarray(body.length))',
      'equalBytes(expected.subarray(0, 8), sealed.subarray(body.length, body.length + 8))',
    ],
    [T.attacks, 'a truncated tag is no tag'],
  ),
  mutant(
    'EtM leaves the length of the associated data out of the MAC',
    [ETM, 'prefix, ...associatedData, body)', '...associatedData, body)'],
    [T.etm, 'no byte can move'],
  ),
  mutant(
    'EtM leaves the associated data out of the MAC',
    [ETM, 'prefix, ...associatedData, body)', 'prefix, body)'],
    [T.etm, 'another key, associated data'],
  ),
  mutant(
    'EtM leaves the IV out of the MAC',
    [ETM, 'prefix, ...associatedData, body)', 'prefix, ...associatedData, body.subarray(16))'],
    [T.etm, 'a change of any bit'],
  ),

  // Envelope and content
  mutant(
    'padding is stripped without being checked',
    [
      ENVELOPE,
      'return end >= 0 && padded[end] === 0x80 ? padded.subarray(0, end) : undefined',
      'return padded.subarray(0, Math.max(end, 0))',
    ],
    [T.envelope, 'padding that is not'],
  ),
  mutant(
    'an envelope is one byte too small at a bucket’s boundary',
    [ENVELOPE, 'overhead + content.length + 2', 'overhead + content.length + 1'],
    [T.envelope, 'boundaries of each bucket'],
  ),
  mutant(
    'envelopes of any size are parsed',
    [ENVELOPE, ' && (size & (size - 1)) === 0', ''],
    [T.envelope, 'a size that is no power of two'],
  ),
  mutant(
    'a preamble that contradicts itself is parsed',
    [ENVELOPE, 'if (!withHandshake && (keyType', 'if (keyType > 9 && (keyType'],
    [T.envelope, 'a handshake without a prekey id'],
  ),
  mutant(
    'an envelope without room for a message is parsed',
    [ENVELOPE, 'sealed.length < ETM_OVERHEAD_BYTES + BLOCK_BYTES', 'sealed.length < 1'],
    [T.envelope, 'leaves no room for a message'],
  ),
  mutant(
    'a text is taken as Latin-1',
    [CONTENT, 'text: fromUtf8(field.value)', 'text: String.fromCharCode(...field.value)'],
    [T.content, 'text that is not UTF-8'],
  ),
  mutant(
    'lengths are their lower 32 bits',
    [PROTOBUF, 'this.#bytes(this.#varint())', 'this.#bytes(this.#varint() >>> 0)'],
    [T.content, 'lengths beyond the content'],
  ),
  mutant(
    'a field may reach beyond the content',
    [PROTOBUF, 'length <= this.#input.length - this.#at', 'length >= 0'],
    [T.content, 'lengths beyond the content'],
  ),
  mutant(
    'a number in a content may have any length',
    [PROTOBUF, 'i < MAX_VARINT_BYTES && ', ''],
    [T.content, 'numbers of more than 10 bytes'],
  ),
  mutant(
    'a number in a content may have 5 bytes',
    [PROTOBUF, 'const MAX_VARINT_BYTES = 10', 'const MAX_VARINT_BYTES = 5'],
    [T.content, 'every field survives'],
  ),
  mutant(
    'a number too large for a sequence is cut',
    [CONTENT, 'if (!Number.isSafeInteger(value))', 'if (value < 0)'],
    [T.content, 'a number that is no safe integer'],
  ),
  mutant(
    'tags are their lower 32 bits',
    [PROTOBUF, 'tag <= MAX_TAG && ', ''],
    [T.content, 'tags are numbers like others'],
  ),
  mutant(
    'a field of number 0 is taken',
    [PROTOBUF, ' && tag >= 1 << TYPE_BITS', ''],
    [T.content, 'tags are numbers like others'],
  ),
  mutant(
    'groups are nested without a limit',
    [PROTOBUF, 'open.length <= MAX_GROUP_DEPTH', 'open.length >= 0'],
    [T.content, 'groups may be 100 deep'],
  ),
  mutant(
    'a group ends with any end',
    [PROTOBUF, 'open.pop() === tag >>> TYPE_BITS', 'open.pop() !== undefined'],
    [T.content, 'groups are skipped whole'],
  ),
  mutant(
    'a field of wire type 6 or 7 has four bytes',
    [PROTOBUF, 'type === TYPE.fixed64 || type === TYPE.fixed32', 'type !== TYPE.groupEnd'],
    [T.content, 'tags are numbers like others'],
  ),
  mutant(
    'texts of any length are taken',
    [CONTENT, 'encoded.length > MAX_TEXT_BYTES', 'encoded.length > 2 * MAX_TEXT_BYTES'],
    [T.content, 'a text of 60,000 bytes is the longest'],
  ),
  mutant(
    'message ids of any length are taken',
    [CONTENT, 'messageId.length !== MESSAGE_ID_BYTES', 'messageId.length === 1'],
    [T.content, 'a message id that is not 16 bytes'],
  ),

  // Identity
  mutant(
    'an identity’s signature is not verified',
    [
      IDENTITY,
      '!primitives.ed25519Verify(record',
      'record.phone === undefined && !primitives.ed25519Verify(record',
    ],
    [T.attacks, 'a record that was not signed by its own key'],
  ),
  mutant(
    'records and prekeys are signed under one label',
    [
      WIRE_IDENTITY,
      'concatBytes(LABEL_SIGN_IDENTITY, encodedRecord)',
      'concatBytes(LABEL_SIGN_PREKEYS, encodedRecord)',
    ],
    [T.identity, 'does not pass for that of a record'],
  ),
  mutant(
    'an identity’s X25519 key is not validated',
    [IDENTITY, '  validateCurveKey(record.identityKey)\n', ''],
    [T.identity, 'keys that must not be used'],
  ),
  mutant(
    'an identity’s Ed25519 key is not validated',
    [IDENTITY, '  validateSigningKey(record.signingKey)\n', ''],
    [T.identity, 'keys that must not be used'],
  ),
  mutant(
    'an identity’s RSA key is not validated',
    [IDENTITY, '  validateExchangeKey(record.exchangeKey, primitives.isProbablePrime)\n', ''],
    [T.identity, 'keys that must not be used'],
  ),
  mutant(
    'identityId leaves out the end of the record',
    [
      WIRE_IDENTITY,
      'concatBytes(LABEL_IDENTITY_ID, encodedRecord)',
      'concatBytes(LABEL_IDENTITY_ID, encodedRecord.subarray(0, 498))',
    ],
    [T.identity, 'the one name, of every field'],
  ),
  mutant(
    'an imported identity shares memory with its input',
    [IDENTITY, 'const own = new Uint8Array(signed)', 'const own = signed as Bytes'],
    [T.identity, 'what is imported is a copy'],
  ),

  // Prekeys
  mutant(
    'prekeys of another identity are taken',
    [
      PREKEYS,
      '!equalBytes(set.identityId, input.owner.id)',
      '!equalBytes(set.identityId, set.identityId)',
    ],
    [T.prekeys, 'the set of another identity'],
  ),
  mutant(
    'the signature of prekeys is not verified',
    [
      PREKEYS,
      'if (!primitives.ed25519Verify(',
      'if (own.length === 0 && !primitives.ed25519Verify(',
    ],
    [T.prekeys, 'a set that its owner did not sign'],
  ),
  mutant(
    'prekeys may go back',
    [PREKEYS, 'set.id < input.highestSeenId', 'set.id < 0'],
    [T.attacks, 'a prekey set that went back'],
  ),
  mutant(
    'the same prekeys are taken once only',
    [PREKEYS, 'set.id < input.highestSeenId', 'set.id <= input.highestSeenId'],
    [T.prekeys, 'a lower id than one seen'],
  ),
  mutant(
    'expired prekeys are taken',
    [PREKEYS, 'set.notAfter <= input.now', 'set.notAfter < 0'],
    [T.prekeys, 'past notAfter'],
  ),
  mutant(
    'prekeys with id 0 are taken',
    [PREKEYS, 'if (set.id === 0)', 'if (set.id < 0)'],
    [T.prekeys, 'ids begin at 1'],
  ),
  mutant(
    'the X25519 prekey is not validated',
    [PREKEYS, '  validateCurveKey(set.signedPrekey)\n', ''],
    [T.prekeys, 'keys that must not be used'],
  ),
  mutant(
    'the ML-KEM prekey is not validated',
    [PREKEYS, '  validateKemKey(set.kemPrekey)\n', ''],
    [T.prekeys, 'keys that must not be used'],
  ),

  // Key validation
  mutant(
    'the factor 65,537 is overlooked',
    [KEYS, '[...primesBelow(20_000), 65537n]', 'primesBelow(20_000)'],
    [T.vectors, 'weakkeys'],
  ),
  mutant(
    'small factors are looked for up to 10,000 only',
    [KEYS, 'primesBelow(20_000)', 'primesBelow(10_000)'],
    [T.keys, 'a small factor is invalid'],
  ),
  mutant(
    'close factors are overlooked',
    [KEYS, 'if (root * root === difference) return true', 'if (root < 0n) return true'],
    [T.vectors, 'weakkeys'],
  ),
  mutant(
    'the fingerprint of CVE-2017-15361 is overlooked',
    [KEYS, 'ROCA_PRIMES.every(', 'n < 0n && ROCA_PRIMES.every('],
    [T.vectors, 'weakkeys'],
  ),
  mutant(
    'judging a signing key in a Buffer changes it',
    [KEYS, 'const y = new Uint8Array(publicKey)', 'const y = publicKey.slice()'],
    [T.keys, 'in a Buffer'],
  ),
  mutant(
    'a prime modulus is taken',
    [KEYS, 'require(!isProbablePrime(modulus)', 'require(n !== 1n'],
    [T.vectors, 'weakkeys'],
  ),
  mutant(
    'the test for primes of node:crypto finds none',
    [NODE, 'checkPrimeSync(value, { checks: PRIME_ROUNDS })', 'false && value.length > 0'],
    [T.keys, 'a prime modulus is invalid under every provider'],
  ),
  mutant(
    'a modulus of 3071 bits is taken',
    [
      KEYS,
      'require(n >> BigInt(RSA_MODULUS_BITS - 1) === 1n',
      'require(n >> BigInt(RSA_MODULUS_BITS - 1) >= 0n',
    ],
    [T.keys, 'a modulus of 3071 bits'],
  ),
  mutant(
    'another exponent is taken',
    [KEYS, 'equalBytes(spki.subarray(modulusEnd), SPKI_SUFFIX)', 'spki.length > modulusEnd'],
    [T.keys, 'one key has one encoding'],
  ),
  mutant(
    'X25519 encodings that are not canonical are taken',
    [
      KEYS,
      "require(littleEndian(publicKey) < FIELD_PRIME, 'X25519",
      "require(littleEndian(publicKey) >= 0n, 'X25519",
    ],
    [T.attacks, 'an ephemeral key of small order, or spelled'],
  ),
  mutant(
    'X25519 points of small order are taken',
    [KEYS, '!X25519_SMALL_ORDER.has(toHex(publicKey))', 'publicKey.length > 0'],
    [T.keys, 'points of small order are invalid'],
  ),
  mutant(
    'Ed25519 points of small order are taken under the other sign',
    [KEYS, '!ED25519_SMALL_ORDER_Y.has(toHex(y))', '!ED25519_SMALL_ORDER_Y.has(toHex(publicKey))'],
    [T.keys, 'all eight points of small order'],
  ),
  mutant(
    'an ML-KEM coefficient of 3329 is taken',
    [KEYS, 'const KEM_Q = 3329', 'const KEM_Q = 3330'],
    [T.keys, 'one of 3329 or 4095 is not'],
  ),
  mutant(
    'every second ML-KEM coefficient is overlooked',
    [KEYS, 'low < KEM_Q && high < KEM_Q', 'low < KEM_Q'],
    [T.keys, 'one of 3329 or 4095 is not'],
  ),

  // Providers
  mutant(
    'web: Ed25519 is verified with the cofactor',
    [WEB, 'valid && holdsWithoutCofactor(publicKey, message, signature)', 'valid'],
    [T.primitives, 'one verdict on a signature'],
  ),
  mutant(
    'node: OAEP ignores its label',
    [NODE, 'privateDecrypt({ key, ...OAEP, oaepLabel: label }', 'privateDecrypt({ key, ...OAEP }'],
    [T.vectors, 'RSA-OAEP-3072'],
  ),

  // Handshake
  {
    name: 'identities and prekeys enter no derivation (misbinding, unknown key-share)',
    edits: [
      { file: HANDSHAKE, find: '      responder,\n      encodedPrekeys,\n', replace: '' },
      {
        file: HANDSHAKE,
        find: 'th1, identityBlock, initiator, responder)',
        replace: 'th1, identityBlock, initiator)',
      },
      {
        file: RATCHET,
        find: 'concatBytes(LABEL_ASSOCIATED_DATA, sessionId, sender, recipient)',
        replace: 'concatBytes(LABEL_ASSOCIATED_DATA, sessionId)',
      },
    ],
    killedBy: [T.attacks, 'unknown key-share'],
  },
  mutant(
    'th1 without the recipient',
    [HANDSHAKE, '      responder,\n      encodedPrekeys,\n', '      encodedPrekeys,\n'],
    [T.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th1 without the prekeys',
    [HANDSHAKE, '      responder,\n      encodedPrekeys,\n', '      responder,\n'],
    [T.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th1 without ctR',
    [HANDSHAKE, '      offer.wrappedSecret,\n', ''],
    [T.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th1 without ctK',
    [HANDSHAKE, '      offer.encapsulatedKey,\n', ''],
    [T.handshake, 'H(th1) is of every part'],
  ),
  mutant(
    'th2 without the identity block',
    [HANDSHAKE, 'th1, identityBlock, initiator, responder)', 'th1, initiator, responder)'],
    [T.handshake, 'as computed by hand'],
  ),
  mutant(
    'the RSA-wrapped secret does not enter ck',
    [HANDSHAKE, 'concatBytes(FULL, ...secrets)', 'concatBytes(FULL, ...secrets.slice(1))'],
    [T.handshake, 'as computed by hand'],
  ),
  mutant(
    'the ML-KEM secret does not enter ck',
    [HANDSHAKE, 'concatBytes(FULL, ...secrets)', 'concatBytes(FULL, ...secrets.slice(0, 3))'],
    [T.handshake, 'as computed by hand'],
  ),
  mutant(
    'nothing authenticates the initiator',
    [HANDSHAKE, 'ikm: input.authenticator', 'ikm: new Uint8Array(32)'],
    [T.attacks, 'who shows another’s record'],
  ),
  mutant(
    'an all-zero agreement goes on',
    [
      HANDSHAKE,
      'if (!shared) throw new ProtocolError(otherwise',
      'if (!shared) return new Uint8Array(32)\n  if (shared.length === 0) throw new ProtocolError(otherwise',
    ],
    [T.attacks, 'an all-zero agreement is refused by the initiator'],
  ),
  mutant(
    'the ephemeral key is not validated',
    [HANDSHAKE, '  validateCurveKey(header.ephemeralKey)\n', ''],
    [T.attacks, 'an ephemeral key of small order'],
  ),
  mutant(
    'a failure of OAEP shows as one',
    [
      HANDSHAKE,
      'return secret?.length === KEY_BYTES ? secret : fallback',
      "if (!secret) throw new ProtocolError('undecryptable', 'OAEP')\n  return secret",
    ],
    [T.handshake, 'OAEP with another label'],
  ),
  mutant(
    'ctR of another length reaches RSA',
    [HANDSHAKE, 'if (header.wrappedSecret.length !== RSA_CIPHERTEXT_BYTES) return fallback', ''],
    [T.handshake, '383 bytes never reach RSA'],
  ),
  mutant(
    'any proof of continuity is taken',
    [HANDSHAKE, 'let proven = false', 'let proven = earlier.continuity.accepted.length > 0'],
    [T.handshake, 'is not proven without a claim'],
  ),
  mutant(
    'a proof of continuity is of no handshake',
    [HANDSHAKE, 'resetKey, LABEL_CONTINUITY, hash)', 'resetKey, LABEL_CONTINUITY)'],
    [T.handshake, 'as computed by hand'],
  ),
  mutant(
    'the responder takes no note of a claim to continuity',
    [HANDSHAKE, 'successor: !equalBytes(proof, NO_PROOF)', 'successor: false'],
    [T.handshake, 'both ends know whether one was claimed'],
  ),
  mutant(
    'the caller’s session secret is wiped',
    [HANDSHAKE, '...secrets.slice(1))', '...secrets)'],
    [T.handshake, 'secrets handed in are the caller’s'],
  ),

  // Ratchet
  mutant(
    'only the latest reset key is accepted',
    [
      RATCHET,
      '...session.continuity.accepted].slice(0, 2)',
      '...session.continuity.accepted].slice(0, 1)',
    ],
    [T.handshake, 'is proven in every lock-step'],
  ),
  mutant(
    'reset keys are accepted for ever',
    [RATCHET, '...session.continuity.accepted].slice(0, 2)', '...session.continuity.accepted]'],
    [T.handshake, 'is not proven from a state one round trip old'],
  ),
  mutant(
    'an end goes on proving with its first reset key',
    [
      RATCHET,
      'continuity: { ...session.continuity, proving: derived.resetKey }',
      'continuity: session.continuity',
    ],
    [T.handshake, 'is proven in every lock-step'],
  ),
  mutant(
    'associated data without sender and recipient',
    [
      RATCHET,
      'concatBytes(LABEL_ASSOCIATED_DATA, sessionId, sender, recipient)',
      'concatBytes(LABEL_ASSOCIATED_DATA, sessionId)',
    ],
    [T.ratchet, 'session, sender and recipient are in'],
  ),
  {
    name: 'what comes before the content is not authenticated with it',
    edits: [
      {
        file: RATCHET,
        find: 'associatedData: [ad, prefix],',
        replace: 'associatedData: [ad],',
      },
      {
        file: RATCHET,
        find: 'associatedData: [ad, parsed.prefix],',
        replace: 'associatedData: [ad],',
      },
    ],
    killedBy: [T.attacks, 'the prekey id is authenticated'],
  },
  mutant(
    'a jump of 25,001 is accepted',
    [
      RATCHET,
      'header.number - chain.count > MAX_FORWARD_JUMP',
      'header.number - chain.count > MAX_FORWARD_JUMP + 1',
    ],
    [T.ratchet, 'a jump of 25,000 is accepted'],
  ),
  mutant(
    'a jump of 25,000 is refused',
    [
      RATCHET,
      'header.number - chain.count > MAX_FORWARD_JUMP',
      'header.number - chain.count >= MAX_FORWARD_JUMP',
    ],
    [T.ratchet, 'a jump of 25,000 is accepted'],
  ),
  mutant(
    'a late message is taken for a damaged one',
    [RATCHET, "if (header.number < chain.count) return { kind: 'late' }", ''],
    [T.ratchet, 'any message can be lost'],
  ),
  mutant(
    'four chains gone by are remembered',
    [RATCHET, 'slice(0, REMEMBERED_CHAINS)', 'slice(0, REMEMBERED_CHAINS - 1)'],
    [T.ratchet, 'late messages of the last five'],
  ),
  mutant(
    'six chains gone by are remembered',
    [RATCHET, 'slice(0, REMEMBERED_CHAINS)', 'slice(0, REMEMBERED_CHAINS + 1)'],
    [T.ratchet, 'late messages of the last five'],
  ),
  mutant(
    'a sender never waits for a receipt',
    [RATCHET, 'if (mustWaitForReceipt(state)) {', 'if (state.id.length === 0) {'],
    [T.attacks, '30,000 messages to an absent recipient'],
  ),
  mutant(
    'a sender waits one message late',
    [
      RATCHET,
      'sending.count - sending.receipted >= MAX_UNRECEIPTED',
      'sending.count - sending.receipted > MAX_UNRECEIPTED',
    ],
    [T.ratchet, '20,000 ahead of the last receipt'],
  ),
  mutant(
    'a sender waits though the next chain is due',
    [RATCHET, 'return !stepDue && sending', 'return (stepDue || !stepDue) && sending'],
    [T.ratchet, 'a reply lets a waiting sender go on'],
  ),
  mutant(
    'the handshake rides on the first message only',
    [
      RATCHET,
      'session: { ...session, sending: { ...chain, key: nextKey',
      'session: { ...session, handshake: undefined, sending: { ...chain, key: nextKey',
    ],
    [T.ratchet, 'byte for byte the same'],
  ),
  mutant(
    'the handshake rides for ever',
    [RATCHET, '      handshake: undefined,\n      // The peer sends', '      // The peer sends'],
    [T.ratchet, 'byte for byte the same'],
  ),
  mutant(
    'the receipt of any session takes the handshake off',
    [RATCHET, 'if (!equalBytes(session.id, position.sessionId)) return session', ''],
    [T.attacks, 'a receipt of another session'],
  ),
  mutant(
    'the receipt of any chain takes the offer off',
    [RATCHET, '!chain || chain.index !== position.chain', '!chain'],
    [T.ratchet, 'an offer rides on each message'],
  ),
  mutant(
    'a receipt lowers what is receipted',
    [RATCHET, 'Math.max(chain.receipted, position.number + 1)', 'position.number + 1'],
    [T.ratchet, 'only raise what is receipted'],
  ),
  mutant(
    'offer and ciphertext ride on the first message only',
    [
      RATCHET,
      'key: nextKey, count: chain.count + 1 } }',
      'key: nextKey, count: chain.count + 1, announce: false } }',
    ],
    [T.ratchet, 'its answer rides in the same way'],
  ),
  mutant(
    'a KEM key is offered after 17 steps',
    [RATCHET, 'stepsSinceKem >= KEM_STEP_INTERVAL', 'stepsSinceKem > KEM_STEP_INTERVAL'],
    [T.ratchet, 'come after 16 DH steps'],
  ),
  mutant(
    'a KEM key is offered after a little more than 24 hours',
    [
      RATCHET,
      'now - kemMixedAt >= KEM_TIME_INTERVAL_MS',
      'now - kemMixedAt > KEM_TIME_INTERVAL_MS',
    ],
    [T.ratchet, 'come after 24 hours'],
  ),
  mutant(
    'the KEM secret is not mixed in',
    [RATCHET, 'input.kemSecret ? concatBytes(shared, input.kemSecret) : shared', 'shared'],
    [T.ratchet, 'the secret enters the root key'],
  ),
  mutant(
    'an unanswered offer stays valid',
    [RATCHET, 'secret: undefined, offer: undefined }', 'secret: undefined }'],
    [T.ratchet, 'does not answer is void'],
  ),
  mutant(
    'the old ratchet secret is kept',
    [RATCHET, 'secret: undefined, offer: undefined }', 'offer: undefined }'],
    [T.ratchet, 'no message key outlives its turn'],
  ),
  mutant(
    'a session is established by the first message of any kind',
    [RATCHET, 'session.established || session.sending !== undefined', 'true'],
    [T.ratchet, 'a session is established by'],
  ),
  mutant(
    'ratchet keys are not validated',
    [RATCHET, '  validateCurveKey(header.ratchetKey)\n', ''],
    [T.ratchet, 'a ratchet key that must not be used'],
  ),
  mutant(
    'offered KEM keys are not validated',
    [RATCHET, '  if (header.offer) validateKemKey(header.offer)\n', ''],
    [T.ratchet, 'an offered key that is not reduced'],
  ),
  mutant(
    'an all-zero step goes on',
    [
      RATCHET,
      "if (!shared) throw new ProtocolError('invalid-key', 'key agreement gave zero')\n  const ikm = input.kemSecret ? concatBytes(shared, input.kemSecret) : shared",
      'const ikm = shared ?? new Uint8Array(32)',
    ],
    [T.ratchet, 'a ratchet key that must not be used'],
  ),
  mutant(
    'header and content share an IV',
    [RATCHET, 'iv: input.entropy.contentIv', 'iv: input.entropy.headerIv'],
    [T.ratchet, 'a rolled-back state repeats no IV'],
  ),
  mutant(
    'a receipt is of no envelope',
    [RATCHET, 'receiptKey, LABEL_RECEIPT, id)', 'receiptKey, LABEL_RECEIPT)'],
    [T.handshake, 'as computed by hand'],
  ),
  mutant(
    'message keys come from the chain key itself',
    [RATCHET, 'ikm: messageKey,', 'ikm: chainKey,'],
    [T.handshake, 'as computed by hand'],
  ),
  mutant(
    'chain keys stay as they are',
    [
      RATCHET,
      'nextKey: primitives.hmacSha256(chainKey, CHAIN_KEY_CONSTANT)',
      'nextKey: chainKey.slice() as Bytes',
    ],
    [T.ratchet, 'no message key outlives its turn'],
  ),

  // Choice
  mutant(
    'an established session does not win',
    [CHOICE, 'session.established ? FULL_RANK : 0', 'FULL_RANK'],
    [T.attacks, 'grinds in vain'],
  ),
  mutant(
    'the larger hash is used',
    [
      CHOICE,
      'compareBytes(a.session.handshakeHash, b.session.handshakeHash)',
      'compareBytes(b.session.handshakeHash, a.session.handshakeHash)',
    ],
    [T.choice, 'the smaller H(th1)'],
  ),
  mutant(
    'dead sessions are sent in',
    [CHOICE, 'return -1', 'return asLive'],
    [T.choice, 'none: a new one must begin'],
  ),
  mutant(
    'a replacement without proof is not shown',
    [CHOICE, '{ ...accepted, unproven: true }', 'accepted'],
    [T.attacks, 'a replacement without proof of continuity is shown'],
  ),
  mutant(
    'any replacement takes over, proven or not',
    [
      CHOICE,
      'if ((inUse.length > 0 ? inUse : sessions).some(continues)) {',
      'if (sessions.length > 0) {',
    ],
    [T.choice, 'without proof it is shown as such'],
  ),
  mutant(
    'a session given up here cannot be continued',
    [CHOICE, 'inUse.length > 0 ? inUse : sessions', 'inUse'],
    [T.choice, 'proof may come from a session given up'],
  ),
  mutant(
    'proof from a session that was replaced counts',
    [CHOICE, 'inUse.length > 0 ? inUse : sessions', 'sessions'],
    [T.choice, 'does not replace its successor'],
  ),
  mutant(
    'a continued session stays beside its successor',
    [CHOICE, "standing: 'superseded' as const", "standing: 'live' as const"],
    [T.choice, 'with proof it takes the place'],
  ),
  mutant(
    'a session that came back outlives its established successor',
    [CHOICE, 'return successors > 0 ? 1 / successors : asLive', 'return asLive'],
    [T.choice, 'unless it has a successor'],
  ),
  mutant(
    'a session that came back is never as good as before',
    [CHOICE, 'return successors > 0 ? 1 / successors : asLive', 'return 1'],
    [T.choice, 'is as good as before'],
  ),
  mutant(
    'of several that came back, whichever has the smaller hash is sent in',
    [
      CHOICE,
      'return successors > 0 ? 1 / successors : asLive',
      'return successors > 0 ? 1 : asLive',
    ],
    [T.choice, 'the one with the fewest successors'],
  ),
  mutant(
    'a recalled session is as good as its successor',
    [CHOICE, 'return 1 / Math.max(successors, 1)', 'return asLive'],
    [T.choice, 'one superseded, in which the peer sends'],
  ),
  mutant(
    'a session is kept one moment too long',
    [CHOICE, '< SESSION_RETENTION_MS', '<= SESSION_RETENTION_MS'],
    [T.choice, 'stays for ever, others 30 days'],
  ),

  // Stored sessions
  mutant(
    'bytes behind a stored session are overlooked',
    [CODEC, '    reader.finish()\n', ''],
    [T.codec, 'cut at any length, or with a byte behind it'],
  ),
  mutant(
    'a stored session shares memory with the store',
    [CODEC, 'new Reader(new Uint8Array(encoded))', 'new Reader(encoded)'],
    [T.codec, 'what is read is a copy'],
  ),
  mutant(
    'the version of a stored session is overlooked',
    [CODEC, "reader.expect(VERSION, 'version of the stored session')", 'reader.u8()'],
    [T.codec, 'a version from the future'],
  ),
  mutant(
    'the offer is not stored',
    [CODEC, 'optional(writer, chain.offer,', 'optional(writer, undefined as typeof chain.offer,'],
    [T.codec, 'every shape survives'],
  ),

  // Safety number
  mutant(
    '5,199 iterations',
    [SAFETY, 'const ITERATIONS = 5200', 'const ITERATIONS = 5199'],
    [T.safety, 'as computed by hand'],
  ),
  mutant(
    'halves in the order of the caller',
    [SAFETY, '.sort(compareBytes)', ''],
    [T.safety, 'the same at both ends'],
  ),
  mutant(
    'a code is believed for the contact’s half alone',
    [SAFETY, 'return theirs && ours &&', 'return theirs &&'],
    [T.safety, 'a code of others'],
  ),
  mutant(
    'a code is believed for one’s own half alone',
    [SAFETY, 'return theirs && ours &&', 'return ours &&'],
    [T.safety, 'a code of others'],
  ),

  mutant(
    // The simulation's thief follows states and guesses no keys: it does not see this one.
    'the ratchet key is the same for ever',
    [
      RATCHET,
      'const secret = new Uint8Array(entropy.ratchetSeed)',
      'const secret = new Uint8Array(32).fill(entropy.ratchetSeed.length)',
    ],
    [T.ratchet, 'a fresh key'],
  ),

  // What only histories show: these die in the simulation
  mutant(
    'simulation: one forged nack parts the two ends for ever',
    [RATCHET, "  dead: 'revived',", "  dead: 'dead',"],
    [T.simulation, 'histories'],
  ),
  mutant(
    'simulation: a superseded session is not called back',
    [RATCHET, "  superseded: 'recalled',", "  superseded: 'superseded',"],
    [T.simulation, 'histories'],
  ),
  mutant(
    'simulation: whoever is first in the list is sent in',
    [CHOICE, ' || compareBytes(a.session.handshakeHash, b.session.handshakeHash)', ''],
    [T.simulation, 'both begin at once'],
  ),
  mutant(
    'simulation: the KEM answer is lost with the first message of its chain',
    [
      RATCHET,
      'key: nextKey, count: chain.count + 1 } }',
      'key: nextKey, count: chain.count + 1, announce: false } }',
    ],
    [T.simulation, 'histories'],
  ),
  mutant(
    'simulation: the receiving chain stays where it was',
    [
      RATCHET,
      'receiving: { ...chain, key: nextKey, count: header.number + 1 }',
      'receiving: chain',
    ],
    [T.simulation, 'histories'],
  ),
  mutant(
    'simulation: no step heals',
    [
      RATCHET,
      'input.kemSecret ? concatBytes(shared, input.kemSecret) : shared',
      'new Uint8Array(32)',
    ],
    [T.simulation, 'histories'],
  ),
  mutant(
    'simulation: a gap of one is jumped by two',
    [
      RATCHET,
      'for (let count = chain.count; count < number; count++)',
      'for (let count = chain.count; count < number + Number(number - chain.count === 1); count++)',
    ],
    [T.simulation, 'histories'],
  ),
  mutant(
    'simulation: the next header key is that of this chain',
    [
      RATCHET,
      'nextReceivingHeaderKey: derived.nextHeaderKey',
      'nextReceivingHeaderKey: session.nextReceivingHeaderKey',
    ],
    [T.simulation, 'histories'],
  ),
]
