/** A real nginx with the configuration of deploy/, between a client and the server. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_LIMITS, trustedProxies } from '@couplet/server'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  connect,
  envelope,
  makeIdentity,
  register,
  request,
  startServer,
  type TestServer,
} from '../packages/server/test/support.ts'
import { needPrograms } from './debian.ts'
import { until } from './people.ts'

/** From where it speaks to the server. */
const NGINX = '127.0.0.2'
const ROOT = join(import.meta.dirname, '..')
let folder: string
let server: TestServer
let nginx: ChildProcess
let plainUrl: string
/** As clients see it. */
let outside: TestServer

beforeAll(async () => {
  needPrograms({ nginx: 'nginx-light', openssl: 'openssl' })
  folder = mkdtempSync(join(tmpdir(), 'couplet-nginx-'))
  const [plain, secure] = [await freePort(), await freePort()]
  const name = `localhost:${secure}`
  server = await startServer({
    publicUrl: `https://${name}`,
    // Not all of loopback: this test's clients are there, too.
    proxies: trustedProxies([NGINX]),
    limits: { ...NO_LIMITS, registrations: { burst: 4, periodMs: 3_600_000 } },
  })
  outside = { ...server, url: `https://${name}`, name }
  configure(plain, secure)
  plainUrl = `http://localhost:${plain}`
  // The certificate is this test's own.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  const options = ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', 'stderr']
  const tested = spawnSync('nginx', [...options, '-t'], { encoding: 'utf8' })
  if (tested.status !== 0) throw new Error(tested.stderr)
  nginx = spawn('nginx', options, { stdio: 'ignore' })
  await until(
    async () => (await request(outside, 'GET', '/livez').catch(() => undefined))?.status === 200,
  )
}, 120_000)

afterAll(async () => {
  nginx?.kill()
  vi.unstubAllEnvs()
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The example as it stands, but for ports, name and certificate. */
function configure(plain: number, secure: number): void {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
  const kind = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'.split(' ')
  spawnSync('openssl', [...kind, '-subj', '/CN=localhost', ...files])
  const site = readFileSync(join(ROOT, 'deploy/nginx.conf'), 'utf8')
    .replaceAll(/listen (\[::\]:)?80;/g, `listen $1${plain};`)
    .replaceAll(/listen (\[::\]:)?443 ssl;/g, `listen $1${secure} ssl;`)
    .replaceAll('server_name chat.example', 'server_name localhost')
    .replace('/etc/letsencrypt/live/chat.example/fullchain.pem', join(folder, 'cert.pem'))
    .replace('/etc/letsencrypt/live/chat.example/privkey.pem', join(folder, 'key.pem'))
    .replaceAll('/var/log/nginx', folder)
    .replace('http://127.0.0.1:8080', `http://127.0.0.1:${server.port}; proxy_bind ${NGINX}`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((one) => `${one}_temp_path ${folder}/${one};`)
    .join('\n')
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; worker_processes 1;
     events { worker_connections 256; }
     http { access_log ${folder}/access.log; ${temporary}\n${site} }`,
  )
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}

test('people register, talk and are told apart through it', async () => {
  const [ana, ben] = [
    await register(outside, '+12025550101'),
    await register(outside, '+12025550102'),
  ]
  const [anas, bens] = [await connect(outside, ana), await connect(outside, ben)]
  await bens.take('caught-up')
  const large = envelope(65_536)
  const putting = anas.putting(ben, large)
  expect((await bens.take('deliver')).envelope).toEqual(large)
  expect((await anas.outcome(putting)).kind).toBe('stored')
  await anas.close()
  await bens.close()
  const { headers } = await request(outside, 'GET', '/livez')
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000')
  // Whoever claims to be somebody else is believed no more than nginx has seen.
  const statuses: number[] = []
  for (const address of ['203.0.113.1', '198.51.100.1', '192.0.2.1']) {
    const identity = makeIdentity('+12025550103')
    const body = {
      phone: identity.phone,
      identity: Buffer.from(identity.signedIdentity).toString('base64url'),
      prekeys: Buffer.from(identity.prekeys(1)).toString('base64url'),
    }
    const claim = { 'x-forwarded-for': address }
    statuses.push((await request(outside, 'POST', '/v1/registrations', body, claim)).status)
  }
  expect(statuses).toEqual([201, 201, 429])
})

test('no number gets into its logs, also when the server is gone', async () => {
  await server.close()
  const path = '/v1/directory/+12025550101'
  expect((await request(outside, 'GET', path)).status).toBe(502)
  await fetch(`${plainUrl}${path}`, { redirect: 'manual' })
  const logs = readdirSync(folder).filter((name) => name.endsWith('.log'))
  expect(logs).toContain('error.log')
  for (const log of logs)
    expect(readFileSync(join(folder, log), 'utf8')).not.toContain('12025550101')
})
