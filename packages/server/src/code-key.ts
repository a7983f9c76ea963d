/** The key under which codes are hashed: in a file of its own, not beside the hashes. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { StoreUnusableError } from './sqlite-schema.ts'

/** @throws {StoreUnusableError} when the file is there but is no key. */
export function loadCodeKey(folder: string): Uint8Array {
  const path = join(folder, 'code.key')
  try {
    const key = readFileSync(path)
    if (key.length === CODE_KEY_BYTES) return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return makeCodeKey(path)
    throw error
  }
  throw new StoreUnusableError(`${path} is damaged: delete it, and pending registrations are void`)
}

export function freshCodeKey(): Uint8Array {
  return randomBytes(CODE_KEY_BYTES)
}

/** Written whole or not at all. */
function makeCodeKey(path: string): Uint8Array {
  const key = freshCodeKey()
  const file = openSync(`${path}.new`, 'w', 0o600)
  writeSync(file, key)
  fsyncSync(file)
  closeSync(file)
  renameSync(`${path}.new`, path)
  return key
}

const CODE_KEY_BYTES = 32
