/** No hot path allocates noticeably more than was recorded. (bench/README.md, "guard") */
import { expect, test } from 'vitest'
import { excesses, measureAllocations, recordedAllocations } from '../bench/guard.ts'

test('no hot path allocates a tenth more than was recorded', () => {
  const recorded = recordedAllocations()
  const now = measureAllocations()
  expect(now.node.split('.')[0]).toBe(recorded.node.split('.')[0])
  expect(excesses(now, recorded)).toEqual([])
  expect(Object.keys(now.bytes)).toEqual(Object.keys(recorded.bytes))
})

test('a path that grew, and one that nobody has recorded, are named', () => {
  const recorded = { node: '26.0.0', bytes: { seal: 1000, relay: 2000 } }
  const now = { node: '26.0.0', bytes: { seal: 1101, relay: 2200, keep: 1 } }
  expect(excesses(now, recorded)).toEqual([
    'seal: 1101 bytes an operation, at most 1100',
    'keep: 1 bytes an operation, at most 0',
  ])
})
