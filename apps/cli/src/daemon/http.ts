/**
 * HTTP on loopback: `POST /v1/rpc` and `GET /v1/events`. Other users of the machine, and pages in
 * a browser, can reach a port too: so every request needs the token, the names by which it may be
 * called are few, and nothing but JSON is taken.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CommandError } from '../errors.ts'
import { type Caller, notification } from './json-rpc.ts'
import type { Answerer, Listening } from './lines.ts'

/** Starts to subscribe a caller: what `GET /v1/events` does first. */
const SUBSCRIBE = '{"jsonrpc":"2.0","method":"subscribe","id":0}'

export async function listenOnHttp(
  port: number,
  token: string,
  answer: Answerer,
): Promise<Listening> {
  const server = createServer((request, response) => {
    handle(request, response, {
      token,
      answer,
      port: (server.address() as AddressInfo).port,
    }).catch(() => response.destroy())
  })
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (cause) {
    throw new CommandError('cannot-write', `port ${port} of this machine cannot be used.`, {
      cause,
    })
  }
  return {
    where: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The token in the file; a new one when there is no such file, which only its owner can read. */
export async function tokenIn(path: string): Promise<string> {
  try {
    const file = await open(path, 'wx', 0o600)
    const token = randomBytes(32).toString('base64url')
    await file.writeFile(`${token}\n`)
    await file.close()
    return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const token = (await readFile(path, 'utf8')).trim()
  if (token.length < MIN_TOKEN) {
    throw new CommandError(
      'usage',
      `the token in ${path} is too short: ${MIN_TOKEN} characters at least.`,
    )
  }
  return token
}

interface Door {
  readonly token: string
  readonly port: number
  readonly answer: Answerer
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  door: Door,
): Promise<void> {
  const { headers, method, url } = request
  // A page of another site that names this machine its own comes with that site's name.
  const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${door.port}`)
  if (!names.includes(headers.host ?? '')) return refuse(response, 421, 'not a name of this daemon')
  if (!isToken(headers.authorization, door.token)) {
    response.setHeader('www-authenticate', 'Bearer')
    return refuse(response, 401, 'the token is missing or wrong')
  }
  if (url === '/v1/events') {
    if (method !== 'GET') return refuse(response, 405, 'it is GET /v1/events')
    return events(request, response, door)
  }
  if (url !== '/v1/rpc') return refuse(response, 404, 'there are /v1/rpc and /v1/events')
  if (method !== 'POST') return refuse(response, 405, 'it is POST /v1/rpc')
  const type = headers['content-type']?.split(';')[0]?.trim()
  if (type !== 'application/json') return refuse(response, 415, 'it takes application/json')
  const body = await bodyOf(request)
  if (body === undefined) return refuse(response, 413, 'the body is too large')
  const reply = await door.answer(body, NOBODY)
  response.writeHead(reply === undefined ? 204 : 200, HEADERS)
  response.end(reply)
}

/** Server-sent events: one JSON-RPC notification each. Messages are acknowledged by `/v1/rpc`. */
async function events(
  request: IncomingMessage,
  response: ServerResponse,
  door: Door,
): Promise<void> {
  const gone: (() => void)[] = []
  const caller: Caller = {
    notify(method, params) {
      if (response.destroyed || response.writableLength > MAX_BACKLOG_BYTES) return false
      response.write(`event: ${method}\ndata: ${notification(method, params)}\n\n`)
      return true
    },
    onGone: (listener) => void gone.push(listener),
  }
  const beat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS)
  response.once('close', () => {
    clearInterval(beat)
    for (const listener of gone) listener()
  })
  request.socket.setTimeout(0)
  response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
  const answer = await door.answer(SUBSCRIBE, caller)
  response.write(`event: subscribed\ndata: ${answer}\n\n`)
  if (answer?.includes('"error"')) response.end()
}

function isToken(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { ...HEADERS, connection: 'close' })
  response.end(JSON.stringify({ error: reason }))
}

/** Nothing can be sent to whoever asks by HTTP but the answer. */
const NOBODY: Caller = { notify: () => false, onGone: (listener) => listener() }
const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' }
const MAX_BODY_BYTES = 1_048_576
const MAX_BACKLOG_BYTES = 16 * 1_048_576
const HEARTBEAT_MS = 15_000
const MIN_TOKEN = 16
