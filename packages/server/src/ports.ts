/**
 * What the server's use cases need from their surroundings. Each implementation of a store passes
 * the same contract test (`test/*.contract.ts`).
 */
import type { EnvelopeStatus, PhoneNumber, PutMode, PutOutcome } from '@couplet/wire'
import type { Bus, Hearing } from './bus.ts'
import type { TryOutcome } from './code-tries.ts'
import type { Answer, Ended, Waiting } from './mailbox.ts'

/** An envelope and what the server knows of it. */
export interface StoredEnvelope extends Waiting {
  readonly envelope: Uint8Array
}

/** An envelope that left a mailbox without having been answered for. */
export interface Eviction {
  readonly recipient: Uint8Array
  readonly id: Uint8Array
  readonly sender: Uint8Array
}

export interface PutResult {
  readonly outcome: PutOutcome
  readonly evicted: readonly Eviction[]
}

export interface AckResult {
  /** Set when this acknowledgement ended something, and was not a repetition. */
  readonly ended?: Ended
  /** Whether the mailbox has room now. */
  readonly room: boolean
}

/**
 * Mailboxes, and the lane in which senders learn how their envelopes ended.
 *
 * Linearizable for each mailbox. What a promise resolved with is durable. A rejected promise is an
 * unknown outcome: ask again with the same id, every operation is idempotent. What becomes of a
 * mailbox is decided by `mailbox.ts` alone.
 */
export interface MailboxStore {
  put(recipient: Uint8Array, envelope: StoredEnvelope, mode: PutMode): Promise<PutResult>
  /** Oldest first, at most `limit`, without those whose ids are in `except`. */
  fetch(
    recipient: Uint8Array,
    limit: number,
    except: readonly Uint8Array[],
  ): Promise<readonly StoredEnvelope[]>
  /** How many wait. */
  count(recipient: Uint8Array): Promise<number>
  /** @param pushedFor - the sender, when the recipient's connection knows it. */
  ack(
    recipient: Uint8Array,
    id: Uint8Array,
    answer: Answer,
    at: number,
    pushedFor?: Uint8Array,
  ): Promise<AckResult>
  /** Whether a put in mode `if-room` would find a place now. */
  hasRoom(recipient: Uint8Array): Promise<boolean>
  /** In the order of `ids`. Only what `sender` itself put is known to it. */
  status(sender: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly EnvelopeStatus[]>
  /** What was stored or ended at or before `before` leaves: envelopes, ends, receipts. */
  expire(before: number, at: number): Promise<readonly Eviction[]>
  /** Everything of an identity that is gone: its mailbox, and the receipts kept for it. */
  drop(identityId: Uint8Array): Promise<void>
  /**
   * Hears when another process has written into this mailbox, from `ready` on. Only for stores that
   * tell by themselves; for others whoever writes says so on the bus.
   */
  watch?(recipient: Uint8Array, written: () => void): Hearing
}

/** A row of the directory: who answers to a phone number. */
export interface User {
  readonly phone: PhoneNumber
  readonly identityId: Uint8Array
  /** Signed identity record. */
  readonly identity: Uint8Array
  /** Signed prekey set, and its number. */
  readonly prekeys: Uint8Array
  readonly prekeysId: number
  /** Milliseconds since 1970. */
  readonly registeredAt: number
  /** When its device was last connected: milliseconds since 1970, kept to the day. */
  readonly seenAt: number
  /** Set when a PIN guards the number against another registration. */
  readonly lock?: RegistrationLock | undefined
  /** Counts up from 1 with every change of this number's row. */
  readonly revision: number
}

/** Which row of a number: revisions alone begin anew with whoever registers a free number. */
export type RowVersion = Pick<User, 'identityId' | 'revision'>

/** A PIN, and what became of tries to get past it. (registration-lock.ts) */
export interface RegistrationLock {
  readonly salt: Uint8Array
  /** argon2id of the PIN, 32 bytes. */
  readonly hash: Uint8Array
  readonly triesLeft: number
  /** No try before: milliseconds since 1970. */
  readonly nextTryAt: number
  /** Wrong PINs since it was set, and when the last one came. */
  readonly failures: number
  readonly failedAt?: number | undefined
}

export interface DirectoryStore {
  byPhone(phone: PhoneNumber): Promise<User | undefined>
  byIdentity(identityId: Uint8Array): Promise<User | undefined>
  /**
   * Stores `user` if its number's row is still `expected` (none: there is no row).
   * Answers whether it did. If that replaces the number's identity, an engine that can do so
   * empties the old one's mailbox in the same commit; the others leave that to `drop`.
   */
  compareAndSet(user: User, expected: RowVersion | undefined): Promise<boolean>
  /** Removes a number's row if it is still `expected`; what is kept for its identity as above. */
  remove(phone: PhoneNumber, expected: RowVersion): Promise<boolean>
  /** For the operator: rows in the order of their numbers, after `after`, at most `limit`. */
  list(after: string, limit: number): Promise<readonly User[]>
}

/** A registration that waits for its code. */
export interface PendingRegistration {
  readonly id: string
  readonly phone: PhoneNumber
  readonly identityId: Uint8Array
  readonly identity: Uint8Array
  readonly prekeys: Uint8Array
  readonly prekeysId: number
  readonly challenge: Uint8Array
  /** HMAC over everything that the code is bound to; the code itself is nowhere. */
  readonly codeHash: Uint8Array
  readonly expiresAt: number
  readonly triesLeft: number
  /** No try before: milliseconds since 1970. */
  readonly nextTryAt: number
  /** Name of the record of the invitation that it uses up, if it needs one. */
  readonly invitation?: string | undefined
}

export interface RegistrationStore {
  open(registration: PendingRegistration): Promise<void>
  find(id: string): Promise<PendingRegistration | undefined>
  /** Uses up one try, atomically, before the code is looked at. Decided by `code-tries.ts`. */
  takeTry(id: string, now: number): Promise<TryOutcome>
  /** Removes it. Answers whether it was there: of two that finish it, one does. */
  finish(id: string): Promise<boolean>
  /** Forgets those that expired at or before `now`. */
  expire(now: number): Promise<void>
}

/** A small thing to remember: a counter, an invitation, a block. What it means is its user's. */
export interface SmallRecord {
  /** At most 128 characters; begins with what it is for, like `codes:`. */
  readonly name: string
  readonly level: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** When it may be forgotten: milliseconds since 1970. */
  readonly expiresAt: number
  /** Counts up from 1 with every change. */
  readonly revision: number
}

/** Small records, changed one at a time by compare-and-set, so that several servers can share them. */
export interface RecordStore {
  get(name: string): Promise<SmallRecord | undefined>
  /** Stores if the revision is still `expected` (0: none). Answers whether it did. */
  compareAndSet(record: SmallRecord, expected: number): Promise<boolean>
  remove(name: string): Promise<void>
  /** Those whose name begins so, in the order of their names. */
  list(prefix: string): Promise<readonly SmallRecord[]>
  /** Forgets those with `expiresAt` at or before `now`. */
  expire(now: number): Promise<void>
}

/** One engine with everything that must survive a restart. */
export interface Store {
  readonly mailboxes: MailboxStore
  readonly directory: DirectoryStore
  readonly registrations: RegistrationStore
  readonly records: RecordStore
  /** Resolves when a write has become durable just now; rejects when the store cannot write. */
  probe(): Promise<void>
  /** Whether the data has the form that this program knows; without it, that was so at the start. */
  isCurrent?(): Promise<boolean>
  /** Whether it is this process's turn to look for what expired; without it, it always is. */
  takeExpiry?(now: number): Promise<boolean>
  /** Resolves when the store has failed for good; never, when it has not. */
  readonly failed: Promise<Error>
  /** Finishes what was asked before. */
  close(): Promise<void>
}

/** A store, and the way to the other processes that serve from it. */
export interface Engine {
  readonly store: Store
  /** None, when this process is the only one. */
  readonly bus?: Bus | undefined
  /** Keys the hashes of codes, 32 bytes: the same in every process. */
  readonly codeKey: Uint8Array
}

/** Milliseconds since 1970. */
export interface Clock {
  now(): number
}

/** Hands a code to the network that brings it to the phone. */
export interface CodeSender {
  /** Whether codes come out where the server runs, not at the phone. */
  readonly development: boolean
  /** @throws when the code could not be handed over. */
  send(phone: PhoneNumber, code: string): Promise<void>
}
