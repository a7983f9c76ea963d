/**
 * What goes out next, and its sealing: the message with the lowest sequence that may go out now.
 * (spec/delivery.md, "Sender")
 *
 * Sealing and storing the advanced ratchet are one transaction, before a byte leaves.
 */
import { type Content, mustWaitForReceipt, sealMessage } from '@couplet/protocol'
import { type Bytes, fromHex, type PutMode, toHex } from '@couplet/wire'
import { type Context, messageEntropy } from './context.ts'
import { holdMessage } from './held-messages.ts'
import { currentSession, mustStillWait, mustWait } from './reactions.ts'
import {
  awaitsUser,
  type ContactRecord,
  isOfPinned,
  type OutgoingRecord,
  type Placed,
  type SessionEntry,
} from './records.ts'
import { mayReplace } from './session-opener.ts'
import { inTransaction, type Tables } from './tables.ts'

/** What the pump of one contact does next. */
export type Step =
  | { readonly kind: 'idle' }
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'needs-identity'; readonly contact: ContactRecord }
  | { readonly kind: 'needs-session'; readonly contact: ContactRecord }
  | ({ readonly kind: 'put' } & PutRequest)
  | { readonly kind: 'held'; readonly contact: ContactRecord; readonly message: OutgoingRecord }

export interface PutRequest {
  /** Of the envelope, in hex. */
  readonly id: string
  readonly recipient: Bytes
  readonly envelope: Bytes
  readonly mode: PutMode
}

export class Sealer {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /**
   * One transaction: chooses what goes out next and seals it.
   *
   * @param hasRoom - whether the contact's mailbox may have room for what is sent again.
   */
  next(contactNo: number, hasRoom: boolean): Promise<Step> {
    return inTransaction(this.#context.store, async (tables): Promise<Step> => {
      const contact = await tables.contact(contactNo)
      // Another contact, whose new number this is, has taken it in.
      if (!contact || awaitsUser(contact)) return { kind: 'idle' }
      const choice = await this.#choose(tables, contact, hasRoom)
      const message = 'kind' in choice ? undefined : choice
      if (message && !isWrittenFor(contact, message.value)) {
        return {
          kind: 'held',
          contact,
          message: await holdMessage(tables, contactNo, message, this.#now()),
        }
      }
      if ('kind' in choice) {
        const at = await this.#announcesAt(tables, contact, hasRoom)
        if (at === undefined) return choice
        if (at > this.#now()) return sooner(choice, at)
      }
      if (!contact.identity) return { kind: 'needs-identity', contact }
      const entry = await currentSession(tables, contact)
      if (!entry) return { kind: 'needs-session', contact }
      if (await isJammed(tables, contact, entry)) return this.#giveUp(tables, contact, entry)
      if (mustWait(entry, contact)) return { kind: 'idle' }
      return this.#seal(tables, contact, entry, message)
    })
  }

  async #giveUp(tables: Tables, contact: ContactRecord, entry: SessionEntry): Promise<Step> {
    const now = this.#now()
    if (!mayReplace(contact, now)) return { kind: 'wait', until: now + REPLACEMENT_WAIT_MS }
    const session = { ...entry.session, standing: 'dead' as const }
    await tables.putSession(contact.no, { ...entry, session })
    return { kind: 'needs-session', contact }
  }

  /** An empty message, if one can be sent now. */
  heartbeat(contactNo: number): Promise<PutRequest | undefined> {
    return inTransaction(this.#context.store, async (tables) => {
      const contact = await tables.requireContact(contactNo)
      const entry = awaitsUser(contact) ? undefined : await currentSession(tables, contact)
      if (!entry || mustWait(entry, contact)) return undefined
      return this.#seal(tables, contact, entry, undefined)
    })
  }

  /**
   * When the contact is to be told that this home has another number; undefined for not now. Whatever is
   * under way tells it, too.
   */
  async #announcesAt(
    tables: Tables,
    { no, announce, accepted, blocked }: ContactRecord,
    hasRoom: boolean,
  ): Promise<number | undefined> {
    const now = this.#now()
    if (!announce || !accepted || blocked || now >= announce.until) return undefined
    if (!hasRoom && announce.at > 0) return undefined
    if ((await tables.sentEnvelopes(no)).length > 0) return undefined
    // Noted while the clock was ahead: there is nothing to wait for.
    return announce.at > now + ANNOUNCE_LATER_MS ? 0 : announce.at
  }

  /** The message with the lowest sequence that may go out now. */
  async #choose(
    tables: Tables,
    contact: ContactRecord,
    hasRoom: boolean,
  ): Promise<Placed<OutgoingRecord> | Step> {
    const [fresh] = await tables.outbox(contact.no, 'fresh', 1)
    const resend = hasRoom ? await this.#chooseResend(tables, contact) : undefined
    if (resend && 'position' in resend) {
      return fresh && fresh.value.sequence < resend.value.sequence ? fresh : resend
    }
    return fresh ?? resend ?? { kind: 'idle' }
  }

  async #chooseResend(
    tables: Tables,
    contact: ContactRecord,
  ): Promise<Placed<OutgoingRecord> | Step | undefined> {
    const [oldest] = await tables.outbox(contact.no, 'resend', 1)
    if (oldest?.value.phase.kind !== 'resend') return undefined
    const underway = await tables.outbox(contact.no, 'out')
    const resent = underway.filter(({ value }) => value.phase.kind === 'out' && value.phase.resent)
    if (resent.length >= MAX_RESENDS_UNDERWAY) return undefined
    const { notBefore } = oldest.value.phase
    return mustStillWait(notBefore, this.#now()) ? { kind: 'wait', until: notBefore } : oldest
  }

  /** Seals a message, or a heartbeat, and stores ratchet, envelope and message together. */
  async #seal(
    tables: Tables,
    contact: ContactRecord,
    entry: SessionEntry,
    message: Placed<OutgoingRecord> | undefined,
  ): Promise<Step & { kind: 'put' }> {
    const { platform } = this.#context
    const now = this.#now()
    const content = await this.#content(tables, contact, message?.value)
    const entropy = messageEntropy(platform)
    const sealed = sealMessage(platform.primitives, entry.session, content, { entropy, now })
    entropy.drawn.fill(0)
    const id = toHex(sealed.id)
    await tables.putSession(contact.no, { ...entry, session: sealed.session, usedAt: now })
    const before = message?.value.phase
    const isResend = before?.kind === 'resend'
    const { announce } = contact
    // Of a new number the contact learns at once, if the mailbox is full, too: it may be leaving it.
    const isUrgent = message ? !isResend : announce?.at === 0
    const mode = isUrgent ? 'evict' : 'if-room'
    // What is sent again may find no room: it tells nobody yet.
    const announced = isResend ? announce : announce && { ...announce, at: now + ANNOUNCE_AGAIN_MS }
    await tables.putContact({ ...contact, unanswered: 0, announce: announced })
    await tables.putSentEnvelope(id, {
      contact: contact.no,
      message: message?.position,
      recipient: entry.session.peer,
      sessionNo: entry.no,
      place: { ...sealed.position },
      receipt: sealed.receipt,
      envelope: sealed.envelope,
      createdAt: now,
    })
    if (message) {
      const attempts = before?.kind === 'resend' ? before.attempts : 0
      const phase = { kind: 'out', envelopeId: id, resent: isResend, attempts } as const
      await tables.putOutgoing(
        contact.no,
        message.position,
        { ...message.value, phase, writtenFor: toHex(entry.session.peer) },
        message.value,
      )
    }
    return { kind: 'put', id, recipient: entry.session.peer, envelope: sealed.envelope, mode }
  }

  async #content(
    tables: Tables,
    contact: ContactRecord,
    message: OutgoingRecord | undefined,
  ): Promise<Content> {
    return {
      messageId: message ? fromHex(message.id) : this.#context.platform.random(16),
      sequence: message?.sequence ?? 0,
      oldestPending: await tables.oldestPending(contact),
      sentAt: message?.sentAt ?? this.#now(),
      expiresAfter: message?.expiresAfter ?? 0,
      body: message ? { kind: 'text', text: message.text } : { kind: 'heartbeat' },
    }
  }

  #now(): number {
    return this.#context.platform.clock.now()
  }
}

/**
 * Whether a message may go to who the contact is now: written for the same keys, under whatever number,
 * or for whoever the number belongs to. Whatever else has put it here, it is not sealed.
 */
function isWrittenFor(contact: ContactRecord, { writtenFor }: OutgoingRecord): boolean {
  return (
    writtenFor === undefined || contact.identity === undefined || isOfPinned(contact, writtenFor)
  )
}

function sooner(step: Step, at: number): Step {
  return { kind: 'wait', until: step.kind === 'wait' ? Math.min(step.until, at) : at }
}

/** Ahead of every receipt, and nothing is under way any more that could bring one. */
async function isJammed(
  tables: Tables,
  { no }: ContactRecord,
  { session }: SessionEntry,
): Promise<boolean> {
  return mustWaitForReceipt(session) && (await tables.outbox(no, 'out', 1)).length === 0
}

/** Between two tries to tell a contact the new number, while nothing says that it has arrived. */
const ANNOUNCE_AGAIN_MS = 30 * 60 * 1000
/** And to one whom nobody knows where it is. */
export const ANNOUNCE_LATER_MS: number = 24 * 60 * 60 * 1000
const REPLACEMENT_WAIT_MS = 60 * 60 * 1000
/** Resent envelopes that wait at the server or for its answer, for each contact. */
const MAX_RESENDS_UNDERWAY = 2
