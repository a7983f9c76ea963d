/** What users see must not depend on which process they are connected to. (spec/socket.md) */
import { CLOSE_CODE, type PhoneNumber } from '@couplet/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { NO_LIMITS } from '../src/limits.ts'
import type { Engine } from '../src/ports.ts'
import {
  type Answer,
  connect,
  envelope,
  freshBytes,
  idOf,
  makeIdentity,
  openRegistration,
  problemOf,
  proofOf,
  register,
  request,
  signedHeaders,
  startServer,
  type TestIdentity,
  type TestServer,
  type TestSocket,
} from './support.ts'

export interface EnginesUnderTest {
  /** For two servers of one service. */
  readonly engines: readonly [Engine, Engine]
  readonly end: () => Promise<void>
}

/** Logged in, and past what was waiting. */
async function online(server: TestServer, identity: TestIdentity): Promise<TestSocket> {
  const socket = await connect(server, identity)
  await socket.take('caught-up')
  return socket
}

async function locked(
  server: TestServer,
  owner: TestIdentity,
  pin: string,
  now: number,
): Promise<void> {
  const [path, body] = ['/v1/registration-lock', JSON.stringify({ pin })]
  const headers = signedHeaders(server, owner, 'PUT', path, body, now)
  expect((await request(server, 'PUT', path, body, headers)).status).toBe(204)
}

/** As after some wrong ones, which would take seconds. */
async function leaveTries({ store }: Engine, phone: string, triesLeft: number): Promise<void> {
  const row = (await store.directory.byPhone(phone as PhoneNumber))!
  const next = { ...row, lock: { ...row.lock!, triesLeft }, revision: row.revision + 1 }
  expect(await store.directory.compareAndSet(next, row)).toBe(true)
}

/** Somebody with another identity who has intercepted a code, and then says a PIN. */
async function thief(
  server: TestServer,
  { phone }: TestIdentity,
): Promise<(pin: string) => Promise<Answer>> {
  const identity = makeIdentity(phone)
  const opened = await openRegistration(server, identity)
  const code = server.codes.get(phone)!.at(-1)!
  const proof = proofOf(server, identity, opened)
  const path = `/v1/registrations/${opened.body.id}/verify`
  return (pin) => request(server, 'POST', path, { code, proof, pin })
}

const inOrder = (ids: readonly Uint8Array[]): readonly string[] =>
  ids.map((id) => Buffer.from(id).toString('hex')).toSorted()

export function severalProcessesContract(
  name: string,
  open: (capacity: number) => Promise<EnginesUnderTest>,
): void {
  let under: EnginesUnderTest
  let one: TestServer
  let two: TestServer
  let ana: TestIdentity
  let ben: TestIdentity

  const start = async (options: Parameters<typeof startServer>[0] = {}): Promise<void> => {
    under = await open(2)
    // Both have one public name, as behind a load balancer.
    const publicUrl = 'http://chat.example'
    const [first, second] = await Promise.all(
      under.engines.map((engine) =>
        startServer({ engine, publicUrl, limits: NO_LIMITS, ...options }),
      ),
    )
    one = { ...first!, name: 'chat.example' }
    two = { ...second!, name: 'chat.example' }
    ana = await register(one, '+12025550101')
    ben = await register(two, '+12025550102')
  }

  describe(`${name}: two processes`, () => {
    afterEach(async () => {
      await Promise.all([one.close(), two.close()])
      await under.end()
    })

    it('deliver live from one to the other, with the receipt in the answer to the put', async () => {
      // No write at all is needed: the answer comes long before the window ends.
      await start({ commitWindowMs: 60_000 })
      const [anas, bens] = [await online(one, ana), await online(two, ben)]
      const [bytes, receipt] = [envelope(), freshBytes(32)]
      const ref = anas.putting(ben, bytes)
      expect((await bens.take('deliver')).envelope).toEqual(bytes)
      await bens.ack(idOf(bytes), receipt)
      expect(await anas.outcome(ref)).toEqual({ kind: 'delivered', receipt })
    })

    it('keep for the absent what either took, in one mailbox', async () => {
      await start()
      const all = [envelope(), envelope(), envelope()]
      const [anas, bens] = [await online(one, ana), await online(two, ben)]
      const cyd = await register(two, '+12025550103')
      expect(await anas.put(cyd, all[0]!)).toEqual({ kind: 'stored' })
      expect(await bens.put(cyd, all[1]!)).toEqual({ kind: 'stored' })
      expect(await bens.put(cyd, all[2]!)).toEqual({ kind: 'stored' })
      expect(await anas.take('notice')).toMatchObject({ id: idOf(all[0]!) })
      const cyds = await connect(one, cyd)
      expect((await cyds.take('deliver')).envelope).toEqual(all[1])
      expect((await cyds.take('deliver')).envelope).toEqual(all[2])
      await cyds.take('caught-up')
    })

    it('tell a sender in the other process how its envelope ended, and that there is room', async () => {
      await start()
      const anas = await online(one, ana)
      const all = [envelope(), envelope(), envelope()]
      for (const bytes of all.slice(0, 2)) await anas.put(ben, bytes)
      expect(await anas.put(ben, all[2]!, 'if-room')).toEqual({ kind: 'full' })
      const bens = await online(two, ben)
      const receipt = freshBytes(32)
      await bens.ack(idOf(all[0]!), receipt)
      const notice = await anas.take('notice')
      expect(notice).toMatchObject({ id: idOf(all[0]!), status: { kind: 'delivered', receipt } })
      expect((await anas.take('room')).recipient).toEqual(ben.identityId)
      expect(await anas.put(ben, all[2]!, 'if-room')).toEqual({ kind: 'stored' })
      for (const bytes of all) expect((await bens.take('deliver')).envelope).toEqual(bytes)
    })

    it('pass through to a full mailbox whose owner reads in the other process', async () => {
      await start({ commitWindowMs: 0 })
      const [anas, bens] = [await online(one, ana), await online(two, ben)]
      for (let count = 0; count < 2; count++) await anas.put(ben, envelope())
      const [bytes, receipt] = [envelope(), freshBytes(32)]
      const ref = anas.putting(ben, bytes, 'if-room')
      await bens.take('deliver', (frame) => Buffer.compare(frame.envelope, bytes) === 0)
      await bens.ack(idOf(bytes), receipt)
      expect(await anas.outcome(ref)).toEqual({ kind: 'delivered', receipt })

      const lost = anas.putting(ben, envelope(), 'if-room')
      await bens.take('deliver', ({ envelope: e }) => Buffer.compare(e, bytes) !== 0)
      await new Promise((resolve) => setTimeout(resolve, 50))
      bens.cut()
      expect(await anas.outcome(lost)).toEqual({ kind: 'full' })
    })

    it('leave one connection to a user, the newest', async () => {
      await start()
      const older = await online(one, ben)
      const newer = await online(two, ben)
      expect(await older.closed).toBe(CLOSE_CODE.replaced)
      const anas = await online(one, ana)
      const ref = anas.putting(ben, envelope())
      const { envelope: bytes } = await newer.take('deliver')
      await newer.ack(idOf(bytes))
      expect(await anas.outcome(ref)).toEqual({ kind: 'settled' })
    })

    it('leave the newest also when users come and go quickly', async () => {
      await start()
      let last = await online(one, ben)
      for (let count = 0; count < 8; count++) {
        const next = await online(count % 2 === 0 ? two : one, ben)
        expect(await last.closed).toBe(CLOSE_CODE.replaced)
        last = next
      }
    })

    it('leave one connection when a user logs in to both at once', async () => {
      await start()
      const both = await Promise.all([connect(one, ben), connect(two, ben)])
      const code = await Promise.race(both.map(({ closed }) => closed))
      expect(code).toBe(CLOSE_CODE.replaced)
      await new Promise((resolve) => setTimeout(resolve, 300))
      const left = both.filter(({ webSocket }) => webSocket.readyState === webSocket.OPEN)
      expect(left).toHaveLength(1)
      const anas = await online(one, ana)
      anas.putting(ben, envelope())
      await left[0]!.take('deliver')
    })

    it('count nobody as a stranger to whom the recipient has written, wherever both are', async () => {
      const strangerSends = { burst: 2, periodMs: 3_600_000 }
      await start({ commitWindowMs: 0, limits: { ...NO_LIMITS, strangerSends } })
      const [cyd, dan] = [await register(one, '+12025550103'), await register(two, '+12025550104')]
      const [anas, cyds] = [await online(one, ana), await online(one, cyd)]
      const bens = await online(two, ben)
      await bens.put(ana, envelope())
      await bens.put(dan, envelope())
      const dans = await online(one, dan)
      for (let count = 0; count < 2; count++) await cyds.put(ben, envelope())
      cyds.putting(ben, envelope())
      expect((await cyds.take('error')).code).toBe('rate-limited')
      expect(await anas.put(ben, envelope())).toEqual({ kind: 'stored' })
      // Here it was the mailbox that brought Ben's word.
      expect(await dans.put(ben, envelope())).toEqual({ kind: 'stored' })
      await bens.close()
      for (let count = 0; count < 3; count++) {
        expect(await anas.put(ben, envelope())).toEqual({ kind: 'stored' })
      }
    })

    it('forget in both an identity that lost its number', async () => {
      await start()
      const anas = await online(one, ana)
      const bens = await online(one, ben)
      await anas.put(ben, envelope())
      await register(two, ben.phone)
      expect(await bens.closed).toBe(CLOSE_CODE.unauthenticated)
      anas.putting(ben, envelope())
      expect((await anas.take('error')).code).toBe('unknown-recipient')
    })

    it('count the tries of a registration lock together, also those at the same moment', async () => {
      let now = Date.now()
      await start({ clock: { now: () => now } })
      await locked(one, ana, 'the PIN', now)
      await leaveTries(under.engines[1], ana.phone, 2)
      const thieves: ((pin: string) => Promise<Answer>)[] = []
      for (const server of [one, two, one, two]) thieves.push(await thief(server, ana))
      const wrong = await Promise.all(thieves.map((say, index) => say(`no ${index}`)))
      const problems = wrong.map(problemOf)
      for (const { code } of problems) expect(code).toBe('registration-locked')
      const left = problems.map(({ triesLeft }) => triesLeft!).toSorted((a, b) => a - b)
      expect(left).toEqual([0, 0, 0, 1])
      const [first, second] = [await thief(one, ana), await thief(two, ana)]
      for (const say of [first, second]) {
        expect(problemOf(await say('the PIN'))).toMatchObject({ retryAfter: 86_400 })
      }
      // One a day, at whichever; only one of two has been looked at.
      now += 86_400_000
      const again = [await thief(one, ana), await thief(two, ana)]
      const next = await Promise.all(again.map((say) => say('never')))
      expect(next.map(({ status }) => status)).toEqual([423, 423])
      const row = await under.engines[0].store.directory.byPhone(ana.phone as PhoneNumber)
      expect(row?.lock?.failures).toBe(3)
      expect(problemOf(await (await thief(one, ana))('the PIN')).code).toBe('registration-locked')
      now += 86_400_000
      expect((await (await thief(two, ana))('the PIN')).body).toMatchObject({ replaced: true })
    })

    it('lose nothing when the process with the recipient has stopped', async () => {
      await start()
      const anas = await online(one, ana)
      await online(two, ben)
      await two.close()
      const bytes = envelope()
      expect(await anas.put(ben, bytes)).toEqual({ kind: 'stored' })
      const bens = await online(one, ben)
      expect((await bens.take('deliver')).envelope).toEqual(bytes)
    })

    it('deliver once and in order what comes while the recipient logs in', async () => {
      await start()
      const anas = await online(one, ana)
      for (let round = 0; round < 12; round++) {
        const sent = [envelope(), envelope()]
        const refs = sent.map((bytes) => anas.putting(ben, bytes))
        const bens = await connect(two, ben)
        const got = new Map<string, Uint8Array>()
        while (got.size < 2) {
          const { envelope: bytes } = await bens.take('deliver')
          got.set(Buffer.from(bytes).toString('latin1'), bytes)
          await bens.ack(idOf(bytes))
        }
        for (const ref of refs) {
          expect(['stored', 'settled']).toContain((await anas.outcome(ref)).kind)
        }
        expect(inOrder([...got.values()].map(idOf))).toEqual(inOrder(sent.map(idOf)))
        await bens.close()
      }
    })
  })
}
