/** One conversation as it is shown: pure steps from one picture to the next. */
import type { IncomingMessage, OutgoingMessage } from '@couplet/client'

export type AnyMessage = IncomingMessage | OutgoingMessage

/** A message with a key that stays the same from the first moment on the screen. */
export interface ChatMessage {
  readonly key: string
  readonly message: AnyMessage
}

export interface Chat {
  /** Oldest first. */
  readonly messages: readonly ChatMessage[]
  /** How often earlier ones were asked for. */
  readonly pages: number
  /** Whether the first message is the first of all. */
  readonly isWhole: boolean
  readonly isLoaded: boolean
  readonly isLoading: boolean
  /** "New messages" stands before this one. */
  readonly dividerId?: string
}

export const EMPTY_CHAT: Chat = {
  messages: [],
  pages: 0,
  isWhole: false,
  isLoaded: false,
  isLoading: false,
}

/**
 * Takes the newest messages of the store in. They replace what they overlap with; older ones that
 * are shown stay, and so do those on their way into the store.
 */
export function merged(chat: Chat, recent: readonly AnyMessage[]): Chat {
  const keys = new Map(chat.messages.map(({ message, key }) => [message.id, key]))
  const known = new Map(chat.messages.map((entry) => [entry.message.id, entry]))
  const ids = new Set(recent.map(({ id }) => id))
  const overlap = chat.messages.findIndex(({ message }) => ids.has(message.id))
  // No overlap: more has come than was asked for, and what is between is not here.
  const older = chat.messages.slice(0, Math.max(0, overlap)).filter(isStored)
  const sending = chat.messages.filter((entry) => !isStored(entry) && !ids.has(entry.message.id))
  const fresh = recent.map((message) => {
    const before = known.get(message.id)
    if (before && isSame(before.message, message)) return before
    return { key: keys.get(message.id) ?? message.id, message }
  })
  const isWhole = overlap === -1 && chat.isLoaded ? false : chat.isWhole
  return { ...chat, isWhole, messages: [...older, ...fresh, ...sending] }
}

/**
 * Takes a page of earlier messages in.
 *
 * @param before - what was on top when they were asked for; if it is not there any more, the page
 *   may not be its neighbour, and is asked for again.
 */
export function withEarlier(
  chat: Chat,
  before: string,
  older: readonly AnyMessage[],
  isWhole: boolean,
): Chat {
  const settled = { ...chat, isLoading: false, pages: chat.pages + 1 }
  if (chat.messages[0]?.message.id !== before) return settled
  const known = new Set(chat.messages.map(({ message }) => message.id))
  const earlier = older
    .filter(({ id }) => !known.has(id))
    .map((message) => ({ key: message.id, message }))
  return {
    ...settled,
    isWhole: isWhole || earlier.length === 0,
    messages: [...earlier, ...chat.messages],
  }
}

/** Shows a message before the store has it. */
export function withSending(
  chat: Chat,
  { key, peer, text, at }: { key: string; peer: string; text: string; at: number },
): Chat {
  const message: OutgoingMessage = {
    id: key,
    direction: 'outgoing',
    peer: peer as OutgoingMessage['peer'],
    to: peer as OutgoingMessage['to'],
    text,
    sentAt: at,
    state: 'pending',
    stateAt: at,
  }
  return { ...chat, messages: [...chat.messages, { key, message }] }
}

/** The store has it now, under a name of its own. */
export function withSent(chat: Chat, key: string, message: OutgoingMessage): Chat {
  const known = chat.messages.find((entry) => entry.message.id === message.id)
  const others = chat.messages.filter((entry) => entry !== known)
  return {
    ...chat,
    messages: others.map((entry) =>
      entry.key === key ? { key, message: known?.message ?? message } : entry,
    ),
  }
}

export function afterStatus(chat: Chat, message: OutgoingMessage): Chat {
  return {
    ...chat,
    messages: chat.messages.map((entry) =>
      entry.message.id === message.id ? { ...entry, message } : entry,
    ),
  }
}

export function without(chat: Chat, id: string): Chat {
  return { ...chat, messages: chat.messages.filter(({ message }) => message.id !== id) }
}

function isStored({ key, message }: ChatMessage): boolean {
  return message.id !== key || !key.startsWith('sending ')
}

function isSame(a: AnyMessage, b: AnyMessage): boolean {
  if (a.expiresAt !== b.expiresAt) return false
  if (a.direction === 'incoming') {
    return (
      b.direction === 'incoming' &&
      a.missingBefore === b.missingBefore &&
      a.fromChangedKey === b.fromChangedKey
    )
  }
  return b.direction === 'outgoing' && a.state === b.state && a.failure === b.failure
}

// ----- layout

export interface Row {
  readonly entry: ChatMessage
  /** Begins a day: its line stands above. */
  readonly day: boolean
  readonly divider: boolean
  /** How many earlier messages of the other are missing here and not above. */
  readonly gap: number
  /** First and last of a group of one author within a few minutes. */
  readonly first: boolean
  readonly last: boolean
}

/** What stands above, beside and below each message. */
export function layOut({ messages, dividerId }: Pick<Chat, 'messages' | 'dividerId'>): Row[] {
  const rows: { -readonly [K in keyof Row]: Row[K] }[] = []
  let missingAbove = 0
  for (const entry of messages) {
    const { message } = entry
    const above = rows.at(-1)
    const before = above?.entry.message
    const day = !before || !isSameDay(before.sentAt, message.sentAt)
    const divider = message.id === dividerId
    // Every message counts all that are missing before it: only the increase is a gap here.
    const missing = message.direction === 'incoming' ? message.missingBefore : missingAbove
    const gap = Math.max(0, missing - missingAbove)
    missingAbove = missing
    const together =
      before !== undefined &&
      !day &&
      !divider &&
      gap === 0 &&
      before.direction === message.direction &&
      Math.abs(message.sentAt - before.sentAt) < GROUP_MS
    if (above) above.last = !together
    rows.push({ entry, day, divider, gap, first: !together, last: true })
  }
  return rows
}

function isSameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

const GROUP_MS = 3 * 60 * 1000

// ----- quotes

export interface QuotedText {
  readonly quote: string | undefined
  readonly text: string
}

/** Leading lines with `>` are what somebody replies to: plain text, the same on the command line. */
export function splitQuote(text: string): QuotedText {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('> '))
  if (end <= 0) return { quote: undefined, text }
  const quote = lines.slice(0, end).map((line) => line.slice(2))
  const rest = lines.slice(end)
  if (rest[0] === '') rest.shift()
  return { quote: quote.join('\n'), text: rest.join('\n') }
}

export function withQuote(quoted: string, text: string): string {
  const { text: words } = splitQuote(quoted)
  const short = words.length > QUOTE_LENGTH ? `${words.slice(0, QUOTE_LENGTH)}…` : words
  const lines = short
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, QUOTE_LINES)
  return `${lines.map((line) => `> ${line}`).join('\n')}\n\n${text}`
}

const QUOTE_LENGTH = 200
const QUOTE_LINES = 4
