/**
 * Every setting, once: from this table come the flags, the variables, the keys of the file, the
 * help, and the reference page docs/configuration.md.
 */

export type SettingKind =
  | { readonly type: 'text' | 'path' | 'url' | 'origins' | 'addresses' | 'listener' }
  /** Whole numbers. */
  | { readonly type: 'integer'; readonly low: number; readonly high: number }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'switch' }
  /** `60/1m`, or `off`: so many at once, and as many again in that time. */
  | { readonly type: 'limit' }
  /** A number, or `off`. */
  | { readonly type: 'count' }
  /** Never a flag: everybody on the machine can read those. `NAME-file` names a file with it. */
  | { readonly type: 'secret' }

export type Setting = SettingKind & {
  /** Flag without its hyphens, and key in the file. */
  readonly name: string
  /** How the help names the value. */
  readonly value?: string
  /** What holds without it, for people. */
  readonly standard?: string
  readonly help: string
  readonly group: string
  /** Shown by `--help`; the others are on the reference page. */
  readonly common?: true
}

export const MAX_CAPACITY = 1000

export const SETTINGS: readonly (Setting & { readonly name: SettingName })[] = [
  {
    name: 'port',
    group: 'Server',
    type: 'integer',
    low: 0,
    high: 65_535,
    value: 'PORT',
    standard: '8080',
    common: true,
    help: 'port to listen on; 0 takes a free one',
  },
  {
    name: 'host',
    group: 'Server',
    type: 'text',
    value: 'HOST',
    standard: 'localhost',
    common: true,
    help: 'address to listen on',
  },
  {
    name: 'data',
    group: 'Server',
    type: 'path',
    value: 'DIR',
    standard: '~/.local/share/couplet/server',
    common: true,
    help: 'folder of the data',
  },
  {
    name: 'store',
    group: 'Server',
    type: 'text',
    value: 'URL',
    standard: 'the folder',
    common: true,
    help: 'nats://HOST:PORT, several with commas',
  },
  {
    name: 'workers',
    group: 'Server',
    type: 'text',
    value: 'N',
    standard: 'auto',
    common: true,
    help: 'processes that serve, or auto',
  },
  {
    name: 'public-url',
    group: 'Server',
    type: 'url',
    value: 'URL',
    standard: 'where it listens',
    common: true,
    help: 'URL that clients use, if it differs',
  },
  {
    name: 'mailbox-capacity',
    group: 'Server',
    type: 'integer',
    low: 1,
    high: MAX_CAPACITY,
    value: 'N',
    standard: '2',
    common: true,
    help: 'messages kept for each person',
  },
  {
    name: 'log-level',
    group: 'Server',
    type: 'choice',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    value: 'LEVEL',
    standard: 'info',
    common: true,
    help: 'debug, info, warn, error or silent',
  },
  {
    name: 'metrics-listen',
    group: 'Server',
    type: 'listener',
    value: 'HOST:PORT',
    standard: 'none',
    help: 'where Prometheus finds metrics, at `/metrics`; not for the public',
  },
  {
    name: 'minimum-client',
    group: 'Server',
    type: 'text',
    value: 'VERSION',
    standard: '0.1.0',
    help: 'the oldest client that is served',
  },

  {
    name: 'tls-cert',
    group: 'Transport',
    type: 'path',
    value: 'FILE',
    common: true,
    help: 'certificate chain, PEM; read again when it changes',
  },
  {
    name: 'tls-key',
    group: 'Transport',
    type: 'path',
    value: 'FILE',
    common: true,
    help: 'its private key, PEM',
  },
  {
    name: 'trusted-proxies',
    group: 'Transport',
    type: 'addresses',
    value: 'LIST',
    standard: 'none',
    help: 'addresses, networks or `loopback`, with commas: proxies whose `X-Forwarded-For` is believed',
  },
  {
    name: 'cors-origins',
    group: 'Transport',
    type: 'origins',
    value: 'LIST',
    standard: 'none',
    help: 'origins of other pages that may use the HTTP API, with commas, or `*`',
  },

  {
    name: 'registration',
    group: 'Registration',
    type: 'choice',
    choices: ['open', 'invite', 'allowlist'],
    value: 'WHO',
    standard: 'open',
    common: true,
    help: 'who may register: open, invite or allowlist',
  },
  {
    name: 'allowlist',
    group: 'Registration',
    type: 'path',
    value: 'FILE',
    help: 'for `allowlist`: a number on each line, `#` begins a remark; read anew each time',
  },

  {
    name: 'code-sender',
    group: 'Codes',
    type: 'text',
    value: 'SENDER',
    standard: 'console',
    common: true,
    help: 'console, file:PATH, webhook, smtp, twilio, smpp',
  },
  {
    name: 'allow-console-codes',
    group: 'Codes',
    type: 'switch',
    common: true,
    help: 'print codes here even when others can reach us',
  },
  {
    name: 'code-text',
    group: 'Codes',
    type: 'text',
    value: 'TEXT',
    standard: '{code} is your Couplet code. Tell it to nobody.',
    help: 'what is sent; must have `{code}` in it',
  },
  {
    name: 'webhook-url',
    group: 'Codes',
    type: 'text',
    value: 'URL',
    help: 'where codes are posted',
  },
  {
    name: 'webhook-secret',
    group: 'Codes',
    type: 'secret',
    help: 'key of the signature (HMAC-SHA-256) of each post',
  },
  {
    name: 'webhook-allow-private',
    group: 'Codes',
    type: 'switch',
    help: 'the web hook may have a private address, and `http:`',
  },
  { name: 'smtp-host', group: 'Codes', type: 'text', value: 'HOST', help: 'mail server' },
  {
    name: 'smtp-port',
    group: 'Codes',
    type: 'integer',
    low: 1,
    high: 65_535,
    value: 'PORT',
    standard: '587',
    help: 'its port',
  },
  {
    name: 'smtp-security',
    group: 'Codes',
    type: 'choice',
    choices: ['tls', 'starttls', 'none'],
    value: 'HOW',
    standard: 'starttls',
    help: 'TLS from the start, required STARTTLS, or none',
  },
  { name: 'smtp-user', group: 'Codes', type: 'text', value: 'NAME', help: 'name to log in with' },
  { name: 'smtp-password', group: 'Codes', type: 'secret', help: 'password to log in with' },
  { name: 'smtp-from', group: 'Codes', type: 'text', value: 'ADDRESS', help: 'sender' },
  {
    name: 'smtp-to',
    group: 'Codes',
    type: 'text',
    value: 'ADDRESS',
    help: 'recipient; `{number}` in it becomes the digits, like `{number}@sms.example`',
  },
  { name: 'twilio-account', group: 'Codes', type: 'text', value: 'SID', help: 'account SID' },
  { name: 'twilio-token', group: 'Codes', type: 'secret', help: 'auth token' },
  {
    name: 'twilio-from',
    group: 'Codes',
    type: 'text',
    value: 'SENDER',
    help: 'number, name, or SID of a messaging service',
  },
  {
    name: 'twilio-url',
    group: 'Codes',
    type: 'url',
    value: 'URL',
    standard: 'https://api.twilio.com',
    help: 'another service with the same API',
  },
  { name: 'smpp-host', group: 'Codes', type: 'text', value: 'HOST', help: 'SMSC' },
  {
    name: 'smpp-port',
    group: 'Codes',
    type: 'integer',
    low: 1,
    high: 65_535,
    value: 'PORT',
    standard: '2775',
    help: 'its port',
  },
  { name: 'smpp-tls', group: 'Codes', type: 'switch', help: 'speak TLS with it' },
  {
    name: 'smpp-system-id',
    group: 'Codes',
    type: 'text',
    value: 'ID',
    help: 'system id to bind with',
  },
  { name: 'smpp-password', group: 'Codes', type: 'secret', help: 'password to bind with' },
  {
    name: 'smpp-from',
    group: 'Codes',
    type: 'text',
    value: 'SENDER',
    help: 'number with a plus, or a name of up to 11 characters',
  },

  {
    name: 'no-limits',
    group: 'Limits',
    type: 'switch',
    help: 'no limits at all: for measurements and tests, never in public',
  },
  {
    name: 'limit-registrations',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '60/1h',
    help: 'registrations opened from one address block (/24, /48)',
  },
  {
    name: 'limit-codes',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '10/1d',
    help: 'codes to one number',
  },
  {
    name: 'limit-codes-to-one-from-address',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '6/1d',
    help: 'of these, asked for from one address block: a stranger cannot use them all up',
  },
  {
    name: 'limit-codes-from-address',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '100/1d',
    help: 'codes asked for from one address block, to whatever numbers',
  },
  {
    name: 'limit-code-budget',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '1000/1d',
    help: 'codes in all: a hard stop against pumping',
  },
  {
    name: 'limit-lookups',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '300/1h',
    help: 'numbers looked up by one account',
  },
  {
    name: 'limit-lookups-from-address',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '3000/1h',
    help: 'numbers looked up from one address block',
  },
  {
    name: 'limit-sends',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '60/1m',
    help: 'messages of one account',
  },
  {
    name: 'limit-stranger-sends',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '60/1m',
    help: 'messages to one account from all whom it has not written to',
  },
  {
    name: 'limit-questions',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '600/1m',
    help: 'status questions of one account',
  },
  {
    name: 'limit-requests',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '300/1m',
    help: 'signed requests of one account, whatever they ask for',
  },
  {
    name: 'limit-prekeys',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '20/1h',
    help: 'sets of prekeys published by one account',
  },
  {
    name: 'limit-subscriptions',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '20/1h',
    help: 'changes of push subscriptions by one account',
  },
  {
    name: 'limit-pins',
    group: 'Limits',
    type: 'limit',
    value: 'LIMIT',
    standard: '10/1h',
    help: 'PINs of a registration lock set by one account',
  },
  {
    name: 'limit-connections-per-address',
    group: 'Limits',
    type: 'count',
    value: 'N',
    standard: '100',
    help: 'sockets from one address block, for each process; and twice as many connections of any kind',
  },
  {
    name: 'limit-connections',
    group: 'Limits',
    type: 'count',
    value: 'N',
    standard: '20000',
    help: 'sockets in all, for each process; and twice as many connections of any kind',
  },
]

export type SettingName =
  | 'port'
  | 'host'
  | 'data'
  | 'store'
  | 'workers'
  | 'public-url'
  | 'mailbox-capacity'
  | 'log-level'
  | 'metrics-listen'
  | 'minimum-client'
  | 'tls-cert'
  | 'tls-key'
  | 'trusted-proxies'
  | 'cors-origins'
  | 'registration'
  | 'allowlist'
  | 'code-sender'
  | 'allow-console-codes'
  | 'code-text'
  | 'webhook-url'
  | 'webhook-secret'
  | 'webhook-allow-private'
  | 'smtp-host'
  | 'smtp-port'
  | 'smtp-security'
  | 'smtp-user'
  | 'smtp-password'
  | 'smtp-from'
  | 'smtp-to'
  | 'twilio-account'
  | 'twilio-token'
  | 'twilio-from'
  | 'twilio-url'
  | 'smpp-host'
  | 'smpp-port'
  | 'smpp-tls'
  | 'smpp-system-id'
  | 'smpp-password'
  | 'smpp-from'
  | 'no-limits'
  | 'limit-registrations'
  | 'limit-codes'
  | 'limit-codes-to-one-from-address'
  | 'limit-codes-from-address'
  | 'limit-code-budget'
  | 'limit-lookups'
  | 'limit-lookups-from-address'
  | 'limit-sends'
  | 'limit-stranger-sends'
  | 'limit-questions'
  | 'limit-requests'
  | 'limit-prekeys'
  | 'limit-subscriptions'
  | 'limit-pins'
  | 'limit-connections-per-address'
  | 'limit-connections'

export function settingNamed(name: string): Setting {
  return SETTINGS.find((setting) => setting.name === name)!
}

export function variableOf(name: string): string {
  return `COUPLET_${name.toUpperCase().replaceAll('-', '_')}`
}

export const HELP: string = `Usage: couplet serve [options]

Runs a Couplet server: registration, directory, a mailbox for each person.

${SETTINGS.filter((setting: Setting) => setting.common)
  .map(line)
  .join('\n')}
  ${'--config FILE'.padEnd(26)}settings from a TOML file
  ${'-h, --help'.padEnd(26)}this page; every setting: docs/configuration.md

Every option is also a variable (--port: COUPLET_PORT) and a key of the file. An
option wins over its variable, a variable over the file.
`

function line(setting: Setting): string {
  const { name, value, help, standard } = setting
  const flag = `--${name}${value ? ` ${value}` : ''}`
  return `  ${flag.padEnd(26)}${help}${standard && help.length < 42 - standard.length ? ` (${standard})` : ''}`
}
