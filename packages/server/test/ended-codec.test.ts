/** How ends are kept on disk. */
import { expect, it } from 'vitest'
import { decodeEnded, encodeEnded, endFromColumns, endToColumns } from '../src/ended-codec.ts'
import type { End, Ended } from '../src/mailbox.ts'
import { freshBytes } from './support.ts'

const ends: readonly End[] = [
  { kind: 'delivered', receipt: freshBytes(32) },
  { kind: 'settled' },
  { kind: 'refused', reason: 'late' },
  { kind: 'refused', reason: 'unknown-session' },
  { kind: 'refused', reason: 'retired-prekey' },
  { kind: 'refused', reason: 'invalid' },
  { kind: 'evicted' },
]

it('every end comes back as it was, packed and in columns', () => {
  const entries: Ended[] = ends.map((end, index) => ({
    id: freshBytes(32),
    sender: freshBytes(32),
    end,
    endedAt: 1_790_000_000_000 + index,
  }))
  expect(decodeEnded(encodeEnded(entries))).toEqual(entries)
  expect(decodeEnded(encodeEnded([]))).toEqual([])
  for (const end of ends) {
    const [kind, receipt, reason] = endToColumns(end)
    expect(endFromColumns({ kind, receipt, reason })).toEqual(end)
  }
})
