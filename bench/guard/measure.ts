/**
 * Bytes that one operation of each hot path allocates on JavaScript's heap: one line of JSON on
 * standard output. A count, not a time: another run, on a busier machine, gives the same.
 */
import { stdout } from 'node:process'
import { getHeapStatistics } from 'node:v8'
import { type HotPath, hotPaths } from './paths.ts'

/** Until the compiler has settled: what it can keep out of the heap is not counted. */
const WARM_UP = 3000
const OPERATIONS = 500
/** The least of them: a compilation or a growing map in between counts for nobody. */
const ROUNDS = 8

async function bytesPerOperation(path: HotPath): Promise<number> {
  await path(WARM_UP)
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const before = getHeapStatistics().total_allocated_bytes
    await path(OPERATIONS)
    least = Math.min(least, getHeapStatistics().total_allocated_bytes - before)
  }
  return Math.round(least / OPERATIONS)
}

const figures: Record<string, number> = {}
for (const [name, path] of Object.entries(await hotPaths())) {
  figures[name] = await bytesPerOperation(path)
}
stdout.write(`${JSON.stringify(figures)}\n`)
