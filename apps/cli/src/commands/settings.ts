/** `couplet settings`: what this home does by itself. */
import type { Settings } from '@couplet/client'
import type { Context } from '../context.ts'
import { durationMs, durationWords } from '../duration.ts'
import { UsageError } from '../errors.ts'
import { tryOnline, withCouplet } from '../home.ts'
import { suggest } from '../suggest.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const [name, value] = context.operands
  const setting = name === undefined ? undefined : settingNamed(name)
  const change = setting && value !== undefined ? setting.parse(value) : undefined
  return withCouplet(context, async (couplet, deadline) => {
    if (!change) await show(context, await couplet.settings(), setting)
    else {
      const settings = await couplet.changeSettings(change)
      await show(context, settings, setting)
      // Receipts that were held back go out now, or with the next command that connects.
      if (change.receipts || change.strangers) await tryOnline(context, couplet, deadline)
      terminal.say(setting!.meaning(settings))
    }
    return 0
  })
}

async function show(
  { terminal }: Context,
  settings: Settings,
  only: Setting | undefined,
): Promise<void> {
  const { receipts, strangers, expiresAfterMs } = settings
  await terminal.printJson({ type: 'settings', receipts, strangers, expiresAfterMs })
  if (terminal.json) return
  for (const setting of SETTINGS) {
    if (only && setting !== only) continue
    const line = `${setting.name.padEnd(10)}${setting.value(settings).padEnd(8)}`
    const meaning = terminal.paint('dim', only ? '' : setting.meaning(settings))
    await terminal.print(`${line}${meaning}`.trimEnd())
  }
}

interface Setting {
  readonly name: string
  readonly parse: (value: string) => Partial<Settings>
  readonly value: (settings: Settings) => string
  readonly meaning: (settings: Settings) => string
}

function settingNamed(name: string): Setting {
  const found = SETTINGS.find((setting) => setting.name === name)
  if (found) return found
  const names = SETTINGS.map((setting) => setting.name)
  const near = suggest(name, names)
  throw new UsageError(
    `there is no setting “${name}”.${near ? ` Did you mean “${near}”?` : ''} There are: ${names.join(', ')}.`,
  )
}

function oneOf<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) {
    throw new UsageError(`${name} is ${choices.join(' or ')}, not “${value}”.`)
  }
  return found
}

const SETTINGS: readonly Setting[] = [
  {
    name: 'receipts',
    parse: (value) => ({ receipts: oneOf('receipts', value, ['on', 'off']) === 'on' }),
    value: ({ receipts }) => (receipts ? 'on' : 'off'),
    meaning: ({ receipts }) =>
      receipts
        ? 'People see when their messages have arrived here.'
        : 'People see “sent”, never “delivered”: that nothing is lost rests on the server’s honesty then.',
  },
  {
    name: 'strangers',
    parse: (value) => ({ strangers: oneOf('strangers', value, ['accept', 'ask']) }),
    value: ({ strangers }) => strangers,
    meaning: ({ strangers }) =>
      strangers === 'accept'
        ? 'Whoever writes first is shown at once.'
        : 'Whoever writes first waits in “couplet requests”, and sees no receipt before.',
  },
  {
    name: 'timer',
    parse: (value) => ({ expiresAfterMs: durationMs(value, 'timer') }),
    value: ({ expiresAfterMs }) => durationWords(expiresAfterMs),
    meaning: ({ expiresAfterMs }) =>
      expiresAfterMs === 0
        ? 'What you send stays, unless you send it with --expires.'
        : `What you send is deleted on both devices ${durationWords(expiresAfterMs)} after it was sent or read.`,
  },
]
