/**
 * `npm run bench -- [names] [--quick] [--json] [--only=subject,…]`
 *
 * Reports go to standard output, progress to standard error. With `--json` the last line of
 * standard output is one object. Results are kept in results/, except those of quick or partial
 * runs.
 */
import { argv, stderr, stdout } from 'node:process'
import { type Plan, saveResults } from './harness.ts'
import { SUBJECTS } from './protocol/subjects.ts'
import { benchProtocol, protocolReport } from './protocol.ts'

interface Options {
  readonly plan: Plan
  readonly only: readonly string[]
  readonly json: boolean
  readonly keep: boolean
}

const BENCHMARKS: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  async protocol({ plan, only, json, keep }) {
    const results = await benchProtocol(plan, only, tell)
    stdout.write(`${protocolReport(results)}\n`)
    if (keep) tell(`kept in ${saveResults('protocol', results)}`)
    if (json) stdout.write(`${JSON.stringify(results)}\n`)
  },
}

const QUICK: Plan = { rounds: 9, turnMs: 150, warmUpMs: 1000 }
const FULL: Plan = { rounds: 25, turnMs: 400, warmUpMs: 2000 }

function tell(message: string): void {
  stderr.write(`bench: ${message}\n`)
}

async function main(args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => arg.startsWith('--'))
  const names = args.filter((arg) => !arg.startsWith('--'))
  const unknown = [
    ...names.filter((name) => !(name in BENCHMARKS)),
    ...flags.filter((flag) => !/^--(quick|json|only=.+)$/.test(flag)),
  ]
  if (unknown.length > 0) {
    tell(`unknown: ${unknown.join(', ')}`)
    tell(`there are: ${Object.keys(BENCHMARKS).join(', ')}; --quick, --json, --only=subject,…`)
    return 64
  }
  const quick = flags.includes('--quick')
  const only = flags
    .find((flag) => flag.startsWith('--only='))
    ?.slice('--only='.length)
    .split(',')
  const strangers = only?.filter((name) => !(name in SUBJECTS)) ?? []
  if (strangers.length > 0) {
    tell(`unknown: ${strangers.join(', ')}`)
    tell(`there are: ${Object.keys(SUBJECTS).join(', ')}`)
    return 64
  }
  const options: Options = {
    plan: quick ? QUICK : FULL,
    only: only ?? [],
    json: flags.includes('--json'),
    keep: !quick && only === undefined,
  }
  for (const [name, bench] of Object.entries(BENCHMARKS)) {
    if (names.length === 0 || names.includes(name)) await bench(options)
  }
  return 0
}

process.exitCode = await main(argv.slice(2))
