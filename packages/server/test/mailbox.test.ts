/** The mailbox as a pure function: its rules one by one, and against a naive model. (delivery.md) */
import type { PutMode } from '@couplet/wire'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Answer,
  EMPTY_MAILBOX,
  ENDED_LIMIT,
  type Ended,
  hasRoom,
  type MailboxRecord,
  stepAck,
  stepExpire,
  stepPut,
  stepShrink,
  type Waiting,
} from '../src/mailbox.ts'

const named = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const waiting = (number: number, sender = 200, storedAt = number): Waiting => ({
  id: named(number),
  sender: named(sender),
  storedAt,
})
const ids = (entries: readonly { readonly id: Uint8Array }[]): number[] =>
  entries.map(({ id }) => id[0]!)
const receipt = (number: number): Answer => ({ kind: 'delivered', receipt: named(number) })
const SETTLED: Answer = { kind: 'settled' }
const REFUSED: Answer = { kind: 'refused', reason: 'late' }

/** Puts 1, 2, … one after another. */
function filled(count: number, capacity: number): MailboxRecord {
  let record: MailboxRecord = EMPTY_MAILBOX
  for (let number = 1; number <= count; number++) {
    record = stepPut(record, waiting(number), 'evict', capacity).record
  }
  return record
}

describe('stepPut', () => {
  it.each([1, 2, 3, 5])('keeps exactly the %i newest, and says which left', (capacity) => {
    const record = filled(capacity, capacity)
    const step = stepPut(record, waiting(100), 'evict', capacity)
    expect(step.outcome).toEqual({ kind: 'stored' })
    expect(ids(step.evicted)).toEqual([1])
    expect(ids(step.record.waiting)).toEqual([
      ...Array.from({ length: capacity - 1 }, (_, index) => index + 2),
      100,
    ])
    expect(step.record.ended.at(-1)).toMatchObject({ id: named(1), end: { kind: 'evicted' } })
  })

  it('is idempotent: the same id while it waits is a duplicate and changes nothing', () => {
    const record = filled(2, 2)
    const again = stepPut(record, waiting(1), 'evict', 2)
    expect(again).toEqual({ record, outcome: { kind: 'duplicate' }, evicted: [] })
    expect(again.record).toBe(record)
  })

  it('answers a repeated put with how the envelope ended', () => {
    const record = filled(3, 2)
    expect(stepPut(record, waiting(1), 'evict', 2).outcome).toEqual({ kind: 'evicted' })
    const acked = stepAck(record, named(2), receipt(9), 50).record
    expect(stepPut(acked, waiting(2), 'if-room', 2).outcome).toEqual(receipt(9))
    const nacked = stepAck(record, named(3), REFUSED, 50).record
    expect(stepPut(nacked, waiting(3), 'evict', 2).outcome).toEqual(REFUSED)
  })

  it('tells another sender nothing about how an envelope ended', () => {
    const acked = stepAck(filled(1, 2), named(1), receipt(9), 50).record
    const step = stepPut(acked, waiting(1, 201), 'evict', 2)
    expect(step.outcome).toEqual({ kind: 'duplicate' })
    expect(step.record).toBe(acked)
  })

  it('never evicts for if-room: full is full, and remembered nowhere', () => {
    const record = filled(2, 2)
    const step = stepPut(record, waiting(3), 'if-room', 2)
    expect(step).toEqual({ record, outcome: { kind: 'full' }, evicted: [] })
    const room = stepAck(record, named(1), SETTLED, 50).record
    expect(stepPut(room, waiting(3), 'if-room', 2).outcome).toEqual({ kind: 'stored' })
  })
})

describe('stepAck', () => {
  it('removes the envelope and is idempotent', () => {
    const once = stepAck(filled(2, 2), named(1), receipt(9), 50)
    expect(ids(once.record.waiting)).toEqual([2])
    expect(once.ended).toEqual({
      id: named(1),
      sender: named(200),
      end: receipt(9),
      endedAt: 50,
    })
    const twice = stepAck(once.record, named(1), receipt(9), 60)
    expect(twice).toEqual({ record: once.record })
  })

  it('finds the sender of an envelope that was evicted while it was under way', () => {
    const { record, ended } = stepAck(filled(3, 2), named(1), receipt(9), 50)
    expect(ended).toMatchObject({ sender: named(200), end: receipt(9) })
    expect(record.ended.filter(({ id }) => id[0] === 1)).toHaveLength(1)
  })

  it('of an unknown id does nothing, unless the connection knows the sender', () => {
    const record = filled(1, 2)
    expect(stepAck(record, named(7), receipt(9), 50)).toEqual({ record })
    const passed = stepAck(record, named(7), receipt(9), 50, named(203))
    expect(passed.ended).toMatchObject({ id: named(7), sender: named(203) })
  })

  it('keeps the first answer, but a receipt beats all others', () => {
    const settled = stepAck(filled(1, 2), named(1), SETTLED, 50).record
    expect(stepAck(settled, named(1), REFUSED, 60).ended).toBeUndefined()
    const proven = stepAck(settled, named(1), receipt(9), 70)
    expect(proven.ended?.end).toEqual(receipt(9))
    expect(stepAck(proven.record, named(1), receipt(8), 80).ended).toBeUndefined()
  })

  it(`remembers the last ${ENDED_LIMIT} ends`, () => {
    let record: MailboxRecord = EMPTY_MAILBOX
    for (let number = 1; number <= ENDED_LIMIT + 3; number++) {
      record = stepPut(record, waiting(number), 'evict', 2).record
      record = stepAck(record, named(number), SETTLED, number).record
    }
    expect(ids(record.ended)).toEqual(Array.from({ length: ENDED_LIMIT }, (_, index) => index + 4))
  })
})

describe('stepExpire and stepShrink', () => {
  it('an expired envelope is like an evicted one; ends that old are forgotten', () => {
    const record = stepAck(filled(2, 2), named(2), SETTLED, 5).record
    const { record: later, evicted } = stepExpire(record, 5, 100)
    expect(ids(evicted)).toEqual([1])
    expect(later.waiting).toEqual([])
    expect(later.ended).toEqual([
      { id: named(1), sender: named(200), end: { kind: 'evicted' }, endedAt: 100 },
    ])
    expect(stepExpire(later, 5, 200).record).toBe(later)
  })

  it('a lowered capacity evicts the oldest', () => {
    const { record, evicted } = stepShrink(filled(5, 5), 2, 100)
    expect(ids(evicted)).toEqual([1, 2, 3])
    expect(ids(record.waiting)).toEqual([4, 5])
  })
})

/**
 * The same rules, told differently: one list of everything that ever happened to an id, nothing
 * dropped, questions answered by looking through it.
 */
class NaiveMailbox {
  readonly capacity: number
  envelopes: { id: number; sender: number; at: number; end?: Ended['end']; endedAt: number }[] = []

  constructor(capacity: number) {
    this.capacity = capacity
  }

  waiting(): number[] {
    return this.envelopes.filter(({ end }) => !end).map(({ id }) => id)
  }

  ended(): number[] {
    return this.#remembered().map(({ id }) => id)
  }

  put(id: number, sender: number, at: number, mode: PutMode): string {
    const known = this.#known(id)
    if (known && (!known.end || known.sender !== sender)) return 'duplicate'
    if (known?.end) return word(known.end)
    if (mode === 'if-room' && this.waiting().length === this.capacity) return 'full'
    if (this.waiting().length === this.capacity) {
      this.#end(this.envelopes.find(({ end }) => !end)!, { kind: 'evicted' }, at)
    }
    this.envelopes = this.envelopes.filter((one) => one.id !== id)
    this.envelopes.push({ id, sender, at, endedAt: 0 })
    return 'stored'
  }

  ack(id: number, answer: Answer, at: number, pushedFor: number | undefined): boolean {
    const known = this.#known(id)
    if (!known && pushedFor === undefined) return false
    if (known?.end && known.end.kind !== 'evicted') {
      if (answer.kind !== 'delivered' || known.end.kind === 'delivered') return false
    }
    if (known) this.#end(known, answer, at)
    else {
      this.envelopes = this.envelopes.filter((one) => one.id !== id)
      const sender = pushedFor!
      this.envelopes.push({ id, sender, at, endedAt: 0 })
      this.#end(this.envelopes.at(-1)!, answer, at)
    }
    return true
  }

  expire(before: number, at: number): number {
    this.envelopes = this.envelopes.filter(({ end, endedAt }) => !end || endedAt > before)
    const old = this.envelopes.filter((one) => !one.end && one.at <= before)
    for (const one of old) this.#end(one, { kind: 'evicted' }, at)
    return old.length
  }

  #known(id: number) {
    const one = this.envelopes.find((other) => other.id === id)
    return one && (!one.end || this.#remembered().includes(one)) ? one : undefined
  }

  #remembered() {
    const gone = this.#ends.filter((one) => this.envelopes.includes(one) && one.end)
    return gone.slice(-16)
  }

  #ends: NaiveMailbox['envelopes'] = []

  #end(one: NaiveMailbox['envelopes'][number], end: Ended['end'], at: number): void {
    one.end = end
    one.endedAt = at
    this.#ends = [...this.#ends.filter((other) => other !== one), one]
  }
}

function word(end: { readonly kind: string; readonly receipt?: Uint8Array }): string {
  return end.receipt ? `delivered ${end.receipt[0]}` : end.kind
}

type Operation =
  | { readonly kind: 'put'; readonly id: number; readonly sender: number; readonly mode: PutMode }
  | {
      readonly kind: 'ack'
      readonly id: number
      readonly answer: Answer
      readonly pushedFor: number | undefined
    }
  | { readonly kind: 'expire'; readonly age: number }

/** Few ids, so that they come again; more than are remembered, so that they are forgotten. */
const anId = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 }))
const aSender = fc.constantFrom(200, 201)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      id: anId,
      sender: aSender,
      mode: fc.constantFrom<PutMode>('evict', 'if-room'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ack' as const),
      id: anId,
      answer: fc.constantFrom(SETTLED, REFUSED, receipt(1), receipt(2)),
      pushedFor: fc.option(aSender, { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('expire' as const),
      age: fc.integer({ max: 30, min: 0 }),
    }),
  },
)

describe('against the naive model', () => {
  it('every answer and every state is the same', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(operation, { minLength: 40, maxLength: 250, size: 'max' }),
        (capacity, operations) => {
          const model = new NaiveMailbox(capacity)
          let record: MailboxRecord = EMPTY_MAILBOX
          operations.forEach((step, index) => {
            record = compare(model, record, step, index + 1)
            expect(ids(record.waiting)).toEqual(model.waiting())
            expect(ids(record.ended)).toEqual(model.ended())
            expect(record.waiting.length).toBeLessThanOrEqual(capacity)
            expect(hasRoom(record, capacity)).toBe(model.waiting().length < capacity)
          })
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** One operation on both; their answers must agree. */
function compare(
  model: NaiveMailbox,
  record: MailboxRecord,
  step: Operation,
  at: number,
): MailboxRecord {
  switch (step.kind) {
    case 'put': {
      const { id, sender, mode } = step
      const put = stepPut(record, waiting(id, sender, at), mode, model.capacity)
      const before = model.waiting()
      expect(word(put.outcome)).toBe(model.put(id, sender, at, mode))
      expect(ids(put.evicted)).toEqual(before.filter((one) => !model.waiting().includes(one)))
      return put.record
    }
    case 'ack': {
      const { id, answer, pushedFor } = step
      const sender = pushedFor === undefined ? undefined : named(pushedFor)
      const ack = stepAck(record, named(id), answer, at, sender)
      expect(ack.ended !== undefined).toBe(model.ack(id, answer, at, pushedFor))
      return ack.record
    }
    case 'expire': {
      const expired = stepExpire(record, at - step.age, at)
      expect(expired.evicted.length).toBe(model.expire(at - step.age, at))
      return expired.record
    }
  }
}
