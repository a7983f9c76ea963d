/** Runs a parser over many inputs: it answers or refuses, and keeps nothing. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import type { Parser } from './parsers.ts'

export interface Outcome {
  readonly name: string
  readonly runs: number
  /** Of these, how many were taken. */
  readonly taken: number
  readonly ms: number
}

/** @throws with the input, made small, and the seed that finds it again. */
export async function fuzz(parser: Parser, runs: number, seed: number): Promise<Outcome> {
  const { name, inputs, parse, refuses } = parser
  let taken = 0
  const begun = performance.now()
  const failed = (error: unknown): void => {
    if (!refuses(error)) throw error
  }
  const atOnce = fc.property(inputs, (input) => {
    try {
      parse(input as never)
      taken++
    } catch (error) {
      failed(error)
    }
  })
  const later = fc.asyncProperty(inputs, async (input) => {
    try {
      await parse(input as never)
      taken++
    } catch (error) {
      failed(error)
    }
  })
  const options = { numRuns: runs, seed }
  if (parser.async) await fc.assert(later, options)
  else fc.assert(atOnce, options)
  return { name, runs, taken, ms: performance.now() - begun }
}

/** Bytes in use after a collection. */
export function memory(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
