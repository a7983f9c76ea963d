/**
 * What the user decides about people: whom to write to, whom to accept or block, whose key to trust.
 * (spec/delivery.md, "Changed identities", "Message requests")
 */
import {
  decodeVerificationCode,
  encodeVerificationCode,
  importIdentity,
  matchesVerificationCode,
  safetyNumber,
  type VerificationCode,
} from '@couplet/protocol'
import { equalBytes, type PhoneNumber, toHex } from '@couplet/wire'
import type { Contact, MessageRequest, SafetyNumber } from './api.ts'
import type { Context } from './context.ts'
import { ClientError, type ClientErrorCode } from './errors.ts'
import { requeueHeld } from './held-messages.ts'
import { type PeerDirectory, switchIdentity } from './peer-directory.ts'
import { incomingMessage } from './reader.ts'
import type { ContactRecord, OutgoingRecord, PinnedIdentity } from './records.ts'
import { inTransaction, type Tables } from './tables.ts'

export class ContactBook {
  readonly #context: Context
  readonly #directory: PeerDirectory

  constructor(context: Context, directory: PeerDirectory) {
    this.#context = context
    this.#directory = directory
  }

  /** @param phones - left out, everybody. */
  async contacts(phones?: readonly PhoneNumber[]): Promise<readonly Contact[]> {
    return this.#transaction(async (tables) => {
      const contacts = phones ? await contactsNamed(tables, phones) : await tables.contacts()
      const known = contacts.filter(({ identity }) => identity !== undefined)
      return Promise.all(
        known.map(async (contact) => {
          const isHeld =
            contact.verified &&
            (contact.undecided === true || (await isSessionReplaced(tables, contact)))
          return { ...publicContact(contact), ...(isHeld && { sessionReplaced: true as const }) }
        }),
      )
    })
  }

  /** A contact that is known, or that the server knows, or that the server cannot be asked about. */
  async toWriteTo(phone: PhoneNumber): Promise<ContactRecord> {
    const known = await this.#transaction((tables) => tables.contactByPhone(phone))
    if (known?.identity) return known
    try {
      return await this.#lookup(phone)
    } catch (error) {
      if (!isUnanswered(error)) throw error
      return this.#transaction((tables) => contactNamed(tables, phone))
    }
  }

  /** The safety number with a contact, as the server has it now, or as this device has it. */
  async verify(phone: PhoneNumber): Promise<SafetyNumber> {
    const { platform, self } = this.#context
    const contact = await this.#current(phone)
    const shown = contact.changed ?? contact.identity
    if (!shown) throw new ClientError('unknown-recipient', `nobody is registered as ${phone}`)
    const identity = importIdentity(platform.primitives, shown.signed, shown.signed)
    return {
      phone,
      identityId: toHex(identity.id),
      digits: safetyNumber(platform.primitives, self, identity),
      code: encodeVerificationCode(self, identity),
      verified: contact.verified && !contact.changed,
      keyChanged: contact.changed !== undefined,
    }
  }

  /** Of the identity that was compared and of no other: it may have changed meanwhile. */
  markVerified(phone: PhoneNumber, compared: string): Promise<ContactRecord> {
    return this.#change(phone, async (tables, contact) => {
      if (contact.changed || !isNamed(contact.identity, compared)) throw keyChanged(phone)
      const after = { ...contact, verified: true, undecided: undefined }
      await acceptSessions(tables, after)
      await tables.putContact(after)
      return after
    })
  }

  /**
   * A match is with the pinned identity: a changed one has to be accepted first.
   *
   * @returns undefined without a match.
   */
  async verifyCode(phone: PhoneNumber, code: Uint8Array): Promise<ContactRecord | undefined> {
    const { platform, self } = this.#context
    const scanned = readCode(code)
    const { identity, changed } = await this.#current(phone)
    if (!identity || changed) throw keyChanged(phone)
    const contact = importIdentity(platform.primitives, identity.signed, identity.signed)
    if (!matchesVerificationCode(scanned, self, contact)) return undefined
    return this.markVerified(phone, toHex(contact.id))
  }

  unmarkVerified(phone: PhoneNumber): Promise<ContactRecord> {
    return this.#change(phone, async (tables, contact) => {
      const after = { ...contact, verified: false, undecided: undefined }
      await tables.putContact(after)
      return after
    })
  }

  /**
   * The user's decision for the changed key that was shown, or for a session that could not prove
   * its past.
   *
   * @returns the messages that may now be sent.
   */
  async acceptKey(
    phone: PhoneNumber,
    shown: string,
  ): Promise<{ contact: ContactRecord; requeued: readonly OutgoingRecord[] }> {
    const { clock } = this.#context.platform
    const requeued: OutgoingRecord[] = []
    const contact = await this.#change(phone, async (tables, before) => {
      if (!isNamed(before.changed ?? before.identity, shown)) throw keyChanged(phone)
      const after = before.changed
        ? await switchIdentity(tables, before, before.changed)
        : { ...before, undecided: undefined }
      await tables.putContact(after)
      await acceptSessions(tables, after)
      // What was written for others than who has moved waits for another decision.
      const only = before.undecided && !before.changed ? before.formerIds : undefined
      requeued.push(...(await requeueHeld(tables, after, clock.now(), only)))
      return after
    })
    return { contact, requeued }
  }

  /** People who wrote and wait to be accepted. */
  requests(): Promise<readonly MessageRequest[]> {
    return this.#transaction(async (tables) => {
      const requests: MessageRequest[] = []
      for (const contact of await tables.contacts()) {
        if (contact.accepted || contact.blocked || !contact.identity) continue
        const messages = (await tables.messages(contact.no, REQUEST_PREVIEW))
          .map(({ value }) => value)
          .filter((value) => value.direction === 'incoming')
          .map((value) => incomingMessage(contact, value))
        if (messages.length > 0) requests.push({ contact: publicContact(contact), messages })
      }
      return requests
    })
  }

  accept(phone: PhoneNumber): Promise<ContactRecord> {
    return this.#change(phone, async (tables, contact) => {
      const after = { ...contact, accepted: true, blocked: false }
      await tables.putContact(after)
      return after
    })
  }

  block(phone: PhoneNumber, blocked: boolean): Promise<ContactRecord> {
    return this.#change(phone, async (tables, contact) => {
      const after = { ...contact, blocked }
      await tables.putContact(after)
      return after
    })
  }

  /** Asks the server and pins what it says. */
  async #lookup(phone: PhoneNumber): Promise<ContactRecord> {
    const peer = await this.#directory.lookup(phone)
    if (!peer) throw new ClientError('unknown-recipient', `nobody is registered as ${phone}`)
    const { no } = await this.#transaction((tables) => contactNamed(tables, phone))
    await this.#directory.note(no, peer.identity)
    // By the number: whoever has moved there may have taken the new contact in.
    return this.#transaction((tables) => contactNamed(tables, phone))
  }

  async #current(phone: PhoneNumber): Promise<ContactRecord> {
    try {
      return await this.#lookup(phone)
    } catch (error) {
      const known = await this.#transaction((tables) => tables.contactByPhone(phone))
      if (!isUnanswered(error) || !known?.identity) throw error
      return known
    }
  }

  #change(
    phone: PhoneNumber,
    work: (tables: Tables, contact: ContactRecord) => Promise<ContactRecord>,
  ): Promise<ContactRecord> {
    return this.#transaction(async (tables) => {
      const contact = await tables.contactByPhone(phone)
      if (!contact?.identity) {
        throw new ClientError('unknown-recipient', `${phone} is not among your contacts`)
      }
      return work(tables, contact)
    })
  }

  #transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return inTransaction(this.#context.store, work)
  }
}

export function publicContact(contact: ContactRecord): Contact {
  const { identity, changed, formerPhone } = contact
  return {
    phone: contact.phone,
    identityId: identity ? toHex(identity.id) : '',
    verified: contact.verified,
    accepted: contact.accepted,
    blocked: contact.blocked,
    ...(formerPhone && { formerPhone }),
    ...(changed && { changedKey: { identityId: toHex(changed.id), seenAt: changed.seenAt } }),
  }
}

/** Those of them that there are. */
export async function contactsNamed(
  tables: Tables,
  phones: readonly PhoneNumber[],
): Promise<readonly ContactRecord[]> {
  const found = await Promise.all(phones.map((phone) => tables.contactByPhone(phone)))
  return found.filter((contact) => contact !== undefined)
}

function isNamed(identity: PinnedIdentity | undefined, id: string): boolean {
  return identity !== undefined && toHex(identity.id) === id
}

function readCode(code: Uint8Array): VerificationCode {
  try {
    return decodeVerificationCode(code)
  } catch (cause) {
    throw new ClientError('malformed', 'this is not a code to verify a contact with', { cause })
  }
}

function keyChanged(phone: PhoneNumber): ClientError {
  return new ClientError('key-changed', `the key of ${phone} has changed`)
}

/** Whoever is looked up or written to on purpose counts as accepted. */
async function contactNamed(tables: Tables, phone: PhoneNumber): Promise<ContactRecord> {
  return (await tables.contactByPhone(phone)) ?? (await tables.addContact(phone, true))
}

/** Whether there is a session that could not prove its past, which may be sent in sooner or later. */
async function isSessionReplaced(
  tables: Tables,
  { no, identity }: ContactRecord,
): Promise<boolean> {
  const entries = await tables.sessions(no)
  return entries.some(
    ({ session: { unproven, standing, peer } }) =>
      unproven &&
      (standing === 'live' || standing === 'revived' || standing === 'recalled') &&
      identity !== undefined &&
      equalBytes(peer, identity.id),
  )
}

async function acceptSessions(tables: Tables, contact: ContactRecord): Promise<void> {
  for (const entry of await tables.sessions(contact.no)) {
    if (!entry.session.unproven) continue
    const session = { ...entry.session, unproven: false }
    await tables.putSession(contact.no, { ...entry, session })
  }
}

/** Whether the server could not be asked now. */
function isUnanswered(error: unknown): boolean {
  return error instanceof ClientError && UNANSWERED.includes(error.code)
}

const UNANSWERED: readonly ClientErrorCode[] = [
  'unreachable',
  'timed-out',
  'unavailable',
  'internal',
]
const REQUEST_PREVIEW = 50
