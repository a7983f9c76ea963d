/** What programs can ask of the daemon. (docs/daemon.md) */
import type { Couplet, Settings } from '@couplet/client'
import { parsePhoneNumber, toBase64Url } from '@couplet/wire'
import { contactJson } from '../commands/contacts.ts'
import { incomingJson, outgoingJson } from '../message-lines.ts'
import { isoTime } from '../time.ts'
import { version } from '../version.ts'
import { type Caller, choice, count, type Method, type Params, text } from './json-rpc.ts'
import type { MessageStream } from './message-stream.ts'

export function methodsOf(
  couplet: Couplet,
  messages: MessageStream,
): Readonly<Record<string, Method>> {
  return {
    version: () => ({ version: version() }),
    status: () => {
      const { phone, server, identityId, connection } = couplet
      return { phone, server, identityId, connection }
    },
    subscribe: (params, caller) => subscribe(couplet, messages, params, caller),
    acknowledge: (params) => ({ acknowledged: messages.acknowledge(text(params, 'id')) }),
    send: (params) => send(couplet, params),
    history: async (params) => {
      const limit = count(params, 'limit')
      const found = await couplet.history(number(params), limit === undefined ? {} : { limit })
      return found.map((each) =>
        each.direction === 'incoming' ? incomingJson(each) : outgoingJson(each),
      )
    },
    outbox: async () => (await couplet.outbox()).map(outgoingJson),
    contacts: async () => (await couplet.contacts()).map(contactJson),
    requests: async () =>
      (await couplet.requests()).map(({ contact, messages: waiting }) => ({
        ...contactJson(contact),
        type: 'request',
        messages: waiting.map(incomingJson),
      })),
    accept: async (params) => contactJson(await couplet.accept(number(params))),
    block: async (params) => contactJson(await couplet.block(number(params))),
    unblock: async (params) => contactJson(await couplet.block(number(params), false)),
    verify: async (params) => {
      const safetyNumber = await couplet.verify(number(params))
      return { ...safetyNumber, code: toBase64Url(safetyNumber.code) }
    },
    acceptKey: async (params) =>
      contactJson(await couplet.acceptKey(number(params), text(params, 'identityId'))),
    settings: () => couplet.settings(),
    changeSettings: (params) => couplet.changeSettings(settingsOf(params)),
    deleteMessage: (params) => couplet.deleteMessage(text(params, 'id')),
  }
}

/** What happens, to this caller from now on; received messages too unless it says no. */
function subscribe(
  couplet: Couplet,
  messages: MessageStream,
  params: Params,
  caller: Caller,
): Params {
  if (choice(params, 'messages', [true, false]) ?? true) messages.subscribe(caller)
  const listening = [
    couplet.on('status', (message) => caller.notify('status', outgoingJson(message))),
    couplet.on('connection', (connection) => caller.notify('connection', { connection })),
    couplet.on('warning', ({ kind, contact }) =>
      caller.notify('warning', { kind, contact: contactJson(contact) }),
    ),
    couplet.on('request', (contact) => caller.notify('request', contactJson(contact))),
    couplet.on('expired', ({ id, peer }) => caller.notify('expired', { id, phone: peer })),
  ]
  caller.onGone(() => {
    for (const stop of listening) stop()
  })
  return { connection: couplet.connection, at: isoTime(Date.now()) }
}

async function send(couplet: Couplet, params: Params): Promise<Params> {
  const expiresAfterMs = count(params, 'expiresAfterMs')
  const wait = choice(params, 'wait', ['sent', 'delivered'] as const)
  const options = expiresAfterMs === undefined ? {} : { expiresAfterMs }
  const sending = await couplet.send(
    parsePhoneNumber(text(params, 'to')),
    text(params, 'text'),
    options,
  )
  // Without a wait, what becomes of it is told by `status`.
  sending.sent.catch(() => {})
  sending.delivered.catch(() => {})
  return outgoingJson(wait === undefined ? sending.message : await sending[wait])
}

function number(params: Params): string {
  return parsePhoneNumber(text(params, 'phone'))
}

function settingsOf(params: Params): Partial<Settings> {
  const receipts = choice(params, 'receipts', [true, false])
  const strangers = choice(params, 'strangers', ['accept', 'ask'] as const)
  const expiresAfterMs = count(params, 'expiresAfterMs')
  return {
    ...(receipts !== undefined && { receipts }),
    ...(strangers !== undefined && { strangers }),
    ...(expiresAfterMs !== undefined && { expiresAfterMs }),
  }
}
