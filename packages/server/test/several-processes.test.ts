/** Two servers over one memory store and one memory bus: the routing by itself. */
import { CLOSE_CODE } from '@couplet/wire'
import { afterEach, expect, it } from 'vitest'
import type { Bus, Hearer, Hearing } from '../src/bus.ts'
import { freshCodeKey } from '../src/code-key.ts'
import { MemoryBus } from '../src/memory-bus.ts'
import { memoryStore } from '../src/memory-store.ts'
import { severalProcessesContract } from './several-processes.contract.ts'
import {
  connect,
  envelope,
  idOf,
  register,
  startServer,
  type TestIdentity,
  type TestServer,
} from './support.ts'

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

/** A bus whose hearings of rooms begin late, after whatever was said until `open`. */
function lateBus(shared: MemoryBus): { readonly bus: Bus; readonly open: () => void } {
  const [end, gate] = [shared.end(), Promise.withResolvers<void>()]
  const hear = end.hear.bind(end)
  const late = (subject: string, hearer: Hearer): Hearing => {
    if (!subject.startsWith('room.')) return hear(subject, hearer)
    const hearing = gate.promise.then(() => hear(subject, hearer))
    return {
      ready: hearing.then(({ ready }) => ready),
      end: () => void hearing.then((begun) => begun.end()),
    }
  }
  return { bus: Object.assign(end, { hear: late }), open: gate.resolve }
}

async function startTwo(
  buses: readonly [Bus, Bus],
): Promise<{ one: TestServer; two: TestServer; ana: TestIdentity; ben: TestIdentity }> {
  const [store, codeKey] = [memoryStore({ capacity: 1 }), freshCodeKey()]
  const [one, two] = await Promise.all(
    buses.map((bus) => startServer({ engine: { store, codeKey, bus } })),
  )
  servers.push(one!, two!)
  const ana = await register(one!, '+12025550101')
  const ben = await register(two!, '+12025550102')
  return { one: one!, two: two!, ana, ben }
}

it.each(['full', 'evicted'])('tells of room that came before it was heard of: %s', async (how) => {
  const shared = new MemoryBus()
  const late = lateBus(shared)
  const { one, two, ana, ben } = await startTwo([late.bus, shared.end()])
  const anas = await connect(one, ana)
  await anas.put(ben, envelope())
  await anas.put(ben, envelope(), how === 'full' ? 'if-room' : 'evict')
  const bens = await connect(two, ben)
  await bens.ack(idOf((await bens.take('deliver')).envelope))
  expect(await anas.comes('room')).toBe(false)
  late.open()
  expect((await anas.take('room')).recipient).toEqual(ben.identityId)
})

it('tells of room that came in a gap', async () => {
  const shared = new MemoryBus()
  const [deaf, mute] = [shared.end(), Object.assign(shared.end(), { say: () => {} })]
  const { one, two, ana, ben } = await startTwo([deaf, mute])
  const anas = await connect(one, ana)
  await anas.put(ben, envelope())
  expect(await anas.put(ben, envelope(), 'if-room')).toEqual({ kind: 'full' })
  const bens = await connect(two, ben)
  await bens.ack(idOf((await bens.take('deliver')).envelope))
  expect(await anas.comes('room')).toBe(false)
  deaf.gap()
  expect((await anas.take('room')).recipient).toEqual(ben.identityId)
})

it('leaves one connection to a user though the other process does not keep up', async () => {
  const shared = new MemoryBus()
  const busy = shared.end()
  const ask = busy.ask.bind(busy)
  // Like a full link: what is not urgent is left out.
  const full: Bus['ask'] = (subject, message, timeoutMs, answered, urgent) => {
    if (urgent) ask(subject, message, timeoutMs, answered)
    else setImmediate(() => answered('nobody'))
  }
  const { one, two, ben } = await startTwo([Object.assign(busy, { ask: full }), shared.end()])
  const older = await connect(two, ben)
  await older.take('caught-up')
  await connect(one, ben)
  expect(await older.closed).toBe(CLOSE_CODE.replaced)
})

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
