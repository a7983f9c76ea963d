/**
 * Configuration: options win over environment variables, which win over defaults. Every error names
 * the place of what is wrong.
 */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SETTINGS, type Setting } from './settings.ts'
import { defaultWorkers, MAX_WORKERS } from './worker-count.ts'

export type CodeSenderChoice =
  | { readonly kind: 'console' }
  | { readonly kind: 'file'; readonly path: string }

export interface Config {
  readonly host: string
  readonly port: number
  readonly data: string
  /** Servers of NATS that keep everything; without them, the folder does. */
  readonly store: string | undefined
  /** Processes that serve. */
  readonly workers: number
  readonly codeSender: CodeSenderChoice
  readonly publicUrl: string | undefined
  readonly capacity: number
  readonly logLevel: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** `usage`: the command line is wrong. `config`: an environment variable is, or a combination. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly kind: 'usage' | 'config'

  constructor(kind: 'usage' | 'config', message: string) {
    super(message)
    this.kind = kind
  }
}

/** @throws {ConfigError} naming the option or variable. */
export function readConfig(args: readonly string[], environment: Environment): Config | 'help' {
  const options = parseOptions(args)
  if (options.help) return 'help'
  const read = (setting: Setting): Value => settingValue(setting, options, environment)

  const host = read(SETTINGS.host).text ?? 'localhost'
  const config: Config = {
    host,
    port: integer(read(SETTINGS.port), 0, 65_535) ?? 8080,
    data: resolve(read(SETTINGS.data).text ?? defaultData(environment)),
    store: natsUrls(read(SETTINGS.store)),
    workers: workers(read(SETTINGS.workers)),
    codeSender: codeSender(read(SETTINGS.codeSender)),
    publicUrl: publicUrl(read(SETTINGS.publicUrl)),
    capacity: integer(read(SETTINGS.capacity), 1, MAX_CAPACITY) ?? 2,
    logLevel: oneOf(read(SETTINGS.logLevel), LOG_LEVELS) ?? 'info',
  }
  if (!onOff(read(SETTINGS.allowConsoleCodes))) refuseConsoleInPublic(config)
  requireNameInPublic(config)
  return config
}

/** Where something was set, and to what. */
interface Value {
  readonly text: string | undefined
  readonly place: string
  readonly kind: 'usage' | 'config'
}

function parseOptions(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  }
  for (const setting of Object.values<Setting>(SETTINGS)) {
    options[setting.flag] = { type: setting.value ? 'string' : 'boolean' }
  }
  try {
    const parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
    return parsed.values
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ')
    throw new ConfigError('usage', `${sentence}; see couplet serve --help`)
  }
}

function settingValue(
  setting: Setting,
  options: Record<string, string | boolean | undefined>,
  environment: Environment,
): Value {
  const option = options[setting.flag]
  if (option !== undefined) {
    return { text: String(option), place: `--${setting.flag}`, kind: 'usage' }
  }
  // An empty variable is how a shell says "not set".
  const text = environment[setting.variable] || undefined
  return { text, place: setting.variable, kind: 'config' }
}

function integer(value: Value, low: number, high: number): number | undefined {
  if (value.text === undefined) return undefined
  const number = /^[0-9]{1,9}$/.test(value.text) ? Number(value.text) : Number.NaN
  if (number >= low && number <= high) return number
  throw wrong(value, `must be a whole number from ${low} to ${high}`)
}

function oneOf(value: Value, choices: readonly string[]): string | undefined {
  if (value.text === undefined || choices.includes(value.text)) return value.text
  throw wrong(value, `must be one of ${choices.join(', ')}`)
}

function onOff(value: Value): boolean {
  if (value.text === undefined) return false
  if (['1', 'true', 'yes', 'on'].includes(value.text)) return true
  if (['0', 'false', 'no', 'off'].includes(value.text)) return false
  throw wrong(value, 'must be 1 or 0')
}

function codeSender(value: Value): CodeSenderChoice {
  const { text = 'console' } = value
  if (text === 'console') return { kind: 'console' }
  if (text.startsWith('file:') && text.length > 'file:'.length) {
    return { kind: 'file', path: resolve(text.slice('file:'.length)) }
  }
  throw wrong(value, 'must be console, or file: with a path, like file:./codes.jsonl')
}

function workers(value: Value): number {
  if (value.text === undefined || value.text === 'auto') return defaultWorkers()
  return integer(value, 1, MAX_WORKERS)!
}

function natsUrls(value: Value): string | undefined {
  if (value.text === undefined || NATS_URLS.test(value.text)) return value.text
  // Not the value itself: there may be a password in it.
  throw new ConfigError(value.kind, `${value.place} must be nats://host:port, several with commas`)
}

function publicUrl(value: Value): string | undefined {
  if (value.text === undefined) return undefined
  const url = URL.canParse(value.text) ? new URL(value.text) : undefined
  const plain = url && url.pathname === '/' && !url.search && !url.hash && !url.username
  if (plain && (url.protocol === 'https:' || url.protocol === 'http:')) return url.origin
  throw wrong(value, 'must be a URL without a path, like https://chat.example')
}

/** Printed codes let whoever reads the terminal register any number: for development only. */
function refuseConsoleInPublic({ codeSender: sender, host, publicUrl: url }: Config): void {
  if (sender.kind !== 'console') return
  const publicHost = url && new URL(url).hostname
  if (isLoopback(host) && (!publicHost || isLoopback(publicHost))) return
  throw new ConfigError(
    'config',
    `the console code sender is for development, and ${publicHost ?? host} can be reached by others: ` +
      'choose another --code-sender, or force it with --allow-console-codes',
  )
}

/**
 * Logins are signed for the server's name. One that does not know its own would have to believe the
 * name in the request, and another server could pass on a login that was meant for it.
 */
function requireNameInPublic({ host, publicUrl: url }: Config): void {
  if (isLoopback(host) || url) return
  throw new ConfigError(
    'config',
    `${host} can be reached by others: say with --public-url which URL they use, like https://chat.example`,
  )
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.[0-9]+){3}|\[?::1\]?)$/i.test(host)
}

/** XDG Base Directory: relative paths are to be ignored. */
function defaultData(environment: Environment): string {
  const base = environment.XDG_DATA_HOME
  const home = base && isAbsolute(base) ? base : join(homedir(), '.local', 'share')
  return join(home, 'couplet', 'server')
}

function wrong({ place, kind, text }: Value, rule: string): ConfigError {
  return new ConfigError(kind, `${place} ${rule}, not ${JSON.stringify(text)}`)
}

const NATS_URL = '(?:nats|tls)://(?:[^@/,\\s]+@)?[a-z0-9.-]+(?::[0-9]{1,5})?'
const NATS_URLS = new RegExp(`^${NATS_URL}(?:,${NATS_URL})*$`, 'i')
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent']
/** A mailbox, not an archive. */
const MAX_CAPACITY = 1000
