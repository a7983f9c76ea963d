/** The whole server: composes store, use cases, HTTP and sockets, and stops them in order. */
import type { Server as TlsServer } from 'node:tls'
import { DEFAULT_MAILBOX_CAPACITY, MAILBOX_TTL_MS, type RegistrationPolicy } from '@couplet/wire'
import type { Logger } from 'pino'
import { touch } from './accounts.ts'
import { type TrustedProxies, trustedProxies } from './addresses.ts'
import { createAdmission } from './admission.ts'
import { parseVersion, type Version } from './client-version.ts'
import { systemClock } from './clock.ts'
import { watchedCodeSender } from './code-health.ts'
import { freshCodeKey } from './code-key.ts'
import { CONNECTION_TIMING, type ConnectionTiming } from './connection.ts'
import { ConnectionLimits, limitTcp } from './connection-limits.ts'
import { Delivery } from './delivery.ts'
import { embeddedEngine } from './embedded-engine.ts'
import { Gateway } from './gateway.ts'
import type { HttpServices } from './http-routes.ts'
import { createHttpServer, HTTP_TIMING, type HttpTiming } from './http-server.ts'
import { Identities } from './identities.ts'
import { DEFAULT_LIMITS, type Limits, type OnLimited, TokenBuckets } from './limits.ts'
import { IN_FLIGHT_WINDOW } from './live-user.ts'
import { createLog } from './log.ts'
import { LoginQueue, type LoginQueueLimits } from './login-queue.ts'
import { memoryStore } from './memory-store.ts'
import { Meter } from './meter.ts'
import { meteredStore } from './metered-store.ts'
import { Metrics, type MetricsSnapshot } from './metrics.ts'
import { type Gone, Operator } from './operator.ts'
import type { Clock, CodeSender, Engine } from './ports.ts'
import { Push } from './push.ts'
import { freshPushKeys, loadPushKeys } from './push-keys.ts'
import { openPushStore } from './push-store.ts'
import { readiness } from './readiness.ts'
import { registrationLimits } from './registration-limits.ts'
import { SendLimits } from './send-limits.ts'
import { serverNames } from './server-names.ts'
import { shareLimit } from './shared-limits.ts'
import { type Stoppable, shutDown } from './shutdown.ts'
import { followTls, readTls, type TlsFiles } from './tls.ts'
import { VERSION } from './version.ts'

export interface ServerOptions {
  /** Where to listen; `localhost` means 127.0.0.1 and ::1. */
  readonly host?: string | undefined
  /** 0 takes a free one. */
  readonly port?: number | undefined
  /** Folder of the embedded store. Without one everything is kept in memory, and lost. */
  readonly data?: string | undefined
  /** Instead of a folder: a store that other processes use, too. It is closed with the server. */
  readonly engine?: Engine | undefined
  readonly codeSender: CodeSender
  /** Messages that a mailbox holds. */
  readonly capacity?: number | undefined
  /** URL that clients use, when it is not simply where the server listens. */
  readonly publicUrl?: string | undefined
  /** Folder of the built web client, which is then served at `/`. */
  readonly webFolder?: string | undefined
  /**
   * Web Push. Offered by a server that has its data to itself; the keys are made at the first start.
   * `allowPrivate` lets endpoints be anywhere, for tests.
   */
  readonly push?: { readonly allowPrivate?: boolean | undefined } | false | undefined
  readonly log?: Logger | undefined
  readonly clock?: Clock | undefined
  /** Deliveries under way to one user. */
  readonly window?: number | undefined
  /** How long a pushed envelope may wait for its answer before it is written. */
  readonly commitWindowMs?: number | undefined
  readonly mailboxTtlMs?: number | undefined
  /** Longest time for which deleted bytes may stay in the embedded store's log. */
  readonly checkpointMs?: number | undefined
  /** Between two looks for what expired. */
  readonly expiryIntervalMs?: number | undefined
  readonly timing?: Partial<ConnectionTiming> | undefined
  /** How many logins are checked at one time, and may wait. */
  readonly logins?: LoginQueueLimits | undefined
  readonly httpTiming?: Partial<HttpTiming> | undefined
  /** What differs from `DEFAULT_LIMITS`; `NO_LIMITS` for measurements. */
  readonly limits?: Partial<Limits> | undefined
  /** Who may register; everybody unless given. */
  readonly registration?: RegistrationPolicy | undefined
  /** For `registration: 'allowlist'`: a file with a number on each line. */
  readonly allowlist?: string | undefined
  /** Proxies that are believed when they say for whom they ask. */
  readonly proxies?: TrustedProxies | undefined
  /** The oldest client that is served, like `0.1.0`. */
  readonly minimumClient?: string | undefined
  readonly meter?: Meter | undefined
  /** Whether it keeps metrics, which costs every call of the store a microsecond or two. */
  readonly metrics?: boolean | undefined
  /** TLS in the server itself; without it, behind a proxy or on one's own machine. */
  readonly tls?: TlsFiles | undefined
  /** Origins of other pages that may use the HTTP API; `*` is any. */
  readonly corsOrigins?: readonly string[] | undefined
}

export interface Server {
  /** With the port that was really taken. */
  readonly url: string
  readonly port: number
  /**
   * Resolves when the server has failed, and serves nobody any more: its store is gone. What it has
   * of the machine (the folder, above all) is let go of by `close`.
   */
  readonly failed: Promise<Error>
  /** What the operator may do about people. */
  readonly operator: Operator
  /** For an operator elsewhere: an identity is blocked or removed, and may not be connected any more. */
  gone(identityId: Uint8Array, how: Gone): Promise<void>
  /** Nothing, when it keeps none. */
  metrics(): Promise<MetricsSnapshot>
  /** Stops in good order: what was accepted is answered and written. Again: the same promise. */
  close(): Promise<void>
}

/**
 * @throws {StoreUnusableError} when the data cannot be used; the error of `listen` (`EADDRINUSE`,
 *   `EACCES`, …) when the address cannot.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const log = options.log ?? createLog('silent')
  const capacity = options.capacity ?? DEFAULT_MAILBOX_CAPACITY
  const engine = options.engine ?? (await ownEngine(options, capacity))
  try {
    const parts = compose(options, engine, capacity, log)
    const { host = 'localhost', port = 8080 } = options
    const taken = await parts.listeners.listen(parts.app, host, port)
    return run(options, engine, parts, log, urlOf(options.tls ? 'https' : 'http', host, taken))
  } catch (error) {
    await closeEngine(engine)
    throw error
  }
}

async function ownEngine(options: ServerOptions, capacity: number): Promise<Engine> {
  const { data: folder, checkpointMs } = options
  if (!folder) return { store: memoryStore({ capacity }), codeKey: freshCodeKey() }
  return embeddedEngine({ folder, capacity, checkpointMs })
}

async function closeEngine({ store, bus }: Engine): Promise<void> {
  await store.close()
  await bus?.close()
}

interface Parts extends Stoppable {
  readonly metrics: Metrics | undefined
}

function compose(options: ServerOptions, engine: Engine, capacity: number, log: Logger): Parts {
  const { bus, codeKey } = engine
  const meter = options.meter ?? new Meter()
  const metrics = options.metrics ? new Metrics() : undefined
  const store = metrics ? meteredStore(engine.store, meter, metrics.storeLatency()) : engine.store
  const { mailboxes, directory, registrations } = store
  const clock = options.clock ?? systemClock
  const window = options.window ?? IN_FLIGHT_WINDOW
  const { commitWindowMs, publicUrl } = options
  const policy = options.registration ?? 'open'
  const admission = createAdmission({
    policy,
    records: store.records,
    allowlist: options.allowlist,
  })
  const codeSender = watchedCodeSender(options.codeSender, log, meter)
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits }
  const onLimited: OnLimited = (name) => meter.count('limited', name)
  const proxies = options.proxies ?? trustedProxies([])
  const minimumClient = versionOf(options.minimumClient ?? OLDEST_CLIENT)
  const identities = new Identities(directory)
  const now = (): number => clock.now()
  const sendLimits = new SendLimits(limits, onLimited, { bus, now })
  const held = (name: HeldLimit) => {
    // A user's questions come over one connection; the others may ask any process.
    const tells = name === 'questions' ? 'leaving' : 'each'
    const buckets = new TokenBuckets(name, limits[name], onLimited, { tells, now })
    shareLimit(bus, name, buckets)
    return buckets
  }
  const push = options.engine ? undefined : pushFor(options, clock, log)
  const delivery = new Delivery({
    mailboxes,
    identities,
    clock,
    window,
    commitWindowMs,
    sendLimits,
    presence: push,
    bus,
  })
  const names = serverNames(publicUrl ? [new URL(publicUrl).host] : [])
  const timing = { ...CONNECTION_TIMING, ...options.timing }
  const connectionLimits = new ConnectionLimits(limits, onLimited)
  const gateway = new Gateway(
    {
      delivery,
      directory,
      logins: new LoginQueue(options.logins),
      isBlocked: (phone) => admission.isBlocked(phone),
      clock,
      capacity,
      window,
      timing,
      meter,
      questions: held('questions'),
      touch: (identityId) => touch({ directory, clock }, identityId),
    },
    { names, proxies, minimumClient, limits: connectionLimits },
  )
  const state = { stopping: false }
  const ready = readiness({
    store,
    codes: () => codeSender.health(),
    serving: () => !state.stopping,
  })
  const codeLimits = registrationLimits({
    limits,
    records: store.records,
    key: codeKey,
    onLimited,
  })
  const services: HttpServices = {
    mailboxes,
    directory,
    registrations,
    codeSender,
    limits: codeLimits,
    admission,
    lookups: {
      account: held('lookups'),
      address: held('lookupsFromAddress'),
    },
    requests: held('requests'),
    prekeys: held('prekeys'),
    subscriptions: held('subscriptions'),
    pins: held('pins'),
    clock,
    codeKey,
    info: {
      name: 'couplet',
      version: VERSION,
      capacity,
      development: codeSender.development,
      registration: policy,
      minimumClient: minimumClient.join('.'),
    },
    minimumClient,
    corsOrigins: options.corsOrigins ?? [],
    proxies,
    meter,
    forget: async (identityId) => {
      push?.unsubscribe(identityId)
      await delivery.forget(identityId)
    },
    push,
    serverNames: names,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    webFolder: options.webFolder,
    ready,
  }
  metrics?.follow(meter)
  metrics?.read({
    sockets: () => connectionLimits.open,
    online: () => delivery.online,
    ready: async () => (await ready()).ready,
    codeBudget: () => codeLimits.codeBudget(clock.now()),
  })
  const httpTiming = { ...HTTP_TIMING, ...options.httpTiming }
  const { app, listeners } = createHttpServer(services, log, {
    tls: options.tls && readTls(options.tls),
    timing: httpTiming,
  })
  listeners.onConnection(limitTcp(limits, onLimited, proxies))
  app.server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head))
  return {
    app,
    listeners,
    codeSender,
    httpTiming,
    gateway,
    delivery,
    push,
    metrics,
    state,
  }
}

function run(
  options: ServerOptions,
  engine: Engine,
  parts: Parts,
  log: Logger,
  url: string,
): Server {
  const { store } = engine
  const { listeners, delivery } = parts
  const clock = options.clock ?? systemClock
  const port = Number(new URL(url).port)
  const expire = async (): Promise<void> => {
    if (store.takeExpiry && !(await store.takeExpiry(clock.now()))) return
    await delivery.expire(options.mailboxTtlMs ?? MAILBOX_TTL_MS)
    await store.registrations.expire(clock.now())
    await store.records.expire(clock.now())
  }
  const expiry = setInterval(() => {
    expire().catch(() => log.warn('could not remove what expired; will try again'))
  }, options.expiryIntervalMs ?? EXPIRY_INTERVAL_MS)
  const unfollow = options.tls
    ? followTls(listeners.all as readonly unknown[] as readonly TlsServer[], options.tls, log)
    : (): void => {}
  let quiet: Promise<void> | undefined
  const stopServing = (): Promise<void> => {
    unfollow()
    clearInterval(expiry)
    quiet ??= shutDown(store, parts)
    return quiet
  }
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= stopServing().then(() => closeEngine(engine))
    return closed
  }
  const failed = store.failed.then(async (error) => {
    log.fatal({ error: error.message }, 'the store failed; the server stops')
    await stopServing()
    return error
  })
  log.debug({ port }, 'listening')
  const metrics = async (): Promise<MetricsSnapshot> => (await parts.metrics?.snapshot()) ?? []
  const gone = async (identityId: Uint8Array, how: Gone): Promise<void> => {
    parts.push?.unsubscribe(identityId)
    if (how === 'removed') return delivery.forget(identityId)
    delivery.expel(identityId)
    await store.probe()
    // A login whose question the store answered just before has come through meanwhile.
    delivery.expel(identityId)
  }
  const { directory, records } = store
  const operator = new Operator({ directory, records, clock, gone })
  return { url, port, failed, operator, gone, metrics, close }
}

function pushFor(
  { push, data: folder, publicUrl }: ServerOptions,
  clock: Clock,
  log: Logger,
): Push | undefined {
  if (push === false) return undefined
  const subject = publicUrl?.startsWith('https:') ? publicUrl : 'mailto:couplet@localhost'
  return new Push({
    store: openPushStore(folder),
    keys: folder === undefined ? freshPushKeys() : loadPushKeys(folder),
    rules: { allowPrivate: push?.allowPrivate ?? false },
    subject,
    clock,
    log,
  })
}

/** @throws {RangeError} for what is no version. */
function versionOf(text: string): Version {
  const version = parseVersion(text)
  if (!version) throw new RangeError(`${text} is no version`)
  return version
}

function urlOf(scheme: string, host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `${scheme}://${name}:${port}`
}

type HeldLimit =
  | 'lookups'
  | 'lookupsFromAddress'
  | 'questions'
  | 'requests'
  | 'prekeys'
  | 'subscriptions'
  | 'pins'

/** Of the wire format that this release speaks. */
const OLDEST_CLIENT = '0.1.0'
const EXPIRY_INTERVAL_MS: number = 10 * 60 * 1000
