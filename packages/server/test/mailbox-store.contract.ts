/** What every store must do, whatever it is made of. (delivery.md, "Server side") */
import type { PhoneNumber, PutMode } from '@couplet/wire'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Answer } from '../src/mailbox.ts'
import { memoryStore } from '../src/memory-store.ts'
import type { MailboxStore, Store, StoredEnvelope } from '../src/ports.ts'
import { LANE_LIMIT } from '../src/receipt-lane.ts'
import { envelope, freshBytes, idOf } from './support.ts'

export interface StoreUnderTest {
  readonly store: Store
  /** Closes and opens again, for stores that outlive their process. */
  readonly restart?: (capacity?: number) => Promise<Store>
  /** Whether a replaced identity's mailbox is emptied in the commit that replaces it. */
  readonly forgetsAtOnce?: boolean
  readonly end: () => Promise<void>
  /** It keeps the order within a mailbox only, not between mailboxes and questions about all. */
  readonly ordersMailboxesOnly?: boolean
}

const SETTLED: Answer = { kind: 'settled' }

/** An envelope and its id. */
export function stored(sender: Uint8Array, storedAt = 1): StoredEnvelope {
  const bytes = envelope()
  return { id: idOf(bytes), sender, storedAt, envelope: bytes }
}

function proven(): Answer {
  return { kind: 'delivered', receipt: freshBytes(32) }
}

export function mailboxStoreContract(
  name: string,
  open: (capacity: number) => Promise<StoreUnderTest>,
): void {
  let under: StoreUnderTest | undefined
  const opened = async (capacity: number): Promise<MailboxStore> => {
    under = await open(capacity)
    return under.store.mailboxes
  }
  const recipient = freshBytes(32)
  const sender = freshBytes(32)
  const waitingIds = async (mailboxes: MailboxStore) =>
    (await mailboxes.fetch(recipient, 100, [])).map(({ id }) => id)

  afterEach(async () => {
    await under?.end()
    under = undefined
  })

  describe(`${name}: mailboxes`, () => {
    it.each([1, 2, 3, 5])('hold exactly %i, the newest, in order of arrival', async (capacity) => {
      const mailboxes = await opened(capacity)
      const all = Array.from({ length: capacity + 3 }, () => stored(sender))
      const evicted: Uint8Array[] = []
      for (const one of all) {
        const result = await mailboxes.put(recipient, one, 'evict')
        expect(result.outcome).toEqual({ kind: 'stored' })
        evicted.push(...result.evicted.map(({ id }) => id))
      }
      expect(evicted).toEqual(all.slice(0, 3).map(({ id }) => id))
      const waiting = await mailboxes.fetch(recipient, 100, [])
      expect(waiting).toEqual(all.slice(3))
      expect(await mailboxes.count(recipient)).toBe(capacity)
      expect(await mailboxes.count(sender)).toBe(0)
    })

    it('report an eviction with recipient, id and sender', async () => {
      const mailboxes = await opened(1)
      const first = stored(sender)
      await mailboxes.put(recipient, first, 'evict')
      const { evicted } = await mailboxes.put(recipient, stored(freshBytes(32)), 'evict')
      expect(evicted).toEqual([{ recipient, id: first.id, sender }])
      expect(await mailboxes.status(sender, [first.id])).toEqual([{ kind: 'evicted' }])
    })

    it('take the same put twice with one effect', async () => {
      const mailboxes = await opened(2)
      const one = stored(sender)
      await mailboxes.put(recipient, one, 'evict')
      const again = await mailboxes.put(recipient, one, 'evict')
      expect(again).toEqual({ outcome: { kind: 'duplicate' }, evicted: [] })
      expect(await waitingIds(mailboxes)).toEqual([one.id])
    })

    it('never evict for if-room', async () => {
      const mailboxes = await opened(1)
      const one = stored(sender)
      await mailboxes.put(recipient, one, 'if-room')
      const full = await mailboxes.put(recipient, stored(sender), 'if-room')
      expect(full).toEqual({ outcome: { kind: 'full' }, evicted: [] })
      expect(await mailboxes.hasRoom(recipient)).toBe(false)
      expect(await waitingIds(mailboxes)).toEqual([one.id])
    })

    it('take an acknowledgement twice with one effect, and then have room', async () => {
      const mailboxes = await opened(1)
      const one = stored(sender)
      const answer = proven()
      await mailboxes.put(recipient, one, 'evict')
      const first = await mailboxes.ack(recipient, one.id, answer, 5)
      expect(first).toEqual({
        ended: { id: one.id, sender, end: answer, endedAt: 5 },
        room: true,
      })
      expect(await mailboxes.ack(recipient, one.id, answer, 6)).toEqual({ room: true })
      expect(await mailboxes.hasRoom(recipient)).toBe(true)
      expect(await waitingIds(mailboxes)).toEqual([])
      expect((await mailboxes.put(recipient, one, 'evict')).outcome).toEqual(answer)
    })

    it('take a nack like an acknowledgement, with its reason', async () => {
      const mailboxes = await opened(2)
      const one = stored(sender)
      const refused: Answer = { kind: 'refused', reason: 'unknown-session' }
      await mailboxes.put(recipient, one, 'evict')
      await mailboxes.ack(recipient, one.id, refused, 5)
      expect(await mailboxes.status(sender, [one.id])).toEqual([refused])
      expect((await mailboxes.put(recipient, one, 'evict')).outcome).toEqual(refused)
    })

    it('let an acknowledgement of an evicted envelope find its sender', async () => {
      const mailboxes = await opened(1)
      const one = stored(sender)
      const answer = proven()
      await mailboxes.put(recipient, one, 'evict')
      await mailboxes.put(recipient, stored(freshBytes(32)), 'evict')
      const { ended, room } = await mailboxes.ack(recipient, one.id, answer, 5)
      expect(ended).toMatchObject({ sender, end: answer })
      expect(room).toBe(false)
      expect(await mailboxes.status(sender, [one.id])).toEqual([answer])
    })

    it('tell a sender only about its own envelopes', async () => {
      const mailboxes = await opened(2)
      const [waits, ended] = [stored(sender), stored(sender)]
      await mailboxes.put(recipient, waits, 'evict')
      await mailboxes.put(recipient, ended, 'evict')
      await mailboxes.ack(recipient, ended.id, proven(), 5)
      const ids = [waits.id, ended.id, freshBytes(32)]
      const unknown = { kind: 'unknown' }
      expect(await mailboxes.status(freshBytes(32), ids)).toEqual([unknown, unknown, unknown])
      expect(await mailboxes.status(recipient, ids)).toEqual([unknown, unknown, unknown])
      expect(await mailboxes.status(sender, ids)).toMatchObject([
        { kind: 'waiting' },
        { kind: 'delivered' },
        unknown,
      ])
    })

    it('let nobody acknowledge in the mailbox of another', async () => {
      const mailboxes = await opened(2)
      const one = stored(sender)
      await mailboxes.put(recipient, one, 'evict')
      expect((await mailboxes.ack(freshBytes(32), one.id, proven(), 5)).ended).toBeUndefined()
      expect(await waitingIds(mailboxes)).toEqual([one.id])
    })

    it('fetch the oldest first, leaving out what is under way', async () => {
      const mailboxes = await opened(5)
      const all = Array.from({ length: 5 }, () => stored(sender))
      for (const one of all) await mailboxes.put(recipient, one, 'evict')
      const some = await mailboxes.fetch(recipient, 2, [all[0]!.id, all[2]!.id])
      expect(some).toEqual([all[1], all[3]])
      expect(await mailboxes.fetch(freshBytes(32), 5, [])).toEqual([])
    })

    it(`remember ${LANE_LIMIT} ends for each sender, the newest`, async () => {
      const mailboxes = await opened(2)
      const all = Array.from({ length: LANE_LIMIT + 4 }, () => stored(sender))
      for (const one of all) {
        const of = freshBytes(32)
        await mailboxes.put(of, one, 'evict')
        await mailboxes.ack(of, one.id, SETTLED, 5)
      }
      const ids = all.map(({ id }) => id)
      const statuses = [
        ...(await mailboxes.status(sender, ids.slice(0, 200))),
        ...(await mailboxes.status(sender, ids.slice(200))),
      ].map(({ kind }) => kind)
      expect(statuses.slice(0, 4)).toEqual(['unknown', 'unknown', 'unknown', 'unknown'])
      expect(new Set(statuses.slice(4))).toEqual(new Set(['settled']))
    })

    it('let envelopes and ends expire', async () => {
      const mailboxes = await opened(3)
      const [old, acked, fresh] = [stored(sender, 10), stored(sender, 10), stored(sender, 20)]
      for (const one of [old, acked, fresh]) await mailboxes.put(recipient, one, 'evict')
      await mailboxes.ack(recipient, acked.id, SETTLED, 10)
      const evictions = await mailboxes.expire(10, 30)
      expect(evictions).toEqual([{ recipient, id: old.id, sender }])
      expect(await waitingIds(mailboxes)).toEqual([fresh.id])
      const kinds = (await mailboxes.status(sender, [old.id, acked.id])).map(({ kind }) => kind)
      expect(kinds).toEqual(['evicted', 'unknown'])
      await mailboxes.expire(30, 40)
      expect(await mailboxes.status(sender, [old.id])).toEqual([{ kind: 'unknown' }])
    })

    it('tell of every one that expired at once, however many a mailbox holds', async () => {
      const mailboxes = await opened(20)
      const all = Array.from({ length: 20 }, () => stored(sender, 10))
      for (const one of all) await mailboxes.put(recipient, one, 'evict')
      expect(await mailboxes.expire(10, 30)).toHaveLength(20)
      const statuses = await mailboxes.status(
        sender,
        all.map(({ id }) => id),
      )
      expect(statuses).toEqual(all.map(() => ({ kind: 'evicted' })))
    })

    it('drop everything of an identity that is gone, and nothing of others', async () => {
      const mailboxes = await opened(2)
      const [to, from] = [stored(sender), stored(recipient)]
      await mailboxes.put(recipient, to, 'evict')
      await mailboxes.put(sender, from, 'evict')
      await mailboxes.ack(sender, from.id, SETTLED, 5)
      await mailboxes.drop(recipient)
      expect(await waitingIds(mailboxes)).toEqual([])
      expect(await mailboxes.status(recipient, [from.id])).toEqual([{ kind: 'unknown' }])
      expect(await mailboxes.status(sender, [to.id])).toEqual([{ kind: 'unknown' }])
    })

    it('are linearizable under concurrency: of 60 puts at once, each is stored and 58 evicted', async () => {
      const mailboxes = await opened(2)
      const all = Array.from({ length: 60 }, () => stored(sender))
      const results = await Promise.all(
        // Each twice, like a retry that overtakes its answer.
        all.flatMap((one) => [one, one]).map((one) => mailboxes.put(recipient, one, 'evict')),
      )
      const evicted = results.flatMap((result) => result.evicted.map(({ id }) => id))
      expect(results.filter(({ outcome }) => outcome.kind === 'stored')).toHaveLength(60)
      expect(evicted).toEqual(all.slice(0, 58).map(({ id }) => id))
      expect(await waitingIds(mailboxes)).toEqual(all.slice(58).map(({ id }) => id))
    })

    it('give the answers of the pure function, whatever comes in whatever order', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 4 }),
          fc.array(anyOperation, { minLength: 20, maxLength: 60, size: 'max' }),
          async (capacity, operations) => {
            const tested = await open(capacity)
            const model = memoryStore({ capacity })
            try {
              const expected = operations.map((one, at) => apply(model.mailboxes, one, at))
              const actual: unknown[] = []
              for (const [at, one] of operations.entries()) {
                const answer = apply(tested.store.mailboxes, one, at)
                actual.push(tested.ordersMailboxesOnly ? await answer : answer)
              }
              expect(await Promise.all(actual)).toEqual(await Promise.all(expected))
            } finally {
              await tested.end()
            }
          },
        ),
        { numRuns: 10 },
      )
    })

    it('give the answers of the pure function for 3,000 operations in a row', async () => {
      const mailboxes = await opened(2)
      const model = memoryStore({ capacity: 2 })
      const [operations] = fc.sample(longLife, { numRuns: 1, seed: 7 })
      const expected: unknown[] = []
      const actual: unknown[] = []
      for (const [at, one] of operations!.entries()) {
        expected.push(await apply(model.mailboxes, one, at))
        const answer = apply(mailboxes, one, at)
        actual.push(under!.ordersMailboxesOnly ? await answer : answer)
      }
      for (const [at, answer] of (await Promise.all(actual)).entries()) {
        expect(answer, `operation ${at}: ${operations![at]!.kind}`).toEqual(expected[at])
      }
    }, 300_000)
  })

  describe(`${name}: directory`, () => {
    const user = {
      phone: '+12025550101' as PhoneNumber,
      identityId: recipient,
      identity: freshBytes(570),
      prekeys: freshBytes(1327),
      prekeysId: 1,
      registeredAt: 7,
      seenAt: 86_400_000,
      revision: 1,
    }

    it('finds by number and by identity, and changes only what it has seen', async () => {
      await opened(2)
      const { directory } = under!.store
      expect(await directory.byPhone(user.phone)).toBeUndefined()
      expect(await directory.compareAndSet(user, undefined)).toBe(true)
      expect(await directory.compareAndSet(user, undefined)).toBe(false)
      expect({ ...(await directory.byPhone(user.phone)) }).toEqual(user)
      expect({ ...(await directory.byIdentity(recipient)) }).toEqual(user)

      const other = { ...user, identityId: sender, revision: 2 }
      expect(await directory.compareAndSet(other, { ...user, revision: 2 })).toBe(false)
      expect(await directory.compareAndSet(other, user)).toBe(true)
      expect(await directory.byIdentity(recipient)).toBeUndefined()
    })

    it('lets nobody who had a number change the row of whoever has it now', async () => {
      await opened(2)
      const { directory } = under!.store
      await directory.compareAndSet(user, undefined)
      expect(await directory.remove(user.phone, user)).toBe(true)
      const heir = { ...user, identityId: sender }
      expect(await directory.compareAndSet(heir, undefined)).toBe(true)

      // Still under way when the row of the same revision had another owner.
      expect(await directory.compareAndSet({ ...user, revision: 2 }, user)).toBe(false)
      expect(await directory.remove(user.phone, user)).toBe(false)
      expect({ ...(await directory.byPhone(user.phone)) }).toEqual(heir)
    })

    it('keeps a registration lock, and takes it away', async () => {
      await opened(2)
      const { directory } = under!.store
      const lock = {
        salt: freshBytes(16),
        hash: freshBytes(32),
        triesLeft: 3,
        nextTryAt: 8,
        failures: 7,
        failedAt: 5,
      }
      await directory.compareAndSet({ ...user, lock }, undefined)
      expect(await directory.byPhone(user.phone)).toEqual({ ...user, lock })
      await directory.compareAndSet({ ...user, lock: undefined, revision: 2 }, user)
      expect((await directory.byPhone(user.phone))?.lock).toBeUndefined()
    })

    it('a replaced identity, and a removed one, take with them all that is kept for them', async () => {
      const mailboxes = await opened(2)
      const { directory } = under!.store
      await directory.compareAndSet(user, undefined)
      const ended = stored(sender)
      await mailboxes.put(recipient, ended, 'evict')
      await mailboxes.ack(recipient, ended.id, SETTLED, 2)
      await mailboxes.put(recipient, stored(sender), 'evict')

      const fresh = { ...user, identityId: freshBytes(32), revision: 2 }
      expect(await directory.compareAndSet(fresh, user)).toBe(true)
      if (under!.forgetsAtOnce === false) await mailboxes.drop(recipient)
      expect(await mailboxes.fetch(recipient, 9, [])).toEqual([])
      const again = await mailboxes.put(recipient, ended, 'evict')
      expect(again.outcome).toEqual({ kind: 'stored' })

      await mailboxes.put(fresh.identityId, stored(sender), 'evict')
      expect(await directory.remove(user.phone, user)).toBe(false)
      expect(await directory.remove(user.phone, fresh)).toBe(true)
      if (under!.forgetsAtOnce === false) await mailboxes.drop(fresh.identityId)
      expect(await directory.byPhone(user.phone)).toBeUndefined()
      expect(await directory.byIdentity(fresh.identityId)).toBeUndefined()
      expect(await mailboxes.fetch(fresh.identityId, 9, [])).toEqual([])
      expect(await directory.remove(user.phone, fresh)).toBe(false)
    })

    it('a new prekey set of the same identity leaves its mailbox as it is', async () => {
      const mailboxes = await opened(2)
      const { directory } = under!.store
      await directory.compareAndSet(user, undefined)
      const waiting = stored(sender)
      await mailboxes.put(recipient, waiting, 'evict')
      await directory.compareAndSet({ ...user, prekeysId: 2, revision: 2 }, user)
      expect(await mailboxes.fetch(recipient, 9, [])).toEqual([waiting])
    })

    it('lists in the order of numbers, in pages', async () => {
      await opened(2)
      const { directory } = under!.store
      const phones = ['+12025550103', '+12025550101', '+4915112345678'] as PhoneNumber[]
      for (const phone of phones) {
        await directory.compareAndSet({ ...user, phone, identityId: freshBytes(32) }, undefined)
      }
      const page = async (after: string, limit: number) =>
        (await directory.list(after, limit)).map(({ phone }) => phone)
      expect(await page('', 2)).toEqual(['+12025550101', '+12025550103'])
      expect(await page('+12025550103', 2)).toEqual(['+4915112345678'])
    })

    it('lets one of many win', async () => {
      await opened(2)
      const { directory } = under!.store
      const wins = await Promise.all(
        Array.from({ length: 8 }, () =>
          directory.compareAndSet({ ...user, identityId: freshBytes(32) }, undefined),
        ),
      )
      expect(wins.filter(Boolean)).toHaveLength(1)
    })
  })

  recordContract(name, async () => {
    await opened(2)
    return under!.store
  })

  describe(`${name}: registrations`, () => {
    const pending = {
      id: 'abc',
      phone: '+12025550101' as PhoneNumber,
      identityId: recipient,
      identity: freshBytes(570),
      prekeys: freshBytes(1327),
      prekeysId: 1,
      challenge: freshBytes(32),
      codeHash: freshBytes(32),
      expiresAt: 100,
      triesLeft: 5,
      nextTryAt: 0,
    }

    it('counts tries atomically: of 20 at once, those that need no wait pass', async () => {
      await opened(2)
      const { registrations } = under!.store
      await registrations.open(pending)
      expect({ ...(await registrations.find('abc')) }).toEqual(pending)
      const tries = await Promise.all(
        Array.from({ length: 20 }, () => registrations.takeTry('abc', 1000)),
      )
      const taken = tries.filter(({ kind }) => kind === 'taken')
      expect(taken).toEqual([
        { kind: 'taken', triesLeft: 4, waitMs: 0 },
        { kind: 'taken', triesLeft: 3, waitMs: 60_000 },
      ])
      expect(tries.filter(({ kind }) => kind === 'early')).toHaveLength(18)
      expect(await registrations.takeTry('never opened', 1000)).toEqual({ kind: 'none' })
    })

    it('lets five tries pass, slower and slower, and then none', async () => {
      await opened(2)
      const { registrations } = under!.store
      await registrations.open(pending)
      let now = 1000
      const waits: number[] = []
      for (let count = 0; count < 5; count++) {
        const outcome = await registrations.takeTry('abc', now)
        if (outcome.kind !== 'taken') throw new Error(`test: ${outcome.kind}`)
        waits.push(outcome.waitMs)
        if (outcome.waitMs > 0) {
          const early = await registrations.takeTry('abc', now + outcome.waitMs - 1)
          expect(early).toEqual({ kind: 'early', triesLeft: outcome.triesLeft, waitMs: 1 })
        }
        now += outcome.waitMs
      }
      expect(waits).toEqual([0, 60_000, 120_000, 120_000, 0])
      expect(await registrations.takeTry('abc', now + 1e9)).toEqual({ kind: 'none' })
    })

    it('remembers the invitation', async () => {
      await opened(2)
      const { registrations } = under!.store
      await registrations.open({ ...pending, invitation: 'invitation:x' })
      expect((await registrations.find('abc'))?.invitation).toBe('invitation:x')
    })

    it('is finished once', async () => {
      await opened(2)
      const { registrations } = under!.store
      await registrations.open(pending)
      const finished = await Promise.all([registrations.finish('abc'), registrations.finish('abc')])
      expect(finished).toEqual([true, false])
      expect(await registrations.find('abc')).toBeUndefined()
    })

    it('forgets what expired', async () => {
      await opened(2)
      const { registrations } = under!.store
      await registrations.open(pending)
      await registrations.expire(99)
      expect(await registrations.find('abc')).toBeDefined()
      await registrations.expire(100)
      expect(await registrations.find('abc')).toBeUndefined()
    })
  })
}

function recordContract(name: string, store: () => Promise<Store>): void {
  describe(`${name}: records`, () => {
    const record = { name: 'codes:a', level: 0.25, at: 5, expiresAt: 100, revision: 1 }

    it('are changed by whoever has seen the last change', async () => {
      const { records } = await store()
      expect(await records.get('codes:a')).toBeUndefined()
      expect(await records.compareAndSet(record, 0)).toBe(true)
      expect({ ...(await records.get('codes:a')) }).toEqual(record)
      expect(await records.compareAndSet({ ...record, level: 9 }, 0)).toBe(false)
      const second = { ...record, level: 2, revision: 2 }
      const wins = await Promise.all([
        records.compareAndSet(second, 1),
        records.compareAndSet(second, 1),
      ])
      expect(wins).toEqual([true, false])
      await records.remove('codes:a')
      await records.remove('codes:a')
      expect(await records.get('codes:a')).toBeUndefined()
    })

    it('are listed by what they are for, and forgotten in time', async () => {
      const { records } = await store()
      for (const [one, expiresAt] of [
        ['codes:b', 100],
        ['codes:a', 101],
        ['code', 200],
        ['block:+1', 200],
      ] as const) {
        await records.compareAndSet({ ...record, name: one, expiresAt }, 0)
      }
      const names = async () => (await records.list('codes:')).map((one) => one.name)
      expect(await names()).toEqual(['codes:a', 'codes:b'])
      await records.expire(100)
      expect(await names()).toEqual(['codes:a'])
    })
  })
}

type Operation =
  | { readonly kind: 'put'; readonly id: number; readonly to: number; readonly mode: PutMode }
  | { readonly kind: 'ack'; readonly id: number; readonly to: number; readonly answer: Answer }
  | { readonly kind: 'status'; readonly from: number; readonly ids: readonly number[] }
  | { readonly kind: 'fetch'; readonly to: number }
  | { readonly kind: 'expire'; readonly age: number }

const named = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const id = fc.integer({ min: 1, max: 24 })
const anyone = fc.integer({ min: 100, max: 102 })
const answer = fc.constantFrom<Answer>(
  SETTLED,
  { kind: 'refused', reason: 'late' },
  { kind: 'delivered', receipt: named(7) },
)
const mostOperations: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    id,
    to: anyone,
    mode: fc.constantFrom<PutMode>('evict', 'if-room'),
  }),
  fc.record({ kind: fc.constant('ack' as const), id, to: anyone, answer }),
  fc.record({
    kind: fc.constant('status' as const),
    from: anyone,
    ids: fc.array(id, { maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('fetch' as const), to: anyone }),
)
const expiry: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constant('expire' as const),
  age: fc.integer({ min: 5, max: 60 }),
})
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: mostOperations },
  { weight: 1, arbitrary: expiry },
)
/** Streams are gone through for what expired, which takes a while. */
const longLife: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof({ weight: 99, arbitrary: mostOperations }, { weight: 1, arbitrary: expiry }),
  { minLength: 3000, maxLength: 3000, size: 'max' },
)

/** Any rejection counts as a failure of the contract. */
function apply(mailboxes: MailboxStore, operation: Operation, at: number): Promise<unknown> {
  switch (operation.kind) {
    case 'put': {
      // One id has one sender and one recipient, as hashes have.
      const sender = named(100 + (operation.id % 3))
      const bytes = new Uint8Array(1024).fill(operation.id)
      const one = { id: named(operation.id), sender, storedAt: at, envelope: bytes }
      return mailboxes.put(named(100 + (operation.id % 2)), one, operation.mode)
    }
    case 'ack':
      return mailboxes.ack(named(operation.to), named(operation.id), operation.answer, at)
    case 'status':
      return mailboxes.status(named(operation.from), operation.ids.map(named))
    case 'fetch':
      return mailboxes.fetch(named(operation.to), 3, [])
    case 'expire':
      return mailboxes
        .expire(at - operation.age, at)
        .then((evictions) => evictions.map((one) => one.id[0]!).toSorted((a, b) => a - b))
  }
}
