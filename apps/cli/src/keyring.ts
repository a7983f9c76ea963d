/**
 * The keyring of the system, where a passphrase can be kept: by the programs that come with it, so
 * that nothing has to be compiled. `secret-tool` on Linux (GNOME, KDE), `security` on macOS.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { CommandError } from './errors.ts'

/** What is kept for a home; nothing when there is no keyring, or nothing in it. */
export async function fromKeyring(home: string): Promise<string | undefined> {
  const found = await run(LOOKUP[process.platform]?.(home))
  if (found?.exit !== 0) return undefined
  const encoded = found.output.trim()
  return encoded === '' ? undefined : Buffer.from(encoded, 'base64url').toString('utf8')
}

/** @throws {CommandError} `no-keyring`. */
export async function storeInKeyring(home: string, passphrase: string): Promise<void> {
  // Some keyrings give back what is not ASCII in another form.
  const encoded = Buffer.from(passphrase, 'utf8').toString('base64url')
  const done = await run(STORE[process.platform]?.(home, encoded))
  if (done?.exit !== 0) throw noKeyring(done?.errors)
}

/** @throws {CommandError} `no-keyring`. */
export async function forgetInKeyring(home: string): Promise<void> {
  const done = await run(FORGET[process.platform]?.(home))
  // What was not there is gone, too.
  if (!done || (done.exit !== 0 && done.errors !== '')) throw noKeyring(done?.errors)
}

interface Call {
  readonly program: string
  readonly args: readonly string[]
  /** Never an argument, which other users of the machine can read. */
  readonly input?: string
}

interface Ended {
  readonly exit: number | null
  readonly output: string
  readonly errors: string
}

type Calls<Rest extends readonly string[]> = Partial<
  Record<NodeJS.Platform, (home: string, ...rest: Rest) => Call>
>

const LOOKUP: Calls<[]> = {
  linux: (home) => ({ program: 'secret-tool', args: ['lookup', ...attributes(home)] }),
  darwin: (home) => ({
    program: 'security',
    args: ['find-generic-password', '-s', SERVICE, '-a', nameOf(home), '-w'],
  }),
}

const STORE: Calls<[encoded: string]> = {
  linux: (home, encoded) => ({
    program: 'secret-tool',
    args: ['store', `--label=Couplet: ${resolve(home)}`, ...attributes(home)],
    input: encoded,
  }),
  darwin: (home, encoded) => ({
    program: 'security',
    args: ['-i'],
    input: `add-generic-password -U -s ${SERVICE} -a ${nameOf(home)} -w ${encoded}\n`,
  }),
}

const FORGET: Calls<[]> = {
  linux: (home) => ({ program: 'secret-tool', args: ['clear', ...attributes(home)] }),
  darwin: (home) => ({
    program: 'security',
    args: ['delete-generic-password', '-s', SERVICE, '-a', nameOf(home)],
  }),
}

function attributes(home: string): readonly string[] {
  return ['application', SERVICE, 'home', nameOf(home)]
}

/** A word for every path, whatever is in it. */
function nameOf(home: string): string {
  return createHash('sha256').update(resolve(home)).digest('hex').slice(0, 32)
}

/** Nothing when the program is not there. */
function run(call: Call | undefined): Promise<Ended | undefined> {
  if (!call) return Promise.resolve(undefined)
  return new Promise((done) => {
    const child = spawn(call.program, call.args, { timeout: PATIENCE_MS })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.on('error', () => done(undefined))
    child.on('close', (exit) => done({ exit, output, errors: errors.trim() }))
    child.stdin.on('error', () => {})
    child.stdin.end(call.input ?? '')
  })
}

function noKeyring(why = ''): CommandError {
  const program = process.platform === 'darwin' ? 'security' : 'secret-tool'
  const reason = why === '' ? `is ${program} installed?` : why
  return new CommandError('no-keyring', `this machine’s keyring cannot be used: ${reason}`)
}

const SERVICE = 'couplet'
/** The keyring may ask its owner first. */
const PATIENCE_MS = 120_000
