/**
 * A live conversation with one number: what is entered goes out, what arrives is shown, and the
 * line to the server is kept up.
 */
import type { ConnectionState, Couplet, SentMessage } from '@couplet/client'
import type { PhoneNumber } from '@couplet/wire'
import { type ChatCommands, obey } from './chat-commands.ts'
import type { ChatView } from './chat-view.ts'
import type { Context } from './context.ts'
import { CommandError, codeOf } from './errors.ts'
import { explained } from './former-number.ts'
import { commandDeadline, UNREACHABLE } from './home.ts'
import { capitalized, sentenceFor } from './sentences.ts'

export interface Conversation {
  readonly context: Context
  readonly couplet: Couplet
  /** The number that the other end has now. */
  peer: PhoneNumber
  readonly view: ChatView
  /** Somebody is at the keyboard: entries may be commands, and nobody waits for the server. */
  readonly live: boolean
}

/**
 * Runs until there are no more entries. Whoever is live may leave at once, what was entered goes
 * on its way with the next command; otherwise it ends when everything is sent.
 */
export async function converse(conversation: Conversation): Promise<void> {
  const { couplet, view, live } = conversation
  const replaced = Promise.withResolvers<never>()
  const tell = lineTeller(conversation, replaced.reject)
  const listening = [
    couplet.on('status', (message) => {
      if (message.peer === conversation.peer) view.outgoing(message)
    }),
    couplet.on('warning', (warning) => {
      const { kind, contact } = warning
      const isFollowed = kind === 'number-changed' && contact.formerPhone === conversation.peer
      if (isFollowed) conversation.peer = contact.phone
      view.warning(warning)
    }),
    couplet.on('connection', tell.state),
  ]
  const shown = await showHistory(conversation)
  const reading = read(conversation, shown)
  const connecting = live ? connect(conversation, tell) : Promise.resolve()
  try {
    const writing = enter(conversation).then((entered) =>
      live ? undefined : settle(conversation, entered),
    )
    await Promise.race([
      writing,
      reading.then(() => writing),
      replaced.promise,
      connecting.then(() => writing),
    ])
  } finally {
    for (const stop of listening) stop()
    for (const work of [reading, replaced.promise, connecting]) work.catch(() => {})
  }
}

/** Waits until what was entered is sent, and what was waiting is here. */
async function settle(
  { context, couplet }: Conversation,
  entered: readonly SentMessage[],
): Promise<void> {
  if (couplet.connection !== 'online') {
    throw new CommandError(
      'unreachable',
      entered.length === 0
        ? 'the server does not answer.'
        : `the server does not answer. What you wrote is kept (pending) and goes out with the next command that connects.`,
    )
  }
  const deadline = commandDeadline(context)
  await deadline.race(Promise.all(entered.map(({ sent }) => sent)))
  await deadline.race(couplet.settled())
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
async function connect({ couplet }: Conversation, tell: LineTeller): Promise<void> {
  try {
    await couplet.connect()
  } catch (error) {
    if (!UNREACHABLE.has(codeOf(error))) throw error
    tell.offline()
  }
}

/** Tells the view when the line to the server is gone, and when it is back. */
interface LineTeller {
  readonly state: (state: ConnectionState) => void
  readonly offline: () => void
}

function lineTeller({ couplet, view }: Conversation, fail: (reason: Error) => void): LineTeller {
  let wasOnline = couplet.connection === 'online'
  let isOfflineTold = false
  const offline = (): void => {
    if (!isOfflineTold) view.online(false)
    isOfflineTold = true
  }
  return {
    offline,
    state(state) {
      if (state === 'replaced') {
        const sentence = 'another connection with this identity took over; this one ends.'
        return fail(new CommandError('closed', sentence))
      }
      if (state === 'offline' && wasOnline) offline()
      if (state === 'online') {
        // The first connection is nothing to talk about.
        if (isOfflineTold) view.online(true)
        isOfflineTold = false
        wasOnline = true
      }
    },
  }
}

async function enter(conversation: Conversation): Promise<readonly SentMessage[]> {
  const entered: SentMessage[] = []
  const { view, live, context, couplet } = conversation
  const commands: ChatCommands = {
    context,
    couplet,
    get peer() {
      return conversation.peer
    },
    notice: (text) => view.notice(text),
  }
  for await (const entry of view.entries) {
    if (entry.trim() === '') continue
    if (!live || !entry.startsWith('/')) await say(conversation, entry, entered)
    else if (entry.startsWith('//')) await say(conversation, entry.slice(1), entered)
    else if (!(await obey(commands, entry.slice(1).trim()))) break
  }
  return entered
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
    const why = await explained(couplet, peer, error)
    if (!live) throw why
    if (codeOf(why) !== 'key-changed') return view.notice(capitalized(sentenceFor(why, context)))
    const contacts = await couplet.contacts()
    view.refused(
      text,
      contacts.find((contact) => contact.phone === peer),
    )
  }
}

const HISTORY_LENGTH = 20
