/**
 * `npm run mutants`: tries each mutant out on a copy of the sources, with the test that should notice
 * it, and says which were killed. The checkout itself is never touched.
 *
 *   npm run mutants [-- part of a name ...]
 *
 * All of them take a quarter of an hour of one core. Exits 0 only if the unchanged sources pass every
 * test named, and every mutant is killed.
 */
import process, { argv, stdout } from 'node:process'
import { MUTANTS } from './mutants.ts'
import { tryOut } from './try-out.ts'

const wanted = argv.slice(2)
const mutants = MUTANTS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
)
const verdicts = tryOut(mutants, ({ name }, verdict, seconds) => {
  stdout.write(`${verdict.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${name}\n`)
})
const killed = verdicts.filter((verdict) => verdict === 'killed').length
stdout.write(`\n${killed} of ${mutants.length} mutants killed\n`)
process.exitCode = killed > 0 && killed === mutants.length ? 0 : 1
