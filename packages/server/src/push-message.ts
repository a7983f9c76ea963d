/**
 * One push message as it leaves: encrypted for the browser (RFC 8291 over RFC 8188, `aes128gcm`),
 * signed for the push service (VAPID, RFC 8292).
 */
import { createCipheriv, createECDH, hkdfSync, randomBytes, sign } from 'node:crypto'
import type { PushKeys } from './push-keys.ts'

/** What a browser gives to be pushed to. */
export interface Subscription {
  /** Where the push service takes messages for it. */
  readonly endpoint: string
  /** Point on P-256, 65 bytes. */
  readonly p256dh: Uint8Array
  /** 16 bytes. */
  readonly auth: Uint8Array
}

/** Drawn anew for every message; given only by tests. */
export interface PushEntropy {
  /** Private key on P-256, 32 bytes. */
  readonly ephemeralKey: Uint8Array
  /** 16 bytes. */
  readonly salt: Uint8Array
}

/**
 * The body: header and one record.
 *
 * @throws when the subscription's point is not on the curve.
 */
export function encryptPush(
  { p256dh, auth }: Pick<Subscription, 'p256dh' | 'auth'>,
  plaintext: Uint8Array,
  entropy?: PushEntropy,
): Uint8Array {
  const ephemeral = createECDH('prime256v1')
  if (entropy) ephemeral.setPrivateKey(entropy.ephemeralKey)
  else ephemeral.generateKeys()
  const salt = entropy?.salt ?? randomBytes(16)
  const own = ephemeral.getPublicKey()
  const secret = ephemeral.computeSecret(p256dh)
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, own])
  const ikm = derive(auth, secret, keyInfo, 32)
  const key = derive(salt, ikm, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(salt, ikm, Buffer.from('Content-Encoding: nonce\0'), 12)
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  const record = [cipher.update(plaintext), cipher.update(LAST_RECORD), cipher.final()]
  const recordSize = Buffer.alloc(4)
  recordSize.writeUInt32BE(RECORD_BYTES)
  const header = [salt, recordSize, Buffer.of(own.length), own]
  return Buffer.concat([...header, ...record, cipher.getAuthTag()])
}

/** `Authorization` for one endpoint: a token for its origin, good for twelve hours. */
export function pushAuthorization(
  keys: PushKeys,
  endpoint: URL,
  options: {
    /** `https:` or `mailto:`, where the operator of the push service finds ours. */
    readonly subject: string
    /** Milliseconds since 1970. */
    readonly now: number
  },
): string {
  const expires = Math.floor(options.now / 1000) + TOKEN_SECONDS
  const claims = { aud: endpoint.origin, exp: expires, sub: options.subject }
  const signed = `${segment({ typ: 'JWT', alg: 'ES256' })}.${segment(claims)}`
  const signature = sign('sha256', Buffer.from(signed), {
    key: keys.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  const publicKey = Buffer.from(keys.publicKey).toString('base64url')
  return `vapid t=${signed}.${signature.toString('base64url')}, k=${publicKey}`
}

function derive(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', ikm, salt, info, length))
}

function segment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const LAST_RECORD = Buffer.of(2)
const RECORD_BYTES = 4096
const TOKEN_SECONDS = 12 * 60 * 60
