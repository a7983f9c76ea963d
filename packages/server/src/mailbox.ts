/**
 * The mailbox as a pure function: what a put, an acknowledgement and the passing of time do to one
 * user's record. (spec/mailbox.md; delivery.md, "Server side")
 *
 * Every store keeps such records and lets these functions decide, so that stores cannot differ and
 * a repeated request gets the answer of the first. Who may call them, what is told to whom, and how
 * a record becomes durable is left to others.
 */
import { type PutMode, type PutOutcome, sameBytes } from '@couplet/wire'
import { findById } from './lists.ts'

/** What a mailbox knows of an envelope that waits. Its bytes are the store's business. */
export interface Waiting {
  /** SHA-256 of the envelope, 32 bytes. */
  readonly id: Uint8Array
  /** identityId of who put it, 32 bytes. */
  readonly sender: Uint8Array
  /** Milliseconds since 1970. */
  readonly storedAt: number
}

/** How an envelope came to its end. The first three are the recipient's word. */
export type End = Exclude<PutOutcome, { readonly kind: 'stored' | 'duplicate' | 'full' }>

/** What a recipient says about an envelope: `ack` with a receipt or without, or `nack`. */
export type Answer = Exclude<End, { readonly kind: 'evicted' }>

/** An envelope that was here. */
export interface Ended {
  readonly id: Uint8Array
  readonly sender: Uint8Array
  readonly end: End
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

export interface MailboxRecord<E extends Waiting = Waiting> {
  /** At most `capacity`, in order of arrival. */
  readonly waiting: readonly E[]
  /** The last `ENDED_LIMIT` that left, in the order of their ends. */
  readonly ended: readonly Ended[]
}

export interface PutStep<E extends Waiting> {
  readonly record: MailboxRecord<E>
  readonly outcome: PutOutcome
  /** What left to make room, oldest first. More than one only after the capacity was lowered. */
  readonly evicted: readonly E[]
}

export interface AckStep<E extends Waiting> {
  readonly record: MailboxRecord<E>
  /** Set when this acknowledgement ended something: whose envelope it was, and how it ended. */
  readonly ended?: Ended
}

/** Ended envelopes that a mailbox remembers, so that a repeated put has one effect. */
export const ENDED_LIMIT = 16

export const EMPTY_MAILBOX: MailboxRecord<never> = { waiting: [], ended: [] }

/**
 * An envelope arrives. `evict` always finds a place, at the cost of the oldest; `if-room` takes
 * only a free one. An id that is here, or was here, changes nothing.
 *
 * A different sender with the same id hears `duplicate` and nothing else: how an envelope ended is
 * for who sent it.
 */
export function stepPut<E extends Waiting>(
  record: MailboxRecord<E>,
  envelope: E,
  mode: PutMode,
  capacity: number,
): PutStep<E> {
  const unchanged = (outcome: PutOutcome): PutStep<E> => ({ record, outcome, evicted: [] })
  if (findById(record.waiting, envelope.id)) return unchanged({ kind: 'duplicate' })
  const past = findById(record.ended, envelope.id)
  if (past) {
    return unchanged(sameBytes(past.sender, envelope.sender) ? past.end : { kind: 'duplicate' })
  }
  if (mode === 'if-room' && record.waiting.length >= capacity) return unchanged({ kind: 'full' })

  const longer = { waiting: [...record.waiting, envelope], ended: record.ended }
  return { ...stepShrink(longer, capacity, envelope.storedAt), outcome: { kind: 'stored' } }
}

/**
 * The recipient answers for an envelope: it leaves, and how it ended is remembered.
 *
 * A later answer replaces an earlier end only when it says more: anything beats `evicted` (the
 * envelope was on its way when it was pushed out), and a receipt, which proves itself, beats all.
 *
 * @param pushedFor - sender of the envelope when the recipient's connection knows it: for envelopes
 *   that were passed through, or whose record is past.
 */
export function stepAck<E extends Waiting>(
  record: MailboxRecord<E>,
  id: Uint8Array,
  answer: Answer,
  at: number,
  pushedFor?: Uint8Array,
): AckStep<E> {
  const here = findById(record.waiting, id)
  const past = findById(record.ended, id)
  const sender = here?.sender ?? past?.sender ?? pushedFor
  if (!sender || (!here && past && !saysMore(answer, past.end))) return { record }

  const ended: Ended = { id, sender, end: answer, endedAt: at }
  return {
    record: {
      waiting: here ? record.waiting.filter((envelope) => envelope !== here) : record.waiting,
      ended: remember(past ? record.ended.filter((one) => one !== past) : record.ended, [ended]),
    },
    ended,
  }
}

/** Envelopes stored at or before `before` leave as if evicted; ends that old are forgotten. */
export function stepExpire<E extends Waiting>(
  record: MailboxRecord<E>,
  before: number,
  at: number,
): { readonly record: MailboxRecord<E>; readonly evicted: readonly E[] } {
  const evicted = record.waiting.filter((envelope) => envelope.storedAt <= before)
  const fresh = record.ended.filter((one) => one.endedAt > before)
  if (evicted.length === 0 && fresh.length === record.ended.length) return { record, evicted }
  const waiting = record.waiting.filter((envelope) => envelope.storedAt > before)
  return { record: { waiting, ended: remember(fresh, asEvicted(evicted, at)) }, evicted }
}

/** The oldest leave until `capacity` is kept: after a put, or when an operator lowered it. */
export function stepShrink<E extends Waiting>(
  record: MailboxRecord<E>,
  capacity: number,
  at: number,
): { readonly record: MailboxRecord<E>; readonly evicted: readonly E[] } {
  const surplus = Math.max(0, record.waiting.length - capacity)
  if (surplus === 0) return { record, evicted: [] }
  const evicted = record.waiting.slice(0, surplus)
  return {
    record: {
      waiting: record.waiting.slice(surplus),
      ended: remember(record.ended, asEvicted(evicted, at)),
    },
    evicted,
  }
}

/** Whether a put in mode `if-room` would find a place. */
export function hasRoom(record: MailboxRecord, capacity: number): boolean {
  return record.waiting.length < capacity
}

function asEvicted(envelopes: readonly Waiting[], at: number): Ended[] {
  return envelopes.map(({ id, sender }) => ({ id, sender, end: { kind: 'evicted' }, endedAt: at }))
}

function remember(ended: readonly Ended[], more: readonly Ended[]): readonly Ended[] {
  return [...ended, ...more].slice(-ENDED_LIMIT)
}

/** Whether `answer` may replace `end`. (spec/mailbox.md, "Ends") */
export function saysMore(answer: End, end: End): boolean {
  return WEIGHT[answer.kind] > WEIGHT[end.kind]
}

const WEIGHT: Record<End['kind'], number> = { evicted: 0, settled: 1, refused: 1, delivered: 2 }
