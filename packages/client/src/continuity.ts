/**
 * What shows that a contact is the device that it was, and this home the one that it was, when either
 * has another number. (spec/delivery.md, "Changed numbers")
 *
 * A number is part of an identity, and a session is between two identities. So with a new number no
 * session is there yet, and every handshake would look like a first one, of whoever has the keys. But
 * the reset keys of the session before are known to nobody else: until a session is established under
 * the new number, its proof is expected of whoever begins one.
 */
import { type Accepted, grounds, type Session } from '@couplet/protocol'
import { toHex } from '@couplet/wire'
import type { ContactRecord, ContinuityRecord, SessionEntry } from './records.ts'
import type { Tables } from './tables.ts'

/** Reset keys, of a session or of what remains of one. */
interface Continued {
  readonly continuity: ContinuityRecord
}

/**
 * What a new session with a contact proves that it continues: the session that was last in use or, when a
 * number has changed since, the one before.
 *
 * @param entries - all sessions with the contact, under whatever number.
 */
export function continuityOf(
  contact: ContactRecord,
  entries: readonly SessionEntry[],
): Continued | undefined {
  const { continuity, identity } = contact
  const former = entriesWithFormer(contact, entries)
  return (
    lastUsed(entriesWith(entries, identity && toHex(identity.id)).filter(isEstablished)) ??
    (continuity && { continuity }) ??
    lastUsed(former.filter(isEstablished)) ??
    // Here nobody has answered yet, but the contact has what was said in it.
    lastUsed(former)
  )
}

/**
 * What is left of all sessions when this home leaves its number. One in which this home alone has spoken
 * last is not established here, and may be there.
 */
export function continuityToKeep(
  contact: ContactRecord,
  entries: readonly SessionEntry[],
): ContinuityRecord | undefined {
  const { identity } = contact
  const found =
    continuityOf(contact, entries) ?? lastUsed(entriesWith(entries, identity && toHex(identity.id)))
  return found?.continuity
}

/**
 * What a session that the contact begins has to continue, while none is established with the identity
 * that it is pinned to: what this home kept when it left its number or, of the contact's identities before
 * this one, the newest with which a session was established. Older ones have been replaced themselves, and
 * whoever has once read their reset keys must not prove with them for ever.
 */
export async function expectedOf(
  tables: Tables,
  contact: ContactRecord,
): Promise<readonly Continued[]> {
  const { identity, continuity, formerIds = [] } = contact
  if (!identity) return []
  const entries = await tables.sessions(contact.no)
  if (entriesWith(entries, toHex(identity.id)).some(isEstablished)) return []
  if (continuity) return [{ continuity }]
  for (const id of formerIds) {
    // One in which nothing was ever said to the contact is as good as its keys alone.
    const established = entriesWith(entries, id).filter(isEstablished)
    if (established.length > 0) return grounds(established.map(({ session }) => session))
  }
  return []
}

/** Whether a session that was begun proves itself by what was expected of it. */
export function isProven(expected: readonly Continued[], { continues }: Accepted): boolean {
  return expected.some(({ continuity }) => continues({ continuity }))
}

/** The sessions before this one, which is established with the contact's identity, only receive from now on. */
export async function supersedeFormer(
  tables: Tables,
  contact: ContactRecord,
  { established, peer, unproven }: Session,
): Promise<void> {
  const isPinned = contact.identity && toHex(contact.identity.id) === toHex(peer)
  if (!contact.formerIds || !isPinned || !established || unproven) return
  for (const entry of entriesWithFormer(contact, await tables.sessions(contact.no))) {
    if (entry.session.standing === 'superseded') continue
    const session = { ...entry.session, standing: 'superseded' as const }
    await tables.putSession(contact.no, { ...entry, session })
  }
}

function entriesWithFormer(
  { formerIds = [] }: ContactRecord,
  entries: readonly SessionEntry[],
): readonly SessionEntry[] {
  return formerIds.flatMap((id) => entriesWith(entries, id))
}

function entriesWith(
  entries: readonly SessionEntry[],
  identityId: string | undefined,
): readonly SessionEntry[] {
  return entries.filter(({ session }) => toHex(session.peer) === identityId)
}

function lastUsed(entries: readonly SessionEntry[]): Session | undefined {
  const [last] = entries
    .filter(({ session }) => !session.unproven)
    .toSorted((a, b) => b.usedAt - a.usedAt)
  return last?.session
}

function isEstablished({ session }: SessionEntry): boolean {
  return session.established
}
