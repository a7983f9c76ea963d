/**
 * A browser as a platform: noble and WebCrypto, and an exchange key that only the store can read.
 *
 * The RSA key that is used is a `CryptoKey` that cannot be extracted. Its other form, PKCS#8 sealed
 * in the store like every record, is there so that an identity can move to another device.
 */
import type { ExchangeKeyPair, ExchangePrivateKey } from '@couplet/protocol'
import { importExchangeKey, webPrimitives } from '@couplet/protocol/web'
import type { Bytes } from '@couplet/wire'
import type { Platform } from '../platform.ts'
import { systemClock, systemRandom } from './system.ts'

/** Of keys made here, until they are stored. */
const exported = new WeakMap<ExchangePrivateKey, Bytes>()

export const webPlatform: Platform = {
  primitives: { ...webPrimitives, generateExchangeKey },
  random: systemRandom,
  clock: systemClock,
  exportExchangeKey(key) {
    const pkcs8 = exported.get(key)
    if (!pkcs8) throw new TypeError('this key was not made here, or was stored already')
    exported.delete(key)
    return pkcs8
  },
  importExchangeKey,
}

async function generateExchangeKey(): Promise<ExchangeKeyPair> {
  const { subtle } = crypto
  const pair = await subtle.generateKey(PARAMETERS, true, ['encrypt', 'decrypt'])
  const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey))
  const privateKey = await importExchangeKey(pkcs8)
  exported.set(privateKey, pkcs8)
  return {
    publicKey: new Uint8Array(await subtle.exportKey('spki', pair.publicKey)),
    privateKey,
  }
}

const PARAMETERS: RsaHashedKeyGenParams = {
  name: 'RSA-OAEP',
  hash: 'SHA-256',
  modulusLength: 3072,
  publicExponent: Uint8Array.of(1, 0, 1),
}
