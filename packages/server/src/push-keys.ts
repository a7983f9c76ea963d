/**
 * The key pair by which push services know this server (VAPID, RFC 8292): P-256, made at the first
 * start, in a file of its own. With another key, every subscription is void.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { StoreUnusableError } from './sqlite-schema.ts'

export interface PushKeys {
  readonly privateKey: KeyObject
  /** Uncompressed point, 65 bytes: what browsers call the application server key. */
  readonly publicKey: Uint8Array
}

/** @throws {StoreUnusableError} when the file is there but is no key. */
export function loadPushKeys(folder: string): PushKeys {
  const path = join(folder, 'push.key')
  let pem: string
  try {
    pem = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const keys = freshPushKeys()
    writeDurably(path, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    return keys
  }
  try {
    return pairOf(createPrivateKey(pem))
  } catch {
    throw new StoreUnusableError(
      `${path} is damaged: delete it, and everybody has to switch notifications on again`,
    )
  }
}

export function freshPushKeys(): PushKeys {
  return pairOf(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey)
}

function pairOf(privateKey: KeyObject): PushKeys {
  const { x, y, crv } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (crv !== 'P-256' || !x || !y) throw new TypeError('not a key on P-256')
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return { privateKey, publicKey: Buffer.concat(point) }
}

/** Whole or not at all. */
function writeDurably(path: string, text: string): void {
  const file = openSync(`${path}.new`, 'w', 0o600)
  writeSync(file, text)
  fsyncSync(file)
  closeSync(file)
  renameSync(`${path}.new`, path)
}
