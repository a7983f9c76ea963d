/** All routes of the HTTP API and of the page at `/`. (spec/http-api.md) */
import {
  CLIENT_VERSION_HEADER,
  PATHS,
  PROBLEM_CONTENT_TYPE,
  parseShape,
  prekeysRequest,
  pushSubscription,
  registrationLockRequest,
  registrationRequest,
  type ServerInfo,
  type Shape,
  toBase64Url,
  verificationRequest,
  WireError,
} from '@couplet/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { accountInfo, deleteAccount, setLock } from './accounts.ts'
import { addressBlock, clientAddress, type TrustedProxies } from './addresses.ts'
import { requireVersion, type Version } from './client-version.ts'
import { lookUp, publishPrekeys } from './directory.ts'
import { problemOf } from './http-errors.ts'
import { keyOf } from './keys.ts'
import type { TokenBuckets } from './limits.ts'
import type { Meter } from './meter.ts'
import { openApi } from './openapi.ts'
import type { MailboxStore, User } from './ports.ts'
import type { Push } from './push.ts'
import type { Readiness } from './readiness.ts'
import { openRegistration, type RegistrationServices, verifyRegistration } from './registration.ts'
import type { ServerNames } from './server-names.ts'
import { authenticate } from './signed-requests.ts'
import { isWebApp, registerWebApp } from './web-app.ts'
import { PAGE_SCRIPT, PAGE_STYLE, SITE_ICON } from './web-assets.ts'
import { page } from './web-page.ts'

export interface HttpServices extends RegistrationServices {
  readonly info: ServerInfo
  readonly mailboxes: MailboxStore
  readonly minimumClient: Version
  /** Origins of other pages that may use the API. */
  readonly corsOrigins: readonly string[]
  readonly proxies: TrustedProxies
  /** By account, and by address. */
  readonly lookups: { readonly account: TokenBuckets; readonly address: TokenBuckets }
  /** Of whatever is signed, by account. */
  readonly requests: TokenBuckets
  /** Of sets of prekeys, by account. */
  readonly prekeys: TokenBuckets
  /** Of changes to push subscriptions, by account. */
  readonly subscriptions: TokenBuckets
  /** Of PINs that are set, by account. */
  readonly pins: TokenBuckets
  readonly meter: Meter
  readonly serverNames: ServerNames
  /** URL that people use, when it is configured. */
  readonly publicUrl: string | undefined
  /** Folder of the built web client. Without one `/` is a page about the server. */
  readonly webFolder: string | undefined
  /** None, when the server offers no push. */
  readonly push: Push | undefined
  /** Whether the server can take and keep a message now. */
  readonly ready: () => Promise<Readiness>
}

export function registerRoutes(app: FastifyInstance, services: HttpServices): void {
  app.addHook('onRequest', async ({ headers }) => {
    const version = headers[CLIENT_VERSION_HEADER]
    if (version !== undefined) requireVersion(String(version), services.minimumClient)
  })
  app.post(PATHS.registrations, (request, reply) => open(services, request, reply))
  app.post<{ Params: { id: string } }>(`${PATHS.registrations}/:id/verify`, (request) =>
    verify(services, request),
  )
  app.get<{ Params: { phone: string } }>(`${PATHS.directory}/:phone`, (request) =>
    directory(services, request),
  )
  app.put(PATHS.prekeys, (request, reply) => prekeys(services, request, reply))
  app.get(PATHS.account, async (request) =>
    accountInfo(services, await requireUser(services, request)),
  )
  app.delete(PATHS.account, async (request, reply) => {
    await deleteAccount(services, await requireUser(services, request))
    await reply.code(204).send()
  })
  app.put(PATHS.registrationLock, (request, reply) => lock(services, request, reply))
  app.delete(PATHS.registrationLock, async (request, reply) => {
    await setLock(services, await requireUser(services, request), undefined)
    await reply.code(204).send()
  })
  app.get(PATHS.push, () => ({ key: toBase64Url(requirePush(services).publicKey) }))
  app.put(PATHS.push, (request, reply) => subscribe(services, request, reply))
  app.delete(PATHS.push, (request, reply) => unsubscribe(services, request, reply))
  app.get(PATHS.server, async () => services.info)
  const description = openApi()
  app.get(PATHS.description, async () => description)
  app.get(PATHS.live, async () => ({ status: 'live' }))
  app.get(PATHS.ready, (_request, reply) => ready(services, reply))
  if (services.webFolder && isWebApp(services.webFolder)) registerWebApp(app, services.webFolder)
  else registerPage(app, services)
}

function registerPage(app: FastifyInstance, services: HttpServices): void {
  app.get('/', (request, reply) => home(services, request, reply))
  app.get('/page.css', asset('text/css; charset=utf-8', PAGE_STYLE))
  app.get('/page.js', asset('text/javascript; charset=utf-8', PAGE_SCRIPT))
  app.get('/icon.svg', asset('image/svg+xml', SITE_ICON))
}

async function open(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const body = readJson(registrationRequest, request.body)
  const block = addressBlock(clientAddress(request.raw, services.proxies))
  const opened = await counted(services, openRegistration(services, body, block))
  services.meter.count('registrations', 'opened')
  reply.code(201)
  return { ...opened, challenge: toBase64Url(opened.challenge) }
}

async function verify(
  services: HttpServices,
  request: FastifyRequest<{ Params: { id: string } }>,
): Promise<unknown> {
  const body = readJson(verificationRequest, request.body)
  const names = services.serverNames(request.headers.host)
  const verifying = verifyRegistration(services, request.params.id, body, names)
  const verified = await counted(services, verifying)
  services.meter.count('registrations', verified.replaced ? 'replaced' : 'registered')
  return { ...verified, identityId: toBase64Url(verified.identityId) }
}

/** Counts what a step of a registration was refused for. */
async function counted<T>({ meter }: HttpServices, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    meter.count('registrations', error instanceof WireError ? error.code : 'internal')
    throw error
  }
}

async function directory(
  services: HttpServices,
  request: FastifyRequest<{ Params: { phone: string } }>,
): Promise<unknown> {
  const now = services.clock.now()
  const { account, address } = services.lookups
  const asker = await requireUser(services, request)
  // Before the look: whether it is refused says nothing about the number. The account's first: who
  // has used its own up takes nothing from the neighbours at the same address.
  account.take(keyOf(asker.identityId), now)
  address.take(addressBlock(clientAddress(request.raw, services.proxies)), now)
  const entry = await lookUp(services.directory, request.params.phone).catch((error: unknown) => {
    services.meter.count('lookups', error instanceof WireError ? error.code : 'internal')
    throw error
  })
  services.meter.count('lookups', 'found')
  return { identity: toBase64Url(entry.identity), prekeys: toBase64Url(entry.prekeys) }
}

async function prekeys(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const user = await requireUser(services, request)
  services.prekeys.take(keyOf(user.identityId), services.clock.now())
  const body = readJson(prekeysRequest, request.body)
  await publishPrekeys(services, user, body.prekeys)
  await reply.code(204).send()
}

async function lock(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const user = await requireUser(services, request)
  services.pins.take(keyOf(user.identityId), services.clock.now())
  await setLock(services, user, readJson(registrationLockRequest, request.body).pin)
  await reply.code(204).send()
}

async function subscribe(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const push = requirePush(services)
  const user = await requireUser(services, request)
  services.subscriptions.take(keyOf(user.identityId), services.clock.now())
  push.subscribe(user, readJson(pushSubscription, request.body))
  await reply.code(204).send()
}

async function unsubscribe(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const push = requirePush(services)
  const { identityId } = await requireUser(services, request)
  push.unsubscribe(identityId)
  await reply.code(204).send()
}

/** @throws {WireError} `not-found` at a server that offers no push. */
function requirePush({ push }: HttpServices): Push {
  if (!push) throw new WireError('not-found', 'this server offers no push')
  return push
}

async function ready(services: HttpServices, reply: FastifyReply): Promise<unknown> {
  const { ready: isReady, checks } = await services.ready()
  if (isReady) return { status: 'ready', checks }
  const problem = problemOf(new WireError('unavailable', 'the server cannot take messages now'))
  return reply
    .code(problem.status)
    .type(PROBLEM_CONTENT_TYPE)
    .send(Buffer.from(JSON.stringify({ ...problem, checks })))
}

async function home(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const [name] = services.serverNames(request.headers.host)
  const url = services.publicUrl ?? (name ? `http://${name}` : 'http://localhost')
  reply.type('text/html; charset=utf-8')
  return page({ url, info: services.info, ready: (await services.ready()).ready })
}

function asset(type: string, content: string) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    reply.type(type).header('cache-control', 'public, max-age=300')
    return content
  }
}

/** @throws {WireError} `unauthenticated`, `rate-limited`. */
async function requireUser(services: HttpServices, request: FastifyRequest): Promise<User> {
  const user = await authenticate(services, {
    authorization: request.headers.authorization,
    method: request.method,
    path: request.raw.url ?? '',
    body: rawBody(request.body),
    serverNames: services.serverNames(request.headers.host),
  })
  services.requests.take(keyOf(user.identityId), services.clock.now())
  return user
}

/** @throws {WireError} `malformed`, naming the field. */
function readJson<T>(shape: Shape<T>, body: unknown): T {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody(body)))
  } catch {
    throw new WireError('malformed', 'the body is not JSON')
  }
  return parseShape(shape, json)
}

/** Bodies arrive as bytes (http-server.ts), since signatures cover bytes. */
function rawBody(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array(0)
}
