import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import {
  type Bytes,
  ERROR_CODES,
  ERROR_STATUS,
  fromBase64Url,
  parsePhoneNumber,
  REQUEST_CLOCK_SKEW_MS,
  requestSignedBytes,
  SIGNED_IDENTITY_BYTES,
  SIGNED_PREKEYS_BYTES,
  toBase64Url,
} from '@couplet/wire'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ClientError } from '../src/errors.ts'
import { createHttpApi, parseServerAddress } from '../src/http-api.ts'
import { systemClock } from '../src/node/system.ts'
import type { RequestSigner, ServerApi } from '../src/ports.ts'

const PHONE = parsePhoneNumber('+12025550101')
const IDENTITY: Bytes = new Uint8Array(SIGNED_IDENTITY_BYTES).fill(1)
const PREKEYS: Bytes = new Uint8Array(SIGNED_PREKEYS_BYTES).fill(2)
const INFO = { name: 'couplet', version: '0.1.0', capacity: 2, development: true } as const

const keys = generateKeyPairSync('ed25519')
const signer: RequestSigner = {
  identityId: new Uint8Array(32).fill(7),
  sign: (message) => new Uint8Array(sign(null, message, keys.privateKey)),
}

interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

let server: Server
let url: string
let api: ServerApi
let seen: Seen[]
/** What the server does; set by each test. */
let answer: (request: Seen, response: ServerResponse) => void

beforeEach(async () => {
  seen = []
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '', headers } = request
    seen.push({ method, path, headers, body: await buffer(request) })
    answer(seen.at(-1)!, response)
  }
  server = createServer((request, response) => void respond(request, response))
  server.listen(0, 'localhost')
  await once(server, 'listening')
  url = `http://localhost:${(server.address() as AddressInfo).port}`
  api = open()
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

describe('the address of a server', () => {
  test.each([
    ['http://localhost:8080', 'localhost:8080', 'ws://localhost:8080/v1/socket'],
    ['http://localhost:8080/', 'localhost:8080', 'ws://localhost:8080/v1/socket'],
    ['https://Chat.Example', 'chat.example', 'wss://chat.example/v1/socket'],
    ['HTTPS://chat.example:443/', 'chat.example', 'wss://chat.example/v1/socket'],
    ['https://chat.example:8443', 'chat.example:8443', 'wss://chat.example:8443/v1/socket'],
    ['http://[::1]:8080', '[::1]:8080', 'ws://[::1]:8080/v1/socket'],
    ['http://bücher.example', 'xn--bcher-kva.example', 'ws://xn--bcher-kva.example/v1/socket'],
  ])('%s is understood', (text, serverName, socketUrl) => {
    const address = parseServerAddress(text)
    expect(address).toMatchObject({ serverName, socketUrl })
    expect(address.origin).not.toMatch(/\/$/)
  })

  test.each([
    '',
    'localhost:8080',
    'localhost',
    'ws://localhost:8080',
    'ftp://chat.example',
    'file:///etc/passwd',
    'http://',
    'http://user:secret@chat.example',
    'https://chat.example/couplet',
    'https://chat.example/?a',
    'https://chat.example/#a',
  ])('%j is refused', (text) => {
    expect(() => parseServerAddress(text)).toThrow(expect.objectContaining({ code: 'malformed' }))
    expect(() => open({ url: text })).toThrow(ClientError)
  })
})

describe('questions to a server', () => {
  test('about itself', async () => {
    answer = (_, response) => json(response, 200, { ...INFO, more: 'ignored' })
    expect(await api.info()).toEqual(INFO)
    expect(seen[0]).toMatchObject({ method: 'GET', path: '/v1/server' })
    // What the client signs for is the server that it talks to.
    expect(seen[0]!.headers.host).toBe(api.serverName)
    expect(seen[0]!.headers.authorization).toBeUndefined()
  })

  test('to register', async () => {
    const challenge = new Uint8Array(32).fill(3)
    answer = (_, response) =>
      json(response, 201, { id: 'r1', challenge: toBase64Url(challenge), expiresAt: 5 })
    const request = { phone: PHONE, identity: IDENTITY, prekeys: PREKEYS }
    expect(await api.register(request)).toEqual({ id: 'r1', challenge, expiresAt: 5 })
    expect(seen[0]).toMatchObject({ method: 'POST', path: '/v1/registrations' })
    expect(seen[0]!.headers['content-type']).toBe('application/json')
    expect(JSON.parse(seen[0]!.body.toString())).toEqual({
      phone: PHONE,
      identity: toBase64Url(IDENTITY),
      prekeys: toBase64Url(PREKEYS),
    })
  })

  test('to finish a registration', async () => {
    answer = (_, response) =>
      json(response, 200, { identityId: toBase64Url(signer.identityId), replaced: true })
    const proof = new Uint8Array(64).fill(4)
    const finished = await api.verify('a/b ?', { code: '123456', proof })
    expect(finished).toEqual({ identityId: signer.identityId, replaced: true })
    expect(seen[0]).toMatchObject({
      method: 'POST',
      path: '/v1/registrations/a%2Fb%20%3F/verify',
    })
    expect(JSON.parse(seen[0]!.body.toString())).toEqual({
      code: '123456',
      proof: toBase64Url(proof),
    })
  })

  test('for somebody, signed', async () => {
    answer = (request, response) => {
      expect(isSigned(request)).toBe(true)
      json(response, 200, { identity: toBase64Url(IDENTITY), prekeys: toBase64Url(PREKEYS) })
    }
    expect(await api.lookup(PHONE, signer)).toEqual({ identity: IDENTITY, prekeys: PREKEYS })
    expect(seen[0]).toMatchObject({ method: 'GET', path: '/v1/directory/%2B12025550101' })
  })

  test('for nobody', async () => {
    answer = (_, response) => problem(response, 'unknown-recipient')
    expect(await api.lookup(PHONE, signer)).toBeUndefined()
    answer = (_, response) => problem(response, 'not-found')
    await refused(api.lookup(PHONE, signer), 'not-found')
  })

  test('to publish prekeys, signed, with a hash that works later', async () => {
    answer = (request, response) => {
      expect(isSigned(request)).toBe(true)
      response.writeHead(204).end()
    }
    const later = open({ sha256: async (data) => sha256(data) })
    expect(await later.publishPrekeys(PREKEYS, signer)).toBeUndefined()
    expect(seen[0]).toMatchObject({ method: 'PUT', path: '/v1/prekeys' })
    expect(JSON.parse(seen[0]!.body.toString())).toEqual({ prekeys: toBase64Url(PREKEYS) })
  })

  test('never about another path than the one that was signed', async () => {
    await refused(api.verify('..', { code: '123456', proof: new Uint8Array(64) }), 'malformed')
    expect(seen).toEqual([])
  })
})

describe('a clock that is off', () => {
  test.each([3_600_000, -3_600_000])('by %d ms is corrected, once', async (skew) => {
    answer = serverWithClock(() => Date.now() + skew)
    await api.publishPrekeys(PREKEYS, signer)
    expect(seen).toHaveLength(2)
    // What was learnt is kept.
    await api.publishPrekeys(PREKEYS, signer)
    expect(seen).toHaveLength(3)
  })

  test('is not to blame for a refusal at the right time', async () => {
    answer = (_, response) => problem(response, 'unauthenticated')
    await refused(api.publishPrekeys(PREKEYS, signer), 'unauthenticated')
    expect(seen).toHaveLength(1)
  })

  test('is tried once, not for ever, and not believed when it did not help', async () => {
    let skew = 3_600_000
    answer = (_, response) => {
      response.setHeader('date', new Date(Date.now() + skew).toUTCString())
      problem(response, 'unauthenticated')
    }
    await refused(api.publishPrekeys(PREKEYS, signer), 'unauthenticated')
    expect(seen).toHaveLength(2)
    skew = 0
    await refused(api.publishPrekeys(PREKEYS, signer), 'unauthenticated')
    expect(seen).toHaveLength(3)
    expect(Math.abs(signedAt(seen[2]!) - Date.now())).toBeLessThan(5000)
  })
})

describe('what goes wrong', () => {
  test.each(ERROR_CODES)('%s is passed on', async (code) => {
    answer = (_, response) => problem(response, code, { retryAfter: 30, triesLeft: 2 })
    const error = await refused(api.info(), code)
    expect(error.message).toBe('so it is')
    expect(error.details).toEqual({ retryAfter: 30, triesLeft: 2 })
  })

  test('is told without control characters and at no great length', async () => {
    const detail = `\u001b[2Jred\u202e${'x'.repeat(2000)}`
    answer = (_, response) => problem(response, 'malformed', { detail })
    const { message, details } = await refused(api.info(), 'malformed')
    expect(message).toMatch(/^ \[2Jred x+$/)
    expect(message).toHaveLength(500)
    expect(details).toEqual({})
  })

  test('nobody listens', async () => {
    server.close()
    await once(server, 'close')
    const error = await refused(api.info(), 'unreachable')
    expect(error.message).toBe(`the server at ${url} does not answer`)
    expect(error.cause).toBeInstanceOf(Error)
  })

  test('the connection breaks before or within the answer', async () => {
    answer = (_, response) => response.destroy()
    await refused(api.info(), 'unreachable')
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"name":')
      setTimeout(() => response.destroy(), 20)
    }
    await refused(api.info(), 'unreachable')
  })

  test('the answer does not come, or does not end', async () => {
    const impatient = open({ timeoutMs: 100 })
    answer = () => undefined
    await refused(impatient.info(), 'timed-out')
    answer = (_, response) => response.writeHead(200).write('{"name":')
    const error = await refused(impatient.info(), 'timed-out')
    expect(error.message).toContain(url)
  })

  test.each([502, 503, 504])('a proxy says %d: the server behind it is away', async (status) => {
    answer = (_, response) => response.writeHead(status).end('<html>bad gateway</html>')
    await refused(api.info(), 'unreachable')
  })

  test.each<[string, (response: ServerResponse) => void]>([
    ['a page', (response) => response.writeHead(200).end('<html>')],
    ['nothing', (response) => response.writeHead(200).end()],
    ['another success', (response) => json(response, 201, INFO)],
    ['another shape', (response) => json(response, 200, { ...INFO, capacity: 'two' })],
    ['broken UTF-8', (response) => response.writeHead(200).end(Buffer.of(0x22, 0xff, 0x22))],
    ['a redirection', (response) => response.writeHead(302, { location: '/v1/server' }).end()],
    ['an error of its own', (response) => json(response, 400, { code: 'malformed' })],
    ['a problem without a code', (response) => json(response, 400, {}, PROBLEM)],
    ['an unknown code', (response) => problem(response, 'no-such-code' as 'malformed')],
    ['too much', (response) => json(response, 200, { ...INFO, version: 'x'.repeat(20_000) })],
    ['too much, without end', endless],
  ])('the answer is %s', async (_, respond) => {
    answer = (_request, response) => respond(response)
    await refused(api.info(), 'unexpected-answer')
  })

  test('whatever the answer is, it is an answer or a ClientError', async () => {
    const word = fc.constantFrom('name', 'couplet', 'code', 'malformed', 'retryAfter', '__proto__')
    const body = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc.dictionary(word, fc.oneof(word, fc.integer())).map((o) => Buffer.from(JSON.stringify(o))),
      fc.constant(Buffer.from(JSON.stringify(INFO))),
    )
    const status = fc.oneof(fc.constantFrom(200, 400, 401), fc.integer({ min: 200, max: 599 }))
    const type = fc.constantFrom(PROBLEM, 'application/json', 'text/html', '')
    await fc.assert(
      fc.asyncProperty(status, type, body, async (code, contentType, content) => {
        answer = (_, response) => {
          response.writeHead(code, { 'content-type': contentType })
          response.end(content)
        }
        const result: unknown = await api.info().catch((error: unknown) => error)
        if (result instanceof Error) expect(result).toBeInstanceOf(ClientError)
        else expect(result).toEqual(INFO)
      }),
      { numRuns: 300 },
    )
  })
})

const PROBLEM = 'application/problem+json'

function open(options: Partial<Parameters<typeof createHttpApi>[0]> = {}): ServerApi {
  return createHttpApi({ url, clock: systemClock, sha256, ...options })
}

function sha256(data: Uint8Array): Bytes {
  return new Uint8Array(createHash('sha256').update(data).digest())
}

function json(response: ServerResponse, status: number, body: object, type = 'application/json') {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body))
}

function problem(response: ServerResponse, code: keyof typeof ERROR_STATUS, more: object = {}) {
  const status = ERROR_STATUS[code] ?? 400
  const body = { type: 'about:blank', title: code, status, code, detail: 'so it is', ...more }
  json(response, status, body, `${PROBLEM}; charset=utf-8`)
}

function endless(response: ServerResponse): void {
  response.writeHead(200)
  const write = () => {
    if (!response.destroyed) response.write('x'.repeat(4096), () => setImmediate(write))
  }
  write()
}

/** Whether the request carries the signature of our signer, made at a good time. */
function isSigned(request: Seen, now: number = Date.now()): boolean {
  const [scheme, id, at, signature] = request.headers.authorization?.split(' ') ?? []
  const message = requestSignedBytes({
    serverName: request.headers.host!,
    identityId: fromBase64Url(id!),
    at: Number(at),
    method: request.method,
    path: request.path,
    bodyHash: sha256(request.body),
  })
  return (
    scheme === 'Couplet' &&
    id === toBase64Url(signer.identityId) &&
    Math.abs(Number(at) - now) <= REQUEST_CLOCK_SKEW_MS &&
    verify(null, message, keys.publicKey, fromBase64Url(signature!))
  )
}

function signedAt(request: Seen): number {
  return Number(request.headers.authorization!.split(' ')[2])
}

function serverWithClock(now: () => number): typeof answer {
  return (request, response) => {
    response.setHeader('date', new Date(now()).toUTCString())
    if (isSigned(request, now())) response.writeHead(204).end()
    else problem(response, 'unauthenticated')
  }
}

async function refused(work: Promise<unknown>, code: string): Promise<ClientError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ClientError)
  expect((error as ClientError).code).toBe(code)
  return error as ClientError
}
