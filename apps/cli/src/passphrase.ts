/**
 * The passphrase of a home: from a file, from the person at the keyboard, or none. Never from the
 * command line, where other users of the machine could read it.
 */
import { readFile } from 'node:fs/promises'
import type { Context } from './context.ts'
import { CommandError, UsageError } from './errors.ts'
import type { Streams } from './terminal.ts'

/**
 * For a home that exists: from the file, the keyring, or the person. `undefined` when it needs none.
 *
 * @param options.keyring - false when what the keyring has turned out to be wrong.
 */
export async function passphraseToOpen(
  context: Context,
  need: 'none' | 'passphrase' | 'new',
  home: string,
  { keyring = true }: { readonly keyring?: boolean } = {},
): Promise<string | undefined> {
  if (need !== 'passphrase') return undefined
  const fromFile = await passphraseFile(context)
  if (fromFile !== undefined) return fromFile
  const kept = keyring && !context.options['no-passphrase'] ? await keptFor(home) : undefined
  if (kept !== undefined) return kept
  if (!context.terminal.interactive || context.options['no-passphrase']) {
    throw new CommandError(
      'passphrase-required',
      'this home has a passphrase: put it into the keyring (couplet keyring store), or into a file that only you can read, and name the file in COUPLET_PASSPHRASE_FILE.',
    )
  }
  return askHidden(context.terminal.streams, 'Passphrase: ')
}

/** The one of the home, from the file or the person: what the keyring has is not asked. */
export async function knownPassphrase(context: Context): Promise<string> {
  const fromFile = await passphraseFile(context)
  if (fromFile !== undefined) return fromFile
  if (!context.terminal.interactive) {
    throw new CommandError('passphrase-required', 'name a file with it in --passphrase-file.')
  }
  return askHidden(context.terminal.streams, 'Passphrase: ')
}

/** For a home that is about to be made. `undefined` when it gets none. */
export async function passphraseToCreate(context: Context): Promise<string | undefined> {
  const { terminal } = context
  const fromFile = await passphraseFile(context)
  if (fromFile !== undefined) return fromFile
  if (context.options['no-passphrase']) return undefined
  if (!terminal.interactive) {
    terminal.say(
      'couplet: note: without a passphrase, whoever can read this home can read your messages. To set one, name a file in COUPLET_PASSPHRASE_FILE; COUPLET_NO_PASSPHRASE=1 silences this note.',
    )
    return undefined
  }
  terminal.say(
    'A passphrase protects your keys and messages on this machine. It cannot be recovered.\nWithout one, whoever can read the folder can read them.',
  )
  for (;;) {
    const first = await askHidden(terminal.streams, 'Passphrase (empty for none): ')
    if (first === '') return undefined
    if ((await askHidden(terminal.streams, 'The same again: ')) === first) return first
    terminal.say('These were not the same. Once more.')
  }
}

/** Of an exported file: asked for twice when it is `new`. */
export async function filePassphrase(context: Context, kind: 'new' | 'known'): Promise<string> {
  const { terminal, options } = context
  const path = options['file-passphrase-file']
  if (path !== undefined) return secretIn(path, 'passphrase file')
  if (!terminal.interactive) {
    const how = 'the exported file has a passphrase: name a file with it in --file-passphrase-file.'
    throw new CommandError('passphrase-required', how)
  }
  for (;;) {
    const first = await askHidden(terminal.streams, 'Passphrase of the file: ')
    if (first === '') terminal.say('It needs one: whoever has the file and the passphrase is you.')
    else if (kind === 'known') return first
    else if ((await askHidden(terminal.streams, 'The same again: ')) === first) return first
    else terminal.say('These were not the same. Once more.')
  }
}

/** The PIN of a locked number, when one is given. */
export function pinFrom({ options }: Context): Promise<string> | undefined {
  const path = options['pin-file']
  return path === undefined ? undefined : secretIn(path, 'PIN file')
}

/** A PIN to set: from the file, or typed twice. */
export async function newPin(context: Context): Promise<string> {
  const { terminal } = context
  const fromFile = await pinFrom(context)
  if (fromFile !== undefined) return goodPin(fromFile)
  if (!terminal.interactive) throw new UsageError('name a file with the PIN in --pin-file.')
  for (;;) {
    const first = goodPin(await askHidden(terminal.streams, 'New PIN: '))
    if ((await askHidden(terminal.streams, 'The same again: ')) === first) return first
    terminal.say('These were not the same. Once more.')
  }
}

function goodPin(pin: string): string {
  const { length } = Array.from(pin)
  if (length < PIN_LENGTH.min || length > PIN_LENGTH.max) {
    throw new UsageError(`a PIN has ${PIN_LENGTH.min} to ${PIN_LENGTH.max} characters.`)
  }
  return pin
}

async function passphraseFile(context: Context): Promise<string | undefined> {
  const path = context.options['passphrase-file']
  return path === undefined ? undefined : secretIn(path, 'passphrase file')
}

async function secretIn(path: string, what: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CommandError('cannot-write', `the ${what} ${path} cannot be read.`, { cause })
  })
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') throw new UsageError(`the ${what} ${path} is empty.`)
  return secret
}

/** What the server takes. (spec/http-api.md, "Account") */
const PIN_LENGTH = { min: 4, max: 64 } as const

/** Loaded when somebody is asked: most commands are not, and short ones must start at once. */
async function askHidden(streams: Streams, question: string): Promise<string> {
  return (await import('./prompt.ts')).askHidden(streams, question)
}

/** Nor do most look into the keyring. */
async function keptFor(home: string): Promise<string | undefined> {
  return (await import('./keyring.ts')).fromKeyring(home)
}
