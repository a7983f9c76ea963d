/** Serving the built web client: what is sent, under which names, and how long it may be kept. */

import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get as httpGet, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer } from './support.ts'

const SCRIPT = 'document.title = "Couplet"'
let folder: string
let server: TestServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'couplet-web-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Couplet</title>')
  await writeFile(join(folder, 'assets', 'app-1234.js'), SCRIPT)
  await writeFile(join(folder, 'assets', 'app-1234.js.br'), brotliCompressSync(SCRIPT))
  await writeFile(join(folder, '.sources'), 'not for everybody')
  server = await startServer({ webFolder: folder })
})

afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, { headers })
}

/** Without fetch, which decodes by itself. */
async function raw(path: string, coding: string): Promise<{ headers: Headers; body: Buffer }> {
  const headers = { 'accept-encoding': coding }
  const request = httpGet({ host: '127.0.0.1', port: server.port, path, headers })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return {
    headers: new Headers(answer.headers as Record<string, string>),
    body: Buffer.concat(chunks),
  }
}

it('answers / with the start page, which is asked for again each time', async () => {
  const answer = await get('/')
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('no-cache')
  expect(await answer.text()).toContain('<title>Couplet')
})

it('answers 304 to whoever has it already', async () => {
  const etag = (await get('/')).headers.get('etag')!
  expect((await get('/', { 'if-none-match': etag })).status).toBe(304)
  expect((await get('/', { 'if-none-match': '"other"' })).status).toBe(200)
})

it('lets hashed files be kept for ever', async () => {
  const { headers } = await get('/assets/app-1234.js')
  expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(headers.get('content-security-policy')).toContain("script-src 'self'")
})

it.each([
  ['gzip, deflate, br', 'br'],
  ['br;q=0, identity', null],
  ['gzip', null],
  ['', null],
])('with accept-encoding %j the coding is %j', async (accepted, coding) => {
  const { headers, body } = await raw('/assets/app-1234.js', accepted)
  expect(headers.get('content-encoding')).toBe(coding)
  expect(headers.get('vary')).toBe('accept-encoding')
  expect((coding === 'br' ? brotliDecompressSync(body) : body).toString()).toBe(SCRIPT)
})

it.each(['/.sources', '/assets/app-1234.js.br', '/assets/..%2f.sources', '/assets/', '/nothing'])(
  'has nothing under %s',
  async (path) => {
    expect((await get(path)).status).toBe(404)
  },
)
