/** The engine over NATS JetStream, with a real server: every contract that the others pass. */
import { randomBytes } from 'node:crypto'
import { Writer } from '@couplet/wire'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeEnded } from '../src/ended-codec.ts'
import { laneSubject } from '../src/nats/layout.ts'
import {
  initNats,
  type NatsEngine,
  natsEngine,
  openNats,
  upgradeNats,
} from '../src/nats/nats-engine.ts'
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
  await two.store.mailboxes.watch(recipient, () => told++).ready
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

/** Streams, the version of their layout, and a lane, as the first layout had them. */
async function madeByTheFirst(lane: string, record: Uint8Array): Promise<void> {
  const { connection, client, manager } = await openNats({ url: nats.url })
  await manager.streams.purge('COUPLET_META', { filter: 'couplet.meta.layout' })
  for (const part of [0, 1]) {
    await manager.streams.update(`COUPLET_LANE_${part}`, { subjects: [`couplet.lane.${part}.*`] })
  }
  await client.publish(lane, record)
  await connection.close()
}

it('brings streams of the first layout to this one, and refuses those of a later one', async () => {
  const made = await fresh(2)
  const [recipient, sender, one] = [freshBytes(32), freshBytes(32), freshBytes(32)]
  const ended = { id: freshBytes(32), sender, end: { kind: 'settled' as const }, endedAt: 7 }
  const waiting = { ...stored(sender), id: one }
  await made.store.mailboxes.put(recipient, waiting, 'evict')
  await close(made)
  const lane = laneSubject({ partitions: 2 }, sender)
  const first = new Writer()
    .u8(1)
    .u16(1)
    .bytes(one)
    .bytes(recipient)
    .bytes(encodeEnded([ended]))
  await madeByTheFirst(lane, first.finish())

  const options = { url: nats.url, clusterKey, capacity: 2 }
  await expect(natsEngine(options)).rejects.toThrow(/layout 1, older than 2: .* store migrate/)
  await expect(initNats(options)).rejects.toThrow(/older/)
  expect(await upgradeNats(options)).toBe(1)
  expect(await upgradeNats(options)).toBe(2)
  const engine = await natsEngine(options)
  expect(await engine.store.mailboxes.status(sender, [ended.id, one])).toEqual([
    { kind: 'settled' },
    { kind: 'waiting' },
  ])
  await close(engine)

  const { connection, client } = await openNats(options)
  await client.publish('couplet.meta.layout', '3')
  await expect(natsEngine(options)).rejects.toThrow(/layout 3, of a newer Couplet/)
  await expect(initNats(options)).rejects.toThrow(/newer/)
  await expect(upgradeNats(options)).rejects.toThrow(/newer/)
  await client.publish('couplet.meta.layout', '2')
  await connection.close()
})

it('refuses another cluster key, streams that are missing, and no NATS at all', async () => {
  const engine = await fresh(2)
  await close(engine)
  const other = { url: nats.url, clusterKey: randomBytes(32), capacity: 2 }
  await expect(natsEngine(other)).rejects.toThrow(/cluster key is not the one/)
  const nowhere = { url: 'nats://127.0.0.1:1', clusterKey, capacity: 2 }
  await expect(natsEngine(nowhere)).rejects.toThrow(StoreUnusableError)
})
