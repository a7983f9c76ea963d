/** Help, made from the same tables that drive parsing. */
import { COMMANDS, type Command } from './commands.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { OPTIONS, type OptionName, variableOf } from './options.ts'
import { usageOf } from './parse.ts'
import { STATE_MEANINGS, STATE_WORDS } from './states.ts'
import { wrapped } from './wrap.ts'

export function generalHelp(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2
  const groups = [...new Set(COMMANDS.map(({ group }) => group))].map((group) => {
    const lines = COMMANDS.filter((command) => command.group === group).map(
      ({ name, summary }) => `  ${name.padEnd(width)}${summary}`,
    )
    return [group, ...lines].join('\n')
  })
  return [
    'Couplet: private messages. The server remembers two.',
    'Usage: couplet COMMAND [OPTIONS]',
    ...groups,
    [
      'First steps',
      '  couplet serve                                  in one terminal',
      '  couplet --home ./ana register +12025550101     in another; the first prints the code',
      '  couplet --home ./ana send +12025550102 "Hello"',
    ].join('\n'),
    'Every command has --help with examples. Every option has an environment variable:\ncouplet help environment',
  ].join('\n\n')
}

export function commandHelp(command: Command): string {
  const own = command.options.filter((name) => !GENERAL.has(name))
  const general = command.options.filter((name) => GENERAL.has(name))
  const sections = [
    `${command.summary}.`,
    `Usage: couplet ${usageOf(command)}${command.options.length > 1 ? ' [OPTIONS]' : ''}`,
    ...command.description.map((paragraph) => wrapped(paragraph)),
  ]
  if (command.examples.length > 0) sections.push(examples(command))
  if (own.length > 0) sections.push(`Options\n${own.map(optionLines).join('\n')}`)
  if (general.length > 0) sections.push(`General options\n${general.map(optionLines).join('\n')}`)
  return sections.join('\n\n')
}

/** What `couplet help` knows besides the commands. */
export const TOPICS: Readonly<Record<string, () => string>> = {
  'exit-codes': () =>
    [
      'Exit codes, one for each kind of failure; the word is the code that --json shows.',
      exitCodes(),
    ].join('\n\n'),
  environment: () =>
    [
      wrapped(
        'Every option can be set by a variable; the command line wins. Flags are 1 or 0. The options of the server: couplet serve --help.',
      ),
      environment(),
      wrapped(
        'NO_COLOR turns colours off. COUPLET_DEBUG=1 shows where an unforeseen error came from.',
      ),
    ].join('\n\n'),
  states: () => ['Where a message of yours can be.', states()].join('\n\n'),
}

function exitCodes(): string {
  return EXIT_CODES.map(
    ({ exit, code, meaning }) => `  ${String(exit).padStart(3)}  ${code.padEnd(22)}${meaning}`,
  ).join('\n')
}

function environment(): string {
  return (Object.keys(OPTIONS) as OptionName[])
    .map((name) => ({ name, variable: variableOf(name) }))
    .filter(({ variable }) => variable !== undefined)
    .map(({ name, variable }) => `  ${variable!.padEnd(26)}--${name}`)
    .join('\n')
}

function states(): string {
  return (Object.keys(STATE_WORDS) as (keyof typeof STATE_WORDS)[])
    .map((state) => `  ${STATE_WORDS[state].padEnd(18)}${STATE_MEANINGS[state]}`)
    .join('\n')
}

function examples({ examples: all }: Command): string {
  const lines = all.map(({ command, says }) =>
    says ? `  # ${says}\n  ${command}` : `  ${command}`,
  )
  return `Examples\n${lines.join('\n')}`
}

function optionLines(name: OptionName): string {
  const spec = OPTIONS[name]
  const value = spec.kind === 'flag' ? '' : ` ${spec.placeholder}`
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `
  const head = `  ${short}--${name}${value}`
  const text = wrapped(spec.help, 80 - OPTION_WIDTH).replaceAll(
    '\n',
    `\n${' '.repeat(OPTION_WIDTH)}`,
  )
  return head.length < OPTION_WIDTH
    ? `${head.padEnd(OPTION_WIDTH)}${text}`
    : `${head}\n${' '.repeat(OPTION_WIDTH)}${text}`
}

const OPTION_WIDTH = 32
const GENERAL: ReadonlySet<OptionName> = new Set([
  'home',
  'passphrase-file',
  'no-passphrase',
  'json',
  'quiet',
  'help',
])
