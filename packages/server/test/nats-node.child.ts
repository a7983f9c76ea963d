/** A node of a cluster in a process of its own, to be killed: prints its port, and codes. */
import { createServer, NO_LIMITS } from '../src/index.ts'
import { natsEngine } from '../src/nats/nats-engine.ts'

const [url, key, publicUrl, host] = process.argv.slice(2) as [string, string, string, string]
const engine = await natsEngine({ url, clusterKey: Buffer.from(key, 'hex'), capacity: 2 })
const server = await createServer({
  host,
  port: 0,
  engine,
  // One person here sends more than anybody may.
  limits: NO_LIMITS,
  publicUrl,
  codeSender: {
    development: true,
    send: async (phone, code) => void process.stdout.write(`code ${phone} ${code}\n`),
  },
})
process.stdout.write(`port ${server.port}\n`)
