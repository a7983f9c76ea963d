/** `couplet contacts`: who is known here, and the decision about a changed key. */
import type { Contact } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import { type Context, pasteable } from '../context.ts'
import { UsageError } from '../errors.ts'
import { tryOnline, withCouplet } from '../home.ts'

export async function run(context: Context): Promise<number> {
  const [action, number] = context.operands
  if (action === undefined) return list(context)
  if (!isAction(action) || number === undefined) {
    throw new UsageError(
      'it is “couplet contacts”, or “contacts accept”, “block” or “unblock” and a NUMBER.',
    )
  }
  const phone = parsePhoneNumber(number)
  return action === 'accept' ? accept(context, phone) : block(context, phone, action === 'block')
}

function list(context: Context): Promise<number> {
  const { terminal } = context
  return withCouplet(context, async (couplet) => {
    const contacts = await couplet.contacts()
    for (const contact of contacts) {
      if (terminal.json) await terminal.printJson(contactJson(contact))
      else await terminal.print(lineOf(context, contact))
    }
    if (contacts.length === 0) {
      terminal.say(`Nobody yet. Write to somebody: ${pasteable(context, 'send NUMBER "Hello"')}`)
    }
    return 0
  })
}

function accept(context: Context, phone: string): Promise<number> {
  const { terminal } = context
  return withCouplet(context, async (couplet, deadline) => {
    const before = (await couplet.contacts()).find((contact) => contact.phone === phone)
    const shown = before?.changedKey?.identityId ?? before?.identityId ?? ''
    const contact = await couplet.acceptKey(phone, shown)
    await terminal.printJson(contactJson(contact))
    if (before?.changedKey) {
      await terminal.answer(`${phone} is the new key from now on. It is not verified yet.`)
      terminal.say(`Compare the safety number: ${pasteable(context, `verify ${phone}`)}`)
    } else {
      await terminal.answer(`The key of ${phone} has not changed; you go on with it.`)
    }
    // What was held back goes out now, or with the next command that connects.
    await tryOnline(context, couplet, deadline)
    return 0
  })
}

function block(context: Context, phone: string, blocked: boolean): Promise<number> {
  const { terminal } = context
  return withCouplet(context, async (couplet, deadline) => {
    await terminal.printJson(contactJson(await couplet.block(phone, blocked)))
    await terminal.answer(
      blocked
        ? `${phone} is blocked: nothing from there is shown, and no receipt goes there.`
        : `${phone} is not blocked any more.`,
    )
    if (!blocked) await tryOnline(context, couplet, deadline)
    return 0
  })
}

function isAction(word: string): word is 'accept' | 'block' | 'unblock' {
  return ['accept', 'block', 'unblock'].includes(word)
}

export function contactJson(contact: Contact): Record<string, unknown> {
  return { type: 'contact', ...contact }
}

/** `+12025550102  verified  (before: +12025550151)`. */
function lineOf(context: Context, contact: Contact): string {
  const { phone, formerPhone } = contact
  const before = formerPhone ? context.terminal.paint('dim', `  (before: ${formerPhone})`) : ''
  return `${phone}  ${trustWords(context, contact)}${before}`
}

function trustWords({ terminal }: Context, contact: Contact): string {
  if (contact.blocked) return terminal.paint('dim', 'blocked')
  if (contact.changedKey) return terminal.paint('yellow', 'changed key: verify, then accept')
  if (contact.sessionReplaced) {
    return terminal.paint('yellow', 'session began anew: verify, or accept')
  }
  return contact.verified ? terminal.paint('green', 'verified') : 'not verified yet'
}
