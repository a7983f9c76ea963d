/**
 * What follows from the server's word about a sent envelope: the table of reactions.
 * (spec/delivery.md, "Reactions")
 *
 * Works inside a transaction and tells nobody; the outbox does that afterwards. Every reaction is
 * safe to repeat.
 */
import { mustWaitForReceipt, noteReceipt, sessionToSendIn } from '@couplet/protocol'
import { type EnvelopeStatus, equalBytes } from '@couplet/wire'
import { backoffMs } from './backoff.ts'
import type { Platform } from './platform.ts'
import type {
  ContactRecord,
  OutgoingRecord,
  Placed,
  SentEnvelopeRecord,
  SessionEntry,
} from './records.ts'
import { mayReplace } from './session-opener.ts'
import type { Tables } from './tables.ts'

/** A status, or the answer to a put that found no room. */
export type Word = EnvelopeStatus | { readonly kind: 'full' }

export interface Reaction {
  /** The message, if its state has changed. */
  readonly message?: OutgoingRecord | undefined
  /** The recipient's mailbox has no room. */
  readonly isFull?: true
}

/** One envelope and the transaction that it is settled in. */
interface Case {
  readonly tables: Tables
  /** Of the envelope, in hex. */
  readonly id: string
  readonly sent: SentEnvelopeRecord
}

export class Reactions {
  readonly #platform: Platform

  constructor(platform: Platform) {
    this.#platform = platform
  }

  apply(tables: Tables, id: string, sent: SentEnvelopeRecord, word: Word): Promise<Reaction> {
    const given: Case = { tables, id, sent }
    switch (word.kind) {
      case 'waiting':
        return this.#accepted(given)
      case 'delivered':
        return equalBytes(word.receipt, sent.receipt)
          ? this.#delivered(given)
          : this.#resend(given, 'unusable')
      case 'settled':
        return this.#settled(given)
      case 'evicted':
      case 'full':
        return this.#resend(given, 'full')
      case 'refused': {
        const isLost = word.reason === 'unknown-session' || word.reason === 'retired-prekey'
        return isLost ? this.#sessionLost(given) : this.#resend(given, 'unusable')
      }
      case 'unknown':
        return this.#resend(given, 'unusable')
    }
  }

  /** The server has it: the bytes need not be kept for a retry. */
  async #accepted({ tables, id, sent }: Case): Promise<Reaction> {
    if (sent.envelope) await tables.putSentEnvelope(id, { ...sent, envelope: undefined })
    const message = await carriedMessage(tables, id, sent)
    if (!message || message.value.state === 'sent') return {}
    return this.#store({ tables, id, sent }, message, { state: 'sent' })
  }

  async #delivered({ tables, id, sent }: Case): Promise<Reaction> {
    const entry = (await tables.sessions(sent.contact)).find(({ no }) => no === sent.sessionNo)
    if (entry) {
      await tables.putSession(sent.contact, {
        ...entry,
        session: noteReceipt(entry.session, sent.place),
        receiptedChain: Math.max(entry.receiptedChain, sent.place.chain),
      })
    }
    await tables.deleteSentEnvelope(id)
    await noteAnnounced(tables, sent.contact)
    // Whichever of a message's envelopes has its receipt: the recipient has the message.
    if (sent.message === undefined) return {}
    const value = await tables.outgoing(sent.contact, sent.message)
    if (!value || value.state === 'delivered') return {}
    const message = { position: sent.message, value }
    return this.#store({ tables, id, sent }, message, {
      state: 'delivered',
      failure: undefined,
      phase: { kind: 'done' },
    })
  }

  /** Acknowledged without a receipt: kept as sent, and not sent again. A receipt may still come. */
  async #settled({ tables, id, sent }: Case): Promise<Reaction> {
    if (this.#now() - sent.createdAt > RECEIPT_PATIENCE_MS) await tables.deleteSentEnvelope(id)
    else if (sent.envelope) await tables.putSentEnvelope(id, { ...sent, envelope: undefined })
    await noteAnnounced(tables, sent.contact)
    const message = await carriedMessage(tables, id, sent)
    if (!message) return {}
    const phase = { kind: 'done' } as const
    return this.#store({ tables, id, sent }, message, { state: 'sent', phase })
  }

  /**
   * The recipient does not know the session. That is the server's word: it is believed only for
   * the session that we send in, only if nothing sealed at or after that place has a receipt, and
   * only as often as a replacement is allowed. Otherwise the message is sent in it again.
   */
  async #sessionLost({ tables, id, sent }: Case): Promise<Reaction> {
    const contact = await tables.requireContact(sent.contact)
    const entry = await currentSession(tables, contact)
    const isCurrent = entry?.no === sent.sessionNo && !hasReceiptSince(entry, sent.place)
    if (isCurrent && mayReplace(contact, this.#now())) {
      const session = { ...entry.session, standing: 'dead' as const }
      await tables.putSession(contact.no, { ...entry, session })
    }
    return this.#resend({ tables, id, sent }, 'unusable')
  }

  /** The content goes out again under a new key; this envelope is thrown away. */
  async #resend({ tables, id, sent }: Case, cause: 'full' | 'unusable'): Promise<Reaction> {
    if (await this.#awaitsReceipt(tables, sent)) return {}
    await tables.deleteSentEnvelope(id)
    const full: Reaction = cause === 'full' ? { isFull: true } : {}
    const message = await carriedMessage(tables, id, sent)
    if (!message) return full
    const { phase } = message.value
    const attempts = cause === 'unusable' && phase.kind === 'out' ? phase.attempts + 1 : 0
    // Without a wait no time is noted: the clock may be ahead, and be set back.
    const notBefore =
      attempts && this.#now() + backoffMs(this.#platform.random, attempts - 1, RESEND_BACKOFF)
    const stored = await this.#store({ tables, id, sent }, message, {
      state: cause === 'full' ? 'waiting-for-room' : 'pending',
      phase: { kind: 'resend', notBefore, attempts },
    })
    return { ...stored, ...full }
  }

  /**
   * Acknowledged without a receipt before, and the receipt may still come: the server may forget
   * such an envelope, we may not.
   */
  async #awaitsReceipt(
    tables: Tables,
    { contact, message, createdAt }: SentEnvelopeRecord,
  ): Promise<boolean> {
    if (message === undefined || this.#now() - createdAt > RECEIPT_PATIENCE_MS) return false
    const value = await tables.outgoing(contact, message)
    return value?.phase.kind === 'done' && value.state === 'sent'
  }

  async #store(
    { tables, sent }: Case,
    { position, value }: Placed<OutgoingRecord>,
    change: Partial<OutgoingRecord>,
  ): Promise<Reaction> {
    const message = { ...value, ...change, stateAt: this.#now() }
    await tables.putOutgoing(sent.contact, position, message, value)
    return { message }
  }

  #now(): number {
    return this.#platform.clock.now()
  }
}

/** The message that this envelope carries, if it is still the envelope that counts. */
export async function carriedMessage(
  tables: Tables,
  id: string,
  { contact, message }: SentEnvelopeRecord,
): Promise<Placed<OutgoingRecord> | undefined> {
  if (message === undefined) return undefined
  const value = await tables.outgoing(contact, message)
  const counts = value?.phase.kind === 'out' && value.phase.envelopeId === id
  return value && counts ? { position: message, value } : undefined
}

/** Something sent under this home's number has arrived: the contact knows it. */
async function noteAnnounced(tables: Tables, contactNo: number): Promise<void> {
  const contact = await tables.requireContact(contactNo)
  if (contact.announce) await tables.putContact({ ...contact, announce: undefined })
}

/**
 * The session to send in to the contact's pinned identity. Of a verified contact's, one without proof is
 * passed over while there is another: whoever begins it can choose its hash, and would stop the others.
 */
export async function currentSession(
  tables: Tables,
  { no, identity, verified }: ContactRecord,
): Promise<SessionEntry | undefined> {
  if (!identity) return undefined
  const entries = (await tables.sessions(no)).filter(({ session }) =>
    equalBytes(session.peer, identity.id),
  )
  const sessions = entries.map(({ session }) => session)
  const proven = verified ? sessions.filter(({ unproven }) => !unproven) : sessions
  const chosen = sessionToSendIn(proven) ?? sessionToSendIn(sessions)
  return entries.find(({ session }) => session === chosen)
}

/** Both wait for an event: a receipt, or the user's word about a replaced session. */
export function mustWait({ session }: SessionEntry, { verified }: ContactRecord): boolean {
  return mustWaitForReceipt(session) || (session.unproven && verified)
}

/**
 * Whether the time for a resend is yet to come. One that lies further ahead than any backoff was
 * noted while the clock was ahead: there is nothing to wait for.
 */
export function mustStillWait(notBefore: number, now: number): boolean {
  return notBefore > now && notBefore <= now + RESEND_BACKOFF.maxMs
}

/** Whether anything sealed at this place in the session, or later, has its receipt. */
function hasReceiptSince(entry: SessionEntry, place: SentEnvelopeRecord['place']): boolean {
  const { sending } = entry.session
  if (sending?.index !== place.chain) return entry.receiptedChain >= place.chain
  return sending.receipted > place.number
}

const RESEND_BACKOFF = { firstMs: 500, maxMs: 600_000 }
/** How long a receipt may still come for a message that was acknowledged without one: 30 days. */
const RECEIPT_PATIENCE_MS = 30 * 24 * 60 * 60 * 1000
