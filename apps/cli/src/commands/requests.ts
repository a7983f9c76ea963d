/** `couplet requests`: strangers who wrote and wait for a decision. */
import type { Couplet, MessageRequest } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import { type Context, pasteable } from '../context.ts'
import { CommandError, UsageError } from '../errors.ts'
import { tryOnline, withCouplet } from '../home.ts'
import { incomingJson, incomingLine } from '../message-lines.ts'
import { ask } from '../prompt.ts'
import { contactJson } from './contacts.ts'

export async function run(context: Context): Promise<number> {
  const [action, number] = context.operands
  if (action === undefined) return list(context)
  if ((action !== 'accept' && action !== 'block') || number === undefined) {
    throw new UsageError(
      'it is “couplet requests”, “requests accept NUMBER” or “requests block NUMBER”.',
    )
  }
  const phone = parsePhoneNumber(number)
  return withCouplet(context, async (couplet, deadline) => {
    await tryOnline(context, couplet, deadline)
    const waiting = (await couplet.requests()).some(({ contact }) => contact.phone === phone)
    if (!waiting) throw new CommandError('no-request', `nobody waits under ${phone}.`)
    await decide(context, couplet, phone, action)
    return 0
  })
}

function list(context: Context): Promise<number> {
  const { terminal } = context
  return withCouplet(context, async (couplet, deadline) => {
    const online = await tryOnline(context, couplet, deadline)
    const requests = await couplet.requests()
    for (const request of requests) await show(context, request)
    if (requests.length === 0) terminal.say('Nobody waits.')
    else if (terminal.interactive) await askAbout(context, couplet, requests)
    else terminal.say(`Decide with: ${pasteable(context, 'requests accept NUMBER')} (or block)`)
    if (!online) {
      throw new CommandError('unreachable', 'the server does not answer: shown is what was here.')
    }
    return 0
  })
}

async function show({ terminal }: Context, { contact, messages }: MessageRequest): Promise<void> {
  const { phone, identityId } = contact
  await terminal.printJson({
    type: 'request',
    phone,
    identityId,
    messages: messages.map(incomingJson),
  })
  if (terminal.json) return
  for (const message of messages) await terminal.print(incomingLine(terminal, message, Date.now()))
}

async function askAbout(
  context: Context,
  couplet: Couplet,
  requests: readonly MessageRequest[],
): Promise<void> {
  const { terminal } = context
  terminal.say('They see no receipt before you accept them.')
  for (const { contact } of requests) {
    const answer = await ask(
      terminal.streams,
      `${contact.phone}: accept, block, or later? [a/b/L] `,
    )
    if (/^a/i.test(answer)) await decide(context, couplet, contact.phone, 'accept')
    if (/^b/i.test(answer)) await decide(context, couplet, contact.phone, 'block')
  }
}

async function decide(
  context: Context,
  couplet: Couplet,
  phone: string,
  action: 'accept' | 'block',
): Promise<void> {
  const { terminal } = context
  if (action === 'accept') {
    await terminal.printJson(contactJson(await couplet.accept(phone)))
    await terminal.answer(
      `${phone} is accepted. Read what was written: ${pasteable(context, 'receive')}`,
    )
    return
  }
  await terminal.printJson(contactJson(await couplet.block(phone)))
  await terminal.answer(
    `${phone} is blocked: nothing from there is shown, and no receipt goes there.`,
  )
}
