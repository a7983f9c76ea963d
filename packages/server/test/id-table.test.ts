/** Entries by their ids, and short lists of them, beside what is obviously right. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type IdEntry, IdTable } from '../src/id-table.ts'
import { findById, removeFrom } from '../src/lists.ts'

interface Entry extends IdEntry<Entry> {
  readonly name: number
}

const entry = (number: number, name: number): Entry => ({
  id: new Uint8Array(32).fill(number),
  name,
  chained: undefined,
})
const sameId = (a: Entry, b: Entry): boolean => a.id[0] === b.id[0]

describe('a table of ids', () => {
  it('finds, in their order, what a list would find, whatever is added and removed', () => {
    // More ids than the table has chains at first, and some of them often.
    const numbers = fc.oneof(fc.nat(255), fc.nat(7))
    const nothing = { arbitrary: fc.constant(undefined), weight: 3 }
    const step = fc.record({ number: numbers, removes: fc.oneof(nothing, fc.nat()) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
        const table = new IdTable<Entry>()
        const list: Entry[] = []
        for (const [name, { number, removes }] of steps.entries()) {
          const old = removes === undefined ? undefined : list[removes % Math.max(1, list.length)]
          if (old) {
            expect(table.remove(old)).toBe(true)
            expect(table.remove(old)).toBe(false)
            expect(old.chained).toBeUndefined()
            removeFrom(list, old)
          } else {
            list.push(entry(number, name))
            table.add(list.at(-1)!)
          }
          const asked = entry(number, -1)
          const found: Entry[] = []
          for (let one = table.find(asked.id); one; one = table.findOlder(one)) found.push(one)
          expect(found).toEqual(list.filter((one) => sameId(one, asked)).toReversed())
          expect(table.size).toBe(list.length)
        }
        const names = Array.from(table.all(), ({ name }) => name)
        expect(names.toSorted(byNumber)).toEqual(list.map(({ name }) => name).toSorted(byNumber))
      }),
      { numRuns: 50 },
    )
  })

  it('lets go of what it does not hold any more: what is dead keeps nothing that came after it', () => {
    const table = new IdTable<Entry>()
    const entries = Array.from({ length: 200 }, (_, number) => entry(number, number))
    for (const one of entries) table.add(one)
    for (const one of entries.toReversed()) table.remove(one)
    expect(entries.every(({ chained }) => chained === undefined)).toBe(true)
    expect([...table.all()]).toEqual([])
  })

  it('may be emptied by who walks through it', () => {
    const table = new IdTable<Entry>()
    const entries = Array.from({ length: 200 }, (_, number) => entry(number, number))
    for (const one of entries) table.add(one)
    let seen = 0
    for (const one of table.all()) {
      seen++
      table.remove(one)
    }
    expect(seen).toBe(200)
    expect(table.size).toBe(0)
  })
})

describe('a short list', () => {
  it('finds the first with an id, and loses one without disturbing the others', () => {
    const [a, b, c] = [entry(1, 1), entry(2, 2), entry(2, 3)]
    const list = [a, b, c]
    expect(findById(list, b.id)).toBe(b)
    expect(findById(list, entry(9, 9).id)).toBeUndefined()
    removeFrom(list, a)
    expect(list).toEqual([b, c])
    removeFrom(list, c)
    removeFrom(list, b)
    expect(list).toEqual([])
  })
})

const byNumber = (a: number, b: number): number => a - b
