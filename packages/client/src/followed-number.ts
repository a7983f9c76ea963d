/**
 * A contact under another number. (spec/delivery.md, "Changed numbers")
 *
 * A record is signed by the key that it names, so a record of the same three keys under a new number
 * was made by whoever has the contact's keys: the contact, by itself. It takes its conversation, the
 * mark *verified*, and what waits for it along. Everything else is a stranger. Keys can be stolen, so
 * to a verified contact nothing is sent under the new number until it has proven to be the device that
 * it was, or the user has decided.
 */
import type { Identity } from '@couplet/protocol'
import {
  decodeIdentityRecord,
  equalBytes,
  type IdentityRecord,
  splitSignedIdentity,
  toHex,
} from '@couplet/wire'
import { requeueHeld } from './held-messages.ts'
import type { ContactRecord, OutgoingRecord, PinnedIdentity } from './records.ts'
import type { Tables } from './tables.ts'

export interface Followed {
  readonly contact: ContactRecord
  /** Messages that go out again, to the new number. */
  readonly requeued: readonly OutgoingRecord[]
}

/**
 * @param peer - proven in a handshake and registered under its number, or looked up there.
 * @returns nothing when nobody has these keys, or when the number is another contact's: whose it
 *   is then, the user decides as with any changed key. A contact to whose number nobody was pinned yet
 *   is taken in.
 */
export async function followNumber(
  tables: Tables,
  peer: Identity,
  now: number,
): Promise<Followed | undefined> {
  const there = await tables.contactByPhone(peer.record.phone)
  if (there?.identity) return undefined
  // A date far ahead would forbid every later record of the same keys.
  if (peer.record.createdAt > now + CLOCK_TOLERANCE_MS) return undefined
  const before = await newestOf(tables, peer)
  // Nobody is taken back to a number that was left.
  if (!before || before.createdAt >= peer.record.createdAt) return undefined
  // The user took these keys for another contact's: it does not go along with who is blocked.
  if (!before.contact.blocked && (await isBlockedPerson(tables, peer))) return undefined
  const contact = await renumber(tables, before, peer, there)
  const requeued = [
    ...(await tables.sendAgain(contact.no, now)),
    // Held for other keys, it is not this one's: they were pinned in between, and nobody was asked.
    ...(await requeueHeld(tables, contact, now, contact.formerIds)),
  ]
  return { contact, requeued }
}

async function renumber(
  tables: Tables,
  { contact: before, pinned }: Person,
  peer: Identity,
  there: ContactRecord | undefined,
): Promise<ContactRecord> {
  const former = [toHex(pinned.id), ...(before.formerIds ?? [])]
  const followed: ContactRecord = {
    ...(there ? await tables.absorbContact(there, before) : before),
    identity: { id: peer.id, signed: peer.signed },
    formerIds: former.slice(0, MAX_FORMER_IDS),
    undecided: before.verified ? true : undefined,
    // It may not have heard of this home's new number under its old one.
    announce: before.announce && { ...before.announce, at: 0 },
    // Whoever has the old number now, if it showed: nobody that this conversation is with.
    changed: undefined,
    highestPrekeyId: 0,
  }
  const contact = await tables.renumberContact(followed, peer.record.phone)
  await tables.nameIdentity(peer.id, contact.no)
  return contact
}

interface Person {
  readonly contact: ContactRecord
  readonly pinned: PinnedIdentity
  readonly createdAt: number
}

/** Whoever has the same three keys; if several do, the one that had them last. */
async function newestOf(tables: Tables, { record }: Identity): Promise<Person | undefined> {
  let newest: Person | undefined
  for (const contact of await tables.contacts()) {
    if (!contact.identity) continue
    const known = recordOf(contact.identity)
    if (!hasSameKeys(known, record) || known.createdAt <= (newest?.createdAt ?? -1)) continue
    newest = { contact, pinned: contact.identity, createdAt: known.createdAt }
  }
  return newest
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

/** `no` of the other contacts that these keys have or had: what came from them may come again here. */
export async function othersWithKeys(
  tables: Tables,
  { no, sameAs = [] }: ContactRecord,
  { record }: Identity,
): Promise<readonly number[] | undefined> {
  const others = (await tables.contacts()).filter(
    (each) => each.no !== no && each.identity && hasSameKeys(recordOf(each.identity), record),
  )
  const all = new Set([...sameAs, ...others.map((each) => each.no)])
  return all.size > 0 ? [...all].slice(-MAX_FORMER_IDS) : undefined
}

export async function isSeen(
  tables: Tables,
  { no, sameAs = [] }: ContactRecord,
  messageId: string,
): Promise<boolean> {
  for (const each of [no, ...sameAs]) {
    if (await tables.isSeenMessage(each, messageId)) return true
  }
  return false
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
