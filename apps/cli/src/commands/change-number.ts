/** `couplet change-number`: the same keys and conversations under another number. */
import type { Contact, Couplet, PendingRegistration, Registered } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import { askForCode, bringCode, type Finish, sayHowToGoOn, sixDigits } from '../code-entry.ts'
import type { Context } from '../context.ts'
import type { Deadline } from '../deadline.ts'
import { UsageError } from '../errors.ts'
import { type Access, commandDeadline, goOnline, sdk, withCouplet } from '../home.ts'
import { unlessInterrupted } from '../interrupt.ts'
import { outgoingJson } from '../message-lines.ts'
import { ask } from '../prompt.ts'
import { onWarnings } from '../warnings.ts'

export async function run(context: Context): Promise<number> {
  const phone = parsePhoneNumber(context.operands[0]!)
  const code = context.options.code === undefined ? undefined : sixDigits(context.options.code)
  const { access, formerPhone } = await settled(context, phone)
  const bring: Finish = (digits, pin) => finish(context, access, digits, pin)
  let registered: Registered
  if (code !== undefined) registered = await bringCode(context, code, bring)
  else {
    const pending = await begin(context, access, phone)
    if (!context.terminal.interactive) {
      await sayHowToGoOn(context, pending, 'change-number')
      return 0
    }
    registered = await askForCode(context, pending, bring)
  }
  await report(context, registered, formerPhone)
  return withCouplet(context, (couplet, deadline) => tell(context, couplet, deadline), access)
}

/** What waits at the old number is fetched first: it would have to be sent again. */
async function settled(
  context: Context,
  phone: string,
): Promise<{ access: Access; formerPhone: string }> {
  let found: { access: Access; formerPhone: string } | undefined
  await withCouplet(context, async (couplet, deadline, access) => {
    if (couplet.phone === phone) throw new UsageError('this is your number already.')
    onWarnings(context, couplet)
    await goOnline(context, couplet, deadline)
    found = { access, formerPhone: couplet.phone }
    return 0
  })
  return found!
}

async function begin(
  context: Context,
  access: Access,
  phone: string,
): Promise<PendingRegistration> {
  const { beginNumberChange } = await sdk()
  const work = beginNumberChange({ ...access, phone, invitation: context.options.invitation })
  const inTime = unlessInterrupted(commandDeadline(context).race(work))
  return context.terminal.during('Asking for a code …', inTime)
}

async function finish(
  context: Context,
  access: Access,
  code: string,
  pin: string | undefined,
): Promise<Registered> {
  const { finishNumberChange } = await sdk()
  const work = finishNumberChange({ ...access, code, pin })
  const inTime = unlessInterrupted(commandDeadline(context).race(work))
  return context.terminal.during('Changing your number …', inTime)
}

async function report(
  { terminal }: Context,
  { phone, server, identityId, replaced }: Registered,
  formerPhone: string,
): Promise<void> {
  const change = { phone, formerPhone, server, identityId, replaced }
  await terminal.printJson({ type: 'number-changed', ...change })
  await terminal.answer(`You are ${phone} now; ${formerPhone} is free.`)
  terminal.say(
    'The devices of people you write with are told, and go on with the same conversation.',
  )
  if (replaced) terminal.say('The number had other keys before. People who know them are warned.')
}

/** A message to everybody whom something was said to or heard from, if the user wants. */
async function tell(context: Context, couplet: Couplet, deadline: Deadline): Promise<number> {
  const { terminal, options } = context
  onWarnings(context, couplet)
  const people = (await couplet.conversations()).map(({ contact }) => contact).filter(isToldTo)
  if (people.length === 0 || !(options.tell || (await wantsToTell(context, people)))) return 0
  for (const { phone } of people) {
    const text = `This is my number now: ${couplet.phone}`
    const { message, sent, delivered } = await couplet.send(phone, text)
    for (const end of [sent, delivered]) end.catch(() => {})
    await terminal.printJson(outgoingJson(message))
  }
  await goOnline(context, couplet, deadline)
  await terminal.answer(`Told ${people.length === 1 ? 'one person' : `${people.length} people`}.`)
  return 0
}

async function wantsToTell({ terminal }: Context, people: readonly Contact[]): Promise<boolean> {
  if (!terminal.interactive) return false
  const whom = people.length === 1 ? people[0]!.phone : `the ${people.length} people you write with`
  return !/^n/i.test(await ask(terminal.streams, `Tell ${whom} now? [Y/n] `))
}

function isToldTo({ blocked, accepted, changedKey }: Contact): boolean {
  return accepted && !blocked && changedKey === undefined
}
