/**
 * `npm run torture -- --seed 7 --minutes 30`: real processes, every fault, and an oracle.
 *
 * The last line says what came of it; the exit code is 0 only if nothing was lost, shown twice, out
 * of its place, or marked delivered without being there.
 */
import { parseArgs } from 'node:util'
import { ENGINES, type EngineName } from './engines.ts'
import { torture } from './run.ts'

const HELP = `usage: npm run torture -- [options]

  --seed N        decides every choice; default: a random one, which is printed
  --minutes N     how long the faults last; default 2
  --people N      default 5
  --pace N        seconds between two deaths of one process; default 6
  --capacity N    of each mailbox; default 2
  --engine NAME   what the server is made of: ${ENGINES.join(', ')};
                  default embedded. NATS is started by itself, and dies, too
  --server CMD    instead: command that starts the server, with {port}, {data}, {codes} and {capacity}
  --store URL     passed on to the server as its --store
  --least M,K,E   the faults go on until there were so many messages, kills and evictions;
                  default 1000,50,20
  --folder PATH   where homes and data lie; default: the system's temporary folder
`

/** What is told of a long list. */
const MAX_VIOLATIONS = 50

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '2' },
    people: { type: 'string', default: '5' },
    pace: { type: 'string', default: '6' },
    capacity: { type: 'string', default: '2' },
    engine: { type: 'string', default: 'embedded' },
    server: { type: 'string' },
    least: { type: 'string', default: '1000,50,20' },
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
  const [messages, kills, evictions] = values.least.split(',').map((one) => number('least', one))
  const outcome = await torture({
    seed,
    minutes: number('minutes', values.minutes),
    people: number('people', values.people),
    pace: number('pace', values.pace),
    capacity: number('capacity', values.capacity),
    engine: engine(values.engine),
    server: values.server?.split(' '),
    store: values.store,
    folder: values.folder,
    minimum: { messages: messages ?? 0, kills: kills ?? 0, evictions: evictions ?? 0 },
    tell: say,
  })
  for (const violation of outcome.violations.slice(0, MAX_VIOLATIONS)) say(`WRONG: ${violation}`)
  const more = outcome.violations.length - MAX_VIOLATIONS
  if (more > 0) say(`WRONG: and ${more} more`)
  say(`shown once more after a crash in that very moment: ${outcome.shownAgain}`)
  const { sent, delivered, lost, duplicated } = outcome
  say(
    `messages sent ${sent}, delivered ${delivered}, lost ${lost}, duplicated ${duplicated}, ` +
      `kills ${outcome.kills}, cuts ${outcome.cuts}, evictions ${outcome.evictions}`,
  )
  return outcome.violations.length === 0 ? 0 : 1
}

function engine(name: string): EngineName {
  const found = ENGINES.find((one) => one === name)
  if (found) return found
  throw new TypeError(`--engine is one of ${ENGINES.join(', ')}`)
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new TypeError(`--${name} is a number`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
