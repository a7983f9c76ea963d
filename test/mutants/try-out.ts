/** Runs the test of a mutant on a copy of the sources in which the mutant was made. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
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
import { env, execPath } from 'node:process'
import { type Edit, edited, type Mutant } from './mutant.ts'

/** `broken`: the sources did not load, or there is no such test. Never counts as killed. */
export type Verdict = 'killed' | 'survived' | 'broken'

/**
 * @param tell - called with each verdict, and how many seconds it took.
 * @throws {Error} when a mutant does not apply, or the unchanged sources do not pass its tests.
 */
export function tryOut(
  mutants: readonly Mutant[],
  tell: (mutant: Mutant, verdict: Verdict, seconds: number) => void,
): Verdict[] {
  if (mutants.length === 0) return []
  const folder = makeCopy()
  try {
    // Code moves on: a mutant whose place is gone is found before anything is run.
    for (const { edits } of mutants) for (const edit of edits) edited(folder, edit)
    const files = [...new Set(mutants.map(({ killedBy: [file] }) => file))]
    const tests = [...new Set(mutants.map(({ killedBy: [, test] }) => test))]
    const unchanged = vitest(folder, files, tests)
    if (unchanged.verdict !== 'survived') {
      throw new Error(`the unchanged sources do not pass:\n${unchanged.failures.join('\n')}`)
    }
    return mutants.map((mutant) => {
      const started = performance.now()
      const verdict = tryOne(folder, mutant)
      tell(mutant, verdict, (performance.now() - started) / 1000)
      return verdict
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function tryOne(folder: string, { edits, killedBy: [file, test] }: Mutant): Verdict {
  const before = new Map<string, string>()
  for (const edit of edits) apply(folder, edit, before)
  try {
    return vitest(folder, [file], [test]).verdict
  } finally {
    for (const [path, text] of before) writeFileSync(path, text)
  }
}

function apply(folder: string, edit: Edit, before: Map<string, string>): void {
  const path = join(folder, 'packages', edit.file)
  if (!before.has(path)) before.set(path, readFileSync(path, 'utf8'))
  writeFileSync(path, edited(folder, edit))
}

/** Runs the tests with these words in their names, in these files. */
function vitest(folder: string, files: readonly string[], tests: readonly string[]): Run {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const filter = ['-t', tests.map(asPattern).join('|')]
  const reporting = ['--reporter=json', `--outputFile=${report}`, '--bail=1']
  const quick = ['--maxWorkers=1', '--no-isolate', `--testTimeout=${TEST_TIMEOUT_MS}`]
  const program = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  spawnSync(execPath, [program, 'run', ...files, ...filter, ...reporting, ...quick], {
    cwd: folder,
    timeout: TIMEOUT_MS,
    stdio: 'ignore',
    env: { ...env, ...SHORT_SIMULATION, CI: '', VITEST: undefined, VITEST_POOL_ID: undefined },
  })
  const { numPassedTests, numFailedTests, testResults } = read(report)
  const failures = testResults.flatMap(({ message, assertionResults }) => [
    message,
    ...assertionResults.flatMap(({ fullName, failureMessages }) =>
      failureMessages.map((failure) => `${fullName}: ${failure}`),
    ),
  ])
  if (numFailedTests > 0) return { verdict: 'killed', failures }
  return { verdict: numPassedTests > 0 ? 'survived' : 'broken', failures }
}

interface Run {
  readonly verdict: Verdict
  readonly failures: readonly string[]
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly { fullName: string; failureMessages: string[] }[]
  }[]
}

/** Nothing, if Vitest did not come so far. */
function read(report: string): Report {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Report
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] }
  }
}

/** Test names are looked for as a regular expression. */
function asPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

/** Sources, tests and data as they are now, with the checkout’s dependencies but its own packages. */
function makeCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'couplet-mutants-'))
  const packages = PACKAGES.flatMap((name) =>
    ['package.json', 'tsconfig.json', 'tsconfig.core.json', 'src', 'test'].map(
      (part) => `packages/${name}/${part}`,
    ),
  )
  const tests = readdirSync(join(ROOT, 'test')).filter((name) => name.endsWith('.ts'))
  for (const path of [
    'vitest.config.ts',
    'package.json',
    'tsconfig.base.json',
    'test/vectors',
    ...packages,
    ...tests.map((name) => `test/${name}`),
  ]) {
    if (!existsSync(join(ROOT, path))) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(ROOT, path), join(folder, path), { recursive: true })
  }
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@couplet'), { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@couplet') symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  for (const name of PACKAGES) {
    symlinkSync(join(folder, 'packages', name), join(modules, '@couplet', name))
  }
  return folder
}

const ROOT = join(import.meta.dirname, '..', '..')
const PACKAGES = ['wire', 'protocol', 'client', 'server']
const TIMEOUT_MS = 300_000
/** A test that waits for what a mutant never does is ended by this. */
const TEST_TIMEOUT_MS = 30_000
const SHORT_SIMULATION = {
  COUPLET_SIMULATION_STEPS: '8000',
  COUPLET_SIMULATION_SEED: '1',
  COUPLET_SIMULATION_NO_SHRINK: '1',
}
