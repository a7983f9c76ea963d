/** What the tests of `wire` share. */
import { WireError } from '../src/index.ts'

/** The code of the WireError that `action` throws; anything else is passed on. */
export function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw error
  }
  return 'nothing thrown'
}

/** `length` bytes that tell their place: a swapped or shifted field shows. */
export function marked(mark: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (mark + i) & 0xff)
}
