/**
 * argon2id by noble. It takes one to some seconds, and the page stands still meanwhile: an app runs
 * `stretchHere` in a worker of its own and hands that to the SDK.
 */
import { argon2id } from '@noble/hashes/argon2.js'
import type { Stretch } from '../passphrase.ts'

export const stretchHere: Stretch = async (passphrase, salt, parameters, length) =>
  new Uint8Array(
    argon2id(passphrase, salt, {
      m: parameters.memoryKiB,
      t: parameters.passes,
      p: parameters.parallelism,
      dkLen: length,
    }),
  )
