/** argon2id by node:crypto, on a thread of its own. */
import crypto from 'node:crypto'
import { ClientError } from '../errors.ts'
import type { Stretch } from '../passphrase.ts'

/** @throws {ClientError} `unreadable-home` on a Node that has no argon2id. */
export const stretch: Stretch = (passphrase, salt, parameters, length) => {
  // Not in Node 22.
  if (!crypto.argon2) {
    throw new ClientError('unreadable-home', 'a passphrase needs Node 24.7 or newer')
  }
  return new Promise((resolve, reject) => {
    crypto.argon2(
      'argon2id',
      {
        message: passphrase,
        nonce: salt,
        memory: parameters.memoryKiB,
        passes: parameters.passes,
        parallelism: parameters.parallelism,
        tagLength: length,
      },
      (error, key) => {
        if (error) reject(error)
        else resolve(new Uint8Array(key))
      },
    )
  })
}
