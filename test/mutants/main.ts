/**
 * `npm run mutants`: tries each mutant out on a copy of the sources, with the test that should notice
 * it, and says which were killed. The checkout itself is never touched.
 *
 *   npm run mutants [-- [--resume] part of a name ...]
 *
 * All of them take a quarter of an hour of one core. With `--resume`, what an earlier run with it
 * killed is not tried again, unless the mutant, its file or its test has changed. Exits 0 only if the
 * unchanged sources pass every test named, and every mutant is killed.
 */
import { join } from 'node:path'
import process, { argv, stdout } from 'node:process'
import { MUTANTS } from './mutants.ts'
import { Record } from './record.ts'
import { tryOut } from './try-out.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const RECORD = join(ROOT, 'node_modules', '.cache', 'couplet-mutants')

const [options, parts] = [argv.slice(2).filter(isOption), argv.slice(2).filter((a) => !isOption(a))]
const record = options.includes('--resume') ? new Record(RECORD, ROOT) : undefined
const wanted = MUTANTS.filter(
  ({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)),
)
const left = wanted.filter((mutant) => !record?.isKilled(mutant))
if (left.length < wanted.length) stdout.write(`${wanted.length - left.length} killed before\n`)
const verdicts = tryOut(left, (mutant, verdict, seconds) => {
  if (verdict === 'killed') record?.killed(mutant)
  stdout.write(`${verdict.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${mutant.name}\n`)
})
const survived = verdicts.filter((verdict) => verdict !== 'killed').length
stdout.write(`\n${wanted.length - survived} of ${wanted.length} mutants killed\n`)
process.exitCode = wanted.length > 0 && survived === 0 ? 0 : 1

function isOption(argument: string): boolean {
  return argument.startsWith('--')
}
