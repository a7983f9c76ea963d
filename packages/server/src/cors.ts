/**
 * CORS: pages of other origins that use the SDK may ask the HTTP API, if the operator says so.
 *
 * There are no cookies: what a request may do is in its signature. So nothing is allowed here that a
 * program outside of browsers could not do.
 */
import { CLIENT_VERSION_HEADER, PATHS } from '@couplet/wire'
import type { FastifyInstance } from 'fastify'

/** @param origins - like `https://app.example`; `*` is any. None: no page of another origin. */
export function registerCors(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  app.addHook('onRequest', async ({ headers, url }, reply) => {
    const { origin } = headers
    if (!origin || !isApi(url)) return
    reply.header('vary', 'origin')
    if (!origins.includes('*') && !origins.includes(origin)) return
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'retry-after, date',
      'cross-origin-resource-policy': 'cross-origin',
    })
  })
  app.options('/v1/*', async (_request, reply) => {
    await reply
      .headers({
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'access-control-allow-headers': `authorization, content-type, ${CLIENT_VERSION_HEADER}`,
        'access-control-max-age': '7200',
      })
      .code(204)
      .send()
  })
}

function isApi(url: string): boolean {
  return url.startsWith('/v1/') || url === PATHS.live || url === PATHS.ready
}
