/**
 * A process of its own that uses a home, to be killed: `node store.child.ts WHAT HOME`.
 * Says on standard output what has happened, one word or number a line.
 */
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { openHome } from '../src/node/home.ts'
import type { Store } from '../src/ports.ts'
import { writeRound } from './store.rounds.ts'

const [what, home] = process.argv.slice(2) as [string, string]

try {
  const { store, created } = await openHome({ home, create: what !== 'open' })
  say(created ? 'created' : 'open')
  if (what === 'write') await write(store)
  // Holds the home until it is killed; a timer, so that the process stays.
  setInterval(() => undefined, 1000)
} catch (error) {
  say((error as { code?: string }).code ?? 'failed')
}

/** Rounds without end, said once they are durable; every fifth one is undone. */
async function write(store: Store): Promise<void> {
  for (;;) {
    const round = await store.transaction(async (tx) => {
      const next = ((await tx.get<number>('rounds', 'last')) ?? 0) + 1
      await writeRound(tx, next)
      return next
    })
    say(`${round}`)
    if (round % 5 === 0) await undone(store, round + 1)
  }
}

async function undone(store: Store, round: number): Promise<void> {
  await store
    .transaction(async (tx) => {
      await writeRound(tx, round)
      await setImmediate()
      throw new Error('undone')
    })
    .catch(() => undefined)
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
