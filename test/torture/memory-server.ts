/** A server that keeps everything in memory: the plainest store, for comparison with the others. */
import { parseArgs } from 'node:util'
import { createServer, fileCodeSender, NO_LIMITS, systemClock } from '@couplet/server'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'mailbox-capacity': { type: 'string' },
    'code-sender': { type: 'string' },
  },
})
const server = await createServer({
  port: Number(values.port),
  capacity: Number(values['mailbox-capacity']),
  codeSender: fileCodeSender(values['code-sender']!.slice('file:'.length), systemClock),
  limits: NO_LIMITS,
  push: false,
})
process.once('SIGTERM', () => void server.close().finally(() => process.exit(0)))
