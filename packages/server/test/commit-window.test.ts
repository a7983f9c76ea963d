/** Delivered before it was written: what never needs the disk, and what must not be held back. */
import type { PutMode } from '@couplet/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { CommitWindow } from '../src/commit-window.ts'
import type { Answer } from '../src/mailbox.ts'
import { memoryStore } from '../src/memory-store.ts'
import type { MailboxStore, StoredEnvelope } from '../src/ports.ts'
import { stored } from './mailbox-store.contract.ts'
import { freshBytes } from './support.ts'

const ben = freshBytes(32)
const ana = freshBytes(32)
const SETTLED: Answer = { kind: 'settled' }
let calls: string[]
let store: MailboxStore
let commits: CommitWindow

beforeEach(() => {
  calls = []
  store = recording(memoryStore({ capacity: 2 }).mailboxes)
  commits = new CommitWindow(store, 50)
})

/** The store, and the names of its methods in the order in which they are called. */
function recording(inner: MailboxStore): MailboxStore {
  return {
    put: (recipient: Uint8Array, envelope: StoredEnvelope, mode: PutMode) => {
      calls.push('put')
      return inner.put(recipient, envelope, mode)
    },
    fetch: (...args) => {
      calls.push('fetch')
      return inner.fetch(...args)
    },
    ack: (...args) => {
      calls.push('ack')
      return inner.ack(...args)
    },
    count: (...args) => inner.count(...args),
    hasRoom: (...args) => inner.hasRoom(...args),
    status: (...args) => inner.status(...args),
    expire: (...args) => inner.expire(...args),
    drop: (...args) => inner.drop(...args),
  }
}

const receipt = (): Answer => ({ kind: 'delivered', receipt: freshBytes(32) })

describe('an envelope that was pushed', () => {
  it('and is answered in time never reaches the store; its put gets the answer', async () => {
    const one = stored(ana)
    const answer = receipt()
    const put = commits.put(ben, one, 'evict', true)
    const ack = await commits.ack(ben, one.id, answer, 5, ana)
    expect(ack.ended).toMatchObject({ id: one.id, sender: ana, end: answer })
    expect(await put).toEqual({ outcome: answer, evicted: [] })
    expect(calls).toEqual([])
    expect(await commits.status(ana, [one.id])).toEqual([answer])
    expect(commits.known(ana, ben, one.id)).toEqual(answer)
    expect(commits.known(ben, ben, one.id)).toBeUndefined()
    expect(commits.known(ana, ana, one.id)).toBeUndefined()
  })

  it('and is not answered is stored when the window ends', async () => {
    const one = stored(ana)
    expect(await commits.put(ben, one, 'evict', true)).toMatchObject({
      outcome: { kind: 'stored' },
    })
    expect(calls).toEqual(['put'])
  })

  it('and whose answer has arrived, but was not read by a busy server, is not stored', async () => {
    const one = stored(ana)
    const answer = receipt()
    // As if in the middle of reading: timers that become due come before what is read next.
    await new Promise((resolve) => setImmediate(resolve))
    const put = commits.put(ben, one, 'evict', true)
    // The window ends while the event loop is blocked, and the answer is read after the timers.
    const read = new Promise((resolve) => setImmediate(resolve)).then(() =>
      commits.ack(ben, one.id, answer, 5, ana),
    )
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60)
    await read
    expect(await put).toEqual({ outcome: answer, evicted: [] })
    expect(calls).toEqual([])
  })

  it('is stored before anything else happens to the same mailbox', async () => {
    const [one, two] = [stored(ana), stored(ana)]
    const first = commits.put(ben, one, 'evict', true)
    const second = commits.put(ben, two, 'evict', false)
    await Promise.all([first, second])
    expect(await commits.fetch(ben, 9, [])).toEqual([one, two])
    void commits.put(ben, stored(ana), 'evict', true)
    await commits.ack(ben, two.id, SETTLED, 5)
    expect(calls).toEqual(['put', 'put', 'fetch', 'put', 'ack'])
  })

  it('is stored at once when its recipient goes', async () => {
    const put = commits.put(ben, stored(ana), 'evict', true)
    commits.flush(ben)
    expect(calls).toEqual(['put'])
    expect((await put).outcome).toEqual({ kind: 'stored' })
  })

  it('is waiting for whom asks about it', async () => {
    const one = stored(ana)
    void commits.put(ben, one, 'evict', true)
    expect(await commits.status(ana, [one.id])).toEqual([{ kind: 'waiting' }])
    expect(await commits.status(ben, [one.id])).toEqual([{ kind: 'unknown' }])
  })

  it('put again while it waits is a duplicate, not a second one', async () => {
    const one = stored(ana)
    const first = commits.put(ben, one, 'evict', true)
    const second = commits.put(ben, one, 'evict', true)
    expect((await first).outcome).toEqual({ kind: 'stored' })
    expect((await second).outcome).toEqual({ kind: 'duplicate' })
  })

  it('put again while it waits is answered for once: nothing of it is written afterwards', async () => {
    const one = stored(ana)
    const puts = [commits.put(ben, one, 'evict', true), commits.put(ben, one, 'evict', true)]
    await commits.ack(ben, one.id, receipt(), 5, ana)
    await Promise.all(puts)
    expect(await commits.fetch(ben, 9, [])).toEqual([])
  })

  it('cannot be answered by somebody else', async () => {
    const one = stored(ana)
    const put = commits.put(ben, one, 'evict', true)
    await commits.ack(ana, one.id, receipt(), 5)
    expect((await put).outcome).toEqual({ kind: 'stored' })
  })
})

describe('ends that were never written', () => {
  it('are upgraded by a later receipt, once', async () => {
    const one = stored(ana)
    void commits.put(ben, one, 'evict', true)
    await commits.ack(ben, one.id, SETTLED, 5, ana)
    const answer = receipt()
    expect((await commits.ack(ben, one.id, answer, 6)).ended).toMatchObject({ end: answer })
    expect((await commits.ack(ben, one.id, answer, 7)).ended).toBeUndefined()
    expect(await commits.status(ana, [one.id])).toEqual([answer])
  })

  it('are written when the server stops', async () => {
    const one = stored(ana)
    const answer = receipt()
    void commits.put(ben, one, 'evict', true)
    await commits.ack(ben, one.id, answer, 5, ana)
    await commits.close()
    expect(await store.status(ana, [one.id])).toEqual([answer])
    expect((await store.put(ben, one, 'evict')).outcome).toEqual(answer)
  })

  it('go with their identity, and with time', async () => {
    const [one, two] = [stored(ana), stored(ana)]
    for (const each of [one, two]) {
      void commits.put(ben, each, 'evict', true)
      await commits.ack(ben, each.id, SETTLED, each === one ? 5 : 9, ana)
    }
    await commits.expire(5, 10)
    expect(await commits.status(ana, [one.id, two.id])).toEqual([{ kind: 'unknown' }, SETTLED])
    await commits.drop(ben)
    expect(await commits.status(ana, [two.id])).toEqual([{ kind: 'unknown' }])
  })
})
