/** Who appears in the vectors: three people with seeded keys, and their recorded RSA pairs. */
import { createHash, createPrivateKey, generateKeyPairSync, generatePrimeSync } from 'node:crypto'
import {
  ed25519Public,
  fromHex,
  hex,
  makePerson,
  makePrekeys,
  type Person,
  type Prekeys,
  u32,
  x25519Public,
} from './spec-vectors.reference.ts'

/** What no seed reproduces, as it was drawn once: kept in spec/vectors/rsa.json. */
export interface RecordedRsa {
  /** PKCS#8, in hex. */
  readonly ana: string
  readonly ben: string
  readonly mallory: string
  /** Prime factors of a modulus, close to each other. In hex. */
  readonly closePrimes: readonly [string, string]
  /** A prime of 3072 bits. */
  readonly prime: string
  /** SubjectPublicKeyInfo of 2048 bits. */
  readonly short: string
}

export interface Cast {
  readonly ana: Person
  readonly ben: Person
  readonly mallory: Person
  /** Prekey sets by name. `ben/2` follows `ben/1`. */
  readonly prekeys: Readonly<Record<'ana/1' | 'ben/1' | 'ben/2' | 'mallory/1', Prekeys>>
}

/** 2026-01-01T00:00:00Z */
export const NOW = 1_767_225_600_000
export const DAY = 86_400_000

/** Bytes of a name: SHA-256 in counter mode. Readers of the vectors find them written out. */
export function seeded(name: string, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let i = 0; i * 32 < length; i++) {
    blocks.push(createHash('sha256').update(`couplet vectors: ${name}`).update(u32(i)).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}

export function recordRsa(): RecordedRsa {
  const p = generatePrimeSync(1536, { bigint: true })
  const short = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  return {
    ana: freshPair(),
    ben: freshPair(),
    mallory: freshPair(),
    closePrimes: [p.toString(16), nextPrime(p).toString(16)],
    prime: generatePrimeSync(3072, { bigint: true }).toString(16),
    short: hex(short.export({ format: 'der', type: 'spki' })),
  }
}

function freshPair(): string {
  const pair = generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 65537 })
  return hex(pair.privateKey.export({ format: 'der', type: 'pkcs8' }))
}

function nextPrime(p: bigint): bigint {
  for (let candidate = p + 2n; ; candidate += 2n) {
    if (isProbablyPrime(candidate)) return candidate
  }
}

/** Fermat's test: enough here, since nothing depends on the number being prime. */
function isProbablyPrime(n: bigint): boolean {
  let power = 1n
  for (const bit of (n - 1n).toString(2)) {
    power = (power * power) % n
    if (bit === '1') power = (power * 2n) % n
  }
  return power === 1n
}

export function makeCast(rsa: RecordedRsa): Cast {
  const make = (name: 'ana' | 'ben' | 'mallory', phone: string) =>
    makePerson({
      name,
      phone,
      createdAt: NOW,
      exchangeKey: createPrivateKey({ key: fromHex(rsa[name]), format: 'der', type: 'pkcs8' }),
      signingSeed: seeded(`${name}/signing seed`, 32),
      identitySecret: seeded(`${name}/identity secret`, 32),
    })
  const ana = make('ana', '12025550101')
  const ben = make('ben', '12025550102')
  const mallory = make('mallory', '12025550103')
  return {
    ana,
    ben,
    mallory,
    prekeys: {
      'ana/1': prekeysOf(ana, 1),
      'ben/1': prekeysOf(ben, 1),
      'ben/2': prekeysOf(ben, 2),
      'mallory/1': prekeysOf(mallory, 1),
    },
  }
}

const prekeysOf = (owner: Person, id: number) =>
  makePrekeys(owner, {
    name: `${owner.name}/${id}`,
    id,
    secret: seeded(`${owner.name}/prekey ${id}`, 32),
    kemSeed: seeded(`${owner.name}/kem prekey ${id}`, 64),
    notAfter: NOW + (29 + id) * DAY,
  })

export const personFields = (person: Person) => ({
  name: person.name,
  phone: person.phone,
  createdAt: person.createdAt,
  exchangePrivateKey: person.exchangeKey.export({ format: 'der', type: 'pkcs8' }),
  exchangePublicKey: person.exchangePublicKey,
  signingSeed: person.signingSeed,
  signingKey: ed25519Public(person.signingSeed),
  identitySecret: person.identitySecret,
  identityKey: x25519Public(person.identitySecret),
  record: person.record,
  signature: person.signature,
  signed: person.signed,
  identityId: person.id,
})
