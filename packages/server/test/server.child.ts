/** A server in a process of its own, to be killed: prints its port, and codes to standard output. */
import { createServer, NO_LIMITS } from '../src/index.ts'

const [folder, port, checkpointMs] = process.argv.slice(2)
const server = await createServer({
  port: Number(port),
  data: folder,
  limits: NO_LIMITS,
  checkpointMs: checkpointMs === undefined ? undefined : Number(checkpointMs),
  codeSender: {
    development: true,
    send: async (phone, code) => void process.stdout.write(`code ${phone} ${code}\n`),
  },
})
process.stdout.write(`port ${server.port}\n`)
