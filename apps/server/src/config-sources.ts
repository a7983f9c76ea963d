/** Where settings come from: options, variables, a TOML file; and where exactly, for errors. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse, TomlError } from 'smol-toml'
import type { Setting } from './setting.ts'
import { SETTINGS, settingNamed, variableOf } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** `usage`: the command line is wrong. `config`: a variable, the file, or a combination is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly kind: 'usage' | 'config'

  constructor(kind: 'usage' | 'config', message: string) {
    super(message)
    this.kind = kind
  }
}

/** What a setting was set to, and where. */
export interface Value {
  readonly text: string | undefined
  readonly place: string
  readonly kind: 'usage' | 'config'
}

export interface Sources {
  /** By the setting's name. */
  value(name: string): Value
}

/** @throws {ConfigError} */
export function readSources(args: readonly string[], environment: Environment): Sources | 'help' {
  const options = parseOptions(args)
  if (options.help) return 'help'
  const path = options.config ?? environment.COUPLET_CONFIG
  const file = typeof path === 'string' && path ? readFile(path) : undefined
  return { value: (name) => secretFrom(name, find) ?? find(name) }

  function find(name: string): Value {
    const option = options[name]
    if (option !== undefined) return { text: String(option), place: `--${name}`, kind: 'usage' }
    // An empty variable is how a shell says "not set".
    const text = environment[variableOf(name)]
    if (text) return { text, place: variableOf(name), kind: 'config' }
    return file?.get(name) ?? { text: undefined, place: variableOf(name), kind: 'config' }
  }
}

/** A secret may be in a file of its own. */
function secretFrom(name: string, find: (name: string) => Value): Value | undefined {
  if (settingNamed(name).type !== 'secret') return undefined
  const { text: path, place, kind } = find(`${name}-file`)
  if (path === undefined) return undefined
  try {
    return { text: readFileSync(path, 'utf8').trimEnd(), place, kind }
  } catch (error) {
    throw new ConfigError(kind, `${place} cannot be read: ${(error as Error).message}`)
  }
}

function parseOptions(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
    config: { type: 'string' },
  }
  for (const { name, type } of SETTINGS as readonly Setting[]) {
    if (type === 'secret') options[`${name}-file`] = { type: 'string' }
    else options[name] = { type: type === 'switch' ? 'boolean' : 'string' }
  }
  try {
    const parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
    return parsed.values
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ')
    throw new ConfigError('usage', `${sentence}; see couplet serve --help`)
  }
}

/** Keys are the settings' names; `[smtp] host` is `smtp-host`. */
function readFile(path: string): ReadonlyMap<string, Value> {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError('config', `the configuration cannot be read: ${(error as Error).message}`)
  }
  const values = new Map<string, Value>()
  for (const [name, value] of flat(parseToml(path, content))) {
    const place = `${path}${lineOf(content, name)}: ${name}`
    if (!isKnown(name)) throw new ConfigError('config', `${place} is no setting`)
    values.set(name, { text: textOf(value, place), place, kind: 'config' })
  }
  return values
}

function parseToml(path: string, content: string): Record<string, unknown> {
  try {
    return parse(content)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [sentence] = error.message.split('\n')
    throw new ConfigError('config', `${path}:${error.line}:${error.column}: ${sentence}`)
  }
}

function* flat(table: Record<string, unknown>, prefix = ''): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(table)) {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isTable) yield* flat(value as Record<string, unknown>, `${prefix}${key}-`)
    else yield [prefix + key, value]
  }
}

function textOf(value: unknown, place: string): string {
  if (Array.isArray(value)) return value.map((one) => textOf(one, place)).join(',')
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new ConfigError('config', `${place} must be a text, a number, true, false or a list`)
}

function isKnown(name: string): boolean {
  const all: readonly Setting[] = SETTINGS
  return all.some(
    (setting) =>
      setting.name === name || (setting.type === 'secret' && `${setting.name}-file` === name),
  )
}

/** `:12`, when a line sets it plainly. */
function lineOf(content: string, name: string): string {
  let section = ''
  for (const [index, line] of content.split('\n').entries()) {
    const [, table] = /^\s*\[([\w.-]+)\]/.exec(line) ?? []
    if (table !== undefined) section = `${table.replaceAll('.', '-')}-`
    const [, key] = /^\s*([\w-]+)\s*=/.exec(line) ?? []
    if (key !== undefined && section + key === name) return `:${index + 1}`
  }
  return ''
}
