/** `couplet register`: makes the keys and proves that the number is the user's. */
import type { PendingRegistration, Registered } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import { askForCode, bringCode, type Finish, sayHowToGoOn, sixDigits } from '../code-entry.ts'
import { type Context, pasteable } from '../context.ts'
import { CommandError } from '../errors.ts'
import { type Access, commandDeadline, homeFolder, sdk } from '../home.ts'
import { unlessInterrupted } from '../interrupt.ts'
import { passphraseToCreate, passphraseToOpen } from '../passphrase.ts'

export async function run(context: Context): Promise<number> {
  const phone = parsePhoneNumber(context.operands[0]!)
  const code = context.options.code === undefined ? undefined : sixDigits(context.options.code)
  const home = await homeFolder(context)
  const need = await (await sdk()).needsPassphrase(home)
  if (need === 'new' && code !== undefined) throw noRegistration(context, phone)
  const passphrase =
    need === 'new' ? await passphraseToCreate(context) : await passphraseToOpen(context, need, home)
  const access = { home, ...(passphrase !== undefined && { passphrase }) }
  const bring: Finish = (digits, pin) => complete(context, access, digits, pin)

  if (code !== undefined) return finish(context, await bringCode(context, code, bring))
  const pending = await begin(context, access, phone)
  if (context.terminal.interactive)
    return finish(context, await askForCode(context, pending, bring))
  await sayHowToGoOn(context, pending, 'register')
  return 0
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
  pin: string | undefined,
): Promise<Registered> {
  const { completeRegistration } = await sdk()
  const work = completeRegistration({ ...access, code, pin })
  return context.terminal.during(
    'Registering …',
    unlessInterrupted(commandDeadline(context).race(work)),
  )
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
