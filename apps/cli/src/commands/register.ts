/** `couplet register`: makes the keys and proves that the number is the user's. */
import type { PendingRegistration, Registered } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import { type Context, pasteable } from '../context.ts'
import { CommandError, codeOf, detailsOf, UsageError } from '../errors.ts'
import { commandDeadline, homeFolder, sdk } from '../home.ts'
import { unlessInterrupted } from '../interrupt.ts'
import { passphraseToCreate, passphraseToOpen, pinFrom } from '../passphrase.ts'
import { ask, askHidden } from '../prompt.ts'
import { capitalized, sentenceFor } from '../sentences.ts'

export async function run(context: Context): Promise<number> {
  const phone = parsePhoneNumber(context.operands[0]!)
  const code = context.options.code === undefined ? undefined : sixDigits(context.options.code)
  const home = await homeFolder(context)
  const need = await (await sdk()).needsPassphrase(home)
  if (need === 'new' && code !== undefined) throw noRegistration(context, phone)
  const passphrase =
    need === 'new' ? await passphraseToCreate(context) : await passphraseToOpen(context, need)
  const access = { home, ...(passphrase !== undefined && { passphrase }) }

  if (code !== undefined) return finish(context, await complete(context, access, code))
  const pending = await begin(context, access, phone)
  if (context.terminal.interactive)
    return finish(context, await askForCode(context, access, pending))
  await sayHowToGoOn(context, pending)
  return 0
}

interface Access {
  readonly home: string
  readonly passphrase?: string
}

async function begin(
  context: Context,
  access: Access,
  phone: string,
): Promise<PendingRegistration> {
  const { beginRegistration } = await sdk()
  const { server, invitation } = context.options
  const work = beginRegistration({ ...access, phone, server, invitation })
  return context.terminal.during(
    'Making your keys and asking for a code …',
    unlessInterrupted(commandDeadline(context).race(work)),
  )
}

async function complete(
  context: Context,
  access: Access,
  code: string,
  typedPin?: string,
): Promise<Registered> {
  const { completeRegistration } = await sdk()
  const pin = typedPin ?? (await pinFrom(context))
  const work = completeRegistration({ ...access, code, pin })
  return context.terminal.during(
    'Registering …',
    unlessInterrupted(commandDeadline(context).race(work)),
  )
}

async function askForCode(
  context: Context,
  access: Access,
  pending: PendingRegistration,
): Promise<Registered> {
  const { terminal } = context
  terminal.say(whereTheCodeIs(pending))
  for (;;) {
    const answer = await ask(terminal.streams, 'Code: ')
    try {
      return await completeWithPin(context, access, sixDigits(answer))
    } catch (error) {
      const mistyped = error instanceof UsageError
      const again = codeOf(error) === 'wrong-code' && (detailsOf(error).triesLeft ?? 1) > 0
      if (!mistyped && !again) throw error
      terminal.say(capitalized(sentenceFor(error, context)))
    }
  }
}

/** A locked number has a PIN: whoever sits at the terminal is asked for it. */
async function completeWithPin(
  context: Context,
  access: Access,
  code: string,
): Promise<Registered> {
  const { terminal } = context
  try {
    return await complete(context, access, code)
  } catch (error) {
    if (codeOf(error) !== 'registration-locked' || context.options['pin-file'] !== undefined) {
      throw error
    }
    terminal.say(capitalized(sentenceFor(error, context)))
    return await complete(context, access, code, await askHidden(terminal.streams, 'PIN: '))
  }
}

async function sayHowToGoOn(context: Context, pending: PendingRegistration): Promise<void> {
  const { terminal } = context
  await terminal.printJson({
    type: 'code-requested',
    phone: pending.phone,
    server: pending.server,
    expiresAt: new Date(pending.expiresAt).toISOString(),
    development: pending.development,
  })
  const next = pasteable(context, `register ${pending.phone} --code 123456`)
  await terminal.answer(`${whereTheCodeIs(pending)}\nGo on with that code: ${next}`)
}

async function finish(context: Context, registered: Registered): Promise<number> {
  const { terminal } = context
  await terminal.printJson({ type: 'registered', ...registered })
  await terminal.answer(`Registered ${registered.phone} at ${registered.server}.`)
  if (registered.replaced) {
    terminal.say('This number had other keys before. People who know them are warned.')
  }
  const tell = pasteable(context, 'send NUMBER "Hello"')
  if (terminal.interactive) terminal.say(`Say hello to somebody: ${tell}`)
  return 0
}

function noRegistration(context: Context, phone: string): CommandError {
  const first = pasteable(context, `register ${phone}`)
  return new CommandError(
    'no-registration',
    `no registration waits for a code here. Ask for one with: ${first}`,
  )
}

function whereTheCodeIs(pending: PendingRegistration): string {
  return pending.development
    ? 'The server is in development mode: your code appears where it runs.'
    : `The server has sent a code to ${pending.phone}. It is good for ten minutes.`
}

/** A code as people write it: `123 456` is fine. */
function sixDigits(text: string): string {
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d{6}$/.test(digits)) throw new UsageError('the code is six digits, like 123456.')
  return digits
}
