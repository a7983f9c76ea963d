/** Opens the home for one command, goes online where that is wanted, and always closes it. */
import type { Couplet } from '@couplet/client'
import type { Context } from './context.ts'
import { DEFAULT_TIMEOUT_SECONDS, type Deadline, deadlineAfter } from './deadline.ts'
import { CommandError, codeOf } from './errors.ts'
import { interruption, unlessInterrupted } from './interrupt.ts'
import { failureSentence } from './message-lines.ts'
import { passphraseToOpen } from './passphrase.ts'

/** The SDK, loaded when a command needs it. */
export function sdk(): Promise<typeof import('@couplet/client/node')> {
  return import('@couplet/client/node')
}

export async function homeFolder(context: Context): Promise<string> {
  return context.options.home ?? (await sdk()).defaultHome(context.environment)
}

/** What opens a home. */
export interface Access {
  readonly home: string
  readonly passphrase?: string
}

/**
 * Runs the work with the home open; closes it whatever happens, signals included.
 *
 * @param known - what opened it before in this command: nobody is asked twice.
 */
export async function withCouplet(
  context: Context,
  work: (couplet: Couplet, deadline: Deadline, access: Access) => Promise<number>,
  known?: Access,
): Promise<number> {
  interruption()
  const { couplet, access } = known ? await openWith(context, known) : await open(context)
  try {
    return await unlessInterrupted(work(couplet, commandDeadline(context), access))
  } finally {
    await couplet.close()
  }
}

/** Starts to count when it is called: after questions were answered. */
export function commandDeadline(context: Context): Deadline {
  return deadlineAfter(context.options.timeout ?? DEFAULT_TIMEOUT_SECONDS)
}

/**
 * Connects and settles the outbox: what every command that goes online does first. A message that
 * turns out to be undeliverable is told of, whatever the command is.
 *
 * @throws {ClientError} `unreachable` also when there was no answer before the deadline.
 */
export async function goOnline(
  context: Context,
  couplet: Couplet,
  deadline: Deadline,
): Promise<void> {
  const { terminal } = context
  const stop = couplet.on('status', (message) => {
    if (message.state === 'failed') terminal.warn('not-delivered', failureSentence(message))
  })
  try {
    const connecting = deadline.race(couplet.connect(), noAnswer)
    await terminal.during(`Connecting to ${couplet.server} …`, connecting)
    await terminal.during('Settling the outbox …', deadline.race(couplet.settled()))
  } finally {
    stop()
  }
}

/** Like `goOnline`; says no when the server does not answer. */
export async function tryOnline(
  context: Context,
  couplet: Couplet,
  deadline: Deadline,
): Promise<boolean> {
  try {
    await goOnline(context, couplet, deadline)
    return true
  } catch (error) {
    if (!UNREACHABLE.has(codeOf(error))) throw error
    return false
  }
}

interface Opened {
  readonly couplet: Couplet
  readonly access: Access
}

async function openWith({ terminal }: Context, access: Access): Promise<Opened> {
  const { openCouplet } = await sdk()
  return { couplet: await terminal.during('Opening your home …', openCouplet(access)), access }
}

async function open(context: Context): Promise<Opened> {
  const { needsPassphrase } = await sdk()
  const home = await homeFolder(context)
  const need = await needsPassphrase(home)
  for (let tries = 1; ; tries++) {
    const passphrase = await passphraseToOpen(context, need, home, { keyring: tries === 1 })
    try {
      return await openWith(context, { home, ...(passphrase !== undefined && { passphrase }) })
    } catch (error) {
      const again =
        codeOf(error) === 'wrong-passphrase' &&
        context.terminal.interactive &&
        context.options['passphrase-file'] === undefined &&
        tries < PASSPHRASE_TRIES
      if (!again) throw error
      context.terminal.say('That is not the passphrase. Once more.')
    }
  }
}

function noAnswer(): Error {
  return new CommandError('unreachable', 'the server did not answer in time.')
}

/** Codes that mean: not now, try again. */
export const UNREACHABLE: ReadonlySet<string> = new Set(['unreachable', 'unavailable'])
const PASSPHRASE_TRIES = 3
