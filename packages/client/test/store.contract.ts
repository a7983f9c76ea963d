/** What every store must do. Called by each implementation's test file. */
import { setImmediate } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Plain, Range, Store, StoredRecord, Transaction } from '../src/ports.ts'

export interface ContractOptions {
  /** Whether it tells a call from inside a transaction from one that merely comes meanwhile. */
  readonly knowsInside?: boolean
  /** Of the random sequences of transactions. */
  readonly runs?: number
}

/** @param open - A fresh, empty store. */
export function storeContract(
  name: string,
  open: () => Promise<Store>,
  { knowsInside = true, runs = 100 }: ContractOptions = {},
): void {
  describe(`${name}, as a store`, () => {
    let store: Store
    beforeEach(async () => {
      store = await open()
    })
    afterEach(() => store.close())

    function read<T extends Plain>(
      collection: string,
      partition: string,
      position?: number,
    ): Promise<T | undefined> {
      return store.transaction((tx) => tx.get<T>(collection, partition, position))
    }

    function positions(partition: string, range?: Range): Promise<readonly number[]> {
      return store.transaction(async (tx) => {
        const records = await tx.list<Plain>('c', partition, range)
        return records.map(({ position }) => position)
      })
    }

    function everything(): Promise<[string, string, number, Plain][]> {
      return store.transaction(async (tx) => {
        const found: [string, string, number, Plain][] = []
        for await (const { collection, partition, position, value } of tx.everything()) {
          found.push([collection, partition, position, value])
        }
        return byPlace(found)
      })
    }

    test('keeps values of every kind, and gives the result of the work', async () => {
      const value = { text: 'Grüße', bytes: Uint8Array.of(0, 255), list: [1, -2.5, null, true] }
      const result = await store.transaction(async (tx) => {
        await tx.put('c', 'p', 0, value)
        // Its own writes are seen at once.
        return tx.get('c', 'p')
      })
      expect(result).toEqual(value)
      expect(await read('c', 'p')).toEqual(value)
      expect(await read('c', 'p', 1)).toBeUndefined()
    })

    test('replaces, deletes, and deletes what is not there', async () => {
      await store.transaction(async (tx) => {
        await tx.put('c', 'p', 5, 'first')
        await tx.put('c', 'p', 5, 'second')
        await tx.put('c', 'p', 0, 'gone')
        await tx.delete('c', 'p')
        await tx.delete('c', 'nobody', 7)
      })
      expect(await read('c', 'p', 5)).toBe('second')
      expect(await read('c', 'p', 0)).toBeUndefined()
    })

    test('keeps collections and partitions apart', async () => {
      const places = [
        ['ab', 'c'],
        ['a', 'bc'],
        ['abc', ''],
        ['a', ''],
        ['a', '\u0000'],
        ['a', 'é'],
        ['a', '"],["'],
      ] as const
      await store.transaction(async (tx) => {
        for (const [i, [collection, partition]] of places.entries()) {
          await tx.put(collection, partition, 0, i)
        }
      })
      for (const [i, [collection, partition]] of places.entries()) {
        expect(await read(collection, partition)).toBe(i)
      }
    })

    test('lists by position: ranges, both directions, limits', async () => {
      await store.transaction(async (tx) => {
        for (const position of [30, -20, 2 ** 53 - 1, 1, 100, 9, -(2 ** 53) + 1]) {
          await tx.put('c', 'p', position, position)
        }
        await tx.put('c', 'other', 2, 'not listed')
      })
      const [lowest, highest] = [-(2 ** 53) + 1, 2 ** 53 - 1]
      expect(await positions('p')).toEqual([lowest, -20, 1, 9, 30, 100, highest])
      expect(await positions('p', { reverse: true, limit: 2 })).toEqual([highest, 100])
      expect(await positions('p', { from: 1, to: 30 })).toEqual([1, 9, 30])
      expect(await positions('p', { from: 2, limit: 1 })).toEqual([9])
      expect(await positions('p', { to: 29, reverse: true, limit: 2 })).toEqual([9, 1])
      expect(await positions('p', { from: 10, to: 5 })).toEqual([])
      expect(await positions('p', { limit: 0 })).toEqual([])
      expect(await positions('nobody')).toEqual([])
    })

    test('undoes everything when the work throws', async () => {
      await store.transaction(async (tx) => {
        await tx.put('c', 'p', 1, 'kept')
        await tx.put('c', 'p', 2, 'kept')
      })
      const failure = new Error('no')
      const work = store.transaction(async (tx) => {
        await tx.put('c', 'p', 1, 'changed')
        await tx.put('c', 'p', 1, 'changed again')
        await tx.delete('c', 'p', 2)
        await tx.put('c', 'p', 3, 'new')
        await tx.put('c', 'new partition', 0, 'new')
        throw failure
      })
      await expect(work).rejects.toBe(failure)
      expect(await positions('p')).toEqual([1, 2])
      expect(await read('c', 'p', 1)).toBe('kept')
      expect(await read('c', 'new partition')).toBeUndefined()
    })

    test('undoes everything when a value cannot be kept', async () => {
      const work = store.transaction(async (tx) => {
        await tx.put('c', 'p', 0, 'new')
        await tx.put('c', 'p', 1, Number.NaN)
      })
      await expect(work).rejects.toThrow(TypeError)
      expect(await positions('p')).toEqual([])
    })

    test('runs transactions one after the other, in the order they were asked for', async () => {
      const order: number[] = []
      const work = Array.from({ length: 50 }, (_, i) =>
        store.transaction(async (tx) => {
          const before = (await tx.get<number>('c', 'count')) ?? 0
          await setImmediate()
          await tx.put('c', 'count', 0, before + 1)
          order.push(i)
          if (i % 10 === 9) throw new Error('undone')
        }),
      )
      const results = await Promise.allSettled(work)
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(5)
      expect(await read('c', 'count')).toBe(45)
      expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i))
    })

    test('shares no memory with its callers', async () => {
      const value = { bytes: Uint8Array.of(1), list: ['a'] }
      await store.transaction(async (tx) => {
        await tx.put('c', 'p', 0, value)
        value.bytes.fill(9)
        value.list.push('b')
        const first = await tx.get<typeof value>('c', 'p')
        first!.bytes.fill(9)
        first!.list.push('b')
        const [listed] = await tx.list<typeof value>('c', 'p')
        listed!.value.bytes.fill(9)
      })
      expect(await read('c', 'p')).toEqual({ bytes: Uint8Array.of(1), list: ['a'] })
    })

    test('gives everything that it has, with names', async () => {
      const places: [string, string, number, Plain][] = [
        ['a', '+12025550101', -1, { text: 'Grüße' }],
        ['a', '+12025550101', 2, Uint8Array.of(1)],
        ['a', '', 0, null],
        ['b', 'é\u0000', 2 ** 53 - 1, 'x'.repeat(10_000)],
        ...Array.from({ length: 600 }, (_, i): [string, string, number, Plain] => [
          'm',
          `${i % 3}`,
          i,
          i,
        ]),
      ]
      await store.transaction(async (tx) => {
        for (const place of places) await tx.put(...place)
        await tx.put('a', 'gone', 0, 1)
      })
      await store.transaction((tx) => tx.delete('a', 'gone'))
      expect(await everything()).toEqual(byPlace(places))
      // As at the beginning of the transaction, and to be left before its end.
      await store.transaction(async (tx) => {
        for await (const { collection } of tx.everything()) {
          expect(collection).toBeOneOf(['a', 'b', 'm'])
          break
        }
        await tx.put('a', '', 1, 'after')
      })
      expect(await read('a', '', 1)).toBe('after')
    })

    test('clears everything, unless the work throws', async () => {
      await store.transaction(async (tx) => {
        for (let i = 0; i < 5; i++) await tx.put('c', 'p', i, i)
        await tx.put('d', 'p', 0, 'd')
      })
      const work = store.transaction(async (tx) => {
        await tx.clear()
        expect(await tx.list('c', 'p')).toEqual([])
        await tx.put('c', 'p', 9, 9)
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      expect(await positions('p')).toEqual([0, 1, 2, 3, 4])
      await store.transaction(async (tx) => {
        await tx.put('c', 'p', 7, 7)
        await tx.clear()
        expect(await tx.get('c', 'p', 1)).toBeUndefined()
        await tx.put('c', 'p', 2, 'two')
        expect(await tx.get('c', 'p', 2)).toBe('two')
      })
      expect(await positions('p')).toEqual([2])
      expect(await read('d', 'p')).toBeUndefined()
      expect(await everything()).toEqual(byPlace([['c', 'p', 2, 'two']]))
    })

    test('refuses to use a transaction after its end, however it ended', async () => {
      const ended: Transaction[] = []
      await store.transaction(async (tx) => {
        ended.push(tx)
      })
      await store
        .transaction(async (tx) => {
          ended.push(tx)
          throw new Error('no')
        })
        .catch(() => undefined)
      expect(ended).toHaveLength(2)
      for (const tx of ended) {
        await expect(tx.put('c', 'p', 0, 1)).rejects.toThrow('over')
        await expect(tx.get('c', 'p')).rejects.toThrow('over')
        await expect(tx.delete('c', 'p')).rejects.toThrow('over')
        await expect(tx.list('c', 'p')).rejects.toThrow('over')
      }
      expect(await read('c', 'p')).toBeUndefined()
    })

    if (knowsInside) {
      test('refuses a transaction and a close from inside one, which would wait for ever', async () => {
        await store.transaction(async (tx) => {
          await tx.put('c', 'p', 0, 'outer')
          await expect(store.transaction(async () => 1)).rejects.toThrow('inside')
          await expect(store.close()).rejects.toThrow('inside')
        })
        expect(await read('c', 'p')).toBe('outer')
      })
    }

    test('lets work that a transaction left behind begin another when it is over', async () => {
      let later: Promise<void> | undefined
      await store.transaction(async () => {
        later = (async () => {
          await setImmediate()
          await setImmediate()
          await store.transaction((tx) => tx.put('c', 'p', 0, 'later'))
        })()
      })
      await later
      expect(await read('c', 'p')).toBe('later')
    })

    test('closes after what was begun, and then refuses', async () => {
      const work = store.transaction(async (tx) => {
        await setImmediate()
        await tx.put('c', 'p', 0, 1)
        return tx.get('c', 'p')
      })
      const closed = store.close()
      await expect(store.transaction(async () => 1)).rejects.toMatchObject({ code: 'closed' })
      expect(await work).toBe(1)
      await closed
      await store.close()
    })

    test.each([0.5, Number.NaN, 2 ** 53])('refuses %d as a position', async (position) => {
      const work = store.transaction((tx) => tx.put('c', 'p', position, 1))
      await expect(work).rejects.toThrow(TypeError)
    })

    test('refuses ranges that mean nothing', async () => {
      await expect(positions('p', { limit: -1 })).rejects.toThrow(TypeError)
      await expect(positions('p', { from: Number.NaN })).rejects.toThrow(TypeError)
    })

    test('behaves like a sorted map that forgets what fails', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(transactionSteps, { maxLength: 8, size: 'max' }),
          async (transactions) => {
            await store.close()
            store = await open()
            let model = new Map<string, number>()
            for (const { steps, fails } of transactions) {
              const next = new Map(model)
              const work = store.transaction(async (tx) => {
                for (const step of steps) await take(step, tx, next)
                if (fails) throw new Error('fails')
              })
              await (fails ? expect(work).rejects.toThrow('fails') : work)
              if (!fails) model = next
            }
            const all = await store.transaction((tx) => tx.list<number>('c', 'p'))
            expect(all).toEqual(inRange(model, {}))
          },
        ),
        { numRuns: runs },
      )
    })
  })
}

function byPlace(records: [string, string, number, Plain][]): [string, string, number, Plain][] {
  return records.toSorted((a, b) => (placeKey(a) < placeKey(b) ? -1 : 1))
}

function placeKey([collection, partition, position]: readonly [
  string,
  string,
  number,
  Plain,
]): string {
  return JSON.stringify([collection, partition, position])
}

type Step =
  | { readonly kind: 'put'; readonly position: number; readonly value: number }
  | { readonly kind: 'delete' | 'get'; readonly position: number }
  | { readonly kind: 'list'; readonly range: Range }

const anyPosition = fc.integer({ min: -3, max: 6 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), position: anyPosition, value: fc.nat() }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'get' as const), position: anyPosition }),
  fc.record({
    kind: fc.constant('list' as const),
    range: fc.record(
      { from: anyPosition, to: anyPosition, limit: fc.nat({ max: 4 }), reverse: fc.boolean() },
      { requiredKeys: [] },
    ),
  }),
)
const transactionSteps = fc.record({
  steps: fc.array(anyStep, { maxLength: 12, size: 'max' }),
  fails: fc.boolean(),
})

/** One step, in the store and in the model, whose answers must be the same. */
async function take(step: Step, tx: Transaction, model: Map<string, number>): Promise<void> {
  switch (step.kind) {
    case 'put':
      await tx.put('c', 'p', step.position, step.value)
      model.set(`${step.position}`, step.value)
      break
    case 'delete':
      await tx.delete('c', 'p', step.position)
      model.delete(`${step.position}`)
      break
    case 'get':
      expect(await tx.get('c', 'p', step.position)).toBe(model.get(`${step.position}`))
      break
    case 'list':
      expect(await tx.list('c', 'p', step.range)).toEqual(inRange(model, step.range))
      break
  }
}

function inRange(model: Map<string, number>, range: Range): StoredRecord<number>[] {
  const { from = -Infinity, to = Infinity, limit = Infinity, reverse = false } = range
  const records = [...model]
    .map(([key, value]) => ({ position: Number(key), value }))
    .filter(({ position: at }) => at >= from && at <= to)
    .sort((a, b) => (reverse ? b.position - a.position : a.position - b.position))
  return records.slice(0, limit)
}
