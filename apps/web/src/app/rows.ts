/** The list of conversations: pure steps from one to the next, and which rows it begins with. */
import type { Contact, Conversation, Couplet } from '@couplet/client'
import { kept } from './kept.ts'

/** The list with one row changed; the same list when nothing has. */
export function changed(
  rows: readonly Conversation[],
  peer: string,
  change: (row: Conversation) => Conversation,
): readonly Conversation[] {
  const at = rows.findIndex(({ contact }) => contact.phone === peer)
  const before = rows[at]
  const after = before && change(before)
  return after === before || !after ? rows : rows.with(at, after)
}

/**
 * The list after some rows were read again.
 *
 * @param peers - whose rows were asked for; those who are not in `read` leave the list.
 */
export function withRows(
  rows: readonly Conversation[],
  peers: readonly string[],
  read: readonly Conversation[],
): readonly Conversation[] {
  const asked = new Set<string>(peers)
  const list = rows.filter(({ contact }) => !asked.has(contact.phone))
  for (const row of read.toReversed()) {
    const at = list.findIndex((other) => cameAt(other) <= cameAt(row))
    list.splice(at === -1 ? list.length : at, 0, row)
  }
  return kept(rows, list)
}

/** Contacts after some of them were read again. */
export function withContacts(
  contacts: ReadonlyMap<string, Contact>,
  peers: readonly string[],
  read: readonly Contact[],
): ReadonlyMap<string, Contact> {
  const before = peers.flatMap((peer) => contacts.get(peer) ?? [])
  const now = kept(before, read)
  if (now === before) return contacts
  const after = new Map(contacts)
  for (const peer of peers) after.delete(peer)
  for (const contact of now) after.set(contact.phone, contact)
  return after
}

/** When the last message came to this device, which orders the list. */
function cameAt({ last }: Conversation): number {
  return last.direction === 'incoming' ? last.receivedAt : last.sentAt
}

/** Who was on top of the list when it was last seen: few enough to be read at once. */
export async function recentPeers(couplet: Couplet): Promise<readonly string[]> {
  const peers = (await couplet.memo<readonly string[]>(RECENT_MEMO)) ?? []
  noted = peers.toSorted().join(' ')
  return peers
}

/** Notes who is on top, for the next start. Numbers only, no words. */
export async function keepRecent(couplet: Couplet, rows: readonly Conversation[]): Promise<void> {
  const peers = rows.slice(0, RECENT_ROWS).map(({ contact }) => contact.phone)
  // Whoever is among them matters, and not in which order.
  const now = peers.toSorted().join(' ')
  if (now === noted) return
  noted = now
  await couplet.keepMemo(RECENT_MEMO, peers)
}

let noted = ''
const RECENT_MEMO = 'web.recent'
/** More than a window shows. */
const RECENT_ROWS = 30
