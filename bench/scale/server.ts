/**
 * The server under load, without its limits: `server.ts DATA WORKERS [NATS-URL KEY]`. Prints its
 * port, its process ids, and with `seed N` on standard input registers N people in the store.
 */
import cluster from 'node:cluster'
import { createInterface } from 'node:readline'
import {
  createServer,
  type Engine,
  embeddedEngine,
  joinHub,
  NO_LIMITS,
  StoreHub,
} from '@couplet/server'
import { natsEngine } from '@couplet/server/nats'
import { type Pool, person, readPool } from './people.ts'

const CAPACITY = 2
const NAME = 'http://bench.example'
const PORT = Number(process.env.BENCH_PORT)
const [data, workers, url, key] = process.argv.slice(2) as [string, string, string?, string?]

if (cluster.isPrimary) await primary()
else await serve(await engineOf(process.env.BENCH_HUB))

async function primary(): Promise<void> {
  const engine = await engineOf(undefined)
  if (Number(workers) > 1) {
    const hub = url ? undefined : await StoreHub.start(engine)
    for (let count = 0; count < Number(workers); count++) {
      const child = cluster.fork({ BENCH_HUB: hub?.path ?? '', BENCH_WORKER: String(count + 1) })
      await new Promise((resolve) => child.once('message', resolve))
    }
  } else await serve(engine)
  const children = Object.values(cluster.workers ?? {}).map((worker) => worker!.process.pid)
  process.stdout.write(`ready ${[process.pid, ...children].join(' ')}\n`)
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, count, pool] = line.split(' ')
    if (word === 'seed') {
      await seed(engine, await readPool(Buffer.from(pool!, 'base64').toString()), Number(count))
      process.stdout.write('seeded\n')
    }
  }
  process.exit()
}

function engineOf(hub: string | undefined): Promise<Engine> {
  if (url) {
    const clusterKey = Buffer.from(key!, 'hex')
    return natsEngine({ url, clusterKey, capacity: CAPACITY })
  }
  if (hub) return joinHub(hub, Number(process.env.BENCH_WORKER))
  return embeddedEngine({ folder: data, capacity: CAPACITY })
}

async function serve(engine: Engine): Promise<void> {
  const { port } = await createServer({
    engine,
    host: '127.0.0.1',
    port: PORT,
    publicUrl: NAME,
    limits: NO_LIMITS,
    codeSender: { development: false, send: async () => {} },
  })
  process.send?.(port)
}

async function seed({ store }: Engine, pool: Pool, count: number): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const { phone, identityId, identity, prekeys } = person(pool, next++)
      const now = Date.now()
      const user = { phone, identityId, identity: identity(), prekeys: prekeys(), prekeysId: 1 }
      await store.directory.compareAndSet(
        { ...user, registeredAt: now, seenAt: now, revision: 1 },
        undefined,
      )
    }
  }
  await Promise.all(Array.from({ length: 64 }, lane))
}
