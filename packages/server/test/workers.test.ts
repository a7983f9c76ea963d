/** Workers of one machine: the hub's store from afar, and the bus from worker to worker. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freshCodeKey } from '../src/code-key.ts'
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

it('a question to a worker that dies is unknown at once, and everybody looks into the mailboxes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'couplet-mesh-'))
  const one = await MeshBus.listen(1, join(folder, '1'))
  const two = await MeshBus.listen(2, join(folder, '2'))
  await two.connect(1, join(folder, '1'))
  await two.hear('user.a1', () => {}).ready
  let gaps = 0
  one.onGap(() => gaps++)
  const answered = new Promise((resolve) => one.ask('user.a1', new Uint8Array(1), 60_000, resolve))
  await two.close()
  expect(await answered).toBe('unknown')
  expect(gaps).toBe(1)
  await one.close()
  rmSync(folder, { recursive: true })
})
