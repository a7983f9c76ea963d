/**
 * Applies each mutant of mutants.ts to a copy of the sources, runs the test that should notice it,
 * and says which were killed. The checkout itself is never touched.
 *
 *     node packages/protocol/test/run-mutants.ts [part of a name ...]
 *
 * Exits 0 only if the unchanged sources pass every test named, and every mutant is killed.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { argv, env, execPath, exit, stdout } from 'node:process'
import { type Edit, MUTANTS, type Mutant } from './mutants.ts'

const ROOT = join(import.meta.dirname, '../../..')
const TIMEOUT_MS = 300_000

interface Verdict {
  readonly passed: number
  readonly failed: number
  /** Neither: the sources did not load, or nothing matched. Never counts as killed. */
  readonly broken: boolean
}

const copy = makeCopy()
try {
  exit(run(copy) ? 0 : 1)
} finally {
  rmSync(copy, { recursive: true, force: true })
}

function run(folder: string): boolean {
  const wanted = argv.slice(2)
  const mutants = MUTANTS.filter(
    ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
  )
  // Code moves on: a mutant whose place is gone is found before anything is run.
  for (const { edits } of mutants) for (const edit of edits) mutated(folder, edit)
  const files = [...new Set(mutants.map(({ killedBy: [file] }) => file))]
  const unchanged = vitest(folder, files)
  if (unchanged.broken || unchanged.failed > 0) {
    stdout.write(`${JSON.stringify(unchanged)}\n`)
    stdout.write('the unchanged sources do not pass: no mutant says anything\n')
    return false
  }
  const survivors = mutants.filter((mutant) => {
    const started = performance.now()
    const verdict = tryOut(folder, mutant)
    const killed = !verdict.broken && verdict.failed > 0
    const word = killed ? 'killed  ' : verdict.broken ? 'BROKEN  ' : 'SURVIVED'
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    stdout.write(`${word} ${seconds.padStart(6)} s  ${mutant.name}\n`)
    return !killed
  })
  stdout.write(`${mutants.length - survivors.length} of ${mutants.length} mutants killed\n`)
  return survivors.length === 0
}

function tryOut(folder: string, { edits, killedBy: [file, test] }: Mutant): Verdict {
  const before = new Map<string, string>()
  for (const edit of edits) apply(folder, edit, before)
  try {
    return vitest(folder, [file], test)
  } finally {
    for (const [path, text] of before) writeFileSync(path, text)
  }
}

function apply(folder: string, edit: Edit, before: Map<string, string>): void {
  const path = join(folder, 'packages', edit.file)
  if (!before.has(path)) before.set(path, readFileSync(path, 'utf8'))
  writeFileSync(path, mutated(folder, edit))
}

/** @throws when the text is not there, or more than once. */
function mutated(folder: string, { file, find, replace }: Edit): string {
  const text = readFileSync(join(folder, 'packages', file), 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${file}: not exactly once: ${find}`)
  return text.replace(find, () => replace)
}

function vitest(folder: string, files: readonly string[], test?: string): Verdict {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const filter = test === undefined ? [] : ['-t', asPattern(test)]
  const args = ['run', ...files.map((file) => `packages/protocol/test/${file}`), ...filter]
  const reporting = ['--reporter=json', `--outputFile=${report}`, '--bail=1']
  spawnSync(execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args, ...reporting], {
    cwd: folder,
    timeout: TIMEOUT_MS,
    stdio: 'ignore',
    env: {
      ...env,
      COUPLET_SIMULATION_STEPS: '8000',
      COUPLET_SIMULATION_SEED: '1',
      COUPLET_SIMULATION_NO_SHRINK: '1',
    },
  })
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number
      numFailedTests: number
    }
    const broken = numPassedTests + numFailedTests === 0
    return { passed: numPassedTests, failed: numFailedTests, broken }
  } catch {
    return { passed: 0, failed: 0, broken: true }
  }
}

/** Test names are looked for as a regular expression. */
function asPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

/** Sources, tests and data as they are now, with the checkout’s dependencies but its own packages. */
function makeCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'couplet-mutants-'))
  for (const path of [
    'vitest.config.ts',
    'package.json',
    'tsconfig.base.json',
    'packages/wire/package.json',
    'packages/wire/tsconfig.json',
    'packages/wire/src',
    'packages/protocol/package.json',
    'packages/protocol/tsconfig.json',
    'packages/protocol/tsconfig.core.json',
    'packages/protocol/src',
    'packages/protocol/test',
    'test/vectors',
  ]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(ROOT, path), join(folder, path), { recursive: true })
  }
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@couplet'), { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@couplet') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  for (const name of ['wire', 'protocol']) {
    symlinkSync(join(folder, 'packages', name), join(modules, '@couplet', name))
  }
  return folder
}
