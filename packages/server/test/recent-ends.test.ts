import { describe, expect, test } from 'vitest'
import type { Answer } from '../src/mailbox.ts'
import { RecentEnds } from '../src/recent-ends.ts'

const SENDER = bytes(1)
const RECIPIENT = bytes(2)
const SETTLED: Answer = { kind: 'settled' }
const DELIVERED: Answer = { kind: 'delivered', receipt: bytes(9) }

describe('ends of envelopes that were never written', () => {
  test('are told to their sender and to nobody else', () => {
    const ends = new RecentEnds()
    ends.add(bytes(3), ended(DELIVERED))
    expect(ends.forSender(SENDER, bytes(3))?.end).toEqual(DELIVERED)
    expect(ends.forSender(RECIPIENT, bytes(3))).toBeUndefined()
    expect(ends.forSender(SENDER, bytes(4))).toBeUndefined()
  })

  test('a receipt takes the place of an answer without one, and only that of its recipient', () => {
    const ends = new RecentEnds()
    ends.add(bytes(3), ended(SETTLED))
    expect(ends.upgrade(SENDER, bytes(3), DELIVERED, 2)).toBeUndefined()
    expect(ends.upgrade(RECIPIENT, bytes(3), DELIVERED, 2)).toEqual({
      id: bytes(3),
      sender: SENDER,
      end: DELIVERED,
      endedAt: 2,
    })
    expect(ends.upgrade(RECIPIENT, bytes(3), SETTLED, 3)).toBeUndefined()
    expect(ends.forSender(SENDER, bytes(3))).toMatchObject({ end: DELIVERED, endedAt: 2 })
  })

  test('the oldest are forgotten; between half of the limit and all of it is remembered', () => {
    const ends = new RecentEnds(8)
    for (let i = 0; i < 100; i++) {
      ends.add(bytes(i), ended(SETTLED, i))
      const left = Array.from(ends.all(), ({ id }) => id)
      expect(left.length).toBeLessThanOrEqual(8)
      expect(left.length).toBeGreaterThanOrEqual(Math.min(i + 1, 4))
      expect(left.at(-1)).toEqual(bytes(i))
    }
  })

  test('of an end that was upgraded later, the new one is the last that is told', () => {
    const ends = new RecentEnds(4)
    ends.add(bytes(0), ended(SETTLED))
    ends.add(bytes(1), ended(SETTLED))
    ends.upgrade(RECIPIENT, bytes(0), DELIVERED, 2)
    expect(ends.forSender(SENDER, bytes(0))?.end).toEqual(DELIVERED)
    const told = Array.from(ends.all()).filter(({ id }) => id[0] === 0)
    expect(told.at(-1)).toMatchObject({ end: DELIVERED })
  })

  test('what is over is forgotten in both halves', () => {
    const ends = new RecentEnds(4)
    for (let i = 0; i < 4; i++) ends.add(bytes(i), ended(SETTLED, i))
    ends.forget(({ endedAt }) => endedAt % 2 === 0)
    expect(Array.from(ends.all(), ({ id }) => id[0])).toEqual([1, 3])
  })

  test('a receipt is kept without the frame that it came in', () => {
    const frame = new Uint8Array(1024)
    const ends = new RecentEnds()
    ends.add(bytes(3), ended({ kind: 'delivered', receipt: frame.subarray(8, 40) }))
    const [kept] = ends.all()
    expect(kept?.end.kind === 'delivered' && kept.end.receipt.buffer.byteLength).toBe(32)
  })
})

function ended(end: Answer, endedAt = 1) {
  return { sender: SENDER, recipient: RECIPIENT, end, endedAt }
}

function bytes(value: number): Uint8Array {
  return new Uint8Array(32).fill(value)
}
