/** A node of a cluster in a process of its own, to be killed: prints its port, and codes. */
import { createServer } from '../src/index.ts'
import { natsEngine } from '../src/nats/nats-engine.ts'

const [url, key, publicUrl] = process.argv.slice(2) as [string, string, string]
const engine = await natsEngine({ url, clusterKey: Buffer.from(key, 'hex'), capacity: 2 })
const server = await createServer({
  port: 0,
  engine,
  publicUrl,
  codeSender: {
    development: true,
    send: async (phone, code) => void process.stdout.write(`code ${phone} ${code}\n`),
  },
})
process.stdout.write(`port ${server.port}\n`)
