/** Uses the embedded store of a folder step by step, and says each step that is done. */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { embeddedStore } from '../../packages/server/src/embedded-store.ts'
import { CAPACITY, RECIPIENT, STEPS, type Step, stepOf } from './mailbox-steps.ts'

const store = await embeddedStore({
  folder: process.argv[2]!,
  capacity: CAPACITY,
  checkpointMs: 40,
})
for (let number = 0; number < STEPS; number++) {
  await take(stepOf(number))
  writeSync(1, `${number}\n`)
  await sleep(5)
}
// Not closed: that would be a stop in good order.
process.exit()

async function take(step: Step): Promise<void> {
  const { mailboxes } = store
  if (step.kind === 'put') {
    // In one turn: one commit for all of them.
    await Promise.all(step.envelopes.map((one) => mailboxes.put(RECIPIENT, one, 'evict')))
  } else await mailboxes.ack(RECIPIENT, step.id, { kind: 'settled' }, 1)
}
