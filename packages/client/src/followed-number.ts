/**
 * A contact that writes from another number. (spec/delivery.md, "Changed numbers")
 *
 * A record is signed by the key that it names, so a record of the same three keys under a new number
 * was made by whoever has the contact's keys: the contact, by itself. It takes its conversation, the
 * mark *verified*, and what waits for it along. Everything else is a stranger.
 */
import type { Identity } from '@couplet/protocol'
import { decodeIdentityRecord, equalBytes, splitSignedIdentity, toHex } from '@couplet/wire'
import { requeueHeld } from './contact-book.ts'
import type { ContactRecord, OutgoingRecord, PinnedIdentity } from './records.ts'
import type { Tables } from './tables.ts'

export interface Followed {
  readonly contact: ContactRecord
  /** Messages that go out again, to the new number. */
  readonly requeued: readonly OutgoingRecord[]
}

/**
 * @param peer - proven in a handshake, and registered under its number.
 * @returns nothing when nobody has these keys, or when the number is another contact's: whose it
 *   is then, the user decides as with any changed key.
 */
export async function followNumber(
  tables: Tables,
  peer: Identity,
  now: number,
): Promise<Followed | undefined> {
  if (await tables.contactByPhone(peer.record.phone)) return undefined
  const before = (await tables.contacts()).find(
    ({ identity }) => identity !== undefined && isSamePerson(identity, peer),
  )
  if (!before) return undefined
  const identity = { id: peer.id, signed: peer.signed }
  // Whoever has the old number now, if it showed: nobody that this conversation is with.
  const formerIds = [toHex(before.identity!.id), ...(before.formerIds ?? [])].slice(
    0,
    MAX_FORMER_IDS,
  )
  const followed = { ...before, identity, formerIds, changed: undefined, highestPrekeyId: 0 }
  const contact = await tables.renumberContact(followed, peer.record.phone)
  await tables.nameIdentity(peer.id, contact.no)
  const requeued = [
    ...(await tables.sendAgain(contact.no, now)),
    ...(await requeueHeld(tables, contact, now)),
  ]
  return { contact, requeued }
}

/** The same three keys, and later: nobody is taken back to a number that was left. */
function isSamePerson(pinned: PinnedIdentity, { id, record }: Identity): boolean {
  if (toHex(pinned.id) === toHex(id)) return false
  const known = decodeIdentityRecord(splitSignedIdentity(pinned.signed).encoded)
  return (
    record.createdAt > known.createdAt &&
    equalBytes(record.signingKey, known.signingKey) &&
    equalBytes(record.identityKey, known.identityKey) &&
    equalBytes(record.exchangeKey, known.exchangeKey)
  )
}

/** Of one contact, newest first: what older ones sent has long arrived. */
const MAX_FORMER_IDS = 8
