/**
 * Every option there is: one table that drives parsing, help and environment variables. Each
 * option has the variable `COUPLET_` + its name; the command line wins over the variable.
 */

/** What was asked for, by name of the option. */
export interface Options {
  home?: string
  server?: string
  'passphrase-file'?: string
  'no-passphrase'?: boolean
  code?: string
  wait?: 'sent' | 'delivered'
  timeout?: number
  /** Milliseconds. */
  expires?: number
  compare?: string
  lines?: boolean
  yes?: boolean
  'take-back'?: boolean
  'file-passphrase-file'?: string
  invitation?: string
  'pin-file'?: string
  tell?: boolean
  socket?: string
  http?: string
  'token-file'?: string
  follow?: boolean
  mark?: boolean
  unmark?: boolean
  flush?: boolean
  fast?: boolean
  json?: boolean
  quiet?: boolean
  help?: boolean
  version?: boolean
}

export type OptionName = keyof Options

export type OptionKind =
  | { readonly kind: 'flag' }
  | { readonly kind: 'text'; readonly placeholder: string }
  | { readonly kind: 'seconds'; readonly placeholder: string }
  | { readonly kind: 'duration'; readonly placeholder: string }
  | { readonly kind: 'choice'; readonly placeholder: string; readonly choices: readonly string[] }

export type OptionSpec = OptionKind & {
  readonly short?: string
  readonly help: string
  /** `--help` and `--version` are questions, not settings. */
  readonly variable?: false
}

export const OPTIONS: { readonly [name in OptionName]-?: OptionSpec } = {
  home: {
    kind: 'text',
    placeholder: 'FOLDER',
    help: 'Where your keys and messages are (default: your data folder)',
  },
  server: {
    kind: 'text',
    placeholder: 'URL',
    help: 'The server to register at; remembered (default: http://localhost:8080)',
  },
  'passphrase-file': {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Read the passphrase of the home from this file',
  },
  'no-passphrase': { kind: 'flag', help: 'Never ask for a passphrase; a new home gets none' },
  code: { kind: 'text', placeholder: 'CODE', help: 'The six digits that the server sent' },
  wait: {
    kind: 'choice',
    placeholder: 'sent|delivered',
    choices: ['sent', 'delivered'],
    help: 'How far the message must get before the command ends (default: sent)',
  },
  timeout: {
    kind: 'seconds',
    placeholder: 'SECONDS',
    help: 'Give up waiting after this long (default: 30)',
  },
  expires: {
    kind: 'duration',
    placeholder: 'TIME',
    help: 'Both devices delete it so long after it was sent or read: 30s, 5m, 1h, 7d, off',
  },
  compare: {
    kind: 'text',
    placeholder: 'DIGITS',
    help: 'The sixty digits that the other device shows: mark as verified if they match',
  },
  lines: { kind: 'flag', help: 'Line by line instead of a full screen; good for screen readers' },
  socket: {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Listen on this Unix socket, which only you can open',
  },
  http: { kind: 'text', placeholder: 'PORT', help: 'Listen on this port of 127.0.0.1; 0 for any' },
  'token-file': {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Where the token for HTTP is, or is put (default: daemon.token in the home)',
  },
  yes: { kind: 'flag', short: 'y', help: 'Do not ask whether this is meant' },
  'take-back': {
    kind: 'flag',
    help: 'Take an interrupted export back; be sure that its file is imported nowhere',
  },
  'file-passphrase-file': {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Read the passphrase of the exported file from this file',
  },
  invitation: {
    kind: 'text',
    placeholder: 'TEXT',
    help: 'The invitation, for servers that ask for one',
  },
  'pin-file': {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Read the PIN of the number from this file',
  },
  tell: { kind: 'flag', help: 'Tell everybody you write with, by a message' },
  follow: { kind: 'flag', short: 'f', help: 'Stay, and print messages as they arrive' },
  mark: { kind: 'flag', help: 'The numbers match: mark this contact as verified' },
  unmark: { kind: 'flag', help: 'Take the mark back' },
  flush: { kind: 'flag', help: 'Connect, send what can be sent now, and say what happened' },
  fast: { kind: 'flag', help: 'Do not pause between the steps' },
  json: { kind: 'flag', help: 'One JSON object a line, no prompts' },
  quiet: { kind: 'flag', short: 'q', help: 'Print nothing but data and errors' },
  help: { kind: 'flag', short: 'h', help: 'Show help', variable: false },
  version: { kind: 'flag', help: 'Show the version', variable: false },
}

/** The environment variable that stands for an option. */
export function variableOf(name: OptionName): string | undefined {
  if (OPTIONS[name].variable === false) return undefined
  return `COUPLET_${name.toUpperCase().replaceAll('-', '_')}`
}
