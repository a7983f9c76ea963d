/** What a process writes until it is killed, and how one sees that all of it is there. */
import { setImmediate } from 'node:timers/promises'
import type { Store, Transaction } from '../src/ports.ts'

/** One round: three records, with the event loop let in between, so that a kill can hit the middle. */
export async function writeRound(tx: Transaction, round: number): Promise<void> {
  await tx.put('rounds', 'last', 0, round)
  if (round % 3 === 0) await setImmediate()
  await tx.put('rounds', NEEDLE_PARTITION, round, {
    round,
    [NEEDLE_FIELD]: NEEDLE_TEXT,
    id: NEEDLE_ID,
  })
  await tx.put('rounds', 'twin', round, round)
}

/**
 * The last round, when exactly the rounds before it are there, each whole.
 *
 * @throws {Error} when they are not.
 */
export async function lastRound(store: Store): Promise<number> {
  return store.transaction(async (tx) => {
    const last = (await tx.get<number>('rounds', 'last')) ?? 0
    const rounds = await tx.list<{ round: number }>('rounds', NEEDLE_PARTITION)
    const twins = await tx.list<number>('rounds', 'twin')
    const whole =
      rounds.length === last &&
      twins.length === last &&
      rounds.every(({ value }, i) => value.round === i + 1) &&
      twins.every(({ value }, i) => value === i + 1)
    if (!whole) throw new Error(`${last}: ${rounds.length} rounds, ${twins.length} twins`)
    return last
  })
}

export const NEEDLE_PARTITION = '+12025550199'
export const NEEDLE_FIELD = 'rendezvous'
export const NEEDLE_TEXT = 'meet me at the old lighthouse'
export const NEEDLE_ID: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => 0xa0 ^ (i * 7))
