/** The HTTP server around the routes: limits, time-outs, headers, and answers to what goes wrong. */
import {
  createServer as createPlainServer,
  type RequestListener,
  type Server,
  STATUS_CODES,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { MAX_BODY_BYTES, PROBLEM_CONTENT_TYPE, WireError } from '@couplet/wire'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Logger } from 'pino'
import { isForwarded } from './addresses.ts'
import { registerCors } from './cors.ts'
import { asWireError, problemOf, sendProblem } from './http-errors.ts'
import { type HttpServices, registerRoutes } from './http-routes.ts'
import { Listeners } from './listeners.ts'
import type { Meter } from './meter.ts'
import type { TlsContext } from './tls.ts'

/** Node's own defaults leave slow connections open for minutes. */
export interface HttpTiming {
  /** For the headers of a request, and for a TLS handshake. */
  readonly headersMs: number
  /** For a whole request. */
  readonly requestMs: number
  /** Between two requests of one connection. */
  readonly keepAliveMs: number
  /** Between two looks at who is late. */
  readonly checkMs: number
  /** Without a byte in or out: whoever asks and does not read the answers is cut. */
  readonly idleMs: number
  /** At a stop: for requests that are under way. */
  readonly stopMs: number
  /** At a stop: for codes that are being sent, which is what a sender may take and a moment. */
  readonly codesMs: number
}

export const HTTP_TIMING: HttpTiming = {
  headersMs: 10_000,
  requestMs: 20_000,
  keepAliveMs: 10_000,
  checkMs: 5000,
  idleMs: 30_000,
  stopMs: 5000,
  codesMs: 15_000,
}

export function createHttpServer(
  services: HttpServices,
  log: Logger,
  { tls, timing }: { readonly tls: TlsContext | undefined; readonly timing: HttpTiming },
): { readonly app: FastifyInstance; readonly listeners: Listeners } {
  const headers = {
    ...SECURITY_HEADERS,
    // Only where people come by TLS: a browser remembers it.
    ...((tls || services.publicUrl?.startsWith('https:')) && STRICT_TRANSPORT),
  }
  let listeners: Listeners | undefined
  const app = fastify({
    serverFactory: (answer) => {
      listeners = new Listeners(() => makeServer(answer, tls, timing))
      return listeners.first
    },
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // For what is not even HTTP, and for requests that took too long.
    clientErrorHandler: (_error, socket) =>
      refuseConnection(socket, new WireError('malformed', 'not a well-formed HTTP request')),
    frameworkErrors: (error, _request, reply) => {
      answerError(error, reply, log, services.meter)
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(headers)
  })
  if (services.proxies.none) warnOfForwarded(app, log)
  app.addHook('onResponse', async (_request, reply) => {
    services.meter.count('requests', `${Math.trunc(reply.statusCode / 100)}xx`)
  })
  registerCors(app, services.corsOrigins)
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, log, services.meter))
  const allowedMethods = methodsByPath(app)
  app.setNotFoundHandler((request, reply) => answerNotFound(request, reply, allowedMethods))
  registerRoutes(app, services)
  return { app, listeners: listeners! }
}

function makeServer(
  answer: RequestListener,
  tls: TlsContext | undefined,
  timing: HttpTiming,
): Server {
  const limits = {
    headersTimeout: timing.headersMs,
    requestTimeout: timing.requestMs,
    keepAliveTimeout: timing.keepAliveMs,
    connectionsCheckingInterval: timing.checkMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  }
  const server = tls
    ? createTlsServer(
        { ...limits, ...tls, honorCipherOrder: true, handshakeTimeout: timing.headersMs },
        answer,
      )
    : createPlainServer(limits, answer)
  // WebSockets have time-outs of their own: ws takes this one off.
  return server.setTimeout(timing.idleMs)
}

/** Once: everybody behind a proxy that is not trusted has its address, and shares its limits. */
function warnOfForwarded(app: FastifyInstance, log: Logger): void {
  let warned = false
  app.addHook('onRequest', async ({ raw }) => {
    if (warned || !isForwarded(raw)) return
    warned = true
    log.warn('requests come through a proxy, and none is trusted: set trusted-proxies')
  })
}

function answerError(error: unknown, reply: FastifyReply, log: Logger, meter: Meter): FastifyReply {
  reply.headers(SECURITY_HEADERS)
  const known = asWireError(error)
  if (known) return sendProblem(reply, known)
  meter.count('errors', 'defect')
  log.error({ error: (error as Error).stack }, 'a request failed by a defect of the server')
  return sendProblem(reply, new WireError('internal', 'the server failed; it was not your request'))
}

function answerNotFound(
  request: FastifyRequest,
  reply: FastifyReply,
  allowedMethods: (path: string) => string,
): FastifyReply {
  const path = request.url.split('?', 1)[0]!
  const allowed = allowedMethods(path)
  if (!allowed) return sendProblem(reply, new WireError('not-found', 'there is nothing here'))
  reply.header('allow', allowed)
  return sendProblem(reply, new WireError('not-found', `this address answers to ${allowed}`), 405)
}

/** Collects the routes as they are registered: which methods does a path answer to? */
function methodsByPath(app: FastifyInstance): (path: string) => string {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:[a-z]+/g, '[^/]+')}$`)
    routes.push({ pattern, methods: [method].flat() })
  })
  return (path) => {
    const matching = routes.filter(({ pattern }) => pattern.test(path))
    return [...new Set(matching.flatMap(({ methods }) => methods))].join(', ')
  }
}

/**
 * Says why, and lets go of the socket whatever its peer does: Node leaves the sockets of its HTTP
 * server open until both sides have ended.
 */
export function refuseConnection(socket: Socket, error: WireError): void {
  if (socket.writable) socket.end(rawProblem(error))
  setTimeout(() => socket.destroy(), GOODBYE_MS).unref()
}

/** A whole HTTP answer, for sockets that no request belongs to. */
function rawProblem(error: WireError): string {
  const problem = problemOf(error)
  const body = JSON.stringify(problem)
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${PROBLEM_CONTENT_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}

/** For the peer to read why it is refused. */
const GOODBYE_MS = 1000
const MAX_HEADER_BYTES = 8192
const MAX_PARAM_LENGTH = 64

/** A year: what is served here once over TLS is asked for over TLS. */
const STRICT_TRANSPORT = { 'strict-transport-security': 'max-age=31536000' } as const

/** Nothing from elsewhere runs, frames or reads; nothing inline runs at all. */
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    // The one policy of the web client: the address of its own service worker.
    'trusted-types couplet',
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(self), geolocation=(), microphone=(), payment=(), usb=()',
  'cache-control': 'no-store',
} as const
