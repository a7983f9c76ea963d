/** Of identities, prekeys, and which keys may be used. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const KEYS_MUTANTS: readonly Mutant[] = [
  // Identity
  mutant(
    'an identity’s signature is not verified',
    [
      SOURCE.identity,
      '!primitives.ed25519Verify(record',
      'record.phone === undefined && !primitives.ed25519Verify(record',
    ],
    [TEST.attacks, 'a record that was not signed by its own key'],
  ),
  mutant(
    'records and prekeys are signed under one label',
    [
      SOURCE.wireIdentity,
      'concatBytes(LABEL_SIGN_IDENTITY, encodedRecord)',
      'concatBytes(LABEL_SIGN_PREKEYS, encodedRecord)',
    ],
    [TEST.identity, 'does not pass for that of a record'],
  ),
  mutant(
    'an identity’s X25519 key is not validated',
    [SOURCE.identity, '  validateCurveKey(record.identityKey)\n', ''],
    [TEST.identity, 'keys that must not be used'],
  ),
  mutant(
    'an identity’s Ed25519 key is not validated',
    [SOURCE.identity, '  validateSigningKey(record.signingKey)\n', ''],
    [TEST.identity, 'keys that must not be used'],
  ),
  mutant(
    'an identity’s RSA key is not validated',
    [
      SOURCE.identity,
      '  validateExchangeKey(record.exchangeKey, primitives.isProbablePrime)\n',
      '',
    ],
    [TEST.identity, 'keys that must not be used'],
  ),
  mutant(
    'identityId leaves out the end of the record',
    [
      SOURCE.wireIdentity,
      'concatBytes(LABEL_IDENTITY_ID, encodedRecord)',
      'concatBytes(LABEL_IDENTITY_ID, encodedRecord.subarray(0, 498))',
    ],
    [TEST.identity, 'the one name, of every field'],
  ),
  mutant(
    'another identity is taken for the known one',
    [SOURCE.identity, 'if (!known || !equalBytes(known, own))', 'if (!known)'],
    [TEST.identity, 'no other is taken for it'],
  ),
  mutant(
    'an imported identity shares memory with its input',
    [SOURCE.identity, 'const own = new Uint8Array(signed)', 'const own = signed as Bytes'],
    [TEST.identity, 'what is imported is a copy'],
  ),

  // Prekeys
  mutant(
    'prekeys of another identity are taken',
    [
      SOURCE.prekeys,
      '!equalBytes(set.identityId, input.owner.id)',
      '!equalBytes(set.identityId, set.identityId)',
    ],
    [TEST.prekeys, 'the set of another identity'],
  ),
  mutant(
    'the signature of prekeys is not verified',
    [
      SOURCE.prekeys,
      'if (!primitives.ed25519Verify(',
      'if (own.length === 0 && !primitives.ed25519Verify(',
    ],
    [TEST.prekeys, 'a set that its owner did not sign'],
  ),
  mutant(
    'prekeys may go back',
    [SOURCE.prekeys, 'set.id < input.highestSeenId', 'set.id < 0'],
    [TEST.attacks, 'a prekey set that went back'],
  ),
  mutant(
    'the same prekeys are taken once only',
    [SOURCE.prekeys, 'set.id < input.highestSeenId', 'set.id <= input.highestSeenId'],
    [TEST.prekeys, 'a lower id than one seen'],
  ),
  mutant(
    'expired prekeys are taken',
    [SOURCE.prekeys, 'set.notAfter <= input.now', 'set.notAfter < 0'],
    [TEST.prekeys, 'past notAfter'],
  ),
  mutant(
    'prekeys with id 0 are taken',
    [SOURCE.prekeys, 'if (set.id === 0)', 'if (set.id < 0)'],
    [TEST.prekeys, 'ids begin at 1'],
  ),
  mutant(
    'the X25519 prekey is not validated',
    [SOURCE.prekeys, '  validateCurveKey(set.signedPrekey)\n', ''],
    [TEST.prekeys, 'keys that must not be used'],
  ),
  mutant(
    'the ML-KEM prekey is not validated',
    [SOURCE.prekeys, '  validateKemKey(set.kemPrekey)\n', ''],
    [TEST.prekeys, 'keys that must not be used'],
  ),

  // Key validation
  mutant(
    'the factor 65,537 is overlooked',
    [SOURCE.keys, '[...primesBelow(20_000), EXPONENT]', 'primesBelow(20_000)'],
    [TEST.vectors, 'weakkeys'],
  ),
  mutant(
    'small factors are looked for up to 10,000 only',
    [SOURCE.keys, 'primesBelow(20_000)', 'primesBelow(10_000)'],
    [TEST.keys, 'a small factor is invalid'],
  ),
  mutant(
    'an even modulus is taken',
    [SOURCE.keys, '[...primesBelow(20_000),', '[...primesBelow(20_000).slice(1),'],
    [TEST.keys, 'or an even one'],
  ),
  mutant(
    'close factors are overlooked',
    [SOURCE.keys, 'if (root * root === difference) return true', 'if (root < 0n) return true'],
    [TEST.vectors, 'weakkeys'],
  ),
  mutant(
    'the fingerprint of CVE-2017-15361 is overlooked',
    [SOURCE.keys, 'ROCA_PRIMES.every(', 'n < 0n && ROCA_PRIMES.every('],
    [TEST.vectors, 'weakkeys'],
  ),
  mutant(
    'judging a signing key in a Buffer changes it',
    [SOURCE.keys, 'const y = new Uint8Array(publicKey)', 'const y = publicKey.slice()'],
    [TEST.keys, 'in a Buffer'],
  ),
  mutant(
    'a prime modulus is taken',
    [SOURCE.keys, 'require(!isProbablePrime(modulus)', 'require(n !== 1n'],
    [TEST.vectors, 'weakkeys'],
  ),
  mutant(
    'node: a key that is remembered serves for any secret',
    [
      SOURCE.returning,
      'this.#kept.findIndex((each) => equalBytes(each.secret, secret))',
      'this.#kept.findIndex((each) => each.secret.length === secret.length)',
    ],
    [TEST.primitives, 'a secret agrees as its bytes say'],
  ),
  mutant(
    'node: a key stays that of its array, whatever is in there now',
    [SOURCE.node, 'if (known && holds(known, secret))', 'if (known)'],
    [TEST.primitives, 'a secret agrees as its bytes say'],
  ),
  mutant(
    'node: the key of one HMAC stays for the next, shorter one',
    [SOURCE.nodeHmac, '    INNER.fill(0, 0, end)\n', ''],
    [TEST.primitives, 'HMAC and HKDF with keys'],
  ),
  {
    name: 'node: an HMAC of what are no bytes leaves its key for the next one',
    edits: [
      {
        file: SOURCE.nodeHmac,
        find: 'key.length <= BLOCK_BYTES && end <= INNER.length',
        replace: '!(key.length > BLOCK_BYTES || end > INNER.length)',
      },
      { file: SOURCE.nodeHmac, find: 'isShort && isBytes', replace: 'isShort' },
    ],
    killedBy: [TEST.primitives, 'spoils no other one'],
  },
  mutant(
    'node: HMAC has the inner pad where the outer one belongs',
    [SOURCE.nodeHmac, '^ IPAD ^ OPAD', '^ 0'],
    [TEST.primitives, 'HMAC and HKDF with keys'],
  ),
  mutant(
    'node: a long text is padded in what is ready for short ones',
    [
      SOURCE.node,
      'length > SCRATCH.length ? new Uint8Array(length) : SCRATCH.subarray(0, length)',
      'SCRATCH.subarray(0, length)',
    ],
    [TEST.primitives, 'HMAC and AES-CBC of every length'],
  ),
  mutant(
    'the test for primes of node:crypto finds none',
    [SOURCE.node, 'checkPrimeSync(value, { checks: PRIME_ROUNDS })', 'false && value.length > 0'],
    [TEST.keys, 'a prime modulus is invalid under every provider'],
  ),
  mutant(
    'a modulus of 3071 bits is taken',
    [
      SOURCE.keys,
      'require(n >> BigInt(RSA_MODULUS_BITS - 1) === 1n',
      'require(n >> BigInt(RSA_MODULUS_BITS - 1) >= 0n',
    ],
    [TEST.keys, 'a modulus of 3071 bits'],
  ),
  mutant(
    'another exponent is taken',
    [SOURCE.keys, 'equalBytes(spki.subarray(modulusEnd), SPKI_SUFFIX)', 'spki.length > modulusEnd'],
    [TEST.keys, 'one key has one encoding'],
  ),
  mutant(
    'X25519 encodings that are not canonical are taken',
    [
      SOURCE.keys,
      "require(littleEndian(publicKey) < FIELD_PRIME, 'X25519",
      "require(littleEndian(publicKey) >= 0n, 'X25519",
    ],
    [TEST.attacks, 'an ephemeral key of small order, or spelled'],
  ),
  mutant(
    'X25519 points of small order are taken',
    [SOURCE.keys, '!X25519_SMALL_ORDER.has(toHex(publicKey))', 'publicKey.length > 0'],
    [TEST.keys, 'points of small order are invalid'],
  ),
  mutant(
    'Ed25519 points of small order are taken under the other sign',
    [
      SOURCE.keys,
      '!ED25519_SMALL_ORDER_Y.has(toHex(y))',
      '!ED25519_SMALL_ORDER_Y.has(toHex(publicKey))',
    ],
    [TEST.keys, 'all eight points of small order'],
  ),
  mutant(
    'an ML-KEM coefficient of 3329 is taken',
    [SOURCE.keys, 'const KEM_Q = 3329', 'const KEM_Q = 3330'],
    [TEST.keys, 'one of 3329 or 4095 is not'],
  ),
  mutant(
    'every second ML-KEM coefficient is overlooked',
    [SOURCE.keys, 'low < KEM_Q && high < KEM_Q', 'low < KEM_Q'],
    [TEST.keys, 'one of 3329 or 4095 is not'],
  ),

  // Providers
  mutant(
    'web: Ed25519 is verified with the cofactor',
    [SOURCE.web, 'valid && holdsWithoutCofactor(publicKey, message, signature)', 'valid'],
    [TEST.primitives, 'one verdict on a signature'],
  ),
  mutant(
    'node: OAEP ignores its label',
    [
      SOURCE.node,
      'privateDecrypt({ key, ...OAEP, oaepLabel: label }',
      'privateDecrypt({ key, ...OAEP }',
    ],
    [TEST.vectors, 'RSA-OAEP-3072'],
  ),
]
