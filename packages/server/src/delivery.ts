/**
 * Delivery: puts, acknowledgements and questions of logged-in users, and who is told what.
 * (spec/mailbox.md; delivery.md)
 *
 * Knows users and mailboxes, no sockets. What a mailbox does is decided in `mailbox.ts`, what is
 * pushed in `live-user.ts`, what is written in `commit-window.ts`.
 */
import { hash } from 'node:crypto'
import { type EnvelopeStatus, type PutMode, type PutOutcome, WireError } from '@couplet/wire'
import { CommitWindow } from './commit-window.ts'
import type { Identities } from './identities.ts'
import { keyOf } from './keys.ts'
import { type Channel, LiveUser } from './live-user.ts'
import type { Answer } from './mailbox.ts'
import { isEnd, OpenPuts } from './open-puts.ts'
import type { Clock, Eviction, MailboxStore, PutResult, StoredEnvelope } from './ports.ts'
import { RoomWaiters } from './room-waiters.ts'

export interface DeliveryOptions {
  readonly mailboxes: MailboxStore
  readonly identities: Identities
  readonly clock: Clock
  /** Deliveries under way to one user. */
  readonly window: number
  /** Milliseconds that a pushed envelope waits for its answer before it is written. */
  readonly commitWindowMs?: number | undefined
}

export interface Put {
  readonly sender: Uint8Array
  readonly recipient: Uint8Array
  readonly bytes: Uint8Array
  readonly mode: PutMode
  /** Hears the outcome, once. Answers whether it could be passed on to the sender. */
  readonly settle: (outcome: PutOutcome) => boolean
}

export class Delivery {
  readonly #commits: CommitWindow
  readonly #identities: Identities
  readonly #clock: Clock
  readonly #window: number
  readonly #live = new Map<string, LiveUser>()
  readonly #openPuts = new OpenPuts()
  readonly #roomWaiters = new RoomWaiters()

  constructor(options: DeliveryOptions) {
    this.#commits = new CommitWindow(options.mailboxes, options.commitWindowMs)
    this.#identities = options.identities
    this.#clock = options.clock
    this.#window = options.window
  }

  /** A user logged in. An older connection of the same user is closed. */
  attach(identityId: Uint8Array, channel: Channel): LiveUser {
    const user = new LiveUser({
      identityId,
      channel,
      window: this.#window,
      fetch: async (limit, except) => {
        const envelopes = await this.#commits.fetch(identityId, limit, except)
        return envelopes.map(withOwnNames)
      },
    })
    this.disconnect(identityId, 'replaced')
    this.#identities.remember(identityId)
    this.#live.set(user.key, user)
    return user
  }

  /** The user's connection ended: what it left open is told to the senders. */
  detach(user: LiveUser): void {
    if (this.#live.get(user.key) === user) this.#live.delete(user.key)
    this.#commits.flush(user.key)
    for (const { id, sender, evicted, passedThrough } of user.leave()) {
      if (passedThrough) {
        this.#roomWaiters.add(user.key, keyOf(sender))
        passedThrough({ kind: 'full' })
      } else if (evicted) {
        this.#tellEvicted({ recipient: user.identityId, id, sender })
      }
    }
  }

  /** Ends the connection of a user who has one. */
  disconnect(identityId: Uint8Array, reason: 'replaced' | 'unauthenticated'): void {
    const user = this.#live.get(keyOf(identityId))
    if (!user) return
    this.detach(user)
    user.channel.close(reason)
  }

  /**
   * Resolves when `settle` has been called, or an envelope that is passed through has been pushed.
   *
   * @throws {WireError} `unknown-recipient`. Any other error: the outcome is not known.
   */
  async put(put: Put): Promise<void> {
    const { sender, recipient, bytes, mode } = put
    const key = keyOf(recipient)
    const asking = this.#identities.ask(recipient)
    if (asking && !(await asking)) {
      throw new WireError('unknown-recipient', 'nobody is registered under this identity')
    }
    const id: Uint8Array = hash('sha256', bytes, 'buffer')
    const known = this.#commits.known(sender, recipient, id)
    if (known) {
      put.settle(known)
      return
    }
    const envelope = { id, sender, storedAt: this.#clock.now(), envelope: bytes }
    const idKey = keyOf(id)
    const open = this.#openPuts.begin(key, idKey, sender)
    let meanwhile: ReturnType<OpenPuts['finish']>
    let result: PutResult
    try {
      const pushed = this.#live.get(key)?.offer(envelope) ?? false
      result = await this.#commits.put(recipient, envelope, mode, pushed)
    } finally {
      meanwhile = this.#openPuts.finish(key, idKey, open)
    }
    for (const eviction of result.evicted) this.#evicted(eviction)
    if (meanwhile.end) this.#settle(put, id, meanwhile.end)
    else if (result.outcome.kind === 'full') this.#full(put, envelope, meanwhile.roomSince)
    else this.#settle(put, id, result.outcome)
  }

  /** The recipient's word on an envelope. Resolves when it has been applied. */
  async answer(user: LiveUser, id: Uint8Array, answer: Answer): Promise<void> {
    const pushed = user.answered(id)
    const toldByPut = pushed && this.#openPuts.ended(user.key, keyOf(id), pushed.sender, answer)
    const at = this.#clock.now()
    const recipient = user.identityId
    const { ended, room } = await this.#commits.ack(recipient, id, answer, at, pushed?.sender)
    if (pushed?.passedThrough) pushed.passedThrough(answer)
    else if (ended && !toldByPut) this.#notice(ended.sender, id, ended.end)
    if (room) this.#tellRoom(recipient)
  }

  /** A question about nothing is a sign of life (spec/socket.md), and does not reach the store. */
  async status(sender: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly EnvelopeStatus[]> {
    return ids.length === 0 ? [] : this.#commits.status(sender, ids)
  }

  /** What waited longer than `ttlMs` leaves, and its senders are told. */
  async expire(ttlMs: number): Promise<void> {
    const now = this.#clock.now()
    for (const eviction of await this.#commits.expire(now - ttlMs, now)) {
      this.#evicted(eviction)
      this.#tellRoom(eviction.recipient)
    }
  }

  /** An identity is gone: another one took its number. */
  async forget(identityId: Uint8Array): Promise<void> {
    this.#identities.forget(identityId)
    this.disconnect(identityId, 'unauthenticated')
    await this.#commits.drop(identityId)
    // A login whose question the store answered just before has come through meanwhile.
    this.disconnect(identityId, 'unauthenticated')
    this.#identities.forget(identityId)
  }

  /** Nothing waits for its answer any more before it is written. */
  flush(): void {
    this.#commits.flushAll()
  }

  /** Writes down what was not written yet, before a stop in good order. */
  close(): Promise<void> {
    return this.#commits.close()
  }

  /** A sender who cannot hear the outcome any more hears a notice, if it has a new connection. */
  #settle(put: Put, id: Uint8Array, outcome: PutOutcome): void {
    if (!put.settle(outcome) && isEnd(outcome)) this.#notice(put.sender, id, outcome)
  }

  /** No room in the mailbox: to a user who is connected and reading, it is passed through. */
  #full(put: Put, envelope: StoredEnvelope, roomSince: boolean): void {
    const key = keyOf(put.recipient)
    const settle = (outcome: PutOutcome) => this.#settle(put, envelope.id, outcome)
    if (this.#live.get(key)?.passThrough(envelope, settle)) return
    put.settle({ kind: 'full' })
    if (roomSince) this.#live.get(keyOf(put.sender))?.channel.room(put.recipient)
    else this.#roomWaiters.add(key, keyOf(put.sender))
  }

  /** While the recipient's connection may still answer, the end is open. */
  #evicted(eviction: Eviction): void {
    const key = keyOf(eviction.recipient)
    if (!this.#live.get(key)?.evicted(eviction.id)) this.#tellEvicted(eviction)
  }

  #tellEvicted({ recipient, id, sender }: Eviction): void {
    const key = keyOf(recipient)
    this.#roomWaiters.add(key, keyOf(sender))
    const end = { kind: 'evicted' } as const
    if (!this.#openPuts.ended(key, keyOf(id), sender, end)) this.#notice(sender, id, end)
  }

  #notice(sender: Uint8Array, id: Uint8Array, status: EnvelopeStatus): void {
    this.#live.get(keyOf(sender))?.channel.notice(id, status)
  }

  #tellRoom(recipient: Uint8Array): void {
    const key = keyOf(recipient)
    this.#openPuts.roomTold(key)
    for (const sender of this.#roomWaiters.take(key)) {
      this.#live.get(sender)?.channel.room(recipient)
    }
  }
}

/** Ids outlive the delivery; they must not keep the envelopes' memory. */
function withOwnNames(stored: StoredEnvelope): StoredEnvelope {
  return { ...stored, id: Uint8Array.from(stored.id), sender: Uint8Array.from(stored.sender) }
}
