/** Workers of one machine: the hub's store from afar, and the bus from worker to worker. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { freshCodeKey } from '../src/code-key.ts'
import { Link } from '../src/link.ts'
import { memoryStore } from '../src/memory-store.ts'
import { MeshBus } from '../src/mesh-bus.ts'
import { joinHub, StoreHub } from '../src/store-hub.ts'
import { busContract } from './bus.contract.ts'
import { mailboxStoreContract } from './mailbox-store.contract.ts'
import { severalProcessesContract } from './several-processes.contract.ts'

const hubOf = (capacity: number): Promise<StoreHub> =>
  StoreHub.start({ store: memoryStore({ capacity }), codeKey: freshCodeKey() })

mailboxStoreContract('store from afar', async (capacity) => {
  const hub = await hubOf(capacity)
  const { store, bus } = await joinHub(hub.path, 1)
  return {
    store,
    end: async () => {
      await store.close()
      await bus?.close()
      await hub.close()
    },
  }
})

busContract('workers', async () => {
  const hub = await hubOf(2)
  const one = await joinHub(hub.path, 1)
  const two = await joinHub(hub.path, 2)
  return {
    one: one.bus!,
    two: two.bus!,
    end: async () => {
      for (const { store, bus } of [one, two]) {
        await store.close()
        await bus?.close()
      }
      await hub.close()
    },
  }
})

severalProcessesContract('workers', async (capacity) => {
  const hub = await hubOf(capacity)
  const one = await joinHub(hub.path, 1)
  const two = await joinHub(hub.path, 2)
  return { engines: [one, two], end: () => hub.close() }
})

/** Buses that are all connected, by number from 1. */
async function mesh(size: number): Promise<MeshBus[]> {
  const buses: MeshBus[] = []
  for (let self = 1; self <= size; self++) {
    const bus = await MeshBus.listen(self, join(folder, String(self)))
    for (let other = 1; other < self; other++) await bus.connect(other, join(folder, String(other)))
    buses.push(bus)
  }
  return buses
}

/** A worker that is no bus: says what it likes, and reads when it likes. */
async function rawWorker(
  path: string,
  heard: (message: { kind: string; subject?: string }) => void,
): Promise<{ link: Promise<Link>; socket: Promise<Socket>; close: () => void }> {
  const [link, socket] = [Promise.withResolvers<Link>(), Promise.withResolvers<Socket>()]
  const server = createServer((connection) => {
    socket.resolve(connection)
    link.resolve(
      new Link(
        connection,
        (message) => heard(message as { kind: string }),
        () => {},
      ),
    )
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { link: link.promise, socket: socket.promise, close: () => server.close() }
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'couplet-mesh-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('a question to a worker that dies is unknown at once, and everybody looks into the mailboxes', async () => {
  const [one, two] = (await mesh(2)) as [MeshBus, MeshBus]
  await two.hear('user.a1', () => {}).ready
  let gaps = 0
  one.onGap(() => gaps++)
  const answered = new Promise((resolve) => one.ask('user.a1', new Uint8Array(1), 60_000, resolve))
  await two.close()
  expect(await answered).toBe('unknown')
  expect(gaps).toBe(1)
  await one.close()
})

it('of two that hear a question the one counts that is who was asked for', async () => {
  const buses = await mesh(3)
  const [one, gone, here] = buses as [MeshBus, MeshBus, MeshBus]
  let later: (() => void) | undefined
  await gone.hear('user.a1', (_message, respond) => {
    respond?.(new Uint8Array(0))
    setTimeout(() => later?.(), 20)
  }).ready
  await here.hear('user.a1', (_message, respond) => {
    later = () => respond?.(new Uint8Array([7]))
  }).ready
  const ask = (): Promise<unknown> =>
    new Promise((resolve) => one.ask('user.a1', new Uint8Array(1), 60_000, resolve))
  expect(await ask()).toEqual(new Uint8Array([7]))
  await gone.hear('user.b1', (_message, respond) => respond?.(new Uint8Array(0))).ready
  expect(
    await new Promise((resolve) => one.ask('user.b1', new Uint8Array(1), 60_000, resolve)),
  ).toEqual(new Uint8Array(0))
  await Promise.all(buses.map((bus) => bus.close()))
})

it('a worker that is gone before it is met is no harm', async () => {
  const [one] = (await mesh(1)) as [MeshBus]
  await one.connect(9, join(folder, '9'))
  await one.close()
})

it('what is said to a worker that does not read is left out, and it learns of that', async () => {
  const [one] = (await mesh(1)) as [MeshBus]
  const heard: string[] = []
  const raw = await rawWorker(join(folder, '2'), ({ kind }) => heard.push(kind))
  const connected = one.connect(2, join(folder, '2'))
  const [link, socket] = await Promise.all([raw.link, raw.socket])
  link.send({ kind: 'hear', number: 1, subject: 'user.a1' })
  link.send({ kind: 'introduced' })
  await connected
  await expect.poll(() => heard).toContain('heard')
  socket.pause()
  const said = 64
  for (let count = 0; count < said; count++) {
    one.say('user.a1', new Uint8Array(2 ** 20))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const asked = new Promise((resolve) => one.ask('user.a1', new Uint8Array(1), 60_000, resolve))
  expect(await asked).toBe('nobody')
  one.ask('user.a1', new Uint8Array(1), 60_000, () => {}, true)
  socket.resume()
  await expect.poll(() => heard.at(-1), { timeout: 10_000 }).toBe('missed')
  expect(heard.filter((kind) => kind === 'ask')).toHaveLength(1)
  const arrived = heard.filter((kind) => kind === 'say').length
  expect(arrived).toBeGreaterThan(0)
  expect(arrived).toBeLessThan(said / 2)
  raw.close()
  link.end()
  await one.close()
})
