/** `couplet serve`: starts the server, says so in a few lines, and stops it cleanly. */
import {
  createLog,
  createServer,
  type Engine,
  type Limits,
  listenForMetrics,
  listenForOperator,
  type MetricsListener,
  makeCodeSender,
  metricsPage,
  type Server,
  StoreUnusableError,
  systemClock,
  trustedProxies,
} from '@couplet/server'
import { type Config, ConfigError, type Environment, readConfig } from './config.ts'
import type { ConfigLimits } from './config-limits.ts'
import { openEngine, withoutPasswords } from './engine.ts'
import { EXIT } from './exit-codes.ts'
import { tuneGarbageCollector } from './garbage-collector.ts'
import { HELP } from './help.ts'
import { webFolder } from './web-folder.ts'
import { type Running, startWorkers } from './workers.ts'

/**
 * Runs until SIGINT or SIGTERM, or until the server fails.
 *
 * @param args - options, without `serve` itself.
 * @returns The exit code: 0 after a stop in good order.
 */
export async function serve(args: readonly string[], environment: Environment): Promise<number> {
  let config: Config | 'help'
  try {
    config = readConfig(args, environment)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    complain(error.message)
    return error.kind === 'usage' ? EXIT.usage : EXIT.config
  }
  if (config === 'help') {
    process.stdout.write(HELP)
    return EXIT.ok
  }
  return run(config)
}

async function run(config: Config): Promise<number> {
  tuneGarbageCollector()
  const stopped = stopSignal()
  let metrics: MetricsListener | undefined
  let closeOperator: (() => Promise<void>) | undefined
  try {
    const server = await start(config)
    try {
      metrics = await startMetrics(config, server)
    } catch (error) {
      await server.close()
      const { code, message } = error as NodeJS.ErrnoException
      complain(`cannot listen for metrics: ${code ?? message}; another place: --metrics-listen`)
      return EXIT.unavailable
    }
    closeOperator = await startOperator(config, server)
    announce(config, server, metrics)
    const failure = await Promise.race([stopped.promise, server.failed])
    if (failure) {
      complain(`the store failed: ${failure.message}. What was accepted is on disk; start again.`)
    } else say('stopping')
    // While the folder is ours: whoever has it next listens at the same place.
    await closeOperator?.()
    await server.close()
    return failure ? EXIT.software : EXIT.ok
  } catch (error) {
    return explain(error, config)
  } finally {
    stopped.release()
    await metrics?.close()
    await closeOperator?.()
  }
}

async function start(config: Config): Promise<Running> {
  if (config.workers > 1) return startWorkers(config)
  const server = await startServer(config, await openEngine(config))
  return { ...server, metrics: async () => [await server.metrics()] }
}

/** The operator's commands reach a cluster by themselves, and a folder through who has it. */
async function startOperator(
  { store, data }: Config,
  { operator }: Running,
): Promise<(() => Promise<void>) | undefined> {
  if (store || !operator) return undefined
  try {
    return await listenForOperator(data, operator)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    complain(`couplet users and invitations need a stop of this server: ${code ?? message}`)
    return undefined
  }
}

/** Nothing, when none are asked for. */
async function startMetrics(
  { metricsListen }: Config,
  server: Running,
): Promise<MetricsListener | undefined> {
  if (!metricsListen) return undefined
  return listenForMetrics(metricsListen, async () => metricsPage(await server.metrics()))
}

/** One process of those that serve, or the only one. */
export async function startServer(config: Config, engine: Engine | undefined): Promise<Server> {
  return createServer({
    engine,
    host: config.host,
    port: config.port,
    data: config.data,
    capacity: config.capacity,
    publicUrl: config.publicUrl,
    webFolder: webFolder(),
    codeSender: await makeCodeSender(config.codeSender, {
      clock: systemClock,
      write: (text) => process.stdout.write(text),
      text: config.codeText,
    }),
    log: createLog(config.logLevel),
    tls: config.tls,
    proxies: trustedProxies(config.trustedProxies),
    corsOrigins: config.corsOrigins,
    registration: config.registration,
    allowlist: config.allowlist,
    minimumClient: config.minimumClient,
    limits: limitsOf(config.limits),
    metrics: config.metricsListen !== undefined,
  })
}

function limitsOf(limits: ConfigLimits): Limits {
  const entries = Object.entries(limits).map(([name, limit]) => [name, limit ?? undefined])
  return Object.fromEntries(entries) as Limits
}

/** One line for each fact. Scripts wait for the first. */
function announce(config: Config, { url }: Running, metrics: MetricsListener | undefined): void {
  const { codeSender } = config
  say(`listening on ${url}`)
  say(config.store ? `data in ${withoutPasswords(config.store)}` : `data in ${config.data}`)
  say(
    codeSender.kind === 'file'
      ? `codes are appended to ${codeSender.path}`
      : codeSender.kind === 'console'
        ? 'codes appear here when somebody registers'
        : `codes are sent by ${codeSender.kind}`,
  )
  if (metrics) say(`metrics at ${metrics.url}`)
  say(`open ${config.publicUrl ?? url}`)
}

function explain(error: unknown, config: Config): number {
  const { host, port } = config
  if (error instanceof StoreUnusableError) {
    complain(
      config.store ? error.message : `${error.message}; another folder: --data or COUPLET_DATA`,
    )
    return EXIT.cannotCreate
  }
  const { code = '', message } = error as NodeJS.ErrnoException
  const reason = LISTEN_FAILURES.get(code)
  if (!reason) {
    complain(`could not start: ${message}`)
    return EXIT.software
  }
  complain(`cannot listen on port ${port} of ${host}: ${reason}`)
  return EXIT.unavailable
}

/** The first SIGINT or SIGTERM asks for a stop; a second one does not wait for it. */
function stopSignal(): { readonly promise: Promise<undefined>; readonly release: () => void } {
  let asked = false
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const listener = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
    asked = true
    resolve(undefined)
  }
  process.on('SIGINT', listener)
  process.on('SIGTERM', listener)
  const release = (): void => {
    process.off('SIGINT', listener)
    process.off('SIGTERM', listener)
  }
  return { promise, release }
}

function say(fact: string): void {
  process.stdout.write(`couplet: ${fact}\n`)
}

function complain(message: string): void {
  process.stderr.write(`couplet: ${message}\n`)
}

const OTHER_PORT = 'choose another one with --port or COUPLET_PORT'
const OTHER_HOST = 'choose another one with --host or COUPLET_HOST'

/** By the code of the system's error: what it means, and the setting that changes it. */
const LISTEN_FAILURES: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', `another program uses this port; ${OTHER_PORT}`],
  ['EACCES', `this user may not use this port; ${OTHER_PORT}`],
  ['EADDRNOTAVAIL', `this machine has no such address; ${OTHER_HOST}`],
  ['ENOTFOUND', `there is no such address; ${OTHER_HOST}`],
  ['EAI_AGAIN', `the address cannot be looked up; ${OTHER_HOST}`],
])
