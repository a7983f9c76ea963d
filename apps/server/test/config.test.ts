/** Options win over variables, which win over defaults; every error names its place. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type ConfigError, HELP, readConfig } from '../src/index.ts'

function failing(args: readonly string[], environment: Record<string, string> = {}): ConfigError {
  try {
    readConfig(args, environment)
  } catch (error) {
    return error as ConfigError
  }
  throw new Error('was taken')
}

const folder = mkdtempSync(join(tmpdir(), 'couplet-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Options that name a certificate, made by openssl. */
function certified(): string[] {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x'
  const out = ['-keyout', key, '-out', cert]
  if (!existsSync(cert)) execFileSync('openssl', [...args.split(' '), ...out], { stdio: 'pipe' })
  return ['--tls-cert', cert, '--tls-key', key]
}

describe('what holds', () => {
  it('defaults: port 8080 on localhost, the XDG data folder, codes in the terminal', () => {
    expect(readConfig([], {})).toMatchObject({
      host: 'localhost',
      port: 8080,
      data: join(homedir(), '.local/share/couplet/server'),
      codeSender: { kind: 'console' },
      publicUrl: undefined,
      capacity: 2,
      logLevel: 'info',
    })
    expect(readConfig([], { XDG_DATA_HOME: '/x' })).toMatchObject({ data: '/x/couplet/server' })
    expect(readConfig([], { XDG_DATA_HOME: 'x' })).not.toMatchObject({ data: 'x/couplet/server' })
  })

  it('every setting from its variable', () => {
    const environment = {
      COUPLET_PORT: '9000',
      COUPLET_HOST: '0.0.0.0',
      COUPLET_DATA: 'd',
      COUPLET_CODE_SENDER: 'file:codes.jsonl',
      COUPLET_PUBLIC_URL: 'https://chat.example/',
      COUPLET_MAILBOX_CAPACITY: '3',
      COUPLET_LOG_LEVEL: 'warn',
    }
    expect(readConfig([], environment)).toMatchObject({
      host: '0.0.0.0',
      port: 9000,
      data: resolve('d'),
      codeSender: { kind: 'file', path: resolve('codes.jsonl') },
      publicUrl: 'https://chat.example',
      capacity: 3,
      logLevel: 'warn',
    })
  })

  it('options over variables; an empty variable is none', () => {
    expect(readConfig(['--port', '1'], { COUPLET_PORT: '2' })).toMatchObject({ port: 1 })
    expect(readConfig(['--port=1'], { COUPLET_PORT: 'bad' })).toMatchObject({ port: 1 })
    expect(readConfig([], { COUPLET_PORT: '' })).toMatchObject({ port: 8080 })
  })
})

describe('what is wrong', () => {
  it.each([
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, not "65536"'],
    [['--port', 'http'], '--port must be'],
    [['--mailbox-capacity', '0'], '--mailbox-capacity must be a whole number from 1'],
    [['--code-sender', 'pigeon'], '--code-sender must be console, or file:'],
    [['--code-sender', 'file:'], '--code-sender must be'],
    [['--public-url', 'chat.example'], '--public-url must be a URL'],
    [['--public-url', 'https://chat.example/path'], '--public-url must be a URL'],
    [['--log-level', 'loud'], '--log-level must be one of'],
    [['--prot', '1'], "Unknown option '--prot'"],
    [['--port'], "Option '--port <value>' argument missing"],
    [['extra'], "Unexpected argument 'extra'"],
  ])('on the command line: %j', (args, message) => {
    const error = failing(args)
    expect(error.kind).toBe('usage')
    expect(error.message).toContain(message)
  })

  it('in a variable, by its name', () => {
    const error = failing([], { COUPLET_PORT: 'x' })
    expect(error).toMatchObject({ kind: 'config' })
    expect(error.message).toContain('COUPLET_PORT must be')
  })

  it.each([
    [['--host', '0.0.0.0'], {}],
    [['--host', '::'], {}],
    [['--public-url', 'https://chat.example'], {}],
    [[], { COUPLET_HOST: '192.0.2.1' }],
    [['--trusted-proxies', 'loopback'], {}],
    [certified(), {}],
  ])('printing codes where others can reach us: %j %j', (args, environment) => {
    expect(failing(args, environment as Record<string, string>).message).toContain(
      '--allow-console-codes',
    )
    const forced = [...args, '--allow-console-codes', '--public-url', 'https://chat.example']
    expect(readConfig(forced, environment)).toBeDefined()
  })

  it.each(['0.0.0.0', '::', '192.0.2.1'])(
    'not saying the name under which others reach us: %s',
    (host) => {
      const args = ['--host', host, '--code-sender', 'file:codes.jsonl']
      expect(failing(args)).toMatchObject({ kind: 'config' })
      expect(failing(args).message).toContain('--public-url')
      expect(readConfig([...args, '--public-url', 'https://chat.example'], {})).toMatchObject({
        host,
      })
    },
  )

  it.each([[['--trusted-proxies', 'loopback']], [certified()]])(
    'not saying the name under which a proxy or TLS make us reachable: %j',
    (args) => {
      const here = [...args, '--code-sender', 'file:codes.jsonl']
      expect(failing(here).message).toContain('--public-url')
    },
  )

  it('files that cannot be read or used, by their settings', () => {
    expect(failing([], { COUPLET_ALLOWLIST: '/nope' }).message).toMatch(
      /^COUPLET_ALLOWLIST .*ENOENT/,
    )
    const [cert, key] = [certified()[1]!, certified()[3]!]
    expect(failing(['--tls-cert', cert, '--tls-key', '/nope']).message).toMatch(
      /^--tls-key .*ENOENT/,
    )
    expect(failing(['--tls-cert', key, '--tls-key', key]).message).toMatch(
      /^--tls-cert and --tls-key/,
    )
  })

  it('not: printing them on loopback', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) {
      expect(readConfig(['--host', host], {})).toMatchObject({ host })
    }
  })
})

it('the help fits a screen', () => {
  expect(readConfig(['--help'], {})).toBe('help')
  expect(readConfig(['-h', '--port', '1'], {})).toBe('help')
  const lines = HELP.trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(24)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
})
