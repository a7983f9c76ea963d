/** The six digits that prove a number: where they are, and asking for them until they fit. */
import type { PendingRegistration, Registered } from '@couplet/client'
import { type Context, pasteable } from './context.ts'
import { codeOf, detailsOf, UsageError } from './errors.ts'
import { pinFrom } from './passphrase.ts'
import { ask, askHidden } from './prompt.ts'
import { capitalized, sentenceFor } from './sentences.ts'

/** Brings the code to the server. */
export type Finish = (code: string, pin: string | undefined) => Promise<Registered>

/** A code as people write it: `123 456` is fine. */
export function sixDigits(text: string): string {
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d{6}$/.test(digits)) throw new UsageError('the code is six digits, like 123456.')
  return digits
}

export function whereTheCodeIs(pending: PendingRegistration): string {
  return pending.development
    ? 'The server is in development mode: your code appears where it runs.'
    : `The server has sent a code to ${pending.phone}. It is good for ten minutes.`
}

/** For scripts, which bring the code with a second command. */
export async function sayHowToGoOn(
  context: Context,
  pending: PendingRegistration,
  command: string,
): Promise<void> {
  const { terminal } = context
  await terminal.printJson({
    type: 'code-requested',
    phone: pending.phone,
    server: pending.server,
    expiresAt: new Date(pending.expiresAt).toISOString(),
    development: pending.development,
  })
  const next = pasteable(context, `${command} ${pending.phone} --code 123456`)
  await terminal.answer(`${whereTheCodeIs(pending)}\nGo on with that code: ${next}`)
}

/** With a code that was given: once. */
export async function bringCode(
  context: Context,
  code: string,
  finish: Finish,
): Promise<Registered> {
  return finish(code, await pinFrom(context))
}

/** From the person at the terminal: a mistyped code costs a try, and there are five. */
export async function askForCode(
  context: Context,
  pending: PendingRegistration,
  finish: Finish,
): Promise<Registered> {
  const { terminal } = context
  terminal.say(whereTheCodeIs(pending))
  for (;;) {
    const answer = await ask(terminal.streams, 'Code: ')
    try {
      return await withPin(context, sixDigits(answer), finish)
    } catch (error) {
      const mistyped = error instanceof UsageError
      const again = codeOf(error) === 'wrong-code' && (detailsOf(error).triesLeft ?? 1) > 0
      if (!mistyped && !again) throw error
      terminal.say(capitalized(sentenceFor(error, context)))
    }
  }
}

/** A locked number has a PIN: whoever sits at the terminal is asked for it. */
async function withPin(context: Context, code: string, finish: Finish): Promise<Registered> {
  const { terminal } = context
  try {
    return await bringCode(context, code, finish)
  } catch (error) {
    if (codeOf(error) !== 'registration-locked' || context.options['pin-file'] !== undefined) {
      throw error
    }
    terminal.say(capitalized(sentenceFor(error, context)))
    return await finish(code, await askHidden(terminal.streams, 'PIN: '))
  }
}
