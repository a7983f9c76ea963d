/**
 * Others' test vectors through our own wrappers: pure functions from primitives and a parsed file
 * to the number of cases that held. Reads no file and uses nothing of Node, so that the same suites
 * run in a browser; who calls them loads the data and hands it in.
 */

import { type Bytes, concatBytes, equalBytes, fromBase64Url, fromHex, toHex } from '@couplet/wire'
import { shake128 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import {
  type ExchangePrivateKey,
  type Primitives,
  ProtocolError,
  unwrapSessionSecret,
  validateCurveKey,
  validateExchangeKey,
  validateKemKey,
} from '../src/index.ts'

/** What is tested: one provider, and how it imports an RSA private key. */
export interface Subject {
  readonly primitives: Primitives
  importExchangeKey(pkcs8: Uint8Array): Promise<ExchangePrivateKey>
}

export interface KnownAnswers {
  /** Path below test/vectors. */
  readonly file: string
  /** What of it is checked, and how many cases that are: a run with fewer checked nothing. */
  readonly what: string
  readonly cases: number
  run(subject: Subject, data: VectorFile): Check | Promise<Check>
}

/** Vector files come from many hands; their fields are read as strings and checked by use. */
export interface VectorFile {
  readonly [field: string]: unknown
}

type Case = Readonly<Record<string, string>> & {
  readonly tcId?: number
  readonly flags?: readonly string[]
}
type Group = Readonly<Record<string, string | number>> & { readonly tests: readonly Case[] }

/** Counts what holds, and stops at the first case that does not. */
export class Check {
  cases = 0
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  holds(condition: boolean, name: unknown): void {
    if (!condition) throw new Error(`${this.#file}: case ${String(name)} does not hold`)
    this.cases += 1
  }
}

export const KNOWN_ANSWERS: readonly KnownAnswers[] = [
  {
    file: 'wycheproof/x25519_test.json',
    what: 'X25519: the value, or nothing when it is all zero; small-order keys are invalid',
    cases: 349,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const publicKey = hex(test.public)
        const shared = primitives.x25519(hex(test.private), publicKey)
        const zero = test.flags!.includes('ZeroSharedSecret')
        const right = zero ? shared === undefined : same(shared, test.shared)
        // What gives zero, or is spelled in a second way, must not get so far.
        const refused = zero || nonCanonical(publicKey)
        check.holds(right && accepts(validateCurveKey, publicKey) === !refused, test.tcId)
      }
      return check
    },
  },
  {
    file: 'acvp/XECDH-SSC-RFC7748.json',
    what: 'X25519: public keys and shared secrets of both ends',
    cases: 17,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const ours = hex(test.privateIut)
        const theirs = hex(test.privateServer)
        check.holds(
          same(primitives.x25519PublicKey(ours), test.publicIut) &&
            same(primitives.x25519PublicKey(theirs), test.publicServer) &&
            same(primitives.x25519(ours, hex(test.publicServer)), test.z) &&
            same(primitives.x25519(theirs, hex(test.publicIut)), test.z),
          test.tcId,
        )
      }
      return check
    },
  },
  {
    file: 'acvp/XECDH-keyVer-RFC7748.json',
    what: 'X25519 keys of a wrong length are invalid; so are, stricter than ACVP, those with the top bit set',
    cases: 12,
    run(_subject, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        check.holds(
          accepts(validateCurveKey, hex(test.publicKey)) === (test.reason === 'none'),
          test.tcId,
        )
      }
      return check
    },
  },
  {
    file: 'rfc/rfc7748_x25519.json',
    what: 'X25519: single values and 1,000 iterations',
    cases: 4,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const test of data.tests as Case[]) {
        check.holds(same(primitives.x25519(hex(test.scalar), hex(test.u)), test.out), test.u)
      }
      let k: Bytes = fromHex(`09${'00'.repeat(31)}`)
      let u: Bytes = k
      for (let i = 1; i <= 1000; i++) {
        const next = primitives.x25519(k, u)!
        u = k
        k = next
        for (const test of data.iterated as { iterations: number; k: string }[]) {
          if (test.iterations === i) check.holds(same(k, test.k), `iteration ${i}`)
        }
      }
      return check
    },
  },
  {
    file: 'rfc/rfc8032_ed25519.json',
    what: 'Ed25519: public keys, signatures, and that no bit of a signature or message may differ',
    cases: 2 * (2 + 64 * 8) + 1,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const test of data.tests as Case[]) {
        const seed = hex(test.seed)
        const publicKey = hex(test.publicKey)
        const message = hex(test.message)
        const signature = hex(test.signature)
        check.holds(same(primitives.ed25519PublicKey(seed), test.publicKey), 'public key')
        check.holds(
          same(primitives.ed25519Sign(seed, message), test.signature) &&
            primitives.ed25519Verify(publicKey, message, signature) &&
            !primitives.ed25519Verify(publicKey, concatBytes(message, message, NIL), signature) &&
            !primitives.ed25519Verify(publicKey, message, signature.subarray(1)),
          'signature',
        )
        for (let bit = 0; bit < 512; bit++) {
          const other = flipped(signature, bit)
          check.holds(!primitives.ed25519Verify(publicKey, message, other), `bit ${bit}`)
        }
      }
      // S + L is the same scalar in a second spelling (RFC 8032, 5.1.7: S < L).
      const [first] = data.tests as Case[]
      const malleable = hex(first!.signature)
      addLittleEndian(malleable.subarray(32), hex(ED25519_ORDER))
      check.holds(
        !primitives.ed25519Verify(hex(first!.publicKey), new Uint8Array(), malleable),
        'S + L',
      )
      return check
    },
  },
  {
    file: 'wycheproof/hkdf_sha256_test.json',
    what: 'HKDF-SHA-256, and sizes past 255 blocks refused',
    cases: 63,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const derive = () =>
          primitives.hkdfSha256({
            ikm: hex(test.ikm),
            salt: hex(test.salt),
            info: hex(test.info),
            length: Number(test.size),
          })
        check.holds(test.result === 'valid' ? same(derive(), test.okm) : throws(derive), test.tcId)
      }
      return check
    },
  },
  {
    file: 'rfc/rfc5869_hkdf_sha256.json',
    what: 'HKDF-SHA-256, and its extract step as HMAC',
    cases: 3,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const test of data.tests as Case[]) {
        const [ikm, salt] = [hex(test.ikm), hex(test.salt)]
        const okm = primitives.hkdfSha256({
          ikm,
          salt,
          info: hex(test.info),
          length: Number(test.L),
        })
        const prk = primitives.hmacSha256(salt.length > 0 ? salt : new Uint8Array(32), ikm)
        check.holds(same(okm, test.okm) && same(prk, test.prk), test.case)
      }
      return check
    },
  },
  {
    file: 'wycheproof/hmac_sha256_test.json',
    what: 'HMAC-SHA-256: whole tags verify, modified and truncated ones never',
    cases: 116,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test, group } of cases(data)) {
        const [key, message, tag] = [hex(test.key), hex(test.msg), hex(test.tag)]
        const mac = primitives.hmacSha256(key, message)
        const inParts = primitives.hmacSha256(key, message.subarray(0, 3), message.subarray(3))
        const valid = test.result === 'valid' && group.tagSize === 256
        check.holds(equalBytes(mac, tag) === valid && equalBytes(inParts, mac), test.tcId)
      }
      return check
    },
  },
  {
    file: 'acvp/HMAC-SHA2-256-2.0.json',
    what: 'HMAC-SHA-256 with keys and messages of many lengths; the printed tags are prefixes of ours',
    cases: 100,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const mac = primitives.hmacSha256(hex(test.key), hex(test.msg))
        const printed = hex(test.mac)
        check.holds(
          mac.length === 32 && printed.length >= 4 && toHex(mac).startsWith(toHex(printed)),
          test.tcId,
        )
      }
      return check
    },
  },
  {
    file: 'rfc/rfc4231_hmac_sha256.json',
    what: 'HMAC-SHA-256',
    cases: 7,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const test of data.tests as Case[]) {
        const mac = primitives.hmacSha256(hex(test.key), hex(test.data))
        check.holds(toHex(mac).startsWith(test.tag!) && mac.length === 32, test.case)
      }
      return check
    },
  },
  {
    file: 'wycheproof/aes_cbc_pkcs5_test.json',
    what: 'AES-256-CBC with PKCS#7: values both ways, and every wrong padding alike',
    cases: 49,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test, group } of cases(data)) {
        if (group.keySize !== 256) continue
        const [key, iv] = [hex(test.key), hex(test.iv)]
        const plaintext = primitives.aesCbcDecrypt(key, iv, hex(test.ct))
        check.holds(
          test.result === 'valid'
            ? same(plaintext, test.msg) &&
                same(primitives.aesCbcEncrypt(key, iv, hex(test.msg)), test.ct)
            : plaintext === undefined,
          test.tcId,
        )
      }
      return check
    },
  },
  {
    file: 'acvp/ACVP-AES-CBC-1.0.json',
    what: 'AES-256-CBC both ways, the padding block of ours added',
    cases: 48,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test, group } of cases(data)) {
        const [key, iv] = [hex(test.key), hex(test.iv)]
        const [plaintext, ciphertext] = [hex(test.pt), hex(test.ct)]
        if (group.direction === 'encrypt') {
          const ours = primitives.aesCbcEncrypt(key, iv, plaintext)
          check.holds(
            ours.length === ciphertext.length + 16 &&
              equalBytes(ours.subarray(0, ciphertext.length), ciphertext),
            test.tcId,
          )
        } else {
          const padding = primitives.aesCbcEncrypt(key, ciphertext.subarray(-16), NOTHING)
          const ours = primitives.aesCbcDecrypt(key, iv, concatBytes(ciphertext, padding))
          check.holds(same(ours, test.pt), test.tcId)
        }
      }
      return check
    },
  },
  {
    file: 'wycheproof/mlkem_768_test.json',
    what: 'ML-KEM-768 from seeds: keys, decapsulation, implicit rejection, wrong lengths refused',
    cases: 130,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const [seed, ciphertext] = [hex(test.seed), hex(test.c)]
        check.holds(
          test.result === 'valid'
            ? same(primitives.kemPublicKey(seed), test.ek) &&
                same(primitives.kemDecapsulate(seed, ciphertext), test.K)
            : throws(() => primitives.kemDecapsulate(seed, ciphertext)),
          test.tcId,
        )
      }
      return check
    },
  },
  {
    file: 'wycheproof/mlkem_768_keygen_seed_test.json',
    what: 'ML-KEM-768: the encapsulation key of a seed',
    cases: 67,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const key = primitives.kemPublicKey(hex(test.seed))
        check.holds(same(key, test.ek) && accepts(validateKemKey, key), test.tcId)
      }
      return check
    },
  },
  {
    file: 'wycheproof/mlkem_768_encaps_test.json',
    what: 'ML-KEM-768: unreduced and wrong-sized encapsulation keys are invalid, the others usable',
    cases: 177,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const key = hex(test.ek)
        const valid = test.result === 'valid'
        check.holds(accepts(validateKemKey, key) === valid, test.tcId)
        if (valid && test.tcId! % 10 === 0) encapsulates(primitives, key)
      }
      return check
    },
  },
  {
    file: 'acvp/ML-KEM-keyGen-FIPS203.json',
    what: 'ML-KEM-768: the encapsulation key of d ‖ z',
    cases: 17,
    run({ primitives }, data) {
      const check = new Check(this.file)
      for (const { test } of cases(data)) {
        const seed = concatBytes(hex(test.d), hex(test.z))
        check.holds(same(primitives.kemPublicKey(seed), test.ek), test.tcId)
      }
      return check
    },
  },
  {
    file: 'acvp/ML-KEM-encapDecap-FIPS203.json',
    what: 'ML-KEM-768: verdicts on encapsulation keys; keys of valid encapsulations are accepted',
    cases: 17 + 8,
    run: ({ primitives }, data) => kemVerdicts(primitives, data, new Check('encapDecap')),
  },
  {
    file: 'acvp/ML-KEM-encapDecap-FIPS203-tr1.json',
    what: 'ML-KEM-768: verdicts on encapsulation keys; decapsulation from d ‖ z, both formats',
    cases: 17 + 8 + 16,
    run: ({ primitives }, data) => kemVerdicts(primitives, data, new Check('encapDecap-tr1')),
  },
  {
    file: 'cctv/mlkem768_modulus.json',
    what: 'ML-KEM-768: each coefficient, one past the modulus, is invalid',
    cases: 200,
    run(_subject, data) {
      const check = new Check(this.file)
      const base = hex(data.base as string)
      for (const { line, patch } of data.keys as { line: number; patch: [number, string][] }[]) {
        const key = base.slice()
        for (const [offset, value] of patch) key[offset] = Number.parseInt(value, 16)
        check.holds(!accepts(validateKemKey, key), `line ${line}`)
      }
      return check
    },
  },
  {
    file: 'cctv/mlkem768_accumulated.json',
    what: 'ML-KEM-768: 100 rounds of keys, decapsulation and implicit rejection, hashed together',
    cases: 1,
    run({ primitives }, data) {
      const check = new Check(this.file)
      const [first] = data.tests as { rounds: number; hash: string }[]
      const random = shake128.create({})
      const seen = shake128.create({})
      for (let round = 0; round < first!.rounds; round++) {
        const seed = random.xof(64)
        const ek = primitives.kemPublicKey(seed)
        // Coins are given here, and our wrapper draws its own: the ciphertext is the reference's.
        const { cipherText } = ml_kem768.encapsulate(ek, random.xof(32))
        const accepted = primitives.kemDecapsulate(seed, cipherText)
        const rejected = primitives.kemDecapsulate(seed, random.xof(1088))
        seen.update(ek).update(cipherText).update(accepted).update(rejected)
      }
      check.holds(same(seen.xof(32), first!.hash), `${first!.rounds} rounds`)
      return check
    },
  },
  {
    file: 'wycheproof/rsa_oaep_3072_sha256_mgf1sha256_test.json',
    what: 'RSA-OAEP-3072: the plaintext, or the same nothing for every failure; other lengths never reach RSA',
    cases: 28,
    run: oaep,
  },
  {
    file: 'wycheproof/rsa_oaep_misc_test.json',
    what: 'RSA-OAEP: only MGF1-SHA-256 opens under our parameters',
    cases: 40,
    async run(subject, data) {
      const check = new Check(this.file)
      for (const { test, group } of cases(data)) {
        const key = await subject.importExchangeKey(hex(String(group.privateKeyPkcs8)))
        const plaintext = await subject.primitives.rsaOaepDecrypt(
          key,
          hex(test.ct),
          hex(test.label),
        )
        check.holds(
          group.mgfSha === 'SHA-256' ? same(plaintext, test.msg) : plaintext === undefined,
          test.tcId,
        )
      }
      return check
    },
  },
  ...[2048, 4096].map(
    (bits): KnownAnswers => ({
      file: `wycheproof/rsa_oaep_${bits}_sha256_mgf1sha256_test.json`,
      what: `RSA of ${bits} bits is no exchange key`,
      cases: 1,
      run(_subject, data) {
        const check = new Check(this.file)
        check.holds(!accepts(validateExchangeKey, spkiOf(groups(data)[0]!)), bits)
        return check
      },
    }),
  ),
  {
    file: 'weakkeys/rsa3072_public_keys.json',
    what: 'RSA: exactly 3072 bits, e = 65537, one encoding, and no weakness that is known',
    cases: 28,
    run(_subject, data) {
      const check = new Check(this.file)
      for (const test of data.tests as (Case & { accept: boolean | null })[]) {
        if (test.accept === null || test.spki === undefined) continue
        check.holds(accepts(validateExchangeKey, fromBase64(test.spki)) === test.accept, test.kind)
      }
      return check
    },
  },
]

async function oaep(this: KnownAnswers, subject: Subject, data: VectorFile): Promise<Check> {
  const check = new Check(this.file)
  const { primitives } = subject
  const group = groups(data)[0]!
  const exchangeKey = await subject.importExchangeKey(hex(String(group.privateKeyPkcs8)))
  for (const test of group.tests) {
    const ciphertext = hex(test.ct)
    if (ciphertext.length === 384) {
      const plaintext = await primitives.rsaOaepDecrypt(exchangeKey, ciphertext, hex(test.label))
      check.holds(
        test.result === 'valid' ? same(plaintext, test.msg) : plaintext === undefined,
        test.tcId,
      )
    } else {
      // node:crypto and WebCrypto open 383 bytes: the length is ours to check, before them.
      const fallback = new Uint8Array(32).fill(7)
      const secret = await unwrapSessionSecret(
        primitives,
        { exchangeKey } as Parameters<typeof unwrapSessionSecret>[1],
        { wrappedSecret: ciphertext } as unknown as Parameters<typeof unwrapSessionSecret>[2],
        fallback,
      )
      check.holds(secret === fallback, test.tcId)
    }
  }
  const spki = spkiOf(group)
  const secret = new Uint8Array(32).fill(9)
  const label = Uint8Array.of(1)
  const wrapped = await primitives.rsaOaepEncrypt(spki, secret, label)
  check.holds(
    accepts(validateExchangeKey, spki) &&
      wrapped.length === 384 &&
      same(await primitives.rsaOaepDecrypt(exchangeKey, wrapped, label), toHex(secret)) &&
      (await primitives.rsaOaepDecrypt(exchangeKey, wrapped, NOTHING)) === undefined,
    'round trip',
  )
  return check
}

function kemVerdicts(primitives: Primitives, data: VectorFile, check: Check): Check {
  for (const { test, group } of cases(data)) {
    const key = hex(test.ek)
    if (group.function === 'encapsulationKeyCheck') {
      const expected = (test as { testPassed?: unknown }).testPassed === true
      check.holds(accepts(validateKemKey, key) === expected, test.tcId)
    } else if (group.function === 'encapsulation') {
      check.holds(accepts(validateKemKey, key) && encapsulates(primitives, key), test.tcId)
    } else if (group.function === 'decapsulation' && test.d !== undefined) {
      const seed = concatBytes(hex(test.d), hex(test.z))
      check.holds(
        same(primitives.kemPublicKey(seed), test.ek) &&
          same(primitives.kemDecapsulate(seed, hex(test.c)), test.k),
        test.tcId,
      )
    }
  }
  return check
}

function encapsulates(primitives: Primitives, key: Uint8Array): boolean {
  const { ciphertext, sharedSecret } = primitives.kemEncapsulate(key)
  return ciphertext.length === 1088 && sharedSecret.length === 32
}

function groups(data: VectorFile): readonly Group[] {
  return data.testGroups as readonly Group[]
}

function* cases(data: VectorFile): Generator<{ test: Case; group: Group }> {
  for (const group of groups(data)) for (const test of group.tests) yield { test, group }
}

function hex(text: string | undefined): Bytes {
  if (text === undefined) throw new Error('a field is missing')
  return fromHex(text)
}

function same(bytes: Uint8Array | undefined, expected: string | undefined): boolean {
  return bytes !== undefined && toHex(bytes) === expected?.toLowerCase()
}

/** Whether a validator takes a key; any other answer than yes and `invalid-key` is an error. */
function accepts(validate: (key: Uint8Array) => void, key: Uint8Array): boolean {
  try {
    validate(key)
    return true
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'invalid-key') return false
    throw error
  }
}

function throws(action: () => unknown): boolean {
  try {
    action()
    return false
  } catch {
    return true
  }
}

function nonCanonical(key: Uint8Array): boolean {
  return BigInt(`0x${toHex(key.toReversed())}`) >= 2n ** 255n - 19n
}

function flipped(bytes: Uint8Array, bit: number): Bytes {
  const other = bytes.slice()
  other[bit >> 3]! ^= 1 << (bit & 7)
  return other
}

function addLittleEndian(to: Uint8Array, amount: Uint8Array): void {
  let carry = 0
  for (let i = 0; i < to.length; i++) {
    carry += to[i]! + amount[i]!
    to[i] = carry & 0xff
    carry >>= 8
  }
}

/** SubjectPublicKeyInfo of a Wycheproof group's RSA key, whatever its size. */
function spkiOf(group: Group): Bytes {
  const { modulus, publicExponent } = group.privateKey as unknown as Record<string, string>
  const key = der(0x30, der(0x02, hex(modulus)), der(0x02, hex(publicExponent)))
  const algorithm = fromHex('300d06092a864886f70d0101010500')
  return der(0x30, algorithm, der(0x03, Uint8Array.of(0), key))
}

function der(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concatBytes(...parts)
  const { length } = content
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 0xff]
  return concatBytes(Uint8Array.of(tag, ...size), content)
}

function fromBase64(text: string): Bytes {
  return fromBase64Url(text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))
}

const NOTHING = new Uint8Array()
const NIL = Uint8Array.of(0)
/** L, little-endian. */
const ED25519_ORDER = 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010'
