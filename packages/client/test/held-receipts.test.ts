import { expect, test } from 'vitest'
import { memoryStore } from '../src/memory-store.ts'
import { inTransaction, MAX_HELD_RECEIPTS } from '../src/tables.ts'

test('a stranger who writes for ever fills no home with held receipts: the newest are kept', async () => {
  const held = await inTransaction(memoryStore(), async (tables) => {
    for (let i = 1; i <= MAX_HELD_RECEIPTS + 5; i++) await tables.holdReceipt(1, `envelope ${i}`)
    return tables.heldReceipts(1)
  })
  expect(held).toHaveLength(MAX_HELD_RECEIPTS)
  expect(held[0]?.value).toBe('envelope 6')
  expect(held.at(-1)?.value).toBe(`envelope ${MAX_HELD_RECEIPTS + 5}`)
})
