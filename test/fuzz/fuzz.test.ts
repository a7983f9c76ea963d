/** A short run of the fuzzer; the long one is `npm run fuzz`. Every parser, and a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fuzzServer } from './live.ts'
import { type Parser, parsers } from './parsers.ts'
import { fuzz, memory } from './run.ts'

const RUNS = 200
/** The same inputs every time: what fails here fails for everybody. */
const SEED = 20_261_125
const MAX_GROWTH_BYTES = 16 * 2 ** 20

let all: readonly Parser[]
let close: () => void

beforeAll(async () => {
  const made = await parsers()
  all = made.all
  close = made.close
})
afterAll(() => close())

test('every parser takes its samples', async () => {
  for (const { name, samples, parse } of all) {
    for (const sample of samples) {
      // Nobody is registered where the signed request goes.
      if (name !== 'signed requests') await parse(sample as never)
    }
  }
})

test('every parser answers or refuses, whatever comes, and keeps nothing', async () => {
  for (const parser of all) await fuzz(parser, RUNS, SEED + 1)
  const before = memory()
  let taken = 0
  for (const parser of all) taken += (await fuzz(parser, RUNS, SEED)).taken
  expect(memory() - before).toBeLessThan(MAX_GROWTH_BYTES)
  // Some of it is taken: the samples were not damaged beyond the first check.
  expect(taken).toBeGreaterThan(all.length)
})

test('a server refuses it all, and nothing in its store changes', async () => {
  await fuzzServer(60, SEED)
})

test('a parser that does anything else is found', async () => {
  const [sound] = all
  const unsound: Parser = {
    ...sound!,
    parse: (input: never) => {
      if ((input as Uint8Array).length === 0) throw new TypeError('read past the end')
    },
  }
  await expect(fuzz(unsound, RUNS, SEED)).rejects.toThrow('Counterexample: [Uint8Array.from([])]')
})
