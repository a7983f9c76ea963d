/** docs/configuration.md is the table of settings; and what a file may say. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_LIMITS } from '@couplet/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Config, type ConfigError, readConfig } from '../src/index.ts'
import { referencePage } from '../src/reference.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'couplet-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function file(content: string): string {
  const path = join(folder, 'couplet.toml')
  writeFileSync(path, content)
  return path
}

function read(...args: string[]): Config {
  return readConfig(args, {}) as Config
}

function complaint(...args: string[]): string {
  try {
    readConfig(args, {})
  } catch (error) {
    return (error as ConfigError).message
  }
  throw new Error('was taken')
}

it('the reference page is made from the settings: npm run couplet -- serve --help names it', () => {
  const page = new URL('../../../docs/configuration.md', import.meta.url)
  expect(readFileSync(page, 'utf8')).toBe(referencePage())
})

describe('the file', () => {
  it('has the same names, tables included, and gives way to variables and options', () => {
    const path = file(`
port = 9000
limit-sends = "5/10s"
code-sender = "smtp"
public-url = "https://chat.example"
trusted-proxies = ["loopback", "10.0.0.0/8"]
[smtp]
host = "mail.example"
from = "couplet@chat.example"
to = "{number}@sms.example"
`)
    const config = read('--config', path)
    expect(config).toMatchObject({
      port: 9000,
      codeSender: { kind: 'smtp', host: 'mail.example', port: 587, security: 'starttls' },
      trustedProxies: ['loopback', '10.0.0.0/8'],
    })
    expect(config.limits.sends).toEqual({ burst: 5, periodMs: 10_000 })
    expect(read('--config', path, '--port', '1').port).toBe(1)
    expect(readConfig([], { COUPLET_CONFIG: path, COUPLET_PORT: '2' })).toMatchObject({ port: 2 })
  })

  it('is refused with the line of what is wrong', () => {
    const path = file('host = "localhost"\nport = 70000\n')
    expect(complaint('--config', path)).toContain(`${path}:2: port must be a whole number`)
    const unknown = file('[smtp]\nhots = "x"\n')
    expect(complaint('--config', unknown)).toBe(`${unknown}:2: smtp-hots is no setting`)
    const broken = file('port = \n')
    expect(complaint('--config', broken)).toMatch(/couplet\.toml:1:\d+: /)
    expect(complaint('--config', join(folder, 'none'))).toMatch(/cannot be read/)
  })

  it('may name a file that holds a secret; a secret is never an option', () => {
    const secret = join(folder, 'token')
    writeFileSync(secret, 's3cret\n')
    const args = ['--code-sender', 'webhook', '--webhook-url', 'https://hook.example/codes']
    const config = read(...args, '--webhook-secret-file', secret)
    expect(config.codeSender).toMatchObject({ kind: 'webhook', secret: 's3cret' })
    expect(complaint(...args)).toContain('COUPLET_WEBHOOK_SECRET')
    expect(complaint(...args, '--webhook-secret', 'x')).toContain("'--webhook-secret'")
  })
})

describe('limits', () => {
  it('all off with one switch, for measurements', () => {
    const { limits } = read('--no-limits')
    expect(Object.keys(limits).toSorted()).toEqual(Object.keys(NO_LIMITS).toSorted())
    for (const limit of Object.values(limits)) expect([null, false]).toContain(limit)
  })

  it.each([
    ['--limit-sends', '60'],
    ['--limit-sends', '60/0s'],
    ['--limit-sends', '-1/1m'],
    ['--limit-connections', 'many'],
    ['--trusted-proxies', 'example.com'],
    ['--cors-origins', 'app.example'],
    ['--minimum-client', 'new'],
    ['--tls-cert', 'cert.pem'],
    ['--registration', 'allowlist'],
    ['--code-sender', 'twilio'],
    ['--code-text', 'no code'],
  ])('%s %s is refused', (option, value) => {
    expect(complaint(option, value).length).toBeGreaterThan(10)
  })
})
