/** Who is told what, and in which order, where answers of the recipient, of the store and of the clock meet. */
import { setImmediate as turn } from 'node:timers/promises'
import type { EnvelopeStatus } from '@couplet/wire'
import { Histogram, Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { Delivery, type DeliveryOptions } from '../src/delivery.ts'
import { Identities } from '../src/identities.ts'
import type { Channel, LiveUser } from '../src/live-user.ts'
import type { Answer } from '../src/mailbox.ts'
import { MemoryBus } from '../src/memory-bus.ts'
import { memoryStore } from '../src/memory-store.ts'
import { Meter } from '../src/meter.ts'
import { meteredStore } from '../src/metered-store.ts'
import type { Store } from '../src/ports.ts'
import { freshBytes, idOf } from './support.ts'

const [ana, ben, cyd] = [freshBytes(32), freshBytes(32), freshBytes(32)]
/** What Ana hears. */
let heard: string[]

beforeEach(() => {
  heard = []
})

const SETTLED: Answer = { kind: 'settled' }
const receipt = (): Answer => ({ kind: 'delivered', receipt: freshBytes(32) })

async function online(
  options: Partial<DeliveryOptions>,
): Promise<{ delivery: Delivery; bens: LiveUser }> {
  const { mailboxes, directory } = memoryStore({ capacity: 2 })
  const identities = new Identities(directory)
  const clock = { now: () => 1000 }
  const delivery = new Delivery({ mailboxes, identities, clock, window: 64, ...options })
  const [anas, bens] = [delivery.attach(ana, ANAS), delivery.attach(ben, SILENT)]
  await Promise.all([anas.catchUp(), bens.catchUp()])
  return { delivery, bens }
}

const SILENT: Channel = {
  writable: true,
  deliver() {},
  caughtUp() {},
  notice() {},
  room() {},
  close() {},
  lookAgain() {},
}
const ANAS: Channel = {
  ...SILENT,
  notice: (_id: Uint8Array, { kind }: EnvelopeStatus) => heard.push(`notice ${kind}`),
}

function put(delivery: Delivery, sender: Uint8Array, bytes: Uint8Array): Promise<void> {
  return delivery.put({
    sender,
    recipient: ben,
    bytes,
    mode: 'evict',
    settle({ kind }) {
      if (sender === ana) heard.push(`put-result ${kind}`)
      return true
    },
  })
}

describe('two answers to one envelope that arrive together', () => {
  it.each([SETTLED, { kind: 'refused', reason: 'late' } satisfies Answer])(
    'no notice comes before the answer to its put, and the last word is the receipt: %o',
    async (first) => {
      const { delivery, bens } = await online({})
      const bytes = freshBytes(1024)
      const putting = put(delivery, ana, bytes)
      const answers = [first, receipt()].map((answer) => delivery.answer(bens, idOf(bytes), answer))
      await Promise.all([putting, ...answers])
      expect(heard[0]).toMatch(/^put-result/)
      expect(heard.at(-1)).toMatch(/ delivered$/)
    },
  )
})

describe('an envelope that is evicted and then answered for in one commit', () => {
  const cases = [false, true].flatMap((isMetered) =>
    [false, true].map((isHeld) => ({ isMetered, isHeld })),
  )
  it.each(cases)('its sender hears it in that order: %o', async ({ isMetered, isHeld }) => {
    const batches = new Batches(memoryStore({ capacity: 2 }))
    const store = isMetered ? metered(batches.store) : batches.store
    // With a window of two, what comes third is not pushed, and so not held.
    const window = isHeld ? 64 : 2
    const { delivery, bens } = await online({
      mailboxes: store.mailboxes,
      window,
      commitWindowMs: 1_000_000,
    })
    const [oldest, second, third] = [freshBytes(1024), freshBytes(1024), freshBytes(1024)]
    const waiting = [put(delivery, ana, oldest), put(delivery, ana, second)]
    delivery.flush()
    await Promise.all(waiting)
    heard = []

    batches.gather()
    const pushing = put(delivery, cyd, third)
    delivery.flush()
    const answering = delivery.answer(bens, idOf(oldest), SETTLED)
    await batches.commit()
    await Promise.all([pushing, answering])
    expect(heard).toEqual(['notice evicted', 'notice settled'])
  })
})

describe('a gap on the bus', () => {
  it('lets nobody who is connected pass for registered any more: the directory is asked', async () => {
    const { mailboxes } = memoryStore({ capacity: 2 })
    let isRegistered = true
    const directory = {
      ...memoryStore({ capacity: 2 }).directory,
      byIdentity: async () => (isRegistered ? ({} as never) : undefined),
    }
    const bus = new MemoryBus()
    const end = bus.end()
    const { delivery } = await online({
      mailboxes,
      identities: new Identities(directory),
      bus: end,
    })
    // Another process gives Ben's number to somebody else, and is not heard saying so.
    isRegistered = false
    end.gap()
    await turn()
    await expect(put(delivery, ana, freshBytes(1024))).rejects.toMatchObject({
      code: 'unknown-recipient',
    })
    delivery.flush()
    expect(await mailboxes.count(ben)).toBe(0)
  })
})

/** A store whose answers wait, and then come in one loop, as those of a commit do. */
class Batches {
  readonly store: Store
  #open: (() => void)[] | undefined

  constructor({ mailboxes, ...others }: Store) {
    this.store = {
      ...others,
      mailboxes: {
        put: (...args) => this.#answer(mailboxes.put(...args)),
        ack: (...args) => this.#answer(mailboxes.ack(...args)),
        fetch: (...args) => mailboxes.fetch(...args),
        count: (...args) => mailboxes.count(...args),
        hasRoom: (...args) => mailboxes.hasRoom(...args),
        status: (...args) => mailboxes.status(...args),
        expire: (...args) => mailboxes.expire(...args),
        drop: (...args) => mailboxes.drop(...args),
      },
    }
  }

  gather(): void {
    this.#open = []
  }

  async commit(): Promise<void> {
    for (let turns = 0; turns < 5; turns++) await turn()
    for (const answer of this.#open!) answer()
    this.#open = undefined
  }

  async #answer<T>(answer: Promise<T>): Promise<T> {
    const open = this.#open
    if (!open) return answer
    const { promise, resolve } = Promise.withResolvers<void>()
    open.push(resolve)
    const value = await answer
    await promise
    return value
  }
}

function metered(store: Store): Store {
  const latency = new Histogram({
    name: 'latency',
    help: 'of the store',
    labelNames: ['operation'],
    registers: [new Registry()],
  })
  return meteredStore(store, new Meter(), latency)
}
