/** The HTTP API as a stranger meets it: errors, headers, health, the page. (spec/http-api.md, spec/errors.md) */
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { MAX_BODY_BYTES, toBase64Url } from '@couplet/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../src/memory-store.ts'
import type { Store } from '../src/ports.ts'
import { readiness } from '../src/readiness.ts'
import { VERSION } from '../src/version.ts'
import {
  type Answer,
  makeIdentity,
  problemOf,
  register,
  request,
  signedHeaders,
  startServer,
  type TestIdentity,
  type TestServer,
} from './support.ts'

let server: TestServer
let ana: TestIdentity

beforeAll(async () => {
  server = await startServer()
  ana = await register(server, '+12025550101')
})

afterAll(() => server.close())

const JSON_TYPE = { 'content-type': 'application/json' }

/** A signed lookup by Ana. */
function look(phone: string): Promise<Answer> {
  const path = `/v1/directory/${phone}`
  return request(server, 'GET', path, undefined, signedHeaders(server, ana, 'GET', path))
}

/** Ana publishes prekeys. */
function publish(prekeys: Uint8Array): Promise<Answer> {
  const body = JSON.stringify({ prekeys: toBase64Url(prekeys) })
  const headers = signedHeaders(server, ana, 'PUT', '/v1/prekeys', body)
  return request(server, 'PUT', '/v1/prekeys', body, { ...JSON_TYPE, ...headers })
}

describe('every error is a problem with a code', () => {
  it.each([
    ['nothing at the address', 'GET', '/v1/nothing', undefined, {}, 404, 'not-found'],
    ['an address that is no URL', 'GET', '/%zz', undefined, {}, 400, 'malformed'],
    ['a method that is not allowed', 'DELETE', '/v1/prekeys', undefined, {}, 405, 'not-found'],
    ['a body that is not JSON', 'POST', '/v1/registrations', '{', JSON_TYPE, 400, 'malformed'],
    ['no body', 'POST', '/v1/registrations', '', JSON_TYPE, 400, 'malformed'],
    [
      'a body that is no UTF-8',
      'POST',
      '/v1/registrations',
      '\ud800"',
      JSON_TYPE,
      400,
      'malformed',
    ],
    [
      'another content type',
      'POST',
      '/v1/registrations',
      '{}',
      { 'content-type': 'text/plain' },
      400,
      'malformed',
    ],
    ['a missing field', 'POST', '/v1/registrations', '{}', JSON_TYPE, 400, 'malformed'],
    [
      'a field too many',
      'POST',
      '/v1/registrations/x/verify',
      `{"code":"123456","proof":"${toBase64Url(new Uint8Array(64))}","more":1}`,
      JSON_TYPE,
      400,
      'malformed',
    ],
    [
      'an unknown registration',
      'POST',
      '/v1/registrations/x/verify',
      `{"code":"123456","proof":"${toBase64Url(new Uint8Array(64))}"}`,
      JSON_TYPE,
      410,
      'registration-expired',
    ],
    [
      'a body that is too large',
      'POST',
      '/v1/registrations',
      ' '.repeat(MAX_BODY_BYTES + 1),
      JSON_TYPE,
      413,
      'too-large',
    ],
    ['no signature', 'GET', '/v1/directory/+12025550101', undefined, {}, 401, 'unauthenticated'],
    [
      'a strange signature',
      'GET',
      '/v1/directory/+12025550101',
      undefined,
      { authorization: 'Couplet AAAA 1 AAAA' },
      401,
      'unauthenticated',
    ],
  ])('%s', async (_what, method, path, body, headers, status, code) => {
    const answer = await request(server, method, path, body, headers)
    expect(answer.status).toBe(status)
    expect(problemOf(answer)).toMatchObject({ code, status })
  })

  it('the content type may name its charset', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const answer = await request(server, 'POST', '/v1/registrations', '{"phone":1}', headers)
    expect(problemOf(answer).detail).toMatch(/^phone: /)
  })

  it('a wrong method says which are right', async () => {
    const answer = await request(server, 'DELETE', '/v1/directory/+12025550101')
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('GET, HEAD')
  })

  it('what is not HTTP at all', async () => {
    const socket = connectTcp(server.port, '127.0.0.1')
    socket.end('this is not HTTP\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toMatch(/urn:couplet:error:malformed/)
  })
})

describe('the directory', () => {
  it('gives record and prekeys to a registered user who signs', async () => {
    const answer = await look(ana.phone)
    expect(answer.status).toBe(200)
    expect(answer.body.identity).toBe(toBase64Url(ana.signedIdentity))
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('takes the number with its plus escaped, too', async () => {
    expect((await look('%2B12025550101')).status).toBe(200)
  })

  it('knows nobody under another number', async () => {
    const answer = await look('+12025550199')
    expect(answer.status).toBe(404)
    expect(problemOf(answer).code).toBe('unknown-recipient')
  })

  it('refuses what is no number', async () => {
    expect(problemOf(await look('ana')).code).toBe('invalid-phone-number')
    expect(problemOf(await look('+1-202-555-0101')).code).toBe('invalid-phone-number')
  })

  it.each([
    ['another method', 'PUT', '/v1/directory/+12025550101', '', 0],
    ['another path', 'GET', '/v1/directory/+12025550102', '', 0],
    ['another body', 'GET', '/v1/directory/+12025550101', 'x', 0],
    ['a time too long ago', 'GET', '/v1/directory/+12025550101', '', -121_000],
    ['a time too far ahead', 'GET', '/v1/directory/+12025550101', '', 125_000],
  ])('refuses a signature over %s', async (_what, method, path, body, off) => {
    const headers = signedHeaders(server, ana, method, path, body, Date.now() + off)
    const answer = await request(server, 'GET', '/v1/directory/+12025550101', undefined, headers)
    expect(problemOf(answer).code).toBe('unauthenticated')
    expect(answer.headers.get('www-authenticate')).toBe('Couplet')
  })

  it('refuses a signature for another server, and one of a stranger', async () => {
    const path = '/v1/directory/+12025550101'
    const elsewhere = signedHeaders({ name: 'evil.example' }, ana, 'GET', path)
    expect((await request(server, 'GET', path, undefined, elsewhere)).status).toBe(401)
    const stranger = signedHeaders(server, makeIdentity('+12025550177'), 'GET', path)
    expect((await request(server, 'GET', path, undefined, stranger)).status).toBe(401)
  })
})

describe('prekeys', () => {
  it('refuses prekeys other than those that were signed for', async () => {
    const [signed, sent] = [2, 3].map((id) => ({ prekeys: toBase64Url(ana.prekeys(id)) }))
    const headers = signedHeaders(server, ana, 'PUT', '/v1/prekeys', JSON.stringify(signed))
    const answer = await request(server, 'PUT', '/v1/prekeys', sent, headers)
    expect(problemOf(answer).code).toBe('unauthenticated')
  })

  it('are replaced by newer ones only', async () => {
    const newer = ana.prekeys(2)
    expect((await publish(newer)).status).toBe(204)
    const same = await publish(ana.prekeys(2))
    expect(same.status).toBe(409)
    expect(problemOf(same).code).toBe('stale-prekeys')
    expect(problemOf(await publish(ana.prekeys(1))).code).toBe('stale-prekeys')
    const path = '/v1/directory/+12025550101'
    const found = await request(
      server,
      'GET',
      path,
      undefined,
      signedHeaders(server, ana, 'GET', path),
    )
    expect(found.body.prekeys).toBe(toBase64Url(newer))
  })

  it('must be signed by their owner, belong to it, and last from now to 31 days', async () => {
    const damaged = ana.prekeys(9)
    damaged[100]! ^= 1
    expect(problemOf(await publish(damaged)).code).toBe('invalid-identity')
    expect(problemOf(await publish(makeIdentity(ana.phone).prekeys(9))).code).toBe(
      'invalid-identity',
    )
    expect(problemOf(await publish(ana.prekeys(9, Date.now() - 1))).code).toBe('invalid-identity')
    const tooLong = Date.now() + 32 * 24 * 60 * 60 * 1000
    expect(problemOf(await publish(ana.prekeys(9, tooLong))).code).toBe('invalid-identity')
  })

  it('of eight published at once, the newest stays', async () => {
    const answers = await Promise.all(
      [31, 38, 33, 36, 35, 34, 37, 32].map((id) => publish(ana.prekeys(id))),
    )
    for (const { status } of answers) expect([204, 409]).toContain(status)
    expect(problemOf(await publish(ana.prekeys(38))).code).toBe('stale-prekeys')
    expect((await publish(ana.prekeys(39))).status).toBe(204)
  })
})

function asked(store: Store, serving: boolean) {
  return readiness({ store, codes: () => 'ok', serving: () => serving })()
}

describe('health and facts', () => {
  it('live, ready, and what this server is', async () => {
    expect((await request(server, 'GET', '/livez')).body).toEqual({ status: 'live' })
    expect((await request(server, 'GET', '/readyz')).body).toEqual({
      status: 'ready',
      checks: { store: 'ok', schema: 'ok', codes: 'development', serving: 'ok' },
    })
    expect((await request(server, 'GET', '/v1/server')).body).toEqual({
      name: 'couplet',
      version: VERSION,
      capacity: 2,
      development: true,
      registration: 'open',
      minimumClient: '0.1.0',
    })
  })

  it('refuses a client that is too old, and says from which version on', async () => {
    const strict = await startServer({ minimumClient: '0.2.0' })
    const ask = (version: string) =>
      request(strict, 'GET', '/v1/server', undefined, { 'couplet-client': version })
    const answer = await ask('0.1.9')
    expect(answer.status).toBe(426)
    expect(problemOf(answer)).toMatchObject({ code: 'client-too-old' })
    expect(problemOf(answer).detail).toMatch(/0\.2\.0/)
    for (const version of ['0.2.0', '0.10.0', '1.0.0', 'nonsense']) {
      expect((await ask(version)).status).toBe(200)
    }
    await strict.close()
  })

  it("tells its package's version", () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    expect(VERSION).toBe((JSON.parse(manifest) as { version: string }).version)
  })

  it('is not ready when the store cannot write, nor while stopping', async () => {
    const store = memoryStore({ capacity: 2 })
    const broken = { ...store, probe: () => Promise.reject(new Error('disk full')) }
    expect(await asked(broken, true)).toMatchObject({
      ready: false,
      checks: { store: 'unavailable', schema: 'ok', serving: 'ok' },
    })
    expect(await asked(store, false)).toMatchObject({
      ready: false,
      checks: { serving: 'stopping' },
    })
    expect((await asked(store, true)).ready).toBe(true)
  })
})

describe('the page at /', () => {
  it('says what the server is and how to register, with its real address', async () => {
    const { status, headers, body } = await request(server, 'GET', '/')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(body).toContain(`npx couplet register +12025550101 --server http://${server.name}`)
    expect(body).toContain('Up and taking messages')
  })

  it('has nothing inline and nothing from elsewhere, and its policy forbids both', async () => {
    const { headers, body } = await request(server, 'GET', '/')
    const policy = headers.get('content-security-policy')
    expect(policy).toMatch(/default-src 'none'/)
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(body).not.toMatch(/<style|style=|<script(?![^>]* src="\/)|\son[a-z]+=/)
    const loaded = [...(body as unknown as string).matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, url]) => url!,
    )
    expect(loaded.every((url) => url.startsWith('/'))).toBe(true)
    for (const url of loaded)
      expect([url, (await request(server, 'GET', url)).status]).toEqual([url, 200])
  })

  it('does not repeat a Host header that is none', async () => {
    const socket = connectTcp(server.port, '127.0.0.1')
    socket.end('GET / HTTP/1.1\r\nHost: "><script>x\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).not.toContain('<script>x')
  })

  it.each(['/', '/livez', '/v1/nothing', '/page.js', '/%zz'])(
    '%s has the safe headers',
    async (path) => {
      const { headers } = await request(server, 'GET', path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('x-powered-by')).toBeNull()
    },
  )
})

describe('names of the server', () => {
  it('with a public URL, signatures are for that name, whatever the Host header says', async () => {
    const named = await startServer({ publicUrl: 'https://chat.example' })
    try {
      const behind = { ...named, name: 'chat.example' }
      const ben = await register(behind, '+12025550102')
      const path = `/v1/directory/${ben.phone}`
      const headers = signedHeaders(behind, ben, 'GET', path)
      expect((await request(named, 'GET', path, undefined, headers)).status).toBe(200)
      const direct = signedHeaders(named, ben, 'GET', path)
      expect((await request(named, 'GET', path, undefined, direct)).status).toBe(401)
      const page = await request(named, 'GET', '/')
      expect(page.body).toContain('--server https://chat.example<')
    } finally {
      await named.close()
    }
  })
})
