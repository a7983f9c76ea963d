/** What the provider for browsers leaves in memory of what it was given. */
import { expect, test, vi } from 'vitest'
import { isBlank, recordArrays } from '../../wire/test/arrays.ts'
import { webPrimitives } from '../src/web/index.ts'
import { systemRandom } from './support.ts'

test('the public half of a KEM key leaves nothing of the other half', () => {
  const seed = systemRandom(64)
  const { made, stop } = recordArrays()
  webPrimitives.kemPublicKey(seed)
  stop()
  const secretKeys = made.filter(({ length }) => length === 2400)
  expect(secretKeys.length).toBeGreaterThan(0)
  expect(secretKeys.every(isBlank)).toBe(true)
})

test('an HMAC or HKDF that fails leaves nothing of its key, and the next one is right', async () => {
  vi.resetModules()
  const { made, stop } = recordArrays()
  const { hkdfSha256, hmacSha256 } = await import('../src/web/hmac.ts')
  // The pad, and what the hashers have not hashed yet.
  const blocks = made.filter(({ length }) => length === 64)
  const key = systemRandom(32)
  const info: unknown = 'no bytes'
  const input = { salt: key, ikm: key, info: info as Uint8Array }
  stop()
  expect(blocks.length).toBeGreaterThan(4)
  expect(() => hmacSha256(key, [info as Uint8Array])).toThrow()
  expect(blocks.every(isBlank)).toBe(true)
  expect(() => hkdfSha256({ ...input, length: 64 })).toThrow()
  expect(blocks.every(isBlank)).toBe(true)
  expect(hmacSha256(key, [key])).toEqual(webPrimitives.hmacSha256(key, key))
})
