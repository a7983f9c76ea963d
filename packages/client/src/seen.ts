/** What a person has seen: it leaves the list of unread messages, and its time to live begins. */
import type { PhoneNumber } from '@couplet/wire'
import { type IncomingRecord, isOfPinned, type Placed } from './records.ts'
import type { Tables } from './tables.ts'

/** Answers whether the message has a time to live, which began now. */
export async function noteSeen(
  tables: Tables,
  contactNo: number,
  position: number,
  now: number,
): Promise<boolean> {
  await tables.removeUnread(position)
  const message = await tables.incoming(contactNo, position)
  if (!message) return false
  await raiseHighestSeen(tables, contactNo, message)
  if (message.expiresAfter === 0) return false
  const expiresAt = now + message.expiresAfter
  await tables.putMessage(contactNo, position, { ...message, expiresAt })
  await tables.addExpiring(expiresAt, contactNo, position)
  return true
}

/** Everything of one contact; answers whether a time to live began. */
export async function noteAllSeen(
  tables: Tables,
  phone: PhoneNumber,
  now: number,
): Promise<boolean> {
  const contact = await tables.contactByPhone(phone)
  if (!contact) return false
  const positions: number[] = []
  for await (const { position, value } of allUnread(tables)) {
    if (value.contact === contact.no) positions.push(position)
  }
  let ends = false
  for (const position of positions)
    ends = (await noteSeen(tables, contact.no, position, now)) || ends
  return ends
}

/** Where an unread message of this contact is. Peers choose ids, so the id alone names nothing. */
export async function unreadPlace(
  tables: Tables,
  phone: PhoneNumber,
  id: string,
): Promise<readonly [contactNo: number, position: number] | undefined> {
  const contact = await tables.contactByPhone(phone)
  if (!contact) return undefined
  for await (const { position, value } of allUnread(tables)) {
    if (value.contact !== contact.no) continue
    if ((await tables.incoming(contact.no, position))?.id === id) return [contact.no, position]
  }
  return undefined
}

/** Every unread message's place, oldest first. */
export async function* allUnread(
  tables: Tables,
): AsyncGenerator<Placed<{ readonly contact: number }>> {
  for (let from = 0; ; ) {
    const page = await tables.unread({ from, limit: BATCH })
    yield* page
    const last = page.at(-1)
    if (!last || page.length < BATCH) return
    from = last.position + 1
  }
}

/** Remembers how far a contact's messages were seen: for earlier ones nothing waits any more. */
async function raiseHighestSeen(
  tables: Tables,
  contactNo: number,
  { sender, sequence }: IncomingRecord,
): Promise<void> {
  const contact = await tables.requireContact(contactNo)
  const isPinned = isOfPinned(contact, sender)
  if (!isPinned || sequence <= contact.highestSeen) return
  await tables.putContact({ ...contact, highestSeen: sequence })
}

const BATCH = 256
