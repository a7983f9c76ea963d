/**
 * From words and variables to a command with its options. node:util's parseArgs splits the words;
 * what they may be is judged here, against the tables, so that errors can suggest what was meant.
 */
import { parseArgs } from 'node:util'
import { COMMANDS, type Command, commandNamed, type Operand } from './commands.ts'
import type { Environment } from './context.ts'
import { durationMs } from './duration.ts'
import { UsageError } from './errors.ts'
import { OPTIONS, type OptionName, type Options, variableOf } from './options.ts'
import { suggest } from './suggest.ts'

export interface Invocation {
  /** None when only `--help` or `--version` was asked, or nothing at all. */
  readonly command: Command | undefined
  readonly options: Options
  readonly operands: readonly string[]
  readonly rest: readonly string[]
  /** Set when the first operand is missing that somebody at a terminal could be asked for. */
  readonly missing?: Operand
}

/** @throws {UsageError} with a suggestion where there is one. */
export function parseCommandLine(words: readonly string[], environment: Environment): Invocation {
  const { tokens } = parseArgs({
    args: [...words],
    options: PARSE_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const first = tokens.find((token) => token.kind === 'positional')
  const command = first && knownCommand(first.value)
  const passThrough = command?.passThrough === true
  const options: Options = {}
  const operands: string[] = []
  let missing: Operand | undefined
  for (const token of tokens) {
    if (passThrough && token.index >= first!.index) break
    if (token.kind === 'positional' && token !== first) operands.push(token.value)
    if (token.kind !== 'option') continue
    const name = knownOption(token.name, token.rawName, command)
    set(options, name, typedValue(name, token.rawName, token.value, token.inlineValue === true))
  }
  if (command && !passThrough) {
    addVariables(options, command, environment)
    if (options.help !== true) missing = checkOperands(command, operands)
  } else {
    // Without a command there is no --json, but errors should still be as the caller wants them.
    addVariables(options, undefined, environment)
  }
  const rest = first ? words.slice(first.index + 1) : []
  return { command, options, operands, rest, ...(missing && { missing }) }
}

/** Whether the words ask for JSON; for errors in words that cannot be parsed. */
export function wantsJson(words: readonly string[], environment: Environment): boolean {
  const end = words.indexOf('--')
  const asked = (end === -1 ? words : words.slice(0, end)).includes('--json')
  return asked || TRUE.has(environment.COUPLET_JSON ?? '')
}

const PARSE_OPTIONS = Object.fromEntries(
  Object.entries(OPTIONS).map(([name, spec]) => [
    name,
    {
      type: spec.kind === 'flag' ? ('boolean' as const) : ('string' as const),
      ...(spec.short !== undefined && { short: spec.short }),
    },
  ]),
)

function knownCommand(name: string): Command {
  const command = commandNamed(name)
  if (command) return command
  const names = COMMANDS.map((known) => known.name)
  throw new UsageError(
    `there is no command “${name}”.${didYouMean(suggest(name, names))} See: couplet help`,
  )
}

function knownOption(name: string, rawName: string, command: Command | undefined): OptionName {
  const allowed: readonly string[] = command?.passThrough
    ? []
    : (command?.options ?? ['help', 'version', 'json', 'quiet', 'home'])
  if (allowed.includes(name)) return name as OptionName
  const where = command ? `“couplet ${command.name}” has no option` : 'there is no option'
  const near = Object.hasOwn(OPTIONS, name) ? undefined : suggest(name, allowed)
  const help = command ? `couplet ${command.name} --help` : 'couplet help'
  throw new UsageError(
    `${where} ${rawName}.${didYouMean(near && `--${near}`)} See: ${help}${
      command?.passThrough ? ' (its options stand after the command)' : ''
    }`,
  )
}

function typedValue(
  name: OptionName,
  rawName: string,
  value: string | undefined,
  inline: boolean,
): string | number | boolean {
  const spec = OPTIONS[name]
  if (spec.kind === 'flag') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`)
    return true
  }
  if (value === undefined || value === '' || (!inline && value.startsWith('-') && value !== '-')) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.placeholder}`)
  }
  return converted(name, rawName, value)
}

function converted(name: OptionName, label: string, value: string): string | number {
  const spec = OPTIONS[name]
  if (spec.kind === 'choice' && !spec.choices.includes(value)) {
    throw new UsageError(`${label} is ${spec.choices.join(' or ')}, not “${value}”.`)
  }
  if (spec.kind === 'duration') return durationMs(value, label)
  if (spec.kind !== 'seconds') return value
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new UsageError(`${label} is a number of seconds, like 30, not “${value}”.`)
  }
  return seconds
}

function addVariables(
  options: Options,
  command: Command | undefined,
  environment: Environment,
): void {
  for (const name of command?.options ?? (['json', 'quiet'] as const)) {
    const variable = variableOf(name)
    const value = variable && environment[variable]
    if (options[name] !== undefined || variable === undefined || value === undefined) continue
    if (value === '') continue
    if (OPTIONS[name].kind !== 'flag') set(options, name, converted(name, variable, value))
    else if (TRUE.has(value)) set(options, name, true)
    else if (!FALSE.has(value)) throw new UsageError(`${variable} is 1 or 0, not “${value}”.`)
  }
}

function set(options: Options, name: OptionName, value: string | number | boolean): void {
  Object.assign(options, { [name]: value })
}

/** Answers an operand that is missing and could be asked for. */
function checkOperands(command: Command, operands: readonly string[]): Operand | undefined {
  const missing = command.operands.find(
    (operand, index) => !operand.optional && index >= operands.length,
  )
  if (missing?.question !== undefined) return missing
  if (missing) throw isMissing(command, missing)
  const extra = operands[command.operands.length]
  if (extra === undefined) return undefined
  const quotes =
    command.name === 'send'
      ? ' Put the text in quotes.'
      : /^\+?\d/.test(operands[0] ?? '')
        ? ' A number is one word, or in quotes.'
        : ''
  throw new UsageError(`“${extra}” is too much.${quotes} Usage: couplet ${usageOf(command)}`)
}

export function isMissing(command: Command, operand: Operand): UsageError {
  return new UsageError(`${operand.name} is missing. Usage: couplet ${usageOf(command)}`)
}

/** `send NUMBER [TEXT]`. */
export function usageOf(command: Command): string {
  const operands = command.operands.map(({ name, optional }) => (optional ? `[${name}]` : name))
  return [command.name, ...operands].join(' ')
}

function didYouMean(word: string | undefined): string {
  return word ? ` Did you mean “${word}”?` : ''
}

const TRUE: ReadonlySet<string> = new Set(['1', 'true', 'yes'])
const FALSE: ReadonlySet<string> = new Set(['0', 'false', 'no'])
/** What setTimeout can count: 24 days. */
const MAX_SECONDS = 2_000_000
