/** TLS in the server itself, headers, pages of other origins, and the description of the API. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { PATHS } from '@couplet/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TlsFilesError } from '../src/tls.ts'
import { type Answer, problemOf, request, startServer, type TestServer } from './support.ts'

let folder = ''
let server: TestServer

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'couplet-tls-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => server.close())

const inFolder = (name: string) => join(folder, name)

/** A certificate of its own, by openssl, which every Node build machine has. */
function certify(name: string): void {
  const files = ['-keyout', inFolder('key.pem'), '-out', inFolder('cert.pem')]
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'.split(' ')
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost']
  const made = spawnSync('openssl', [...kind, ...subject, ...files])
  if (made.status !== 0) throw new Error(`needs openssl: install it. ${String(made.stderr)}`)
}

function handshake(
  options: { maxVersion?: 'TLSv1.1' | 'TLSv1.2'; ciphers?: string } = {},
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(
      {
        port: server.port,
        host: 'localhost',
        rejectUnauthorized: false,
        // OpenSSL itself would refuse to speak TLS 1.1: what is tested is the server.
        ...(options.maxVersion === 'TLSv1.1' && {
          ciphers: 'DEFAULT@SECLEVEL=0',
          minVersion: 'TLSv1',
        }),
        ...options,
      },
      () => resolve(socket),
    )
    socket.on('error', reject)
  })
}

describe('TLS', () => {
  it('serves 1.2 and 1.3, not 1.1, and takes a new certificate without a restart', async () => {
    certify('first')
    server = await startServer({ tls: { cert: inFolder('cert.pem'), key: inFolder('key.pem') } })
    expect(server.url).toMatch(/^https:\/\/localhost:/)
    const newest = await handshake()
    expect(newest.getProtocol()).toBe('TLSv1.3')
    expect(newest.getPeerCertificate().subject.CN).toBe('first')
    newest.destroy()
    const older = await handshake({ maxVersion: 'TLSv1.2' })
    expect(older.getProtocol()).toBe('TLSv1.2')
    older.destroy()
    await expect(handshake({ maxVersion: 'TLSv1.1' })).rejects.toThrow()
    // Nothing in CBC, and nothing without forward secrecy.
    for (const ciphers of [
      'ECDHE-ECDSA-AES128-SHA256',
      'ECDHE-ECDSA-AES256-SHA',
      'AES128-GCM-SHA256',
    ]) {
      await expect(handshake({ maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow()
    }

    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      get(`${server.url}/livez`, { rejectUnauthorized: false }, (response) => {
        response.resume()
        resolve(response.headers)
      }).on('error', reject)
    })
    expect(headers['strict-transport-security']).toBe('max-age=31536000')

    certify('second')
    for (;;) {
      const socket = await handshake()
      const name = socket.getPeerCertificate().subject.CN
      socket.destroy()
      if (name === 'second') break
      await sleep(200)
    }
  })

  it('refuses to start with files that are no certificate', async () => {
    server = await startServer()
    const missing = { cert: inFolder('none.pem'), key: inFolder('none.pem') }
    await expect(startServer({ tls: missing })).rejects.toThrow(TlsFilesError)
  })

  it('is not claimed where people come without it', async () => {
    server = await startServer()
    const { headers } = await request(server, 'GET', '/livez')
    expect(headers.get('strict-transport-security')).toBeNull()
    const named = await startServer({ publicUrl: 'https://chat.example' })
    const answer = await request(named, 'GET', '/livez')
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000')
    await named.close()
  })
})

function asking(origin: string): Promise<Answer> {
  return request(server, 'GET', '/v1/server', undefined, { origin })
}

describe('pages of other origins', () => {
  const origin = 'https://app.example'

  it('may not ask, unless the operator says so', async () => {
    server = await startServer()
    expect((await asking(origin)).headers.get('access-control-allow-origin')).toBeNull()
  })

  it('may ask when they are named, and hear errors, too', async () => {
    server = await startServer({ corsOrigins: [origin] })
    const allowed = await asking(origin)
    expect(allowed.headers.get('access-control-allow-origin')).toBe(origin)
    expect(allowed.headers.get('vary')).toContain('origin')
    expect(
      (await asking('https://evil.example')).headers.get('access-control-allow-origin'),
    ).toBeNull()
    const preflight = await request(server, 'OPTIONS', '/v1/prekeys', undefined, { origin })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    const refused = await request(server, 'GET', '/v1/account', undefined, { origin })
    expect(problemOf(refused).code).toBe('unauthenticated')
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin)
    const page = await request(server, 'GET', '/', undefined, { origin })
    expect(page.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('/openapi.json', () => {
  it('describes every path there is, and none that is not', async () => {
    server = await startServer()
    const { body } = await request(server, 'GET', PATHS.description)
    const document = body as unknown as {
      openapi: string
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>
    }
    expect(document.openapi).toBe('3.1.0')
    for (const path of Object.values(PATHS)) {
      if (path === PATHS.description) continue
      expect(
        Object.keys(document.paths).some((one) => one.startsWith(path)),
        path,
      ).toBe(true)
    }
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const method of Object.keys(operations)) {
        const real = path.replace(/\{[a-z]+\}/, 'x')
        const { status } = await request(server, method.toUpperCase(), real)
        expect(Object.keys(operations[method]!.responses), `${method} ${path}`).toContain(
          String(status),
        )
      }
    }
  })

  it('has the fields that requests are checked for', async () => {
    server = await startServer()
    const { body } = await request(server, 'GET', PATHS.description)
    const text = JSON.stringify(body)
    expect(text).toContain('"required":["phone","identity","prekeys"]')
    expect(text).toContain('"additionalProperties":false')
  })
})
