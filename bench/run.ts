/**
 * `npm run bench -- [names] [--quick] [--json] [--only=subject,…]`
 *
 * Reports go to standard output, progress to standard error. With `--json` the last line of
 * standard output is one object. Results are kept in results/, except those of quick or partial
 * runs.
 */
import { argv, stderr, stdout } from 'node:process'
import { clientReport } from './client/report.ts'
import {
  allocationReport,
  excesses,
  measureAllocations,
  recordAllocations,
  recordedAllocations,
} from './guard.ts'
import { type Plan, saveResults } from './harness.ts'
import { writePerformancePages } from './page.ts'
import { protocolReport } from './protocol/report.ts'
import { SUBJECTS } from './protocol/subjects.ts'
import { benchProtocol } from './protocol.ts'
import { serverReport } from './server/report.ts'
import { SERVERS } from './server/subjects.ts'
import { benchServer, FULL_SERVER_PLAN, QUICK_SERVER_PLAN } from './server.ts'
import { webReport } from './web/report.ts'

interface Options {
  readonly quick: boolean
  readonly only: readonly string[]
  readonly json: boolean
  readonly keep: boolean
}

const BENCHMARKS: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  async protocol({ quick, only, json, keep }) {
    const results = await benchProtocol(quick ? QUICK : FULL, only, tell)
    stdout.write(`${protocolReport(results)}\n`)
    if (keep) tell(`kept in ${saveResults('protocol', results)}`)
    if (json) stdout.write(`${JSON.stringify(results)}\n`)
  },
  async guard({ json, keep }) {
    const now = measureAllocations()
    const recorded = recordedAllocations()
    stdout.write(`${allocationReport(now, recorded)}\n`)
    for (const excess of excesses(now, recorded)) tell(`too much: ${excess}`)
    if (keep) tell(`recorded in ${recordAllocations(now)}`)
    if (json) stdout.write(`${JSON.stringify(now)}\n`)
  },
  async server({ quick, only, json, keep }) {
    const plan = quick ? QUICK_SERVER_PLAN : FULL_SERVER_PLAN
    const results = await benchServer(plan, only, tell)
    stdout.write(`${serverReport(results)}\n`)
    if (keep) tell(`kept in ${saveResults('server', results)}`)
    if (json) stdout.write(`${JSON.stringify(results)}\n`)
  },
  async web({ quick, json, keep }) {
    // Loaded when it is asked for: it needs the packages of the web client.
    const { benchWeb } = await import('./web.ts')
    const results = await benchWeb(quick, tell)
    stdout.write(`${webReport(results)}\n`)
    if (keep) tell(`kept in ${saveResults('web', results)}`)
    if (json) stdout.write(`${JSON.stringify(results)}\n`)
  },
  async client({ quick, json, keep }) {
    const { benchClient } = await import('./client.ts')
    const results = await benchClient(quick, tell)
    stdout.write(`${clientReport(results)}\n`)
    if (keep) tell(`kept in ${saveResults('client', results)}`)
    if (json) stdout.write(`${JSON.stringify(results)}\n`)
  },
  async page() {
    tell(`performance.md and its pictures are in ${writePerformancePages()}`)
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
  const strangers = only?.filter((name) => !(name in SUBJECTS || name in SERVERS)) ?? []
  if (strangers.length > 0) {
    tell(`unknown: ${strangers.join(', ')}`)
    tell(`there are: ${Object.keys({ ...SUBJECTS, ...SERVERS }).join(', ')}`)
    return 64
  }
  const options: Options = {
    quick,
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
