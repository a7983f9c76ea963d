/**
 * Delivery: puts, acknowledgements and questions of logged-in users, and who is told what.
 * (spec/mailbox.md; delivery.md)
 *
 * Knows users and mailboxes, no sockets. What a mailbox does is decided in `mailbox.ts`, what is
 * pushed in `live-user.ts`, what is written in `commit-window.ts`.
 */
import { hash } from 'node:crypto'
import { type EnvelopeStatus, type PutOutcome, WireError } from '@couplet/wire'
import type { Bus } from './bus.ts'
import { CommitWindow } from './commit-window.ts'
import { IdTable } from './id-table.ts'
import type { Identities } from './identities.ts'
import { bytesOf, keyOf } from './keys.ts'
import { type Channel, LiveUser } from './live-user.ts'
import type { Answer, End, Ended } from './mailbox.ts'
import { isEnd, OpenPuts } from './open-puts.ts'
import type { Clock, Eviction, MailboxStore, PutResult, StoredEnvelope } from './ports.ts'
import { RoomWaiters } from './room-waiters.ts'
import { type RoutedPut, Router, type RouterEvents } from './router.ts'
import type { SendLimits } from './send-limits.ts'

export interface DeliveryOptions {
  readonly mailboxes: MailboxStore
  readonly identities: Identities
  readonly clock: Clock
  /** Deliveries under way to one user. */
  readonly window: number
  /** Milliseconds that a pushed envelope waits for its answer before it is written. */
  readonly commitWindowMs?: number | undefined
  /** Who hears of messages for users who are away, and of their return. */
  readonly presence?: Presence | undefined
  /** To the other processes that serve the same users, when there are any. */
  readonly bus?: Bus | undefined
  /** None: no limit. */
  readonly sendLimits?: SendLimits | undefined
}

export interface Presence {
  /** A fresh message was stored for a user who has no connection here. */
  messageWaits(identityId: Uint8Array): void
  isBack(identityId: Uint8Array): void
}

/** A put of a user, and who hears its outcome. */
export type Put = RoutedPut

export class Delivery {
  readonly #commits: CommitWindow
  readonly #identities: Identities
  readonly #clock: Clock
  readonly #window: number
  readonly #sendLimits: SendLimits | undefined
  readonly #presence: Presence | undefined
  readonly #live = new IdTable<LiveUser>()
  readonly #openPuts = new OpenPuts()
  readonly #roomWaiters = new RoomWaiters()
  /** None, when this process serves alone. */
  readonly #router: Router | undefined

  constructor(options: DeliveryOptions) {
    this.#commits = new CommitWindow(options.mailboxes, options.commitWindowMs)
    this.#identities = options.identities
    this.#clock = options.clock
    this.#window = options.window
    this.#sendLimits = options.sendLimits
    this.#presence = options.presence
    if (options.bus) {
      const watch = options.mailboxes.watch?.bind(options.mailboxes)
      this.#router = new Router(options.bus, this.#routerEvents(), options.clock, watch)
    }
  }

  /** A user logged in. An older connection of the same user is closed. */
  attach(identityId: Uint8Array, channel: Channel): LiveUser {
    this.disconnect(identityId, 'replaced')
    const heard = this.#router?.attach(identityId)
    // Whoever waits for it hears of a failure.
    heard?.catch(() => {})
    const user = new LiveUser({
      identityId,
      channel,
      window: this.#window,
      fetch: async (limit, except) => {
        await heard
        const envelopes = await this.#commits.fetch(identityId, limit, except)
        for (const { sender } of envelopes) {
          this.#sendLimits?.wrote(() => keyOf(sender), keyOf(identityId))
        }
        return envelopes.map(withOwnNames)
      },
    })
    this.#identities.remember(identityId)
    this.#live.add(user)
    this.#presence?.isBack(identityId)
    return user
  }

  /** The user's connection ended: what it left open is told to the senders. */
  detach(user: LiveUser): void {
    if (this.#live.remove(user)) {
      this.#router?.detach(user.id)
      this.#sendLimits?.leave(user.key, this.#clock.now())
    }
    this.#commits.flush(user.id)
    for (const { id, sender, evicted, passedThrough } of user.leave()) {
      if (passedThrough) {
        this.#awaitRoom(user.id, sender)
        passedThrough({ kind: 'full' })
      } else if (evicted) {
        this.#tellEvicted({ recipient: user.id, id, sender })
      }
    }
  }

  /** Ends the connection of a user who has one. */
  disconnect(identityId: Uint8Array, reason: 'replaced' | 'unauthenticated'): void {
    const user = this.#live.find(identityId)
    if (!user) return
    this.detach(user)
    user.channel.close(reason)
  }

  /**
   * Resolves when `settle` has been called, or an envelope that is passed through has been pushed.
   *
   * @throws {WireError} `unknown-recipient`, `rate-limited`: nothing has happened. Any other error:
   *   the outcome is not known.
   */
  async put(put: Put): Promise<void> {
    this.#sendLimits?.takeFrom(() => keyOf(put.sender), this.#clock.now())
    const isHere = this.#live.find(put.recipient) !== undefined
    const asking = this.#identities.ask(put.recipient, isHere)
    if (asking && !(await asking)) {
      throw new WireError('unknown-recipient', 'nobody is registered under this identity')
    }
    if (this.#router && !this.#live.find(put.recipient)) {
      const { sender, recipient } = put
      const isFriend = this.#sendLimits?.areFriends(keyOf(recipient), () => keyOf(sender)) ?? false
      if (await this.#router.put(this.#noticing({ ...put, isFriend }))) {
        this.#sendLimits?.wrote(() => keyOf(sender), keyOf(recipient))
        return
      }
    }
    await this.#putHere(put)
  }

  async #putHere(put: Put): Promise<void> {
    const { sender, bytes, mode } = put
    const user = this.#live.find(put.recipient)
    // The user's own name for itself, where there is one: that of the frame would keep what came with it.
    const recipient = user?.id ?? put.recipient
    if (this.#sendLimits) this.#limit(this.#sendLimits, put)
    const id: Uint8Array = hash('sha256', bytes, 'buffer')
    const known = this.#commits.known(sender, recipient, id)
    if (known) {
      put.settle(known)
      return
    }
    const envelope = { id, sender, storedAt: this.#clock.now(), envelope: bytes }
    const open = this.#openPuts.begin(recipient, id, sender)
    let meanwhile: ReturnType<OpenPuts['finish']>
    let result: PutResult
    try {
      const pushed = user?.offer(envelope) ?? false
      result = await this.#commits.put(recipient, envelope, mode, pushed)
    } finally {
      meanwhile = this.#openPuts.finish(open)
    }
    if (result.outcome.kind === 'stored' && !this.#live.find(recipient)) {
      this.#router?.written(recipient)
      // What is sent again has been told of before.
      if (mode === 'evict') this.#presence?.messageWaits(recipient)
    }
    for (const eviction of result.evicted) this.#evicted(eviction)
    if (meanwhile.end) this.#settle(put, id, meanwhile.end)
    else if (result.outcome.kind === 'full') this.#full(put, envelope, meanwhile.roomSince)
    else this.#settle(put, id, result.outcome)
  }

  /** @throws {WireError} `rate-limited`. */
  #limit(limits: SendLimits, { sender, recipient, isFriend = false }: Put): void {
    const recipientKey = keyOf(recipient)
    const senderKey = (): string => keyOf(sender)
    limits.takeFor(recipientKey, senderKey, isFriend, this.#clock.now())
    limits.wrote(senderKey, recipientKey)
  }

  /** The recipient's word on an envelope. Resolves when it has been applied. */
  async answer(user: LiveUser, id: Uint8Array, answer: Answer): Promise<void> {
    const pushed = user.answered(id)
    const toldByPut = pushed && this.#openPuts.ended(user.id, pushed.id, pushed.sender, answer)
    const at = this.#clock.now()
    const recipient = user.id
    const ack = this.#commits.ack(recipient, id, answer, at, pushed?.sender)
    const { ended, room } = ack instanceof Promise ? await ack : ack
    if (pushed?.passedThrough) pushed.passedThrough(answer)
    else if (ended && !toldByPut) this.#tellEnded(recipient, ended)
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
    this.#router?.forgotten(identityId)
  }

  /** The user may not be here now; nothing of the identity is removed. */
  expel(identityId: Uint8Array): void {
    this.disconnect(identityId, 'unauthenticated')
    this.#router?.forgotten(identityId)
  }

  /** Users who are connected. */
  get online(): number {
    return this.#live.size
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
    if (!put.settle(outcome) && isEnd(outcome)) {
      this.#notice(put.recipient, put.sender, id, outcome)
    }
  }

  /** The same for a put that is decided in another process. */
  #noticing(put: Put): Put {
    const settle = (outcome: PutOutcome): boolean => {
      if (outcome.kind === 'full') this.#awaitRoom(put.recipient, put.sender)
      if (put.settle(outcome)) return true
      if (isEnd(outcome)) {
        this.#notice(put.recipient, put.sender, hash('sha256', put.bytes, 'buffer'), outcome)
      }
      return false
    }
    return { ...put, settle }
  }

  /** No room in the mailbox: to a user who is connected and reading, it is passed through. */
  #full(put: Put, envelope: StoredEnvelope, roomSince: boolean): void {
    const settle = (outcome: PutOutcome) => this.#settle(put, envelope.id, outcome)
    if (this.#live.find(put.recipient)?.passThrough(envelope, settle)) return
    put.settle({ kind: 'full' })
    if (roomSince) this.#live.find(put.sender)?.channel.room(put.recipient)
    else this.#awaitRoom(put.recipient, put.sender)
  }

  /** While the recipient's connection may still answer, the end is open. */
  #evicted(eviction: Eviction): void {
    if (!this.#live.find(eviction.recipient)?.evicted(eviction.id)) this.#tellEvicted(eviction)
  }

  #tellEvicted({ recipient, id, sender }: Eviction): void {
    this.#awaitRoom(recipient, sender)
    this.#tellEnded(recipient, { id, sender, end: { kind: 'evicted' } })
  }

  /** By its put, if that is still open, as when two answers come at once; else by a notice. */
  #tellEnded(recipient: Uint8Array, { id, sender, end }: Omit<Ended, 'endedAt'>): void {
    if (!this.#openPuts.ended(recipient, id, sender, end)) this.#notice(recipient, sender, id, end)
  }

  #notice(recipient: Uint8Array, sender: Uint8Array, id: Uint8Array, end: End): void {
    const user = this.#live.find(sender)
    if (user) user.channel.notice(id, end)
    else this.#router?.ended(recipient, sender, id, end)
  }

  /** A sender who is connected here is told when the mailbox has room. */
  #awaitRoom(recipient: Uint8Array, sender: Uint8Array): void {
    this.#roomWaiters.add(keyOf(recipient), keyOf(sender))
    if (this.#live.find(sender)) this.#router?.awaitRoom(recipient)
  }

  #tellRoom(recipient: Uint8Array): void {
    this.#router?.room(recipient)
    this.#tellRoomHere(recipient)
  }

  #tellRoomHere(recipient: Uint8Array): void {
    this.#openPuts.roomTold(recipient)
    this.#router?.roomTold(recipient)
    for (const sender of this.#roomWaiters.take(keyOf(recipient))) {
      this.#live.find(bytesOf(sender))?.channel.room(recipient)
    }
  }

  /** Room that came before another process was heard saying so. */
  async #lookForRoom(recipient: Uint8Array): Promise<void> {
    if (await this.#commits.hasRoom(recipient)) this.#tellRoomHere(recipient)
  }

  /** What other processes ask of this one, and tell it. */
  #routerEvents(): RouterEvents {
    return {
      putHere: (put) => (this.#live.find(put.recipient) ? this.#putHere(put) : undefined),
      ended: (recipient, sender, id, end) => {
        const told = this.#openPuts.ended(recipient, id, sender, end)
        if (!told) this.#live.find(sender)?.channel.notice(id, end)
        if (end.kind === 'evicted') this.#awaitRoom(recipient, sender)
      },
      room: (recipient) => this.#tellRoomHere(recipient),
      hearsRoom: (recipient) => this.#lookForRoom(recipient),
      replaced: (identityId) => this.disconnect(identityId, 'replaced'),
      written: (identityId) => this.#live.find(identityId)?.lookAgain(),
      forgotten: (identityId) => {
        this.#identities.forget(identityId)
        this.disconnect(identityId, 'unauthenticated')
      },
      missed: () => {
        this.#identities.forgetAll()
        for (const user of this.#live.all()) user.lookAgain()
      },
    }
  }
}

/** Ids outlive the delivery; they must not keep the envelopes' memory. */
function withOwnNames(stored: StoredEnvelope): StoredEnvelope {
  return { ...stored, id: Uint8Array.from(stored.id), sender: Uint8Array.from(stored.sender) }
}
