/** The listener for metrics: its own address, so that it need not be where the public is. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { METRICS_CONTENT_TYPE } from './metrics.ts'

export interface MetricsListener {
  readonly url: string
  close(): Promise<void>
}

/**
 * Answers `GET /metrics`, and nothing else.
 *
 * @param page - made anew for each request.
 * @throws the error of `listen` (`EADDRINUSE`, `EACCES`, …).
 */
export async function listenForMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  page: () => Promise<string>,
): Promise<MetricsListener> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') answer(response, 404, 'metrics are at /metrics\n')
    else if (request.method !== 'GET') answer(response, 405, 'this address answers to GET\n')
    else {
      page().then(
        (text) => answer(response, 200, text, METRICS_CONTENT_TYPE),
        () => answer(response, 500, 'the metrics could not be collected\n'),
      )
    }
  })
  server.headersTimeout = TIMEOUT_MS
  server.requestTimeout = TIMEOUT_MS
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { address, port: taken, family } = server.address() as AddressInfo
  const name = family === 'IPv6' ? `[${address}]` : address
  return {
    url: `http://${name}:${taken}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}

const TIMEOUT_MS = 10_000
/** Scrapers, not the public. */
const MAX_CONNECTIONS = 50
