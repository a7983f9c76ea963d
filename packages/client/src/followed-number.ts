/**
 * A contact that writes from another number. (spec/delivery.md, "Changed numbers")
 *
 * A record is signed by the key that it names, so a record of the same three keys under a new number
 * was made by whoever has the contact's keys: the contact, by itself. It takes its conversation, the
 * mark *verified*, and what waits for it along. Everything else is a stranger. Keys can be stolen, so
 * to a verified contact nothing is sent under the new number until the user has decided (inbox.ts).
 */
import type { Identity } from '@couplet/protocol'
import {
  decodeIdentityRecord,
  equalBytes,
  type IdentityRecord,
  splitSignedIdentity,
  toHex,
} from '@couplet/wire'
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
  // A date far ahead would forbid every later record of the same keys.
  if (peer.record.createdAt > now + CLOCK_TOLERANCE_MS) return undefined
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
    // Held for other keys, it is not this one's: they were pinned in between, and nobody was asked.
    ...(await requeueHeld(tables, contact, now, formerIds)),
  ]
  return { contact, requeued }
}

/** The same three keys, and later: nobody is taken back to a number that was left. */
function isSamePerson(pinned: PinnedIdentity, { id, record }: Identity): boolean {
  if (toHex(pinned.id) === toHex(id)) return false
  const known = recordOf(pinned)
  return record.createdAt > known.createdAt && hasSameKeys(known, record)
}

function recordOf({ signed }: PinnedIdentity): IdentityRecord {
  return decodeIdentityRecord(splitSignedIdentity(signed).encoded)
}

function hasSameKeys(a: IdentityRecord, b: IdentityRecord): boolean {
  return (
    equalBytes(a.signingKey, b.signingKey) &&
    equalBytes(a.identityKey, b.identityKey) &&
    equalBytes(a.exchangeKey, b.exchangeKey)
  )
}

/** Whether these are the keys of somebody whom the user has blocked, whatever the number. */
export async function isBlockedPerson(tables: Tables, peer: Identity): Promise<boolean> {
  const contacts = await tables.contacts()
  return contacts.some(
    ({ blocked, identity }) => blocked && identity && hasSameKeys(recordOf(identity), peer.record),
  )
}

const CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000
/** Of one contact, newest first: what older ones sent has long arrived. */
const MAX_FORMER_IDS = 8
