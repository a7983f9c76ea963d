/** What programs can ask of the daemon. (docs/daemon.md) */
import type {
  Couplet,
  IncomingMessage,
  OutgoingMessage,
  SafetyNumber,
  Settings,
} from '@couplet/client'
import { parsePhoneNumber, toBase64Url } from '@couplet/wire'
import { contactJson } from '../commands/contacts.ts'
import { CommandError } from '../errors.ts'
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
      return found.map(messageJson)
    },
    outbox: async () => (await couplet.outbox()).map(outgoingJson),
    conversations: async () =>
      (await couplet.conversations()).map(({ contact, unread, last }) => ({
        ...contactJson(contact),
        type: 'conversation',
        unread,
        last: messageJson(last),
      })),
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
    markVerified: async (params) => {
      await couplet.markVerified(await compared(couplet, params))
      return { verified: true }
    },
    unmarkVerified: async (params) => {
      await couplet.unmarkVerified(number(params))
      return { verified: false }
    },
    acceptKey: async (params) =>
      contactJson(await couplet.acceptKey(number(params), text(params, 'identityId'))),
    account: async () => {
      const { registeredAt, waiting, lock } = await couplet.account()
      const failedAt = lock?.failedAt
      return {
        registeredAt: isoTime(registeredAt),
        waiting,
        pin: {
          set: lock !== undefined,
          ...(lock && { triesLeft: lock.triesLeft, failures: lock.failures }),
          ...(failedAt !== undefined && { failedAt: isoTime(failedAt) }),
        },
      }
    },
    settings: () => couplet.settings(),
    changeSettings: (params) => couplet.changeSettings(settingsOf(params)),
    deleteMessage: (params) => couplet.deleteMessage(text(params, 'id')),
  }
}

function messageJson(message: IncomingMessage | OutgoingMessage): Record<string, unknown> {
  return message.direction === 'incoming' ? incomingJson(message) : outgoingJson(message)
}

/** The number that a person has compared: its digits, of the key that they were shown. */
async function compared(couplet: Couplet, params: Params): Promise<SafetyNumber> {
  const shown = await couplet.verify(number(params))
  const identityId = text(params, 'identityId')
  if (text(params, 'digits').replace(/\s/g, '') === shown.digits) return { ...shown, identityId }
  throw new CommandError('mismatch', 'these are not the digits of this contact.')
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
