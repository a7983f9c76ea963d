import { toHex } from '@couplet/wire'
import * as fc from 'fast-check'
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

  test('the oldest are forgotten, and as many as the limit says are remembered', () => {
    const ends = new RecentEnds(8)
    for (let i = 0; i < 100; i++) {
      ends.add(bytes(i), ended(SETTLED, i))
      const left = Array.from(ends.all(), ({ id }) => id[0])
      expect(left).toEqual(
        Array.from({ length: Math.min(i + 1, 8) }, (_, n) => Math.max(0, i - 7) + n),
      )
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

  test('what is over is forgotten', () => {
    const ends = new RecentEnds(6)
    for (const i of [0, 1, 2, 3]) ends.add(bytes(i), ended(SETTLED, i % 2))
    ends.forgetUntil(0)
    expect(Array.from(ends.all(), ({ id }) => id[0])).toEqual([1, 3])
  })

  test('what was about somebody is forgotten, whichever end that was', () => {
    const ends = new RecentEnds()
    const other = bytes(77)
    ends.add(bytes(3), { ...ended(SETTLED), sender: other })
    ends.add(bytes(4), { ...ended(SETTLED), recipient: other })
    ends.add(bytes(5), ended(SETTLED))
    ends.forgetAbout(other)
    expect(Array.from(ends.all(), ({ id }) => id[0])).toEqual([5])
  })

  test('every answer is told as it was given', () => {
    const ends = new RecentEnds()
    const reasons = ['late', 'unknown-session', 'retired-prekey', 'invalid'] as const
    const refusals = reasons.map((reason): Answer => ({ kind: 'refused', reason }))
    for (const [i, answer] of [SETTLED, DELIVERED, ...refusals].entries()) {
      ends.add(bytes(i), ended(answer))
      expect(ends.forSender(SENDER, bytes(i))?.end).toEqual(answer)
    }
  })

  test('property: it remembers and forgets like a list of the last ones', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), id: fc.nat(12), at: fc.nat(9) }),
      fc.record({ kind: fc.constant('forget' as const), at: fc.nat(9) }),
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        (steps, limit) => {
          const ends = new RecentEnds(limit)
          // A row that was forgotten, or written anew, stays in its place until its turn comes.
          let rows: ({ id: number; at: number } | undefined)[] = []
          for (const { kind, at, ...rest } of steps) {
            if (kind === 'forget') {
              ends.forgetUntil(at)
              rows = rows.map((row) => (row && row.at <= at ? undefined : row))
            } else {
              const { id } = rest as { id: number }
              ends.add(idOf(id), ended(SETTLED, at))
              rows = [...rows.map((row) => (row?.id === id ? undefined : row)), { id, at }].slice(
                -limit,
              )
            }
            const left = rows.filter((row) => row !== undefined)
            expect(Array.from(ends.all(), ({ id, endedAt }) => [toHex(id), endedAt])).toEqual(
              left.map(({ id, at: endedAt }) => [toHex(idOf(id)), endedAt]),
            )
            for (const { id } of left) expect(ends.forSender(SENDER, idOf(id))).toBeDefined()
            for (let id = 0; id <= 12; id++) {
              const isLeft = left.some((row) => row.id === id)
              expect(ends.forSender(SENDER, idOf(id)) !== undefined).toBe(isLeft)
            }
          }
        },
      ),
    )
  })

  test('ids that begin alike are told apart', () => {
    const ends = new RecentEnds(300)
    const twin = (i: number): Uint8Array => {
      const id = bytes(7)
      id[31] = i
      return id
    }
    // Every third goes, the newest and the oldest of their chain among them.
    for (let i = 0; i < 250; i++) ends.add(twin(i), ended(SETTLED, i % 3 === 0 ? 0 : i))
    ends.forgetUntil(0)
    for (let i = 0; i < 250; i++) {
      expect(ends.forSender(SENDER, twin(i))?.endedAt).toBe(i % 3 === 0 ? undefined : i)
    }
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

/** Ids of which some share a chain, whatever the secret is: they begin alike. */
function idOf(n: number): Uint8Array {
  const id = bytes(n % 3)
  id[31] = n
  return id
}
