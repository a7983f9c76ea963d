/**
 * The inbox: opening what arrives, storing it, and only then acknowledging. (spec/delivery.md,
 * "Recipient")
 *
 * One transaction reads the session, advances it, stores the message and the receipt. A crash
 * between that and the acknowledgement means a redelivery, known by the envelope's id and answered
 * with the same receipt: every message is shown exactly once.
 */
import {
  type Accepted,
  acceptSession,
  addAcceptedSession,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_MESSAGES,
  handshakeHash,
  type Opened,
  openMessage,
  type ParsedEnvelope,
  PREKEY_USED_ROTATION_MS,
  ProtocolError,
  parseEnvelope,
  type Session,
  unwrapSessionSecret,
} from '@couplet/protocol'
import { type Bytes, equalBytes, type NackReason, toHex } from '@couplet/wire'
import { fraction } from './backoff.ts'
import type { Context } from './context.ts'
import { expectedOf, isProven, supersedeFormer } from './continuity.ts'
import { ClientError } from './errors.ts'
import { MAX_EXPIRES_AFTER_MS } from './expiry.ts'
import { followNumber, isBlockedPerson, isSeen, othersWithKeys } from './followed-number.ts'
import type { PeerDirectory } from './peer-directory.ts'
import {
  awaitsUser,
  type ContactRecord,
  isOfPinned,
  type PrekeysRecord,
  type SessionEntry,
} from './records.ts'
import { noteSequence } from './sequence-tracker.ts'
import { inTransaction, type Tables } from './tables.ts'

export interface Delivery {
  readonly sender: Bytes
  readonly envelope: Bytes
}

/** How the server is answered. */
export type Answer =
  | { readonly kind: 'ack'; readonly receipt: Bytes | undefined }
  | { readonly kind: 'nack'; readonly reason: NackReason }

/** What one received message asks for besides its acknowledgement. */
export interface Received {
  readonly answer: Answer
  /** A contact who has heard nothing from us for long: send a heartbeat. */
  readonly heartbeat?: number
  /** A handshake used the prekeys: their rotation has a new time. */
  readonly rotates?: true
  /** A contact has proven itself: what was held back from it may be acknowledged. */
  readonly releases?: true
}

export class Inbox {
  readonly #context: Context
  readonly #directory: PeerDirectory

  constructor(context: Context, directory: PeerDirectory) {
    this.#context = context
    this.#directory = directory
  }

  /**
   * Processes one envelope. One at a time: the caller queues.
   *
   * @throws {ClientError} when the server had to be asked and did not answer: nothing was changed,
   *   and nothing may be acknowledged.
   */
  async receive(delivery: Delivery): Promise<Received> {
    try {
      const parsed = parseEnvelope(delivery.envelope)
      return (await this.#openKnown(delivery)) ?? (await this.#openNew(delivery, parsed))
    } catch (error) {
      if (error instanceof ProtocolError && error.fault === 'peer') return nack('invalid')
      throw error
    }
  }

  // ----------------------------------------------------------------------------------------------
  // Envelopes of sessions that exist

  async #openKnown(delivery: Delivery): Promise<Received | undefined> {
    const { store, platform, tell } = this.#context
    const id = toHex(platform.primitives.sha256(delivery.envelope))
    const result = await inTransaction(store, async (tables) => {
      const known = await tables.receivedEnvelope(id)
      if (known) {
        const contact = await tables.requireContact(known.contact)
        return { contact, received: { answer: await this.#ack(tables, contact, known.receipt) } }
      }
      for await (const { contact, entry } of candidates(tables, delivery.sender)) {
        const opened = openMessage(platform.primitives, entry.session, delivery.envelope, {
          now: this.#now(),
        })
        if (opened.kind === 'late') return { contact, received: nack('late') }
        if (opened.kind === 'opened') {
          return { contact, received: await this.#store(tables, contact, entry, opened) }
        }
      }
      return undefined
    })
    if (result?.received.answer.kind === 'ack') tell.received(result.contact)
    return result?.received
  }

  // ----------------------------------------------------------------------------------------------
  // Envelopes that begin a session

  async #openNew(delivery: Delivery, parsed: ParsedEnvelope): Promise<Received> {
    const { platform, self } = this.#context
    const header = parsed.handshake
    if (!header) return nack('unknown-session')
    const { prekeys, isReplay } = await this.#prekeysFor(header)
    if (!prekeys) return nack('retired-prekey')
    // Its session exists, and none of its keys fits any more.
    if (isReplay) return nack('late')
    const sessionSecret = await unwrapSessionSecret(
      platform.primitives,
      self,
      header,
      platform.random(32),
    )
    const accepted = acceptSession(platform.primitives, {
      self,
      prekeys,
      envelope: delivery.envelope,
      sessionSecret,
      now: this.#now(),
    })
    return this.#admit(accepted, prekeys)
  }

  #prekeysFor(
    header: NonNullable<ParsedEnvelope['handshake']>,
  ): Promise<{ prekeys?: PrekeysRecord; isReplay: boolean }> {
    const { store, platform, self } = this.#context
    return inTransaction(store, async (tables) => {
      const prekeys = await tables.prekeysById(header.prekeyId)
      if (!prekeys) return { isReplay: false }
      const hash = handshakeHash(platform.primitives, { self, prekeys, header })
      return { prekeys, isReplay: await tables.isKnownHandshake(hash) }
    })
  }

  /** Stores a session that somebody began with us, and its first message. */
  async #admit(accepted: Accepted, prekeys: PrekeysRecord): Promise<Received> {
    const { store, tell } = this.#context
    if (!(await this.#isRegistered(accepted))) return nack('invalid')
    const result = await inTransaction(store, async (tables) => {
      const { phone } = accepted.peer.record
      const { strangers } = await tables.settings()
      const followed = await followNumber(tables, accepted.peer, this.#now())
      const known = followed?.contact ?? (await tables.contactByPhone(phone))
      // The number may be another contact's, or nobody's: those are not blocked for it.
      if (!known?.blocked && (await isBlockedPerson(tables, accepted.peer))) return undefined
      const contact = known ?? (await tables.addContact(phone, strangers === 'accept'))
      if (!mayWrite(contact, accepted)) {
        throw new ClientError(
          'unavailable',
          'the contact changed meanwhile: to be asked about again',
        )
      }
      const before = await pinIfNew(tables, contact, accepted)
      const isPinned = equalBytes(before.identity?.id ?? NOBODY, accepted.peer.id)
      const expected = isPinned ? await expectedOf(tables, before) : []
      // A verified contact that was followed needs no decision of the user when it proves to be the same.
      const isDecided = before.undecided !== undefined && isProven(expected, accepted)
      const sameAs = await othersWithKeys(tables, before, accepted.peer)
      const pinned = { ...before, undecided: isDecided ? undefined : before.undecided, sameAs }
      const entries = await tables.sessions(contact.no)
      const sessions = entries
        .map(({ session }) => session)
        .filter(({ peer }) => equalBytes(peer, accepted.peer.id))
      const { continues } = accepted
      const after = addAcceptedSession(sessions, accepted.session, continues, expected)
      const superseded = await this.#supersede(tables, contact, entries, sessions, after)
      await boundSessions(tables, contact, entries)
      // Whoever stole a verified contact's keys could move, too, and its owner would not see it.
      const added = after.at(-1)!
      const isAwaiting = isPinned && pinned.verified && pinned.undecided
      const session = isAwaiting ? { ...added, unproven: true } : added
      const entry = await tables.addSession(contact.no, session, this.#now())
      await tables.rememberHandshake(session.handshakeHash, prekeys.id)
      await this.#planRotation(tables, prekeys)
      const received = await this.#store(tables, pinned, entry, { ...accepted, session })
      const replaced = superseded || session.unproven
      return { received, contact: pinned, replaced, isNew: !known, followed, isDecided }
    })
    // What one who is blocked writes is not shown, whatever the number.
    if (!result) return { answer: { kind: 'ack', receipt: undefined } }
    if (result.isNew && !result.contact.accepted) tell.request(result.contact)
    if (result.replaced) tell.warning('session-replaced', result.contact)
    tell.received(result.contact)
    if (result.followed) tell.followed({ ...result.followed, contact: result.contact })
    const releases = result.isDecided ? ({ releases: true } as const) : {}
    return { ...result.received, rotates: true, ...releases }
  }

  /**
   * Whether the server has this identity under the number that it claims: a record is signed by
   * itself alone, and anybody could write somebody else's number into one. The answer is noted, so
   * that a contact's new key is seen here too.
   */
  async #isRegistered(accepted: Accepted): Promise<boolean> {
    const { store } = this.#context
    const { phone } = accepted.peer.record
    const contact = await inTransaction(store, (tables) => tables.contactByPhone(phone))
    if (contact?.identity && equalBytes(contact.identity.id, accepted.peer.id)) return true
    const peer = await this.#directory.lookup(phone)
    if (!peer || !equalBytes(peer.identity.id, accepted.peer.id)) return false
    if (contact) await this.#directory.note(contact.no, peer.identity)
    return true
  }

  async #supersede(
    tables: Tables,
    contact: ContactRecord,
    entries: readonly SessionEntry[],
    before: readonly Session[],
    after: readonly Session[],
  ): Promise<boolean> {
    let any = false
    for (const [i, session] of before.entries()) {
      const entry = entries.find((candidate) => candidate.session === session)
      const changed = after[i]
      if (entry && changed && changed !== session) {
        await tables.putSession(contact.no, { ...entry, session: changed })
        any = true
      }
    }
    return any
  }

  /** Prekeys rotate some time after their use: at once would show that we are here. */
  async #planRotation(tables: Tables, prekeys: PrekeysRecord): Promise<void> {
    if (prekeys.retiredAt !== undefined) return
    const account = await tables.requireAccount()
    if (account.rotatePrekeysAt !== undefined) return
    const delay = Math.floor(fraction(this.#context.platform.random) * PREKEY_USED_ROTATION_MS)
    await tables.putAccount({ ...account, rotatePrekeysAt: this.#now() + delay })
  }

  // ----------------------------------------------------------------------------------------------

  /** The one place where a message enters this device. */
  async #store(
    tables: Tables,
    contact: ContactRecord,
    entry: SessionEntry,
    opened: Opened,
  ): Promise<Received> {
    const now = this.#now()
    const { content } = opened
    const { established, unproven } = opened.session
    await tables.putSession(contact.no, { ...entry, session: opened.session, usedAt: now })
    const day = Math.floor(now / DAY_MS)
    const record = { receipt: opened.receipt, contact: contact.no }
    await tables.putReceivedEnvelope(toHex(opened.id), record, day)
    const messageId = toHex(content.messageId)
    const isNew = !(await isSeen(tables, contact, messageId))
    const isShown = isNew && content.sequence > 0 && !contact.blocked
    await tables.markSeenMessage(contact.no, messageId)
    // Numbers count for each identity on its own.
    const isPinned = isOfPinned(contact, toHex(entry.session.peer))
    const after: ContactRecord = {
      ...contact,
      unanswered: contact.unanswered + 1,
      unansweredSince: contact.unanswered === 0 ? now : contact.unansweredSince,
      // It was written to this home's number. Under other keys, or without proof, it may be by somebody else.
      announce: isPinned && !unproven ? undefined : contact.announce,
      continuity: isPinned && !unproven && established ? undefined : contact.continuity,
      incoming:
        isNew && isPinned && !contact.blocked
          ? noteSequence(contact.incoming, content.sequence, content.oldestPending)
          : contact.incoming,
    }
    await tables.putContact(after)
    await supersedeFormer(tables, after, opened.session)
    if (isShown) {
      const position = await tables.appendMessage(contact.no, {
        direction: 'incoming',
        id: messageId,
        sender: toHex(entry.session.peer),
        text: content.body.kind === 'text' ? content.body.text : UNSUPPORTED,
        sentAt: content.sentAt,
        receivedAt: now,
        sequence: content.sequence,
        expiresAfter: Math.min(content.expiresAfter, MAX_EXPIRES_AFTER_MS),
      })
      await tables.addUnread(position, contact.no)
    }
    const answer = await this.#ack(tables, after, opened.receipt)
    const { receipts } = await tables.settings()
    if (receipts && isUndecided(after)) await tables.holdReceipt(contact.no, toHex(opened.id))
    const heartbeat = isTrusted(after) && wantsHeartbeat(after, now)
    return heartbeat ? { answer, heartbeat: contact.no } : { answer }
  }

  /** Receipts go only to contacts whom the user has accepted, and only if the user wants. */
  async #ack(tables: Tables, contact: ContactRecord, receipt: Bytes): Promise<Answer> {
    const { receipts } = await tables.settings()
    return { kind: 'ack', receipt: receipts && isTrusted(contact) ? receipt : undefined }
  }

  #now(): number {
    return this.#context.platform.clock.now()
  }
}

/** The sessions that may fit: first those of the contact whom the server names, then all others. */
async function* candidates(
  tables: Tables,
  sender: Bytes,
): AsyncGenerator<{ contact: ContactRecord; entry: SessionEntry }> {
  const hinted = await tables.contactByIdentity(sender)
  if (hinted) yield* sessionsWith(tables, hinted)
  // Read only when they are needed: there may be thousands.
  for (const contact of await tables.contacts()) {
    if (contact.no !== hinted?.no) yield* sessionsWith(tables, contact)
  }
}

/** The one that was used last first. */
async function* sessionsWith(
  tables: Tables,
  contact: ContactRecord,
): AsyncGenerator<{ contact: ContactRecord; entry: SessionEntry }> {
  const entries = await tables.sessions(contact.no)
  for (const entry of entries.toSorted((a, b) => b.usedAt - a.usedAt)) yield { contact, entry }
}

async function pinIfNew(
  tables: Tables,
  contact: ContactRecord,
  { peer }: Accepted,
): Promise<ContactRecord> {
  if (contact.identity) return contact
  const pinned = { ...contact, identity: { id: peer.id, signed: peer.signed } }
  await tables.putContact(pinned)
  await tables.nameIdentity(peer.id, contact.no)
  return pinned
}

function wantsHeartbeat({ unanswered, unansweredSince }: ContactRecord, now: number): boolean {
  return unanswered >= HEARTBEAT_MESSAGES || now - unansweredSince >= HEARTBEAT_INTERVAL_MS
}

/** Whether this identity may be filed under this contact: pinned, or noted as its changed key. */
function mayWrite({ identity, changed }: ContactRecord, { peer }: Accepted): boolean {
  if (!identity) return true
  return equalBytes(identity.id, peer.id) || equalBytes(changed?.id ?? NOBODY, peer.id)
}

/** A peer may begin as many sessions as it likes; only so many are kept. */
async function boundSessions(
  tables: Tables,
  contact: ContactRecord,
  entries: readonly SessionEntry[],
): Promise<void> {
  const spare = entries
    .filter(({ session }) => !session.established)
    .toSorted((a, b) => precedence(a) - precedence(b) || a.usedAt - b.usedAt)
  for (const { no } of spare.slice(0, Math.max(0, entries.length - MAX_SESSIONS + 1))) {
    await tables.deleteSession(contact.no, no)
  }
}

/** Of a session that has proven itself: it stays longer, whoever begins many. */
function precedence({ session }: SessionEntry): number {
  return session.unproven ? 0 : 1
}

function isTrusted(contact: ContactRecord): boolean {
  return contact.accepted && !contact.blocked && !awaitsUser(contact)
}

/** The user may yet say yes: to a stranger, to a changed key, or to who has moved. */
function isUndecided(contact: ContactRecord): boolean {
  return !contact.blocked && (!contact.accepted || awaitsUser(contact))
}

function nack(reason: NackReason): Received {
  return { answer: { kind: 'nack', reason } }
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Sessions that are kept with one contact. */
const MAX_SESSIONS = 8
const NOBODY = new Uint8Array(32)
const UNSUPPORTED = 'This message needs a newer version of Couplet.'
