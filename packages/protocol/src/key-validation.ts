/**
 * Which public keys may be used. (spec/identity.md, "Key validation")
 *
 * OpenSSL and WebCrypto import RSA keys with even, smooth or wrong-sized moduli and take
 * non-canonical curve points, so the checks are ours. They run when a key is imported, once for
 * each contact, never per message. All inputs are public: nothing here needs constant time.
 */
import {
  CURVE_KEY_BYTES,
  equalBytes,
  fromHex,
  KEM_PUBLIC_KEY_BYTES,
  RSA_SPKI_BYTES,
  toHex,
} from '@couplet/wire'
import { RSA_MODULUS_BITS } from './constants.ts'
import { ProtocolError } from './errors.ts'

/**
 * RSA for OAEP: SubjectPublicKeyInfo in its one DER form, modulus of exactly 3072 bits, e = 65537,
 * and none of the known ways in which a modulus is weak.
 *
 * @param isProbablePrime - of a provider that has a fast one; the one of this module takes longer
 *   than everything else in the beginning of a session. The modulus comes as 384 bytes.
 * @throws {ProtocolError} `invalid-key`.
 */
export function validateExchangeKey(
  spki: Uint8Array,
  isProbablePrime: (modulus: Uint8Array) => boolean = isFermatPrime,
): void {
  require(spki.length === RSA_SPKI_BYTES, 'RSA key is not 3072 bits with e = 65537')
  const modulusEnd = spki.length - SPKI_SUFFIX.length
  require(equalBytes(spki.subarray(0, SPKI_PREFIX.length), SPKI_PREFIX) &&
    equalBytes(spki.subarray(modulusEnd), SPKI_SUFFIX), 'RSA key is not 3072 bits with e = 65537')
  const modulus = spki.subarray(SPKI_PREFIX.length, modulusEnd)
  const n = BigInt(`0x${toHex(modulus)}`)
  require(n >> BigInt(RSA_MODULUS_BITS - 1) === 1n, 'RSA modulus is not 3072 bits')
  require(!hasSmallFactor(n), 'RSA modulus has a small factor')
  require(!hasRocaFingerprint(n), 'RSA modulus looks like one of a broken generator')
  require(!hasCloseFactors(n), 'RSA modulus has factors close to each other')
  require(!isProbablePrime(modulus), 'RSA modulus is prime')
}

/**
 * X25519: canonical (below p, top bit clear) and not of small order.
 *
 * @throws {ProtocolError} `invalid-key`.
 */
export function validateCurveKey(publicKey: Uint8Array): void {
  require(publicKey.length === CURVE_KEY_BYTES, 'X25519 key is not 32 bytes')
  require(littleEndian(publicKey) < FIELD_PRIME, 'X25519 key is not canonical')
  require(!X25519_SMALL_ORDER.has(toHex(publicKey)), 'X25519 key is of small order')
}

/**
 * Ed25519: y canonical and the point not of small order. That it lies on the curve shows in the
 * signature that every imported key must have made.
 *
 * @throws {ProtocolError} `invalid-key`.
 */
export function validateSigningKey(publicKey: Uint8Array): void {
  require(publicKey.length === CURVE_KEY_BYTES, 'Ed25519 key is not 32 bytes')
  // Not `slice()`, which copies nothing when it is given a Buffer.
  const y = new Uint8Array(publicKey)
  y[31]! &= 0x7f
  require(littleEndian(y) < FIELD_PRIME, 'Ed25519 key is not canonical')
  require(!ED25519_SMALL_ORDER_Y.has(toHex(y)), 'Ed25519 key is of small order')
}

/**
 * ML-KEM-768: every coefficient below q = 3329 (FIPS 203, 7.2, modulus check).
 *
 * @throws {ProtocolError} `invalid-key`.
 */
export function validateKemKey(publicKey: Uint8Array): void {
  require(publicKey.length === KEM_PUBLIC_KEY_BYTES, 'ML-KEM-768 key is not 1184 bytes')
  for (let i = 0; i < KEM_PUBLIC_KEY_BYTES - 32; i += 3) {
    const low = publicKey[i]! | ((publicKey[i + 1]! & 0x0f) << 8)
    const high = (publicKey[i + 1]! >> 4) | (publicKey[i + 2]! << 4)
    require(low < KEM_Q && high < KEM_Q, 'ML-KEM-768 key is not reduced')
  }
}

function require(condition: boolean, otherwise: string): void {
  if (!condition) throw new ProtocolError('invalid-key', otherwise)
}

/** One long division for each few primes, whose product is still an exact number. */
function hasSmallFactor(n: bigint): boolean {
  smallPrimes ??= grouped([...primesBelow(20_000), EXPONENT])
  return smallPrimes.some(({ product, primes }) => {
    const rest = Number(n % product)
    return primes.some((prime) => rest % prime === 0)
  })
}

/**
 * The keys of CVE-2017-15361: n is a power of 65537 modulo each of these primes, which a random
 * modulus is with probability below 2^-27.
 */
function hasRocaFingerprint(n: bigint): boolean {
  return ROCA_PRIMES.every((prime) => powersOf65537(prime).has(n % BigInt(prime)))
}

function powersOf65537(prime: number): ReadonlySet<bigint> {
  const powers = new Set<bigint>()
  const modulus = BigInt(prime)
  for (let power = 1n; !powers.has(power); power = (power * 65537n) % modulus) powers.add(power)
  return powers
}

/** Fermat's method: a few steps find p and q when they are close, and never otherwise. */
function hasCloseFactors(n: bigint): boolean {
  let a = squareRoot(n)
  if (a * a < n) a += 1n
  for (let step = 0; step < FERMAT_STEPS; step++, a += 1n) {
    const difference = a * a - n
    // Squares are 0, 1, 4 or 9 modulo 16: spares three square roots of four.
    if (!SQUARES_MOD_16.has(difference & 15n)) continue
    const root = squareRoot(difference)
    if (root * root === difference) return true
  }
  return false
}

function squareRoot(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt((value.toString(16).length * 4) / 2 + 1)
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

/** Fermat's test with base 2. */
function isFermatPrime(modulus: Uint8Array): boolean {
  const n = BigInt(`0x${toHex(modulus)}`)
  return modularPower(2n, n - 1n, n) === 1n
}

function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === '1') result = (result * base) % modulus
  }
  return result
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`)
}

function primesBelow(limit: number): number[] {
  const composite = new Uint8Array(limit)
  const primes: number[] = []
  for (let i = 2; i < limit; i++) {
    if (composite[i]) continue
    primes.push(i)
    for (let j = i * i; j < limit; j += i) composite[j] = 1
  }
  return primes
}

function grouped(primes: readonly number[]): { product: bigint; primes: readonly number[] }[] {
  const groups: { product: number; primes: number[] }[] = [{ product: 1, primes: [] }]
  for (const prime of primes) {
    if (groups.at(-1)!.product * prime > Number.MAX_SAFE_INTEGER) {
      groups.push({ product: 1, primes: [] })
    }
    const group = groups.at(-1)!
    group.product *= prime
    group.primes.push(prime)
  }
  return groups.map((group) => ({ ...group, product: BigInt(group.product) }))
}

/** DER before the modulus: rsaEncryption, NULL, and lengths for 3072 bits and e = 65537. */
const SPKI_PREFIX = fromHex('308201a2300d06092a864886f70d01010105000382018f003082018a0282018100')
const SPKI_SUFFIX = fromHex('0203010001')
/** Made when first needed: most programs judge no key. */
let smallPrimes: ReturnType<typeof grouped> | undefined
/** e, among the small primes, too: a prime of the modulus that equals it has no inverse to decrypt with. */
const EXPONENT = 65537
const ROCA_PRIMES = primesBelow(168).slice(1)
const FERMAT_STEPS = 100
const SQUARES_MOD_16: ReadonlySet<bigint> = new Set([0n, 1n, 4n, 9n])
const FIELD_PRIME = 2n ** 255n - 19n
const KEM_Q = 3329
const X25519_SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])
const ED25519_SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])
