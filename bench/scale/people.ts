/**
 * Many registered people without many keys: every record is distinct and properly signed, but the
 * key pairs come from a pool. Deterministic in number, so that drivers need no list.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import {
  encodeIdentityRecord,
  encodePrekeySet,
  identityIdPreimage,
  identitySignedBytes,
  joinSigned,
  type PhoneNumber,
  prekeysSignedBytes,
} from '@couplet/wire'

const POOL = 64
const DAY_MS = 24 * 60 * 60 * 1000

export interface Pool {
  readonly keys: readonly KeyObject[]
  readonly publicKeys: readonly Uint8Array[]
  /** Stands in for the RSA key: the server looks at signatures only. */
  readonly exchangeKey: Uint8Array
}

/** As text, to be handed to other processes. */
export function makePool(): string {
  const keys = Array.from({ length: POOL }, () =>
    generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  )
  return JSON.stringify({ keys, exchangeKey: randomBytes(422).toString('hex') })
}

export async function readPool(text: string): Promise<Pool> {
  const { createPrivateKey } = await import('node:crypto')
  const { keys, exchangeKey } = JSON.parse(text) as {
    keys: { x: string }[]
    exchangeKey: string
  }
  return {
    keys: keys.map((key) => createPrivateKey({ key, format: 'jwk' })),
    publicKeys: keys.map((key) => Uint8Array.from(Buffer.from(key.x, 'base64url'))),
    exchangeKey: Uint8Array.from(Buffer.from(exchangeKey, 'hex')),
  }
}

export interface BenchPerson {
  readonly phone: PhoneNumber
  readonly identityId: Uint8Array
  readonly key: KeyObject
  /** What was signed, and by whom. */
  readonly identity: () => Uint8Array
  readonly prekeys: () => Uint8Array
}

/** Person number `index`. */
export function person({ keys, publicKeys, exchangeKey }: Pool, index: number): BenchPerson {
  const phone = `+1${String(2_000_000_000 + index)}` as PhoneNumber
  const key = keys[index % POOL]!
  const signingKey = publicKeys[index % POOL]!
  const identityKey = createHash('sha256').update(phone).digest()
  const encoded = encodeIdentityRecord({
    phone,
    exchangeKey,
    signingKey,
    identityKey,
    createdAt: index,
  })
  const identityId = Uint8Array.from(
    createHash('sha256').update(identityIdPreimage(encoded)).digest(),
  )
  const signed = (message: Uint8Array): Uint8Array => sign(null, message, key)
  return {
    phone,
    identityId,
    key,
    identity: () => joinSigned({ encoded, signature: signed(identitySignedBytes(encoded)) }),
    prekeys: () => {
      const prekeys = encodePrekeySet({
        identityId,
        id: 1,
        signedPrekey: identityKey,
        kemPrekey: randomBytes(1184),
        notAfter: Date.now() + 30 * DAY_MS,
      })
      return joinSigned({ encoded: prekeys, signature: signed(prekeysSignedBytes(prekeys)) })
    },
  }
}
