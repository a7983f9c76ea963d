/** How long node:crypto's provider holds on to keys: never longer than what they are for. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { forgetKeys, nodePrimitives } from '../src/node/index.ts'
import { KEPT_MS, MAX_KEPT, RETURNING } from '../src/node/returning-keys.ts'
import { Conversation, cast } from './conversation.ts'
import { initiate, systemRandom } from './support.ts'

beforeEach(forgetKeys)
afterEach(() => {
  vi.useRealTimers()
  forgetKeys()
})

describe('keys between two uses', () => {
  test('a handshake and its answer keep none', async () => {
    const { ana, ben } = await cast('node:crypto')
    await initiate(ana, ben)
    expect(RETURNING.size).toBe(0)
  })

  test('of a conversation, those are kept whose agreement is to come', async () => {
    const { ana, ben } = await cast('node:crypto')
    const chat = await Conversation.begin(ana, ben)
    for (let turn = 0; turn < 12; turn++) chat.tell(turn % 2 === 0 ? 'b' : 'a')
    // One key of each end waits for the other's answer: whoever spoke last, and the one before.
    expect(RETURNING.size).toBeLessThanOrEqual(2)
    expect(RETURNING.size).toBeGreaterThan(0)
  })

  test('no key is kept unless its caller says that it returns', () => {
    nodePrimitives.x25519PublicKey(systemRandom(32))
    expect(RETURNING.size).toBe(0)
  })

  test('the agreement takes it, from the same array or from a copy', () => {
    const peer = nodePrimitives.x25519PublicKey(systemRandom(32))
    for (const again of [(secret: Uint8Array) => secret, (secret: Uint8Array) => secret.slice()]) {
      const secret = systemRandom(32)
      nodePrimitives.x25519PublicKey(secret, true)
      expect(RETURNING.size).toBe(1)
      const first = nodePrimitives.x25519(again(secret), peer)
      expect(RETURNING.size).toBe(0)
      expect(nodePrimitives.x25519(secret, peer)).toEqual(first)
      expect(RETURNING.size).toBe(0)
    }
  })

  test('what never returns goes after seconds, each in its time', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    nodePrimitives.x25519PublicKey(systemRandom(32), true)
    vi.advanceTimersByTime(KEPT_MS / 2)
    nodePrimitives.x25519PublicKey(systemRandom(32), true)
    vi.advanceTimersByTime(KEPT_MS / 2)
    expect(RETURNING.size).toBe(1)
    vi.advanceTimersByTime(KEPT_MS / 2)
    expect(RETURNING.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
    nodePrimitives.x25519PublicKey(systemRandom(32), true)
    vi.advanceTimersByTime(KEPT_MS)
    expect(RETURNING.size).toBe(0)
  })

  test('few are kept, and none when a home closes', () => {
    for (let count = 0; count < 2 * MAX_KEPT; count++)
      nodePrimitives.x25519PublicKey(systemRandom(32), true)
    expect(RETURNING.size).toBe(MAX_KEPT)
    forgetKeys()
    expect(RETURNING.size).toBe(0)
  })
})
