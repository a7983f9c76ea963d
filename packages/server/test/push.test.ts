/** Web Push: who is told, how often, what of, and where this server does not go. */
import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  hkdfSync,
  randomBytes,
  verify,
} from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase64Url } from '@couplet/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isPublic } from '../src/push-endpoint.ts'
import { encryptPush } from '../src/push-message.ts'
import {
  type Answer,
  connect,
  envelope,
  problemOf,
  register,
  request,
  signedHeaders,
  startServer,
  type TestIdentity,
  type TestServer,
} from './support.ts'

/** RFC 8291, appendix A. */
test('a message is encrypted as the standard says', () => {
  const body = encryptPush(
    {
      p256dh: bytes(
        'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      ),
      auth: bytes('BTBZMqHH6r4Tts7J_aSIgg'),
    },
    Buffer.from('When I grow up, I want to be a watermelon'),
    {
      ephemeralKey: bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'),
      salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
    },
  )
  expect(Buffer.from(body).toString('base64url')).toBe(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
})

test.each([
  ['8.8.8.8', true],
  ['2a00:1450:4001:830::200e', true],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['172.31.255.255', false],
  ['192.168.1.1', false],
  ['0.0.0.0', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['fd00::1', false],
  ['fe80::1', false],
  ['ff02::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['64:ff9b::a00:1', false],
  ['2002:a00:1::', false],
  ['not an address', false],
])('%s is reachable for everybody: %s', (address, expected) => {
  expect(isPublic(address)).toBe(expected)
})

describe('a server that pushes', () => {
  let server: TestServer
  let service: Server
  let endpoint: string
  let status = 201
  let received: { headers: Record<string, unknown>; body: Buffer; path: string }[] = []
  let ana: TestIdentity
  let ben: TestIdentity
  const browser = createECDH('prime256v1')
  const auth = randomBytes(16)
  const p256dh = browser.generateKeys()

  beforeAll(async () => {
    service = createServer((incoming, response) => {
      const parts: Buffer[] = []
      incoming.on('data', (part: Buffer) => parts.push(part))
      incoming.on('end', () => {
        received.push({
          headers: incoming.headers,
          body: Buffer.concat(parts),
          path: incoming.url ?? '',
        })
        response.writeHead(status).end('ignored')
      })
    })
    service.listen(0, '127.0.0.1')
    await once(service, 'listening')
    endpoint = `http://127.0.0.1:${(service.address() as AddressInfo).port}/send/ana`
    server = await startServer({ push: { allowPrivate: true } })
    ana = await register(server, '+12025550101')
    ben = await register(server, '+12025550102')
  })
  afterAll(async () => {
    await server.close()
    service.close()
  })
  beforeEach(async () => {
    received = []
    status = 201
    // Being there makes one known as back.
    await (await connect(server, ana)).close()
    expect((await subscribe({ endpoint })).status).toBe(204)
  })
  afterEach(async () => {
    await signed('DELETE', '/v1/push')
  })

  test('says that there is a message, and nothing else, once until its user was back', async () => {
    await send(3)
    await until(() => received.length === 1)
    const [push] = received
    expect(open(push!.body)).toBe('New message')
    expect(push!.path).toBe('/send/ana')
    expect(push!.headers).toMatchObject({
      'content-encoding': 'aes128gcm',
      topic: 'message',
      urgency: 'high',
      ttl: String(30 * 24 * 3600),
    })
    expect(JSON.stringify(push!.headers)).not.toMatch(/2025550/)
    await checkAuthorization(String(push!.headers.authorization))
    // Back, and away again.
    await (await connect(server, ana)).close()
    expect(received).toHaveLength(1)
    await send(1)
    await until(() => received.length === 2)
  })

  test('says nothing to who is connected, and nothing of what is sent again', async () => {
    const connection = await connect(server, ana)
    await send(1)
    await connection.close()
    await send(1, 'if-room')
    await send(1)
    await until(() => received.length === 1)
  })

  test.each([404, 410])('forgets a subscription that is gone (%i)', async (gone) => {
    status = gone
    await send(1)
    await until(() => received.length === 1)
    await until(async () => (await account()).push === undefined)
    await (await connect(server, ana)).close()
    await send(1)
    expect(received).toHaveLength(1)
  })

  test('tries again with the next message when the service failed', async () => {
    status = 503
    await send(1)
    await until(() => received.length === 1)
    status = 201
    await until(async () => {
      await send(1)
      return received.length > 1
    })
    expect((await account()).push).toMatchObject({ service: new URL(endpoint).host })
  })

  test('follows no redirect', async () => {
    status = 302
    await send(1)
    await until(() => received.length === 1)
    expect((await account()).push).toBeDefined()
  })

  test('says nothing any more when it is switched off', async () => {
    expect((await signed('DELETE', '/v1/push')).status).toBe(204)
    expect((await account()).push).toBeUndefined()
    await send(1)
    expect(received).toHaveLength(0)
  })

  test.each([
    ['another protocol', { endpoint: 'ftp://push.example/1' }],
    ['a name and a password', { endpoint: 'https://a:b@push.example/1' }],
    ['no URL', { endpoint: 'nonsense' }],
    ['a point that is not on the curve', { p256dh: randomBytes(65) }],
    ['a short secret', { auth: randomBytes(15) }],
    ['a long address', { endpoint: `https://push.example/${'x'.repeat(1100)}` }],
  ])('refuses %s', async (_, change) => {
    const answer = await subscribe({ endpoint, ...change })
    expect(problemOf(answer).code).toBe('malformed')
  })

  test('asks for a signature', async () => {
    const body = { endpoint, p256dh: toBase64Url(p256dh), auth: toBase64Url(auth) }
    expect(problemOf(await request(server, 'PUT', '/v1/push', body)).code).toBe('unauthenticated')
  })

  function subscribe(change: {
    endpoint: string
    p256dh?: Buffer
    auth?: Buffer
  }): Promise<Answer> {
    const subscription = { p256dh, auth, ...change }
    return signed('PUT', '/v1/push', {
      endpoint: subscription.endpoint,
      p256dh: toBase64Url(subscription.p256dh),
      auth: toBase64Url(subscription.auth),
    })
  }

  async function account(): Promise<Record<string, unknown>> {
    return (await signed('GET', '/v1/account')).body
  }

  function signed(method: string, path: string, body?: object): Promise<Answer> {
    const text = body && JSON.stringify(body)
    return request(server, method, path, text, signedHeaders(server, ana, method, path, text))
  }

  async function send(count: number, mode: 'evict' | 'if-room' = 'evict'): Promise<void> {
    const connection = await connect(server, ben)
    for (let i = 0; i < count; i++) await connection.put(ana, envelope(), mode)
    await connection.close()
  }

  /** As a browser does it. (RFC 8291) */
  function open(body: Buffer): string {
    const salt = body.subarray(0, 16)
    const point = body.subarray(21, 86)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, point])
    const ikm = hkdfSync('sha256', browser.computeSecret(point), auth, info, 32)
    const derive = (label: string, length: number) =>
      Buffer.from(
        hkdfSync('sha256', Buffer.from(ikm), salt, `Content-Encoding: ${label}\0`, length),
      )
    const record = body.subarray(86)
    const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12))
    decipher.setAuthTag(record.subarray(-16))
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
    expect(padded.at(-1)).toBe(2)
    return padded.subarray(0, -1).toString()
  }

  /** As a push service does it. (RFC 8292) */
  async function checkAuthorization(header: string): Promise<void> {
    const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(header)!
    const { key: offered } = (await request(server, 'GET', '/v1/push')).body as unknown as {
      key: string
    }
    expect(key).toBe(offered)
    const point = Buffer.from(key!, 'base64url')
    const publicKey = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: point.subarray(1, 33).toString('base64url'),
        y: point.subarray(33).toString('base64url'),
      },
    })
    const [head, claims, signature] = token!.split('.')
    expect(
      verify(
        'sha256',
        Buffer.from(`${head}.${claims}`),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature!, 'base64url'),
      ),
    ).toBe(true)
    const { aud, exp, sub } = JSON.parse(Buffer.from(claims!, 'base64url').toString())
    expect(aud).toBe(new URL(endpoint).origin)
    expect(exp * 1000 - Date.now()).toBeLessThanOrEqual(24 * 3600 * 1000)
    expect(sub).toMatch(/^(?:mailto|https):/)
  }
})

test('a server goes nowhere private, and keeps its key', async () => {
  const data = mkdtempSync(join(tmpdir(), 'couplet-push-'))
  const first = await startServer({ data })
  const key = (await request(first, 'GET', '/v1/push')).body
  const ana = await register(first, '+12025550101')
  for (const endpoint of [
    'https://127.0.0.1/1',
    'https://[::1]/1',
    'https://10.0.0.1/',
    'http://a.example/',
  ]) {
    const body = JSON.stringify({
      endpoint,
      p256dh: toBase64Url(createECDH('prime256v1').generateKeys()),
      auth: toBase64Url(randomBytes(16)),
    })
    const headers = signedHeaders(first, ana, 'PUT', '/v1/push', body)
    expect(problemOf(await request(first, 'PUT', '/v1/push', body, headers)).code).toBe('malformed')
  }
  await first.close()
  expect(readdirSync(data)).toContain('push.key')
  expect(statSync(join(data, 'push.key')).mode & 0o777).toBe(0o600)
  const second = await startServer({ data })
  expect((await request(second, 'GET', '/v1/push')).body).toEqual(key)
  await second.close()
})

function bytes(text: string): Buffer {
  return Buffer.from(text, 'base64url')
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
