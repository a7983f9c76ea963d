/**
 * What a person sees of a conversation: messages in their sender's order, gaps named, each shown
 * once. (spec/delivery.md, "Gaps")
 */
import type { IncomingMessage, OutgoingMessage } from './api.ts'
import { missingBefore } from './sequence-tracker.ts'
import type { ContactRecord, IncomingRecord, OutgoingRecord, Placed, Tables } from './tables.ts'

/** The next messages that nobody has seen, or how long to wait for earlier ones to come first. */
export interface Unread {
  readonly ready: readonly {
    readonly position: number
    readonly contact: number
    readonly message: IncomingMessage
  }[]
  /** When the first held-back message is shown although earlier ones are missing. */
  readonly heldUntil: number | undefined
}

/**
 * Unread messages in order. One that has a gap before it is held back for a moment, since what is
 * missing may be on its way; then it is shown, and the gap with it.
 */
export async function unreadMessages(tables: Tables, now: number): Promise<Unread> {
  const byContact = new Map<number, Placed<IncomingRecord>[]>()
  for (const { position, value } of await tables.unread(BATCH)) {
    const message = await tables.incoming(value.contact, position)
    if (!message) continue
    const list = byContact.get(value.contact) ?? []
    byContact.set(value.contact, list)
    list.push({ position, value: message })
  }
  const ready: { position: number; contact: number; message: IncomingMessage }[] = []
  let heldUntil: number | undefined
  for (const [no, placed] of byContact) {
    const contact = await tables.requireContact(no)
    if (contact.blocked || !contact.accepted) continue
    const inOrder = placed.toSorted((a, b) => a.value.sequence - b.value.sequence)
    for (const { position, value } of inOrder) {
      const message = incomingMessage(contact, value)
      const until = value.receivedAt + GAP_PATIENCE_MS
      if (message.missingBefore > 0 && until > now) {
        heldUntil = Math.min(heldUntil ?? until, until)
        break
      }
      ready.push({ position, contact: no, message })
    }
  }
  return { ready, heldUntil }
}

/** The last messages of a conversation: as they came, but each sender's in the sender's order. */
export async function conversation(
  tables: Tables,
  contact: ContactRecord,
  limit: number,
): Promise<readonly (IncomingMessage | OutgoingMessage)[]> {
  const shown: (IncomingMessage | OutgoingMessage)[] = []
  for (const { value } of await tables.messages(contact.no, limit)) {
    if (value.direction === 'outgoing') {
      shown.push(outgoingMessage(contact, value))
      continue
    }
    const message = incomingMessage(contact, value)
    const later = shown.findIndex(
      (other) => other.direction === 'incoming' && other.sequence > message.sequence,
    )
    shown.splice(later === -1 ? shown.length : later, 0, message)
  }
  return shown
}

export function incomingMessage(contact: ContactRecord, record: IncomingRecord): IncomingMessage {
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
    missingBefore: missingBefore(contact.incoming, record.sequence),
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
