/** The engine over NATS JetStream, with a real server: every contract that the others pass. */
import { randomBytes } from 'node:crypto'
import { Writer } from '@couplet/wire'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, errors } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encodeEnded } from '../src/ended-codec.ts'
import { laneSubject, metaSubject } from '../src/nats/layout.ts'
import {
  initNats,
  type NatsEngine,
  type NatsParts,
  natsEngine,
  openNats,
  upgradeNats,
} from '../src/nats/nats-engine.ts'
import { READS_AT_ONCE, Records } from '../src/nats/records.ts'
import { isOlder } from '../src/nats/server-version.ts'
import { StoreUnusableError } from '../src/sqlite-schema.ts'
import { busContract } from './bus.contract.ts'
import { mailboxStoreContract, stored } from './mailbox-store.contract.ts'
import { type NatsCluster, type NatsServer, startNats } from './nats-server.ts'
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

/** A counter, and what happens before and after each write of it. */
function counter(
  { client, manager }: NatsParts,
  around: { readonly before?: () => Promise<unknown>; readonly after?: () => void } = {},
  patienceMs?: number,
): Records<number> {
  const publish: typeof client.publish = async (...args) => {
    await around.before?.()
    const done = await client.publish(...args)
    around.after?.()
    return done
  }
  const kind = {
    empty: 0,
    encode: (value: number) => new Uint8Array([value]),
    decode: ([value]: Uint8Array) => value!,
  }
  return new Records(Object.assign(Object.create(client), { publish }), manager, kind, patienceMs)
}

it('knows a write again whose acknowledgement was lost, and does it once', async () => {
  await close(await fresh(2))
  const parts = await openNats({ url: nats.url })
  let lost = 2
  const after = (): void => {
    if (lost-- > 0) throw new errors.TimeoutError()
  }
  const [subject, one, two] = [metaSubject('counted'), counter(parts, { after }), counter(parts)]
  const add = (record: number) => ({ record: record + 1, result: record })
  expect(await one.change(subject, add)).toBe(0)
  expect(await two.change(subject, add)).toBe(1)
  expect(await one.change(subject, add)).toBe(2)
  expect(await two.read(subject)).toBe(3)
  await parts.connection.close()
})

it('gives up a record that others write all the time', async () => {
  await close(await fresh(2))
  const parts = await openNats({ url: nats.url })
  const [subject, other] = [metaSubject('contended'), counter(parts)]
  const before = () => other.change(subject, (record) => ({ record: record + 1, result: 0 }))
  const one = counter(parts, { before }, 100)
  const change = one.change(subject, (record) => ({ record: record + 100, result: 0 }))
  await expect(change).rejects.toThrow(/others change all the time/)
  await parts.connection.close()
})

it('asks NATS for so many records at one time, whatever is asked of it', async () => {
  await close(await fresh(2))
  const parts = await openNats({ url: nats.url })
  const { streams } = parts.manager
  let [asking, most] = [0, 0]
  const getMessage: typeof streams.getMessage = async (...args) => {
    most = Math.max(most, ++asking)
    return streams.getMessage(...args).finally(() => asking--)
  }
  const manager = Object.assign(Object.create(parts.manager), {
    streams: Object.assign(Object.create(streams), { getMessage }),
  })
  const one = counter({ ...parts, manager })
  const all = Array.from({ length: 1000 }, (_, index) => one.read(metaSubject(`many${index}`)))
  expect(new Set(await Promise.all(all))).toEqual(new Set([0]))
  expect(most).toBe(READS_AT_ONCE)
  await parts.connection.close()
})

it('removes a record, but not what somebody writes meanwhile', async () => {
  await close(await fresh(2))
  const parts = await openNats({ url: nats.url })
  const [subject, other] = [metaSubject('removed'), counter(parts)]
  const { streams } = parts.manager
  const purge: typeof streams.purge = async (...args) => {
    await other.change(subject, () => ({ record: 7, result: 0 }))
    return streams.purge(...args)
  }
  const manager = Object.assign(Object.create(parts.manager), {
    streams: Object.assign(Object.create(streams), { purge }),
  })
  const one = counter({ ...parts, manager })
  await one.change(subject, () => ({ record: 1, result: 0 }))
  await one.remove(subject)
  expect(await one.read(subject)).toBe(7)
  await other.remove(subject)
  expect(await one.read(subject)).toBe(0)
  expect(await parts.manager.streams.getMessage('COUPLET_META', { last_by_subj: subject })).toBe(
    null,
  )
  await parts.connection.close()
})

it('has failed when NATS does not take it back, and says so', async () => {
  const own = await startNats()
  await initNats({ url: own.url, clusterKey, partitions: 2 })
  const engine = await natsEngine({ url: own.url, clusterKey, capacity: 2 })
  const [server] = own.servers as [NatsServer]
  await server.stop()
  server.configure('authorization { user: couplet, password: changed }')
  await server.start()
  expect((await engine.store.failed).message).toMatch(/authorization/i)
  await own.end()
})

it.each([
  ['2.9.10', '2.10', true],
  ['2.10.27', '2.10', false],
  ['2.15.1', '2.9', false],
  ['3.0.0', '2.9', false],
  ['1.4.1', '2.9', true],
  ['', '2.9', true],
])('compares versions of NATS: %s and %s', (version, than, older) => {
  expect(isOlder(version, than)).toBe(older)
})

it('says what more replicas than servers would need', async () => {
  const three = { url: nats.url, clusterKey, replicas: 3 }
  await expect(initNats(three)).rejects.toThrow(
    /3 replicas need 3 servers of NATS in one cluster; this one is alone/,
  )
})

it('refuses another cluster key, streams that are missing, and no NATS at all', async () => {
  const engine = await fresh(2)
  await close(engine)
  const other = { url: nats.url, clusterKey: randomBytes(32), capacity: 2 }
  await expect(natsEngine(other)).rejects.toThrow(/cluster key is not the one/)
  const nowhere = { url: 'nats://127.0.0.1:1', clusterKey, capacity: 2 }
  await expect(natsEngine(nowhere)).rejects.toThrow(StoreUnusableError)
})
