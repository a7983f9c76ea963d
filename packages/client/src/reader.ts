/**
 * What a person sees of a conversation: messages in their sender's order, gaps named, each shown
 * once. (spec/delivery.md, "Gaps")
 */
import { toHex } from '@couplet/wire'
import type { Conversation, IncomingMessage, OutgoingMessage } from './api.ts'
import { publicContact } from './contact-book.ts'
import {
  type ContactRecord,
  type IncomingRecord,
  isOfPinned,
  type OutgoingRecord,
  type Placed,
} from './records.ts'
import { allUnread } from './seen.ts'
import { missingBefore } from './sequence-tracker.ts'
import type { Tables } from './tables.ts'

/** The next messages that nobody has seen, or how long to wait for earlier ones to come first. */
export interface Unread {
  readonly ready: readonly ReadyMessage[]
  /** When the first held-back message is shown although earlier ones are missing. */
  readonly heldUntil: number | undefined
}

export interface ReadyMessage {
  readonly position: number
  readonly contact: number
  readonly message: IncomingMessage
}

/**
 * Unread messages in order. One that has a gap before it is held back for a moment, since what is
 * missing may be on its way; then it is shown, and the gap with it.
 */
export async function unreadMessages(tables: Tables, now: number): Promise<Unread> {
  let from = 0
  let heldUntil: number | undefined
  for (;;) {
    const page = await tables.unread({ from, limit: BATCH })
    const { ready, held } = await sortPage(tables, page, now)
    if (held !== undefined) heldUntil = Math.min(heldUntil ?? held, held)
    const last = page.at(-1)
    // Messages that may not be read yet, of people not accepted, must not hide the others.
    if (ready.length > 0 || !last || page.length < BATCH) return { ready, heldUntil }
    from = last.position + 1
  }
}

async function sortPage(
  tables: Tables,
  page: readonly Placed<{ readonly contact: number }>[],
  now: number,
): Promise<{ ready: ReadyMessage[]; held: number | undefined }> {
  const bySender = new Map<string, { contact: ContactRecord; placed: Placed<IncomingRecord>[] }>()
  for (const { position, value } of page) {
    const contact = await tables.requireContact(value.contact)
    const message = await tables.incoming(contact.no, position)
    if (!message || contact.blocked || !contact.accepted) continue
    const key = `${contact.no} ${voiceOf(contact, message)}`
    const list = bySender.get(key) ?? { contact, placed: [] }
    bySender.set(key, list)
    list.placed.push({ position, value: message })
  }
  const ready: ReadyMessage[] = []
  let held: number | undefined
  for (const { contact, placed } of bySender.values()) {
    const inOrder = placed.toSorted((a, b) => a.value.sequence - b.value.sequence)
    for (const { position, value } of inOrder) {
      const until = value.receivedAt + GAP_PATIENCE_MS
      // One from a future, before the clock was set back, has waited long enough.
      const isRecent = until > now && value.receivedAt <= now
      if (isRecent && hasNewGap(contact, value)) {
        held = Math.min(held ?? until, until)
        break
      }
      ready.push({ position, contact: contact.no, message: incomingMessage(contact, value) })
    }
  }
  return { ready, held }
}

/** Whose numbers a message counts in: one person's, whatever number it wrote from. */
function voiceOf(contact: ContactRecord, { sender }: IncomingRecord): string {
  return isOfPinned(contact, sender) ? 'pinned' : sender
}

/** Whether earlier messages are missing that may still be shown in their place. */
function hasNewGap(contact: ContactRecord, { sender, sequence }: IncomingRecord): boolean {
  return (
    isOfPinned(contact, sender) &&
    missingBefore(contact.incoming, sequence, contact.highestSeen) > 0
  )
}

/** The last messages of a conversation: as they came, but each sender's in the sender's order. */
export async function conversation(
  tables: Tables,
  contact: ContactRecord,
  { limit, before }: { readonly limit: number; readonly before?: string | undefined },
): Promise<readonly (IncomingMessage | OutgoingMessage)[]> {
  const [no, end] = (before === undefined ? undefined : await tables.placeOfMessage(before)) ?? []
  // One that is gone, or somebody else's, has nothing before it here.
  if (before !== undefined && no !== contact.no) return []

  const lines: {
    readonly sender: string
    readonly sequence: number
    readonly message: IncomingMessage | OutgoingMessage
  }[] = []
  const highest = new Map<string, number>()
  for (const { value } of await tables.messages(contact.no, limit, end)) {
    if (value.direction === 'outgoing') {
      lines.push({ sender: '', sequence: 0, message: outgoingMessage(contact, value) })
      continue
    }
    const { sequence } = value
    const sender = voiceOf(contact, value)
    const entry = { sender, sequence, message: incomingMessage(contact, value) }
    const last = highest.get(sender) ?? 0
    highest.set(sender, Math.max(last, sequence))
    if (sequence >= last) {
      lines.push(entry)
      continue
    }
    // A late one goes before those of the same sender that should come after it.
    const later = lines.findIndex((other) => other.sender === sender && other.sequence > sequence)
    lines.splice(later, 0, entry)
  }
  return lines.map(({ message }) => message)
}

/** A conversation, and the place of its last message, which orders the list. */
export interface PlacedConversation {
  readonly position: number
  readonly entry: Conversation
}

/** Those whose conversations are listed. */
export function inList(contacts: readonly ContactRecord[]): readonly ContactRecord[] {
  return contacts.filter(({ blocked, accepted }) => accepted && !blocked)
}

/** What was last said to or heard from each of them; nothing of those with whom nothing was said. */
export async function conversations(
  tables: Tables,
  listed: readonly ContactRecord[],
): Promise<readonly PlacedConversation[]> {
  const unread = new Map<number, number>()
  for await (const { value } of allUnread(tables)) {
    unread.set(value.contact, (unread.get(value.contact) ?? 0) + 1)
  }
  // All at once: a store that has to wait for each of its reads waits for all of them together. Each
  // is read again with its last message: it may have changed since it was listed.
  const lasts = await Promise.all(listed.map(({ no }) => tables.messages(no, 1)))
  const found: PlacedConversation[] = []
  for (const [i, { no }] of listed.entries()) {
    const last = lasts[i]![0]
    const contact = last && (await tables.contact(no))
    if (!contact) continue
    const entry: Conversation = {
      contact: publicContact(contact),
      unread: unread.get(contact.no) ?? 0,
      last:
        last.value.direction === 'outgoing'
          ? outgoingMessage(contact, last.value)
          : incomingMessage(contact, last.value),
    }
    found.push({ position: last.position, entry })
  }
  return found
}

export function incomingMessage(contact: ContactRecord, record: IncomingRecord): IncomingMessage {
  const { changed } = contact
  const isPinned = isOfPinned(contact, record.sender)
  const isChanged = changed !== undefined && toHex(changed.id) === record.sender
  return {
    id: record.id,
    direction: 'incoming',
    peer: contact.phone,
    from: contact.phone,
    text: record.text,
    sentAt: record.sentAt,
    receivedAt: record.receivedAt,
    ...(record.expiresAt !== undefined && { expiresAt: record.expiresAt }),
    sequence: record.sequence,
    missingBefore: isPinned ? missingBefore(contact.incoming, record.sequence) : 0,
    ...(isChanged && { fromChangedKey: true }),
  }
}

export function outgoingMessage(contact: ContactRecord, record: OutgoingRecord): OutgoingMessage {
  return {
    id: record.id,
    direction: 'outgoing',
    peer: contact.phone,
    to: contact.phone,
    text: record.text,
    sentAt: record.sentAt,
    ...(record.expiresAt !== undefined && { expiresAt: record.expiresAt }),
    state: record.state,
    ...(record.failure && { failure: record.failure }),
    stateAt: record.stateAt,
  }
}

/** Messages read from the store at once. */
const BATCH = 256
/** How long a message waits for the earlier ones of its sender. */
const GAP_PATIENCE_MS = 3000
