/** Writes rounds into a home, and says each that is durable. */
import { writeSync } from 'node:fs'
import { openHome } from '../../packages/client/src/node/home.ts'
import { writeRound } from '../../packages/client/test/store.rounds.ts'

const { store } = await openHome({ home: process.argv[2]!, create: false })
for (let round = 1; round <= 60; round++) {
  await store.transaction((tx) => writeRound(tx, round))
  writeSync(1, `${round}\n`)
  if (round % 10 === 0) await store.scrub()
}
// Not closed: that would be a stop in good order.
process.exit()
