/** Many logins at once: some are checked, others wait their turn, and the rest is told when to come. */
import { CLOSE_CODE } from '@couplet/wire'
import { expect, it } from 'vitest'
import { freshCodeKey } from '../src/code-key.ts'
import { LoginQueue } from '../src/login-queue.ts'
import { memoryStore } from '../src/memory-store.ts'
import { logIn, register, startServer, type TestIdentity, TestSocket } from './support.ts'

/** A queue under a clock that stands still, and checks that end when they are told to. */
function crowd(limits: { atOnce: number; waiting: number; patienceMs: number }) {
  const clock = { now: 0 }
  const queue = new LoginQueue(limits, () => clock.now)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const come = (number: number): Promise<number> =>
    queue.run(async () => {
      begun.push(number)
      await new Promise<void>((resolve) => {
        ends[number] = resolve
      })
      return number
    })
  return { clock, begun, ends, come }
}

it('checks so many at one time, and the others in the order in which they came', async () => {
  const { begun, ends, come } = crowd({ atOnce: 2, waiting: 10, patienceMs: 5000 })
  const all = [0, 1, 2, 3].map(come)
  expect(begun).toEqual([0, 1])
  ends[1]!()
  await all[1]
  await expect.poll(() => begun).toEqual([0, 1, 2])
  ends[0]!()
  await expect.poll(() => begun).toEqual([0, 1, 2, 3])
  for (const end of ends) end()
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3])
  const again = come(4)
  expect(begun.at(-1)).toBe(4)
  ends[4]!()
  await again
})

it('gives the place of one that failed to the next', async () => {
  const queue = new LoginQueue({ atOnce: 1, waiting: 10, patienceMs: 5000 }, () => 0)
  const failing = queue.run(() => Promise.reject(new Error('no store')))
  const next = queue.run(async () => 'checked')
  await expect(failing).rejects.toThrow('no store')
  expect(await next).toBe('checked')
})

it('says when to come again to whom it would take too long', async () => {
  const { clock, ends, come } = crowd({ atOnce: 1, waiting: 2, patienceMs: 5000 })
  const [first, second] = [come(0), come(1)]
  clock.now = 5000
  const third = come(2)
  const full = { code: 'unavailable', details: { retryAfter: 5 } }
  await expect(come(3)).rejects.toMatchObject(full)
  ends[0]!()
  await first
  clock.now = 12_500
  const slow = { code: 'unavailable', details: { retryAfter: 8 } }
  await expect(come(4)).rejects.toMatchObject(slow)
  await expect.poll(() => ends[1]).toBeDefined()
  ends[1]!()
  await second
  await expect.poll(() => ends[2]).toBeDefined()
  ends[2]!()
  await third
})

/** A server whose directory answers logins only when it is told to, and five people of it. */
async function slowServer(loginMs: number) {
  const store = memoryStore({ capacity: 2 })
  const gate = Promise.withResolvers<void>()
  const byIdentity = store.directory.byIdentity.bind(store.directory)
  const server = await startServer({
    engine: { store, codeKey: freshCodeKey() },
    logins: { atOnce: 2, waiting: 2, patienceMs: 5000 },
    timing: { loginMs },
  })
  const people: TestIdentity[] = []
  for (const digit of [0, 1, 2, 3, 4]) {
    people.push(await register(server, `+120255501${10 + digit}`))
  }
  const asked: Uint8Array[] = []
  store.directory.byIdentity = async (identityId) => {
    asked.push(identityId)
    await gate.promise
    return byIdentity(identityId)
  }
  const come = async (person: number): Promise<TestSocket> => {
    const socket = new TestSocket(server)
    await logIn(server, socket, people[person]!)
    return socket
  }
  /** Two are checked, and two wait. */
  const four = async (): Promise<TestSocket[]> => {
    const sockets = [await come(0), await come(1)]
    await expect.poll(() => asked).toHaveLength(2)
    return [...sockets, await come(2), await come(3)]
  }
  return { server, asked, open: gate.resolve, come, four }
}

it('a server with too many logins answers all of them: welcome, or when to come again', async () => {
  const { server, asked, open, come, four } = await slowServer(60_000)
  const sockets = await four()
  const refused = await come(4)
  const error = await refused.take('error')
  expect(error).toMatchObject({ ref: 0, code: 'unavailable', retryAfter: 5 })
  expect(await refused.closed).toBe(CLOSE_CODE.stopping)
  open()
  for (const socket of sockets) await socket.take('welcome')
  expect(asked).toHaveLength(4)
  await server.close()
})

it('asks nothing for who has gone before the turn came', async () => {
  const { server, asked, open, come, four } = await slowServer(300)
  for (const { closed } of await four()) expect(await closed).toBe(CLOSE_CODE.timeout)
  open()
  await (await come(4)).take('welcome')
  expect(asked).toHaveLength(3)
  await server.close()
})
