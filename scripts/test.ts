/**
 * `npm test`: every test there is. Arguments are passed on to Vitest, so that a part can be run:
 * `npm test -- packages/protocol`.
 *
 * Ends with one plain line that sums up all runners. Under CI=true a skipped test is a failed one.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ROOT = dirname(import.meta.dirname)

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const counts = await vitest(process.argv.slice(2))
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
const isClean = counts.failed === 0 && counts.passed > 0
const mayBeSkipped = process.env.CI !== 'true'
process.exitCode = isClean && (counts.skipped === 0 || mayBeSkipped) ? 0 : 1

async function vitest(args: readonly string[]): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'couplet-test-'))
  const report = join(folder, 'report.json')
  try {
    const code = await run(process.execPath, [
      join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ])
    const result: unknown = JSON.parse(await readFile(report, 'utf8').catch(() => '{}'))
    tellRetried(result)
    return countsOf(result, code)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Report {
  readonly testResults?: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[] | null
    }[]
  }[]
}

/** What passed only when it was tried again passed; but why it had failed is said by nobody else. */
function tellRetried(report: unknown): void {
  for (const { assertionResults } of (report as Report).testResults ?? []) {
    for (const { fullName, status, failureMessages } of assertionResults) {
      if (status !== 'passed' || !failureMessages?.length) continue
      process.stdout.write(
        `\npassed when tried again: ${fullName}\n${failureMessages.join('\n')}\n`,
      )
    }
  }
}

/** A runner that failed without a failed test (a file that does not load, say) counts as one. */
function countsOf(report: unknown, code: number): Counts {
  const number = (key: string) => {
    const value = (report as Record<string, unknown>)[key]
    return typeof value === 'number' ? value : 0
  }
  const failed = number('numFailedTests')
  return {
    passed: number('numPassedTests'),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: number('numPendingTests') + number('numTodoTests'),
  }
}

function run(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` },
    })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}
