/** Gaps are shown honestly: what is missing, what may still come, what never will. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missingBefore, NO_SEQUENCES, noteSequence } from '../src/sequence-tracker.ts'

describe('what is missing', () => {
  test('counts the numbers before a message that have not arrived', () => {
    const five = noteSequence(NO_SEQUENCES, 5, 1)
    expect(missingBefore(five, 5)).toBe(4)
    const three = noteSequence(five, 3, 1)
    expect(missingBefore(three, 3)).toBe(2)
    expect(missingBefore(three, 5)).toBe(3)
  })

  test('what is below the oldest pending one is closed', () => {
    const five = noteSequence(NO_SEQUENCES, 5, 4)
    expect(missingBefore(five, 5)).toBe(1)
    expect(missingBefore(noteSequence(five, 6, 6), 6)).toBe(0)
  })

  test('a heartbeat closes gaps too, and is itself no message', () => {
    const five = noteSequence(NO_SEQUENCES, 5, 1)
    const closed = noteSequence(five, 0, 6)
    expect(closed.highest).toBe(5)
    expect(missingBefore(closed, 5)).toBe(0)
  })

  test('a sender who claims an oldest one beyond the message closes nothing of it', () => {
    const state = noteSequence(NO_SEQUENCES, 3, 1_000_000)
    expect(state.floor).toBe(3)
    expect(missingBefore(noteSequence(state, 5, 3), 5)).toBe(1)
  })

  test('agrees with a list of every number, in any order of arrival', () => {
    const arrivals = fc.array(
      fc.record({ at: fc.integer({ min: 1, max: 40 }), floor: fc.nat(40) }),
      {
        size: 'max',
        maxLength: 60,
      },
    )
    fc.assert(
      fc.property(arrivals, (steps) => {
        let state = NO_SEQUENCES
        const seen = new Set<number>()
        let floor = 1
        for (const { at, floor: claimed } of steps) {
          state = noteSequence(state, at, claimed)
          seen.add(at)
          floor = Math.max(floor, Math.min(claimed, at))
          for (let n = 1; n <= 41; n++) {
            const highest = Math.max(...seen)
            let expected = 0
            for (let m = floor; m < n && m <= highest; m++) if (!seen.has(m)) expected++
            expect(missingBefore(state, n)).toBe(expected)
          }
        }
      }),
    )
  })
})
