/**
 * Answers every message with what it said. Ctrl-C ends it.
 *
 *     couplet --home ./bot register +12025550109
 *     node echo.ts ./bot
 */
import { openCouplet } from '@couplet/client/node'

const me = await openCouplet({ home: process.argv[2] ?? './bot' })
process.once('SIGINT', () => void me.close())
process.once('SIGTERM', () => void me.close())
await me.connect()
console.log(`I am ${me.phone}.`)

// A message counts as seen when the next one is asked for: what is not answered comes again.
for await (const message of me.messages()) {
  const { delivered } = await me.send(message.from, `You said: ${message.text}`)
  delivered.then(
    () => console.log('They have the answer: their device has proven it.'),
    () => {},
  )
}
