/**
 * A live conversation with one number: what is entered goes out, what arrives is shown, and the
 * line to the server is kept up. (The commands within it are those that `HELP` lists.)
 */
import type { ConnectionState, Couplet, OutgoingMessage, SentMessage } from '@couplet/client'
import type { PhoneNumber } from '@couplet/wire'
import type { ChatView } from './chat-view.ts'
import type { Context } from './context.ts'
import type { Deadline } from './deadline.ts'
import { CommandError, codeOf } from './errors.ts'
import { UNREACHABLE } from './home.ts'
import { sentenceFor } from './sentences.ts'

export interface Conversation {
  readonly context: Context
  readonly couplet: Couplet
  readonly peer: PhoneNumber
  readonly view: ChatView
  /** Somebody is at the keyboard: entries may be commands, and nobody waits for the server. */
  readonly live: boolean
}

/** Runs until there are no more entries. Gives the messages that were entered. */
export async function converse(conversation: Conversation): Promise<readonly SentMessage[]> {
  const { couplet, peer, view } = conversation
  const entered: SentMessage[] = []
  const replaced = Promise.withResolvers<never>()
  const listening = [
    couplet.on('status', (message) => {
      if (message.peer === peer) view.outgoing(message)
    }),
    couplet.on('warning', (warning) => view.warning(warning)),
    couplet.on('connection', watchConnection(conversation, replaced.reject)),
  ]
  const shown = await showHistory(conversation)
  const reading = read(conversation, shown)
  const connecting = conversation.live ? connect(conversation) : Promise.resolve()
  try {
    const entries = enter(conversation, entered)
    await Promise.race([
      entries,
      reading.then(() => entries),
      replaced.promise,
      connecting.then(() => entries),
    ])
    return entered
  } finally {
    for (const stop of listening) stop()
    for (const work of [reading, replaced.promise, connecting]) work.catch(() => {})
  }
}

/** Waits until what was entered is sent, and what was waiting is here. */
export async function settle(
  { couplet }: Conversation,
  entered: readonly SentMessage[],
  deadline: Deadline,
): Promise<readonly OutgoingMessage[]> {
  if (couplet.connection !== 'online') {
    throw new CommandError(
      'unreachable',
      entered.length === 0
        ? 'the server does not answer.'
        : `the server does not answer. What you wrote is kept (pending) and goes out with the next command that connects.`,
    )
  }
  const all = await deadline.race(Promise.all(entered.map(({ sent }) => sent)))
  await deadline.race(couplet.settled())
  return all
}

async function showHistory({ couplet, peer, view }: Conversation): Promise<ReadonlySet<string>> {
  return view.history(await couplet.history(peer, { limit: HISTORY_LENGTH }))
}

/** Shows what arrives. What the history has shown already only becomes seen. */
async function read({ couplet, view }: Conversation, shown: ReadonlySet<string>): Promise<void> {
  for await (const message of couplet.messages({ follow: true })) {
    if (!shown.has(message.id)) await view.incoming(message)
  }
}

/** One try is enough: the SDK goes on trying by itself. */
async function connect({ couplet, view }: Conversation): Promise<void> {
  try {
    await couplet.connect()
  } catch (error) {
    if (!UNREACHABLE.has(codeOf(error))) throw error
    view.online(false)
  }
}

/** Tells the view whether we are online; fails when another connection of this identity took over. */
function watchConnection(
  { couplet, view }: Conversation,
  fail: (reason: Error) => void,
): (state: ConnectionState) => void {
  let wasOnline = couplet.connection === 'online'
  return (state) => {
    if (state === 'replaced') {
      const sentence = 'another connection with this identity took over; this one ends.'
      return fail(new CommandError('closed', sentence))
    }
    // The first connection is nothing to talk about.
    const isOnline = state === 'online'
    if (state === 'connecting' || isOnline === wasOnline) return
    wasOnline = isOnline
    view.online(isOnline)
  }
}

async function enter(conversation: Conversation, entered: SentMessage[]): Promise<void> {
  const { view, live } = conversation
  for await (const entry of view.entries) {
    if (entry.trim() === '') continue
    if (!live || !entry.startsWith('/')) await say(conversation, entry, entered)
    else if (entry.startsWith('//')) await say(conversation, entry.slice(1), entered)
    else if (!(await obey(conversation, entry.slice(1).trim()))) return
  }
}

async function say(
  conversation: Conversation,
  text: string,
  entered: SentMessage[],
): Promise<void> {
  const { context, couplet, peer, view, live } = conversation
  try {
    const sending = await couplet.send(peer, text)
    // What becomes of it is told by `status`.
    sending.sent.catch(() => {})
    sending.delivered.catch(() => {})
    entered.push(sending)
    view.outgoing(sending.message)
  } catch (error) {
    if (!live) throw error
    if (codeOf(error) !== 'key-changed') return view.notice(sentenceFor(error, context))
    const contacts = await couplet.contacts()
    view.refused(
      text,
      contacts.find((contact) => contact.phone === peer),
    )
  }
}

/** A command of the conversation. Says no when it is the one that ends it. */
async function obey(
  { context, couplet, peer, view }: Conversation,
  command: string,
): Promise<boolean> {
  try {
    switch (command) {
      case 'quit':
        return false
      case 'verify': {
        const { digits, verified } = await couplet.verify(peer)
        const groups = digits.match(/.{5}/g) ?? []
        view.notice(
          `Safety number: ${groups.join(' ')} (${verified ? 'verified' : 'not verified yet; compare, then /mark'})`,
        )
        return true
      }
      case 'mark':
        await couplet.markVerified(peer)
        view.notice(`${peer} is marked as verified.`)
        return true
      case 'accept':
        await couplet.acceptKey(peer)
        view.notice(`The new key is accepted; it is not verified yet (/verify).`)
        return true
      default:
        view.notice(HELP)
        return true
    }
  } catch (error) {
    view.notice(sentenceFor(error, context))
    return true
  }
}

const HELP = `What you type is sent. /verify shows the safety number, /mark marks it as verified, /accept accepts a changed key, /quit or Ctrl-D ends; a message that begins with / is typed with //.`
const HISTORY_LENGTH = 20
