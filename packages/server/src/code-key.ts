/**
 * Keys of the server in files of their own: the one under which codes are hashed, not beside the
 * hashes, and the one that the nodes of a cluster share, not in the cluster.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { StoreUnusableError } from './sqlite-schema.ts'

/** @throws {StoreUnusableError} when the file is there but is no key. */
export function loadCodeKey(folder: string): Uint8Array {
  const path = join(folder, 'code.key')
  const words = 'is damaged: delete it, and pending registrations are void'
  return readKey(path, words) ?? makeKey(path)
}

/**
 * The key of a cluster: every node needs the same.
 *
 * @param make - makes one when there is none: on the first node, once.
 * @throws {StoreUnusableError} when there is none, or no key.
 */
export function loadClusterKey(folder: string, make: boolean): Uint8Array {
  const path = join(folder, 'cluster.key')
  const key = readKey(path, 'is damaged: copy it from another node')
  if (key) return key
  if (!make) {
    throw new StoreUnusableError(
      `${path} is missing: copy it from another node, or make it with couplet store init`,
    )
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return makeKey(path)
}

export function freshCodeKey(): Uint8Array {
  return randomBytes(KEY_BYTES)
}

function readKey(path: string, otherwise: string): Uint8Array | undefined {
  try {
    const key = readFileSync(path)
    if (key.length === KEY_BYTES) return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  throw new StoreUnusableError(`${path} ${otherwise}`)
}

/** Written whole or not at all. */
function makeKey(path: string): Uint8Array {
  const key = freshCodeKey()
  const file = openSync(`${path}.new`, 'w', 0o600)
  writeSync(file, key)
  fsyncSync(file)
  closeSync(file)
  renameSync(`${path}.new`, path)
  return key
}

const KEY_BYTES = 32
