/** Two servers over one memory store and one memory bus: the routing by itself. */
import { afterEach, expect, it } from 'vitest'
import { freshCodeKey } from '../src/code-key.ts'
import { MemoryBus } from '../src/memory-bus.ts'
import { memoryStore } from '../src/memory-store.ts'
import { severalProcessesContract } from './several-processes.contract.ts'
import { connect, envelope, register, startServer, type TestServer } from './support.ts'

severalProcessesContract('memory', async (capacity) => {
  const shared = new MemoryBus()
  const [store, codeKey] = [memoryStore({ capacity }), freshCodeKey()]
  return {
    engines: [
      { store, codeKey, bus: shared.end() },
      { store, codeKey, bus: shared.end() },
    ],
    end: async () => {},
  }
})

const servers: TestServer[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))

it('after a gap everything that was missed is found in the mailbox', async () => {
  const shared = new MemoryBus()
  const [store, codeKey] = [memoryStore({ capacity: 2 }), freshCodeKey()]
  // What this one says, and asks, is lost.
  const mute = Object.assign(shared.end(), {
    say: () => {},
    ask: (_s: unknown, _m: unknown, _t: unknown, answered: (result: 'nobody') => void) =>
      setImmediate(() => answered('nobody')),
  })
  const deaf = shared.end()
  const one = await startServer({ engine: { store, codeKey, bus: mute } })
  const two = await startServer({ engine: { store, codeKey, bus: deaf } })
  servers.push(one, two)
  const ana = await register(one, '+12025550101')
  const ben = await register(two, '+12025550102')
  const [anas, bens] = [await connect(one, ana), await connect(two, ben)]
  await bens.take('caught-up')
  const bytes = envelope()
  expect(await anas.put(ben, bytes)).toEqual({ kind: 'stored' })
  expect(await bens.comes('deliver')).toBe(false)
  deaf.gap()
  expect((await bens.take('deliver')).envelope).toEqual(bytes)
})
