/**
 * The outbox: every message stays here, encrypted at rest, until its recipient has proven that it
 * has it. (spec/delivery.md, "Sender")
 *
 * What goes out next is chosen and sealed in `sealer.ts`, before a byte leaves. Three ways out: a
 * *fresh* message is put in mode `evict`; a *retry* puts the same envelope again when no answer came;
 * a *resend* encrypts the same content anew, in mode `if-room`, so that an old message never pushes
 * out a newer one.
 */
import { ProtocolError } from '@couplet/protocol'
import {
  type Bytes,
  type EnvelopeStatus,
  fromHex,
  MAX_STATUS_IDS,
  type PutOutcome,
  toHex,
} from '@couplet/wire'
import { backoffMs } from './backoff.ts'
import type { Context } from './context.ts'
import { ClientError, isFaultOfServer } from './errors.ts'
import { KnownRoom } from './known-room.ts'
import { Pace } from './pace.ts'
import type { PeerDirectory } from './peer-directory.ts'
import type { Connection } from './ports.ts'
import { carriedMessage, Reactions, type Word } from './reactions.ts'
import type { OutgoingRecord, SentEnvelopeRecord } from './records.ts'
import { ANNOUNCE_LATER_MS, type PutRequest, Sealer } from './sealer.ts'
import { MAX_REPLACEMENTS_REACHED, SessionOpener } from './session-opener.ts'
import { inTransaction } from './tables.ts'
import { Timers } from './timers.ts'

export class Outbox {
  readonly #context: Context
  readonly #directory: PeerDirectory
  readonly #opener: SessionOpener
  readonly #sealer: Sealer
  readonly #reactions: Reactions
  #connection: Connection | undefined
  /** Contacts whose pump runs, and whether it was asked to look again. */
  readonly #pumps = new Map<number, { again: boolean; done: Promise<void> }>()
  readonly #rooms = new KnownRoom()
  readonly #underway = new Set<Promise<void>>()
  /** Envelopes whose put has no answer yet, by id. */
  readonly #unanswered = new Set<string>()
  /** Contacts whose envelopes are being asked about: nothing new is sealed for them meanwhile. */
  readonly #settling = new Set<number>()
  readonly #pace = new Pace()
  /** Contacts with envelopes that the server was too busy for: nothing newer overtakes them. */
  readonly #behind = new Set<number>()
  readonly #timers: Timers
  /** Resolves when what waited at login has been stored. */
  #caughtUp: Promise<void> = Promise.resolve()

  constructor(context: Context, directory: PeerDirectory) {
    this.#context = context
    this.#directory = directory
    this.#opener = new SessionOpener(context, directory)
    this.#reactions = new Reactions(context.platform)
    this.#sealer = new Sealer(context)
    this.#timers = new Timers(context.platform.clock)
  }

  /**
   * Settles with the server what happened while we were away, then sends what can be sent.
   * Resolves when every status has been asked and applied.
   *
   * @param caughtUp - resolves when what waited at login has been stored.
   */
  async attach(connection: Connection, caughtUp: Promise<void>): Promise<void> {
    this.#caughtUp = caughtUp
    const contacts = await inTransaction(this.#context.store, (tables) => tables.contacts())
    // From here to the marks nothing waits: no pump can seal anything new before the retries.
    this.#connection = connection
    this.#rooms.forget()
    this.#behind.clear()
    this.#settling.clear()
    for (const { no } of contacts) this.#settling.add(no)
    for (const { no } of contacts) {
      if (this.#connection !== connection) throw connectionLost()
      await this.#settleNow(connection, no)
    }
  }

  detach(): void {
    this.#connection = undefined
    this.#timers.clear()
  }

  /** Looks whether something can be sent to this contact now. */
  kick(contactNo: number): void {
    const connection = this.#connection
    if (!connection || this.#settling.has(contactNo)) return
    const running = this.#pumps.get(contactNo)
    if (running) {
      running.again = true
      return
    }
    const pump = { again: false, done: Promise.resolve() }
    pump.done = this.#pump(connection, contactNo, pump)
      .catch((error: unknown) => this.#context.tell.broken(error))
      .finally(() => {
        this.#pumps.delete(contactNo)
        if (pump.again) this.kick(contactNo)
      })
    this.#pumps.set(contactNo, pump)
  }

  /** Resolves when nothing can be sent right now and every put has its answer. */
  async idle(): Promise<void> {
    while (this.#pumps.size + this.#underway.size > 0) {
      await Promise.all([...this.#underway, ...[...this.#pumps.values()].map(({ done }) => done)])
    }
  }

  /** The server says that a mailbox has room again. */
  async room(recipient: Bytes): Promise<void> {
    const contact = await inTransaction(this.#context.store, (tables) =>
      tables.contactByIdentity(recipient),
    )
    if (contact) this.#hasRoom(contact.no)
  }

  /** The server says what became of an envelope. */
  async notice(id: Bytes, status: EnvelopeStatus): Promise<void> {
    await this.#apply(toHex(id), status, 'now')
  }

  /** Sends an empty message, so that the ratchet turns in a conversation that goes one way. */
  async sendHeartbeat(contactNo: number): Promise<void> {
    const connection = this.#connection
    if (!connection) return
    const heartbeat = await this.#sealer.heartbeat(contactNo)
    if (heartbeat) void this.#put(connection, contactNo, heartbeat)
  }

  // ----------------------------------------------------------------------------------------------
  // Sending

  async #pump(connection: Connection, contactNo: number, self: { again: boolean }): Promise<void> {
    const puts = new Set<Promise<void>>()
    try {
      while (this.#connection === connection) {
        self.again = false
        if (this.#behind.has(contactNo)) return
        const earliest = this.#pace.earliest(this.#now())
        if (earliest > this.#now()) return this.#kickAt(contactNo, earliest)
        const step = await this.#sealer.next(contactNo, !this.#rooms.isFull(contactNo))
        if (step.kind === 'put') {
          const put = this.#put(connection, contactNo, step).finally(() => puts.delete(put))
          puts.add(put)
          if (puts.size >= this.#pace.window) await Promise.race(puts)
        } else if (step.kind === 'held') {
          this.#context.tell.status(step.contact, step.message)
        } else if (step.kind === 'needs-identity') {
          await this.#directory.refresh(step.contact)
        } else if (step.kind === 'needs-session') {
          await this.#opener.open(step.contact)
        } else {
          if (step.kind === 'wait') this.#kickAt(contactNo, step.until)
          return
        }
      }
    } catch (error) {
      await this.#pumpFailed(contactNo, error)
    }
  }

  /** Puts an envelope and applies the answer, without making the pump wait for it. */
  #put(connection: Connection, contactNo: number, put: PutRequest): Promise<void> {
    this.#unanswered.add(put.id)
    this.#settleAt(contactNo, this.#now() + SETTLE_AGAIN_MS)
    const roomsTold = this.#rooms.timesTold(contactNo)
    const answer = connection.put(put.recipient, put.envelope, put.mode)
    // A resend may be passed through, and answered only when its recipient has answered.
    const limit = put.mode === 'evict' ? ANSWER_LIMIT_MS : PASSED_THROUGH_LIMIT_MS
    const inTime = this.#inTime(answer, limit)
    return this.#track(
      inTime
        .finally(() => this.#unanswered.delete(put.id))
        .then((outcome) => {
          this.#pace.taken()
          return this.#applyOutcome(put.id, outcome, roomsTold)
        })
        .catch((error: unknown) => this.#putFailed(contactNo, error)),
    )
  }

  /** Work that `idle` waits for. What fails here is this device's fault: the client must know. */
  #track(work: Promise<void>): Promise<void> {
    const tracked = work
      .catch((error: unknown) => this.#context.tell.broken(error))
      .finally(() => this.#underway.delete(tracked))
    this.#underway.add(tracked)
    return tracked
  }

  async #putFailed(contactNo: number, error: unknown): Promise<void> {
    if (!isFaultOfServer(error)) throw error
    // The identity that we know is gone: ask who is behind the number now.
    if (error.code === 'unknown-recipient') {
      void this.#track(this.#recheck(contactNo, this.#caughtUp))
      return
    }
    // Without a connection the outcome is asked for at the next one; with it, before long.
    const { retryAfter } = error.details
    if (error.code === 'rate-limited') {
      this.#pace.refused(this.#now(), retryAfter ?? 1)
      this.#behind.add(contactNo)
    }
    this.#settleAt(contactNo, this.#now() + (retryAfter ? 1000 * retryAfter : PUMP_RETRY_MS))
  }

  /** Its own word that it has another number may wait here, and comes before who has the old one now. */
  async #recheck(contactNo: number, caughtUp: Promise<void>): Promise<void> {
    try {
      await caughtUp
      const contact = await inTransaction(this.#context.store, (tables) =>
        tables.contact(contactNo),
      )
      if (!contact) return
      await this.#directory.refresh(contact)
      this.#settleAt(contactNo, this.#now() + PUMP_RETRY_MS)
    } catch (error) {
      await this.#pumpFailed(contactNo, error)
    }
  }

  async #pumpFailed(contactNo: number, error: unknown): Promise<void> {
    if (error === MAX_REPLACEMENTS_REACHED) return this.#kickAt(contactNo, this.#now() + HOUR_MS)
    // The contact's prekeys are too old: nothing can begin until its device is back online.
    const isStale = error instanceof ProtocolError && error.code === 'expired-prekeys'
    if (isStale) return this.#kickAt(contactNo, this.#now() + HOUR_MS)
    if (!isFaultOfServer(error)) return this.#context.tell.broken(error)
    if (error.code === 'unknown-recipient') return this.#failAll(contactNo)
    if (error.code === 'closed') return
    const { retryAfter } = error.details
    this.#kickAt(contactNo, this.#now() + (retryAfter ? 1000 * retryAfter : PUMP_RETRY_MS))
  }

  /**
   * Nobody is behind the number. What was never meant for a known identity fails; what was, waits:
   * it is the server's word, and the identity may be back.
   */
  async #failAll(contactNo: number): Promise<void> {
    const { store, tell } = this.#context
    const failed = await inTransaction(store, async (tables) => {
      const contact = await tables.contact(contactNo)
      const messages: OutgoingRecord[] = []
      if (!contact) return { contact, messages }
      const { announce } = contact
      if (announce) {
        const later = { ...announce, at: this.#now() + ANNOUNCE_LATER_MS }
        await tables.putContact({ ...contact, announce: later })
      }
      for (const phase of ['fresh', 'out', 'resend'] as const) {
        for (const { position, value } of await tables.outbox(contactNo, phase)) {
          if (value.writtenFor !== undefined) continue
          const message: OutgoingRecord = {
            ...value,
            state: 'failed',
            failure: 'unknown-recipient',
            stateAt: this.#now(),
            phase: { kind: 'done' },
          }
          await tables.putOutgoing(contactNo, position, message, value)
          messages.push(message)
        }
      }
      return { contact, messages }
    })
    if (!failed.contact) return
    for (const message of failed.messages) tell.status(failed.contact, message)
    if (failed.contact.identity) this.#settleAt(contactNo, this.#now() + HOUR_MS)
  }

  // ----------------------------------------------------------------------------------------------
  // Settling

  /** Settles one contact, and lets its pump run again whatever comes of it. */
  async #settleNow(connection: Connection, contactNo: number): Promise<void> {
    try {
      await this.#settle(connection, contactNo)
    } catch (error) {
      await this.#putFailed(contactNo, error)
    } finally {
      if (this.#connection === connection) {
        this.#settling.delete(contactNo)
        this.kick(contactNo)
      }
    }
  }

  /** Asks what became of every envelope, then retries those that the server never saw. */
  async #settle(connection: Connection, contactNo: number): Promise<void> {
    const sent = await inTransaction(this.#context.store, (tables) =>
      tables.sentEnvelopes(contactNo),
    )
    if (sent.length > 0) this.#settleAt(contactNo, this.#now() + SETTLE_AGAIN_MS)
    let retries = 0
    this.#behind.delete(contactNo)
    for (let from = 0; from < sent.length; from += MAX_STATUS_IDS) {
      const batch = sent.slice(from, from + MAX_STATUS_IDS)
      const statuses = await this.#inTime(connection.status(batch.map(({ id }) => fromHex(id))))
      for (const [i, { id, record }] of batch.entries()) {
        const status = statuses[i]
        if (!status) throw new ClientError('unexpected-answer', 'a status is missing')
        // On its way again already: its answer will say what became of it.
        if (status.kind === 'unknown' && this.#unanswered.has(id)) continue
        const retry = status.kind === 'unknown' && (await this.#toRetry(id, record))
        // Frames keep their order on the socket: nothing newer overtakes it, so no need to wait.
        if (retry && retries++ >= this.#pace.window) this.#fallBehind(contactNo)
        else if (retry) void this.#put(connection, contactNo, retry)
        else await this.#apply(id, status, 'past')
      }
    }
  }

  /** More is to be retried than the server takes at the moment: the rest comes a little later. */
  #fallBehind(contactNo: number): void {
    this.#behind.add(contactNo)
    const now = this.#now()
    this.#settleAt(contactNo, Math.max(this.#pace.earliest(now), now + PACE_MS))
  }

  /** The same envelope again, never pushing out a newer one; none if it does not count any more. */
  #toRetry(id: string, sent: SentEnvelopeRecord): Promise<PutRequest | undefined> {
    return inTransaction(this.#context.store, async (tables) => {
      const { envelope, recipient } = sent
      const counts = (await carriedMessage(tables, id, sent)) !== undefined
      // One that is under way has its answer to come: it may be passed through just now.
      return envelope && counts && !this.#unanswered.has(id)
        ? { id, recipient, envelope, mode: 'if-room' }
        : undefined
    })
  }

  #applyOutcome(id: string, outcome: PutOutcome, roomsTold: number): Promise<void> {
    const isHere = outcome.kind === 'stored' || outcome.kind === 'duplicate'
    return this.#apply(id, isHere ? { kind: 'waiting' } : outcome, roomsTold)
  }

  /**
   * Applies the server's word about an envelope, and goes on sending. Safe to repeat.
   *
   * @param when - what it is about: now; or when room had been told so often; or some time ago, and
   *   then it says nothing about the room that there is now.
   */
  async #apply(id: string, word: Word, when: 'now' | 'past' | number): Promise<void> {
    const { store, tell } = this.#context
    const changed = await inTransaction(store, async (tables) => {
      const sent = await tables.sentEnvelope(id)
      if (!sent) return undefined
      const reaction = await this.#reactions.apply(tables, id, sent, word)
      return { ...reaction, contact: await tables.requireContact(sent.contact) }
    })
    if (!changed) return
    if (changed.isFull && when !== 'past') this.#hasNone(changed.contact.no, when)
    if (changed.message) tell.status(changed.contact, changed.message)
    this.kick(changed.contact.no)
  }

  // ----------------------------------------------------------------------------------------------
  // Room and time

  #hasNone(contactNo: number, when: 'now' | number): void {
    if (when !== 'now' && when !== this.#rooms.timesTold(contactNo)) return
    this.#rooms.foundNone(contactNo)
    // A lost `room` notice costs a delay, never a message.
    const wait = backoffMs(this.#context.platform.random, 0, ROOM_RECHECK)
    this.#at(`room ${contactNo}`, this.#now() + wait, () => this.#hasRoom(contactNo))
  }

  #hasRoom(contactNo: number): void {
    this.#rooms.told(contactNo)
    this.kick(contactNo)
  }

  #kickAt(contactNo: number, time: number): void {
    this.#at(`kick ${contactNo}`, time, () => this.kick(contactNo))
  }

  #settleAt(contactNo: number, time: number): void {
    this.#at(`settle ${contactNo}`, time, () => {
      const connection = this.#connection
      if (!connection) return
      // One at a time: the first to end would let the pump run while the other still asks.
      if (this.#settling.has(contactNo)) return this.#settleAt(contactNo, this.#now() + PACE_MS)
      this.#settling.add(contactNo)
      void this.#track(this.#settleNow(connection, contactNo))
    })
  }

  /** By contact and reason; without a connection there is nothing to wait for. */
  #at(name: string, time: number, task: () => void): void {
    if (this.#connection) this.#timers.at(name, time, task)
  }

  /** @throws {ClientError} `timed-out` when the server does not answer a question in time. */
  #inTime<T>(answer: Promise<T>, limitMs = ANSWER_LIMIT_MS): Promise<T> {
    const { clock } = this.#context.platform
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(limitMs, () => {
        reject(new ClientError('timed-out', 'the server did not answer in time'))
      })
      answer.then(resolve, reject).finally(cancel)
    })
  }

  #now(): number {
    return this.#context.platform.clock.now()
  }
}

function connectionLost(): ClientError {
  return new ClientError('unreachable', 'the connection to the server was lost')
}

const HOUR_MS = 60 * 60 * 1000
const PUMP_RETRY_MS = 15_000
/** Between two portions of retries, at a server that was too busy for all at once. */
const PACE_MS = 1000
/** A notice can be lost between servers: what has no receipt yet is asked about every so often. */
const SETTLE_AGAIN_MS: number = 30 * 60 * 1000
const ANSWER_LIMIT_MS = 30_000
/** A recipient who reads slowly is waited for; a server that says nothing is not, for ever. */
const PASSED_THROUGH_LIMIT_MS = 300_000
const ROOM_RECHECK = { firstMs: 60_000, maxMs: 60_000 }
