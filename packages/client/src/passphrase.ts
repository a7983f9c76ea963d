/**
 * From a passphrase to a key, the same everywhere: argon2id (RFC 9106) over the text in Unicode's
 * form NFC. Node has it built in; browsers have noble's.
 */
import { type Bytes, utf8 } from '@couplet/wire'
import { ClientError } from './errors.ts'

export interface Argon2id {
  readonly memoryKiB: number
  readonly passes: number
  readonly parallelism: number
}

/** Gives `length` bytes. Takes a third of a second to some seconds: not to be called in a hurry. */
export type Stretch = (
  passphrase: Uint8Array,
  salt: Uint8Array,
  parameters: Argon2id,
  length: number,
) => Promise<Bytes>

/** Three and a half times the least that OWASP recommends (19 MiB, 2 passes). */
export const ARGON2ID: Argon2id = { memoryKiB: 65_536, passes: 3, parallelism: 1 }
/** What a file of somebody else's making may ask of this machine. */
export const MAX_ARGON2ID: Argon2id = { memoryKiB: 1_048_576, passes: 64, parallelism: 16 }
export const SALT_BYTES = 16

/** @throws {ClientError} `passphrase-required` for an empty one. */
export function passphraseBytes(passphrase: string | Uint8Array): Bytes {
  if (passphrase.length === 0) {
    throw new ClientError('passphrase-required', 'the passphrase is empty')
  }
  return typeof passphrase === 'string'
    ? utf8(passphrase.normalize('NFC'))
    : new Uint8Array(passphrase)
}

/** Whether parameters are within what RFC 9106 allows and what this machine is asked at most. */
export function isArgon2id({ memoryKiB, passes, parallelism }: Argon2id): boolean {
  return (
    isWithin(parallelism, 1, MAX_ARGON2ID.parallelism) &&
    isWithin(memoryKiB, 8 * parallelism, MAX_ARGON2ID.memoryKiB) &&
    isWithin(passes, 1, MAX_ARGON2ID.passes)
  )
}

function isWithin(value: number, from: number, to: number): boolean {
  return Number.isSafeInteger(value) && value >= from && value <= to
}
