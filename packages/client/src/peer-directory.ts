/**
 * Who is behind a number: asking the server, pinning the first answer, noticing a changed one.
 * (spec/delivery.md, "Changed identities")
 *
 * Messages written for one identity never go to another without the user's decision. New messages
 * to a contact that was never verified go to the new key, with a warning; to a verified one,
 * sending stops until the user decides.
 */
import {
  type Identity,
  importIdentity,
  importPrekeys,
  type PrekeyBundle,
  ProtocolError,
} from '@couplet/protocol'
import { equalBytes, type PhoneNumber } from '@couplet/wire'
import type { Context } from './context.ts'
import { ClientError } from './errors.ts'
import { type Followed, followNumber, isBlockedPerson } from './followed-number.ts'
import { holdMessages } from './held-messages.ts'
import type { ContactRecord, PinnedIdentity } from './records.ts'
import { NO_SEQUENCES } from './sequence-tracker.ts'
import { inTransaction, type Tables } from './tables.ts'

/** What the server says about a number, checked. */
export interface Peer {
  readonly identity: Identity
  /** Signed prekeys as served; checked against the contact when they are used. */
  readonly signedPrekeys: Uint8Array
}

export class PeerDirectory {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /**
   * @returns `undefined` when nobody is registered under the number.
   * @throws {ClientError} `untrusted-answer` when the answer does not verify; `unreachable`, …
   */
  async lookup(phone: PhoneNumber): Promise<Peer | undefined> {
    const { api, signer, platform, store } = this.#context
    const entry = await api.lookup(phone, signer)
    if (!entry) return undefined
    const contact = await inTransaction(store, (tables) => tables.contactByPhone(phone))
    const pinned = contact?.identity?.signed
    try {
      const identity = importIdentity(platform.primitives, entry.identity, pinned)
      if (identity.record.phone !== phone) {
        throw new ClientError('untrusted-answer', 'the server answered for another number')
      }
      return { identity, signedPrekeys: entry.prekeys }
    } catch (error) {
      throw untrusted(error)
    }
  }

  /**
   * Asks the server who a contact is, and takes note of the answer.
   *
   * @returns what the server says; the contact's record may now carry `changed`.
   * @throws {ClientError} `unknown-recipient`, `untrusted-answer`, `unreachable`, …
   */
  async refresh(contact: ContactRecord): Promise<Peer> {
    const peer = await this.lookup(contact.phone)
    if (!peer) {
      throw new ClientError('unknown-recipient', `nobody is registered as ${contact.phone}`)
    }
    await this.note(contact.no, peer.identity)
    return peer
  }

  /**
   * Compares an identity that the server vouches for with the pinned one. If nobody was pinned to the
   * number, and it is somebody's new one, then that contact takes this one in.
   */
  async note(contactNo: number, identity: Identity): Promise<void> {
    const { store, platform, tell } = this.#context
    const now = platform.clock.now()
    const noted = await inTransaction(store, async (tables): Promise<Noted> => {
      const contact = await tables.contact(contactNo)
      // It was taken in meanwhile.
      if (!contact) return {}
      const followed = contact.identity ? undefined : await followNumber(tables, identity, now)
      if (followed) return { followed }
      return { changed: await noteIdentity(tables, contact, identity, now) }
    })
    if (noted.followed) tell.followed(noted.followed)
    if (noted.changed) tell.warning('key-changed', noted.changed)
  }

  /**
   * The prekeys to begin a session with.
   *
   * @throws {ProtocolError} `expired-prekeys`; {ClientError} `untrusted-answer` for bad ones.
   */
  prekeys(contact: ContactRecord, peer: Peer): PrekeyBundle {
    const { platform } = this.#context
    try {
      return importPrekeys(platform.primitives, {
        owner: peer.identity,
        signed: peer.signedPrekeys,
        now: platform.clock.now(),
        highestSeenId: contact.highestPrekeyId,
      })
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'expired-prekeys') throw error
      throw untrusted(error)
    }
  }
}

interface Noted {
  readonly followed?: Followed
  readonly changed?: ContactRecord | undefined
}

/** Pins, confirms or marks as changed; answers the contact when its key changed just now. */
async function noteIdentity(
  tables: Tables,
  contact: ContactRecord,
  identity: Identity,
  now: number,
): Promise<ContactRecord | undefined> {
  const found: PinnedIdentity = { id: identity.id, signed: identity.signed }
  // The contact has another number by now: who has the old one is nobody's business here.
  if (identity.record.phone !== contact.phone) return undefined
  if (!contact.identity) {
    const blocked = contact.blocked || (await isBlockedPerson(tables, identity))
    await tables.putContact({ ...contact, identity: found, blocked })
    await tables.nameIdentity(found.id, contact.no)
    return undefined
  }
  if (equalBytes(contact.identity.id, found.id)) {
    if (contact.changed) await tables.putContact({ ...contact, changed: undefined })
    return undefined
  }
  if (contact.changed && equalBytes(contact.changed.id, found.id)) return undefined
  const changed = { ...contact, changed: { ...found, seenAt: now } }
  await tables.nameIdentity(found.id, contact.no)
  await holdMessages(tables, contact.no, now)
  // Whoever is blocked does not get through by another contact's number.
  if (contact.verified || (await isBlockedPerson(tables, identity)))
    await tables.putContact(changed)
  else await switchIdentity(tables, changed, found)
  return changed
}

/**
 * From now on the contact is this identity: nothing is sent in the old one's sessions any more. They
 * can still receive until they are forgotten, for what was under way.
 */
export async function switchIdentity(
  tables: Tables,
  contact: ContactRecord,
  identity: PinnedIdentity,
): Promise<ContactRecord> {
  const switched: ContactRecord = {
    ...contact,
    identity,
    formerIds: undefined,
    undecided: undefined,
    continuity: undefined,
    // It never had anything of this home's: of a new number it has not to be told.
    announce: undefined,
    changed: undefined,
    verified: false,
    highestPrekeyId: 0,
    incoming: NO_SEQUENCES,
    highestSeen: 0,
    replacements: [],
  }
  await tables.putContact(switched)
  return switched
}

function untrusted(error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error
  return new ClientError('untrusted-answer', 'the server gave keys that do not verify', {
    cause: error,
  })
}
