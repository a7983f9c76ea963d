/**
 * Configuration: options win over variables, which win over the file, which wins over defaults.
 * Every error names the place of what is wrong.
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { type CodeSenderChoice, readTls, type TlsFiles, trustedProxies } from '@couplet/server'
import { codeSender } from './config-codes.ts'
import { type ConfigLimits, limits } from './config-limits.ts'
import {
  ConfigError,
  type Environment,
  readSources,
  type Sources,
  type Value,
} from './config-sources.ts'
import { type SettingName, settingNamed } from './settings.ts'
import { defaultWorkers, MAX_WORKERS } from './worker-count.ts'

export { ConfigError, type Environment } from './config-sources.ts'

export interface Config {
  readonly host: string
  readonly port: number
  readonly data: string
  /** Servers of NATS that keep everything; without them, the folder does. */
  readonly store: string | undefined
  /** Processes that serve. */
  readonly workers: number
  readonly codeSender: CodeSenderChoice
  readonly codeText: string | undefined
  readonly publicUrl: string | undefined
  readonly capacity: number
  readonly logLevel: string
  /** Where metrics are served. */
  readonly metricsListen: { readonly host: string; readonly port: number } | undefined
  readonly minimumClient: string | undefined
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly trustedProxies: readonly string[]
  readonly corsOrigins: readonly string[]
  readonly registration: 'open' | 'invite' | 'allowlist'
  readonly allowlist: string | undefined
  /** `null`: no limit, which survives being sent to a worker as JSON. */
  readonly limits: ConfigLimits
}

/** @throws {ConfigError} naming the option, the variable, or the line of the file. */
export function readConfig(args: readonly string[], environment: Environment): Config | 'help' {
  const sources = readSources(args, environment)
  if (sources === 'help') return 'help'
  const read = new Reader(sources)
  const config: Config = {
    host: read.text('host') ?? 'localhost',
    port: read.integer('port') ?? 8080,
    data: resolve(read.text('data') ?? defaultData(environment)),
    store: natsUrls(read.value('store')),
    workers: workers(read.value('workers')),
    codeSender: codeSender(read),
    codeText: codeText(read.value('code-text')),
    publicUrl: read.url('public-url'),
    capacity: read.integer('mailbox-capacity') ?? 2,
    logLevel: read.choice('log-level') ?? 'info',
    metricsListen: listener(read.value('metrics-listen')),
    minimumClient: version(read.value('minimum-client')),
    tls: tls(read),
    trustedProxies: proxies(read.value('trusted-proxies')),
    corsOrigins: origins(read.value('cors-origins')),
    registration: (read.choice('registration') as Config['registration'] | undefined) ?? 'open',
    allowlist: allowlist(read),
    limits: limits(read),
  }
  if (config.registration === 'allowlist' && !config.allowlist) {
    throw new ConfigError('config', 'registration by allowlist needs the list: --allowlist FILE')
  }
  if (!read.onOff('allow-console-codes')) refuseConsoleInPublic(config)
  requireNameInPublic(config)
  return config
}

/** Settings as values of their types. */
export class Reader {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  value(name: SettingName): Value {
    return this.#sources.value(name)
  }

  text(name: SettingName): string | undefined {
    return this.value(name).text
  }

  /** @throws {ConfigError} when it is not set. */
  required(name: SettingName, why: string): string {
    const { text, place } = this.value(name)
    if (text !== undefined) return text
    throw new ConfigError('config', `${why} needs ${place}`)
  }

  path(name: SettingName): string | undefined {
    const { text } = this.value(name)
    return text === undefined ? undefined : resolve(text)
  }

  integer(name: SettingName): number | undefined {
    const setting = settingNamed(name)
    if (setting.type !== 'integer') throw new Error(`${name} is no integer`)
    return integerOf(this.value(name), setting.low, setting.high)
  }

  choice(name: SettingName): string | undefined {
    const setting = settingNamed(name)
    if (setting.type !== 'choice') throw new Error(`${name} is no choice`)
    const value = this.value(name)
    if (value.text === undefined || setting.choices.includes(value.text)) return value.text
    throw wrong(value, `must be one of ${setting.choices.join(', ')}`)
  }

  onOff(name: SettingName): boolean {
    const value = this.value(name)
    if (value.text === undefined) return false
    if (['1', 'true', 'yes', 'on'].includes(value.text)) return true
    if (['0', 'false', 'no', 'off'].includes(value.text)) return false
    throw wrong(value, 'must be 1 or 0')
  }

  url(name: SettingName): string | undefined {
    const value = this.value(name)
    if (value.text === undefined) return undefined
    const url = originOf(value.text)
    if (url) return url
    throw wrong(value, 'must be a URL without a path, like https://chat.example')
  }
}

export function integerOf(value: Value, low: number, high: number): number | undefined {
  if (value.text === undefined) return undefined
  const number = /^[0-9]{1,9}$/.test(value.text) ? Number(value.text) : Number.NaN
  if (number >= low && number <= high) return number
  throw wrong(value, `must be a whole number from ${low} to ${high}`)
}

function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url && url.pathname === '/' && !url.search && !url.hash && !url.username
  return plain && (url.protocol === 'https:' || url.protocol === 'http:') ? url.origin : undefined
}

function workers(value: Value): number {
  if (value.text === undefined || value.text === 'auto') return defaultWorkers()
  return integerOf(value, 1, MAX_WORKERS)!
}

function natsUrls(value: Value): string | undefined {
  if (value.text === undefined || NATS_URLS.test(value.text)) return value.text
  // Not the value itself: there may be a password in it.
  throw new ConfigError(value.kind, `${value.place} must be nats://host:port, several with commas`)
}

function codeText(value: Value): string | undefined {
  if (value.text === undefined || value.text.includes('{code}')) return value.text
  throw wrong(value, 'must have {code} in it')
}

function version(value: Value): string | undefined {
  if (value.text === undefined || /^[0-9]{1,6}(?:\.[0-9]{1,6}){2}$/.test(value.text)) {
    return value.text
  }
  throw wrong(value, 'must be a version, like 0.1.0')
}

/** `localhost:9464`, `[::1]:9464`. */
function listener(value: Value): Config['metricsListen'] {
  if (value.text === undefined) return undefined
  const [, address, name, port] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):([0-9]{1,5})$/i.exec(value.text) ?? []
  if (port !== undefined && Number(port) <= 65_535) {
    return { host: (address ?? name)!, port: Number(port) }
  }
  throw wrong(value, 'must be HOST:PORT, like localhost:9464')
}

function tls(read: Reader): Config['tls'] {
  const cert = read.path('tls-cert')
  const key = read.path('tls-key')
  if (!cert && !key) return undefined
  if (cert && key) {
    requireFile(read.value('tls-cert'))
    requireFile(read.value('tls-key'))
    return usable(read, { cert, key })
  }
  throw new ConfigError('config', 'TLS needs both: --tls-cert FILE and --tls-key FILE')
}

function usable(read: Reader, files: TlsFiles): TlsFiles {
  try {
    readTls(files)
    return files
  } catch (error) {
    const places = `${read.value('tls-cert').place} and ${read.value('tls-key').place}`
    throw new ConfigError('config', `${places}: ${(error as Error).message}`)
  }
}

/** @throws {ConfigError} when it cannot be read. */
function requireFile(value: Value): void {
  if (value.text === undefined) return
  try {
    readFileSync(value.text)
  } catch (error) {
    throw new ConfigError(value.kind, `${value.place} cannot be read: ${(error as Error).message}`)
  }
}

function allowlist(read: Reader): string | undefined {
  requireFile(read.value('allowlist'))
  return read.path('allowlist')
}

function proxies(value: Value): readonly string[] {
  const list = listOf(value)
  try {
    trustedProxies(list)
    return list
  } catch {
    throw wrong(value, 'must be addresses, networks like 10.0.0.0/8, or loopback, with commas')
  }
}

function origins(value: Value): readonly string[] {
  const list = listOf(value)
  if (list.every((one) => one === '*' || originOf(one) === one)) return list
  throw wrong(value, 'must be origins like https://app.example, with commas, or *')
}

function listOf({ text = '' }: Value): readonly string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}

/** Printed codes let whoever reads the terminal register any number: for development only. */
function refuseConsoleInPublic(config: Config): void {
  const way = wayIn(config)
  if (config.codeSender.kind !== 'console' || !way) return
  throw new ConfigError(
    'config',
    `the console code sender is for development, and ${way} can be reached by others: ` +
      'choose another --code-sender, or force it with --allow-console-codes',
  )
}

/**
 * Logins are signed for the server's name. One that does not know its own would have to believe the
 * name in the request, and another server could pass on a login that was meant for it.
 */
function requireNameInPublic(config: Config): void {
  const way = wayIn(config)
  if (!way || config.publicUrl) return
  throw new ConfigError(
    'config',
    `${way} can be reached by others: say with --public-url which URL they use, like https://chat.example`,
  )
}

/** What others can reach; nothing, when only programs on this machine can. */
function wayIn({ host, publicUrl, trustedProxies: behind, tls: own }: Config): string | undefined {
  const name = publicUrl && new URL(publicUrl).hostname
  if (name && !isLoopback(name)) return name
  if (!isLoopback(host)) return host
  if (behind.length > 0) return 'what --trusted-proxies pass on to'
  return own && 'a server with --tls-cert'
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

export function wrong({ place, kind, text }: Value, rule: string): ConfigError {
  return new ConfigError(kind, `${place} ${rule}, not ${JSON.stringify(text)}`)
}

const NATS_URL = '(?:nats|tls)://(?:[^@/,\\s]+@)?[a-z0-9.-]+(?::[0-9]{1,5})?'
const NATS_URLS = new RegExp(`^${NATS_URL}(?:,${NATS_URL})*$`, 'i')
