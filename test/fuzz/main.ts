/**
 * `npm run fuzz -- --runs 1000000 [--seed N] [--only NAME]`: so many inputs, spread over every
 * parser, then a thousandth of them at the doors of a real server. (docs/operations.md has a result)
 */
import { parseArgs } from 'node:util'
import { fuzzServer } from './live.ts'
import { parsers } from './parsers.ts'
import { fuzz, memory } from './run.ts'

/** What the collector may leave behind. */
const MAX_GROWTH_BYTES = 16 * 2 ** 20

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string', default: '' },
  },
})
const [runs, seed] = [Number(values.runs), Number(values.seed)]
const { all, close } = await parsers()
const chosen = all.filter(({ name }) => name.includes(values.only))
const each = Math.ceil(runs / chosen.length)
process.stdout.write(`${chosen.length} parsers, ${each} inputs each, seed ${seed}\n`)
// What is compiled and remembered once is no leak.
for (const parser of chosen) await fuzz(parser, Math.ceil(each / 20), seed + 1)
const before = memory()
try {
  for (const parser of chosen) {
    const { name, taken, ms } = await fuzz(parser, each, seed)
    const rate = `${Math.round(each / (ms / 1000))}/s`
    process.stdout.write(
      `${name.padEnd(30)}${String(taken).padStart(9)} taken ${rate.padStart(12)}\n`,
    )
  }
} finally {
  close()
}
const grown = memory() - before
process.stdout.write(`memory grew by ${(grown / 2 ** 20).toFixed(1)} MiB\n`)
if (grown > MAX_GROWTH_BYTES) throw new Error('memory grew')
if (!values.only) {
  const live = Math.ceil(runs / 1000)
  await fuzzServer(live, seed)
  process.stdout.write(`${live} requests and ${live} frames: nothing in the store changed\n`)
}
process.stdout.write(`${each * chosen.length} inputs, no crash\n`)
process.exitCode = 0
