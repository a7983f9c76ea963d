/** The engine over NATS JetStream, with a real server: every contract that the others pass. */
import { randomBytes } from 'node:crypto'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { initNats, type NatsEngine, natsEngine } from '../src/nats/nats-engine.ts'
import { StoreUnusableError } from '../src/sqlite-schema.ts'
import { busContract } from './bus.contract.ts'
import { mailboxStoreContract, stored } from './mailbox-store.contract.ts'
import { type NatsCluster, startNats } from './nats-server.ts'
import { severalProcessesContract } from './several-processes.contract.ts'
import { freshBytes } from './support.ts'

const clusterKey = randomBytes(32)
let nats: NatsCluster

beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.end())

/** Streams without a record, and an engine over them. */
async function fresh(capacity: number): Promise<NatsEngine> {
  await initNats({ url: nats.url, clusterKey, partitions: 2 })
  const connection = await connect({ servers: nats.url.replace('nats://', '') })
  const manager = await jetstreamManager(connection)
  for await (const { config } of manager.streams.list()) {
    if (config.name !== 'COUPLET_META') await manager.streams.purge(config.name)
  }
  await connection.close()
  return natsEngine({ url: nats.url, clusterKey, capacity })
}

async function close({ store, bus }: NatsEngine): Promise<void> {
  await store.close()
  await bus?.close()
}

mailboxStoreContract('NATS', async (capacity) => {
  const engine = await fresh(capacity)
  return {
    store: engine.store,
    ordersMailboxesOnly: true,
    forgetsAtOnce: false,
    end: () => close(engine),
  }
})

busContract('NATS', async () => {
  const one = await fresh(2)
  const two = await natsEngine({ url: nats.url, clusterKey, capacity: 2 })
  return {
    one: one.bus!,
    two: two.bus!,
    end: async () => void (await Promise.all([close(one), close(two)])),
  }
})

severalProcessesContract('NATS', async (capacity) => {
  const one = await fresh(capacity)
  const two = await natsEngine({ url: nats.url, clusterKey, capacity })
  return { engines: [one, two], end: async () => {} }
})

it('tells of every write of another process, whatever this one reads and writes meanwhile', async () => {
  const one = await fresh(2)
  const two = await natsEngine({ url: nats.url, clusterKey, capacity: 2 })
  const [recipient, sender] = [freshBytes(32), freshBytes(32)]
  let told = 0
  await two.store.mailboxes.watch!(recipient, () => told++).ready
  for (let count = 1; count <= 20; count++) {
    const putting = one.store.mailboxes.put(recipient, stored(sender), 'evict')
    // Reads the record of that moment, and writes it again.
    const own = two.store.mailboxes.ack(recipient, freshBytes(32), { kind: 'settled' }, 1, sender)
    await Promise.all([putting, own])
    await two.store.mailboxes.hasRoom(recipient)
    await expect.poll(() => told).toBe(count)
  }
  await Promise.all([close(one), close(two)])
})

it('refuses another cluster key, streams that are missing, and no NATS at all', async () => {
  const engine = await fresh(2)
  await close(engine)
  const other = { url: nats.url, clusterKey: randomBytes(32), capacity: 2 }
  await expect(natsEngine(other)).rejects.toThrow(/cluster key is not the one/)
  const nowhere = { url: 'nats://127.0.0.1:1', clusterKey, capacity: 2 }
  await expect(natsEngine(nowhere)).rejects.toThrow(StoreUnusableError)
})
