/**
 * `npm run torture -- --seed 7 --minutes 30`: real processes, every fault, and an oracle.
 *
 * The last line says what came of it; the exit code is 0 only if nothing was lost, shown twice, out
 * of its place, or marked delivered without being there.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { torture } from './run.ts'

const HELP = `usage: npm run torture -- [options]

  --seed N        decides every choice; default: a random one, which is printed
  --minutes N     how long the faults last; default 2
  --people N      default 5
  --pace N        seconds between two deaths of one process; default 6
  --capacity N    of each mailbox; default 2
  --server CMD    command that starts the server, with {port}, {data}, {codes} and {capacity};
                  default: couplet serve, from these sources
  --store URL     passed on to that command as its --store
  --folder PATH   where homes and data lie; default: the system's temporary folder
`

const DEFAULT_SERVER = [
  process.execPath,
  '--conditions=source',
  join(import.meta.dirname, '../../apps/cli/src/main.ts'),
  'serve',
  '--port={port}',
  '--data={data}',
  '--mailbox-capacity={capacity}',
  '--code-sender=file:{codes}',
  '--log-level=error',
  // People here write faster than any person: what is limited would arrive in hours.
  '--no-limits',
]
/** What is told of a long list. */
const MAX_VIOLATIONS = 50

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '2' },
    people: { type: 'string', default: '5' },
    pace: { type: 'string', default: '6' },
    capacity: { type: 'string', default: '2' },
    server: { type: 'string' },
    store: { type: 'string' },
    folder: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

// So that what was started ends with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

if (values.help) process.stdout.write(HELP)
else process.exitCode = await run()

async function run(): Promise<number> {
  const seed = number('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)))
  say(`torture: seed ${seed}`)
  const outcome = await torture({
    seed,
    minutes: number('minutes', values.minutes),
    people: number('people', values.people),
    pace: number('pace', values.pace),
    capacity: number('capacity', values.capacity),
    server: [
      ...(values.server?.split(' ') ?? DEFAULT_SERVER),
      ...(values.store ? ['--store', values.store] : []),
    ],
    folder: values.folder,
    minimum: { messages: 1000, kills: 50, evictions: 20 },
    tell: say,
  })
  for (const violation of outcome.violations.slice(0, MAX_VIOLATIONS)) say(`WRONG: ${violation}`)
  const more = outcome.violations.length - MAX_VIOLATIONS
  if (more > 0) say(`WRONG: and ${more} more`)
  say(`shown once more after a crash in that very moment: ${outcome.shownAgain}`)
  const { sent, delivered, lost, duplicated, kills, cuts, evictions } = outcome
  say(
    `messages sent ${sent}, delivered ${delivered}, lost ${lost}, duplicated ${duplicated}, ` +
      `kills ${kills}, cuts ${cuts}, evictions ${evictions}`,
  )
  return outcome.violations.length === 0 ? 0 : 1
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new TypeError(`--${name} is a number`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
