/** Every setting: its flag, its variable, its default, and what the help says. */

export interface Setting {
  /** Without the two hyphens. */
  readonly flag: string
  readonly variable: string
  /** How the help names the value; none for a switch. */
  readonly value?: string
  readonly help: string
}

export type SettingName =
  | 'port'
  | 'host'
  | 'data'
  | 'store'
  | 'workers'
  | 'codeSender'
  | 'publicUrl'
  | 'capacity'
  | 'logLevel'
  | 'allowConsoleCodes'

export const SETTINGS: Record<SettingName, Setting> = {
  port: {
    flag: 'port',
    variable: 'COUPLET_PORT',
    value: 'PORT',
    help: 'port to listen on; 0 takes a free one (8080)',
  },
  host: {
    flag: 'host',
    variable: 'COUPLET_HOST',
    value: 'HOST',
    help: 'address to listen on (localhost)',
  },
  data: {
    flag: 'data',
    variable: 'COUPLET_DATA',
    value: 'DIR',
    help: 'folder of the data (~/.local/share/couplet/server)',
  },
  store: {
    flag: 'store',
    variable: 'COUPLET_STORE',
    value: 'URL',
    help: 'nats://HOST:PORT, several with commas (the folder)',
  },
  workers: {
    flag: 'workers',
    variable: 'COUPLET_WORKERS',
    value: 'N',
    help: 'processes that serve, or auto (auto)',
  },
  codeSender: {
    flag: 'code-sender',
    variable: 'COUPLET_CODE_SENDER',
    value: 'SENDER',
    help: 'console, or file:PATH (console)',
  },
  publicUrl: {
    flag: 'public-url',
    variable: 'COUPLET_PUBLIC_URL',
    value: 'URL',
    help: 'URL that clients use, if it differs',
  },
  capacity: {
    flag: 'mailbox-capacity',
    variable: 'COUPLET_MAILBOX_CAPACITY',
    value: 'N',
    help: 'messages kept for each person (2)',
  },
  logLevel: {
    flag: 'log-level',
    variable: 'COUPLET_LOG_LEVEL',
    value: 'LEVEL',
    help: 'debug, info, warn, error or silent (info)',
  },
  allowConsoleCodes: {
    flag: 'allow-console-codes',
    variable: 'COUPLET_ALLOW_CONSOLE_CODES',
    help: 'print codes here even when others can reach us',
  },
}

export const HELP: string = `Usage: couplet serve [options]

Runs a Couplet server: registration, directory, a mailbox for each person.

${Object.values(SETTINGS).map(describe).join('\n')}
  ${'-h, --help'.padEnd(26)}this page

Every option is also a variable: --port is COUPLET_PORT, --mailbox-capacity is
COUPLET_MAILBOX_CAPACITY. An option wins over its variable.

Examples:
  couplet serve
  couplet serve --port 9000 --data ./data --code-sender file:./codes.jsonl
`

function describe({ flag, value, help }: Setting): string {
  return `  ${`--${flag}${value ? ` ${value}` : ''}`.padEnd(26)}${help}`
}
