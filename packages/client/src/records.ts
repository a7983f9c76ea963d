/**
 * The client's records: what each holds. Where it lies is said in `tables.ts`.
 *
 * A contact has a number of its own (`no`), under which its sessions and messages are kept, so that
 * a conversation survives a change of identity.
 */
import type { ContinuityKeys, Session } from '@couplet/protocol'
import { type Bytes, type PhoneNumber, toHex } from '@couplet/wire'
import type { DeliveryState, Failure } from './api.ts'
import type { SequenceState } from './sequence-tracker.ts'

/** This home's own identity with its private halves. */
export type AccountRecord = {
  readonly phone: PhoneNumber
  readonly server: string
  /** Signed identity record. */
  readonly identity: Bytes
  readonly signingSeed: Bytes
  readonly identitySecret: Bytes
  readonly exchangeKey: Bytes
  /** Milliseconds; a rotation of the prekeys that a handshake has asked for. */
  readonly rotatePrekeysAt?: number | undefined
  /** Counts everything that is shown, in the order in which it came to this device. */
  readonly nextPosition: number
  readonly nextContact: number
}

/** A number that this home has left, until it is given back: the identity that it had there. */
export type FormerRecord = {
  /** identityId. */
  readonly id: Bytes
  /** The signed record, 570 bytes. */
  readonly signed: Bytes
  /** Private prekeys of that identity: who has moved, too, may have written there. */
  readonly prekeys: readonly PrekeysRecord[]
  /** Milliseconds since 1970. */
  readonly leftAt: number
}

/** Left in a home that is being moved to another device, or was. */
export type MovedRecord = {
  readonly state: 'exporting' | 'moved'
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A registration that waits for its code, with the keys being registered. */
export type RegistrationRecord = {
  readonly account: AccountRecord
  readonly prekeys: PrekeysRecord
  readonly registrationId: string
  readonly challenge: Bytes
  readonly expiresAt: number
  readonly development: boolean
}

export type SettingsRecord = {
  readonly receipts: boolean
  readonly strangers: 'accept' | 'ask'
  readonly expiresAfterMs: number
}

export const DEFAULT_SETTINGS: SettingsRecord = {
  receipts: true,
  strangers: 'accept',
  expiresAfterMs: 0,
}

/** One generation of own prekeys. The highest id is the one in use. */
export type PrekeysRecord = {
  readonly id: number
  readonly secret: Bytes
  readonly kemSeed: Bytes
  readonly encoded: Bytes
  readonly signed: Bytes
  readonly createdAt: number
  /** Whether the server has them. */
  readonly published: boolean
  /** When a newer generation took over. */
  readonly retiredAt?: number | undefined
}

export type ContactRecord = {
  readonly no: number
  readonly phone: PhoneNumber
  /** The pinned identity; undefined until the server could be asked. */
  readonly identity?: PinnedIdentity | undefined
  readonly verified: boolean
  readonly blocked: boolean
  /** Whether receipts go to this contact: the user wrote to it or accepted it. */
  readonly accepted: boolean
  /** The number that this contact had before, under the same keys. */
  readonly formerPhone?: PhoneNumber | undefined
  /** identityIds, in hex, of the same keys under earlier numbers: one person, counting on. */
  readonly formerIds?: readonly string[] | undefined
  /** A verified contact that was followed to another number without proof: the user is to decide. */
  readonly undecided?: true | undefined
  /** This home has another number, of which the contact is to be told: when, and until when at most. */
  readonly announce?: { readonly at: number; readonly until: number } | undefined
  /**
   * Of the session before this home or the contact had another number, until one is established under
   * it: proves on either side that it is the same device.
   */
  readonly continuity?: ContinuityRecord | undefined
  /** Another identity that the server shows instead, until the user has decided. */
  readonly changed?: (PinnedIdentity & { readonly seenAt: number }) | undefined
  /** `no` of other contacts that have, or had, the keys of somebody who writes here: what they sent is known. */
  readonly sameAs?: readonly number[] | undefined
  readonly highestPrekeyId: number
  /** Number of our next message to this contact. */
  readonly nextSequence: number
  /** What has arrived of the pinned identity's messages, and the highest that the user has seen. */
  readonly incoming: SequenceState
  readonly highestSeen: number
  /** Messages received since we last sent one, and when the first of them came: for heartbeats. */
  readonly unanswered: number
  readonly unansweredSince: number
  /** When sessions were replaced after a loss, newest first: there is a limit. */
  readonly replacements: readonly number[]
}

/** As in a session; secret. */
export type ContinuityRecord = Readonly<Pick<ContinuityKeys, 'proving' | 'accepted'>>

export type PinnedIdentity = {
  /** identityId, 32 bytes. */
  readonly id: Bytes
  /** The signed record, 570 bytes. */
  readonly signed: Bytes
}

/** A session and what only the client knows about it. */
export interface SessionEntry {
  readonly no: number
  readonly session: Session
  /** When it last carried a message. */
  readonly usedAt: number
  /** Highest sending chain of which a message has a receipt, -1 for none. */
  readonly receiptedChain: number
}

/** How a session is stored. */
export type SessionRecord = {
  readonly state: Bytes
  readonly usedAt: number
  readonly receiptedChain: number
}

export type IncomingRecord = {
  readonly direction: 'incoming'
  readonly id: string
  /** identityId of who sent it, in hex: numbers count for each identity on its own. */
  readonly sender: string
  readonly text: string
  readonly sentAt: number
  readonly receivedAt: number
  readonly sequence: number
  /** Milliseconds that it may be kept once it was seen, 0 for ever. */
  readonly expiresAfter: number
  readonly expiresAt?: number | undefined
}

export type OutgoingRecord = {
  readonly direction: 'outgoing'
  readonly id: string
  readonly text: string
  readonly sentAt: number
  readonly sequence: number
  readonly expiresAfter: number
  readonly expiresAt?: number | undefined
  /** identityId that it was written for, in hex; undefined until the contact is known. */
  readonly writtenFor?: string | undefined
  readonly state: DeliveryState
  readonly failure?: Failure | undefined
  readonly stateAt: number
  readonly phase: OutgoingPhase
}

/**
 * Where an outgoing message is for the outbox, which knows more than it shows.
 *
 * `fresh`: never encrypted. `out`: an envelope is on its way or waits at the server. `resend`: to be
 * encrypted again, not before a time. `held`: waits for the user's decision about a changed key.
 * `done`: nothing more to do.
 */
export type OutgoingPhase =
  | { readonly kind: 'fresh' }
  | {
      readonly kind: 'out'
      readonly envelopeId: string
      readonly resent: boolean
      readonly attempts: number
    }
  | { readonly kind: 'resend'; readonly notBefore: number; readonly attempts: number }
  | { readonly kind: 'held' }
  | { readonly kind: 'done' }

/** An envelope that left, or may have left, this device and has no receipt yet. */
export type SentEnvelopeRecord = {
  readonly contact: number
  /** Place of its message; undefined for a heartbeat. */
  readonly message?: number | undefined
  readonly recipient: Bytes
  readonly sessionNo: number
  /** Its place in the session, for taking note of the receipt. */
  readonly place: { readonly sessionId: Bytes; readonly chain: number; readonly number: number }
  /** The receipt that proves delivery. */
  readonly receipt: Bytes
  /** Kept until the server has answered, so that the same bytes can be put again. */
  readonly envelope?: Bytes | undefined
  readonly createdAt: number
}

/** An envelope that was received: how it is acknowledged whenever it comes again. */
export type ReceivedEnvelopeRecord = { readonly receipt: Bytes; readonly contact: number }

export interface Placed<T> {
  readonly position: number
  readonly value: T
}

/** Phases of messages that are not done. */
export type OutboxPhase = Exclude<OutgoingPhase['kind'], 'done'>
export const OUTBOX_PHASES: readonly OutboxPhase[] = ['fresh', 'out', 'resend', 'held']

/** Whether an identityId, in hex, names the person that this contact is pinned to. */
export function isOfPinned({ identity, formerIds }: ContactRecord, identityId: string): boolean {
  if (identity === undefined) return false
  return toHex(identity.id) === identityId || (formerIds?.includes(identityId) ?? false)
}

/** Nothing is sent, and nothing proven, before the user has decided: about a changed key, or who has moved. */
export function awaitsUser({ changed, verified, undecided }: ContactRecord): boolean {
  return changed !== undefined || (verified && undecided === true)
}

/** How long a contact that has not answered is told this home's new number: 30 days. */
export const ANNOUNCE_FOR_MS: number = 30 * 24 * 60 * 60 * 1000
