/**
 * The link to the server: connecting, reconnecting, and bringing the parts of the client to work
 * on each connection. (spec/socket.md)
 */
import { type Bytes, fromHex } from '@couplet/wire'
import type { ConnectionState } from './api.ts'
import { backoffMs, fraction } from './backoff.ts'
import type { Context } from './context.ts'
import { ClientError, isFaultOfServer } from './errors.ts'
import { type FormerMailbox, releaseFormer } from './former-number.ts'
import { tidy } from './housekeeping.ts'
import type { Delivery, Inbox, Received } from './inbox.ts'
import type { Outbox } from './outbox.ts'
import type { CloseReason, Connection, Connector } from './ports.ts'
import type { PrekeyRotation } from './prekey-rotation.ts'
import { awaitsUser } from './records.ts'
import { inTransaction, type Tables } from './tables.ts'

/** One connection and the work that depends on it. */
interface Live {
  readonly connection: Connection
  /** Every status asked and applied. */
  readonly attached: Promise<void>
  /** All that waited at login has been delivered. */
  readonly caughtUp: PromiseWithResolvers<void>
  readonly since: number
  /** Whether what waited at login has been stored. */
  readonly drained?: boolean
}

export class Link {
  readonly #context: Context
  readonly #connector: Connector
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #prekeys: PrekeyRotation
  readonly #onState: (state: ConnectionState) => void
  #state: ConnectionState = 'offline'
  #live: Live | undefined
  #connecting: Promise<void> | undefined
  #attempt = 0
  #closed = false
  /** Whether a timer is set for the next try. */
  #waiting = false
  #cancelTimer: () => void = () => {}
  #cancelMaintenance: () => void = () => {}
  /** Deliveries are processed one after another; acknowledgements are waited for together. */
  #queue: Promise<void> = Promise.resolve()
  readonly #answers = new Set<Promise<void>>()
  /** While a number that this home had before is being given back. */
  #releasing: Promise<void> | undefined

  constructor(
    context: Context,
    connector: Connector,
    parts: { readonly outbox: Outbox; readonly inbox: Inbox; readonly prekeys: PrekeyRotation },
    onState: (state: ConnectionState) => void,
  ) {
    this.#context = context
    this.#connector = connector
    this.#outbox = parts.outbox
    this.#inbox = parts.inbox
    this.#prekeys = parts.prekeys
    this.#onState = onState
  }

  get state(): ConnectionState {
    return this.#state
  }

  /**
   * Connects. When that fails it goes on trying in the background, and still rejects: the caller
   * may prefer to give up.
   *
   * @throws {ClientError} `unreachable`, `unauthenticated`, `client-too-old`, `timed-out`, `closed`.
   */
  connect(): Promise<void> {
    if (this.#live) return Promise.resolve()
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #open(): Promise<void> {
    this.#refuseClosed()
    this.#stopWaiting()
    this.#setState('connecting')
    const caughtUp = Promise.withResolvers<void>()
    caughtUp.promise.catch(() => {})
    const ready = Promise.withResolvers<Connection>()
    let connection: Connection
    try {
      connection = await this.#connector.connect(this.#context.signer, {
        deliver: (delivery) => this.#enqueue(delivery, ready.promise, 0),
        caughtUp: () => this.#caughtUp(caughtUp),
        notice: (id, status) => this.#background(this.#outbox.notice(id, status)),
        room: (recipient) => this.#background(this.#outbox.room(recipient)),
        closed: (reason) => this.#lost(reason, caughtUp),
      })
    } catch (error) {
      this.#failed(error)
      throw error
    }
    if (this.#closed) {
      await connection.close()
      this.#refuseClosed()
    }
    this.#setState('online')
    const attached = this.#outbox.attach(connection, caughtUp.promise)
    attached.catch((error: unknown) => this.#report(error))
    this.#live = { connection, attached, caughtUp, since: this.#context.platform.clock.now() }
    ready.resolve(connection)
    this.#background(this.#maintainPrekeys())
  }

  /**
   * Resolves when what can be settled now is settled.
   *
   * @throws {ClientError} `unreachable` when the connection is or gets lost.
   */
  async settled(): Promise<void> {
    const live = this.#live
    if (!live) throw new ClientError('unreachable', 'not connected to the server')
    const settle = async () => {
      await live.attached
      await live.caughtUp.promise
      await this.#queue
      await this.#releasing
      await Promise.all([this.#outbox.idle(), ...this.#answers])
    }
    await Promise.race([settle(), this.#delay(SETTLE_LIMIT_MS)])
  }

  /**
   * The network, the machine or the page is back: tries at once if a try was waiting for its time,
   * and otherwise looks whether the connection is alive.
   */
  wake(): void {
    this.#live?.connection.check()
    if (!this.#waiting) return
    this.#attempt = 0
    this.connect().catch(() => {})
  }

  /** Goes offline and stays there until `connect`. */
  async disconnect(): Promise<void> {
    this.#stopWaiting()
    await this.#connecting?.catch(() => {})
    this.#stopWaiting()
    await this.#live?.connection.close()
  }

  /** Sends the receipts that were held back from contacts who are accepted by now. */
  async releaseReceipts(): Promise<void> {
    const connection = this.#live?.connection
    if (!connection) return
    const released = await inTransaction(this.#context.store, heldForAccepted)
    for (const { contact, position, envelopeId, receipt } of released) {
      await connection.ack(fromHex(envelopeId), receipt)
      await inTransaction(this.#context.store, (tables) => tables.releaseReceipt(contact, position))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelMaintenance()
    this.#outbox.detach()
    await this.disconnect()
    await this.#queue
    await this.#releasing
    await Promise.all([this.#outbox.idle(), ...this.#answers])
    this.#setState('offline')
  }

  #refuseClosed(): void {
    if (this.#closed) throw new ClientError('closed', 'this client was closed')
  }

  // ----------------------------------------------------------------------------------------------

  #enqueue(delivery: Delivery, ready: Promise<Connection>, attempt: number): void {
    this.#queue = this.#queue
      .then(async () => this.#receive(delivery, await ready, attempt))
      .catch((error: unknown) => this.#report(error))
  }

  async #receive(delivery: Delivery, connection: Connection, attempt: number): Promise<void> {
    let received: Received
    try {
      received = await this.#inbox.receive(delivery)
    } catch (error) {
      // The server had to be asked and gave no good answer: again soon, or at the next delivery.
      if (isFaultOfServer(error)) return this.#again(delivery, connection, attempt, error)
      throw error
    }
    this.#answer(delivery, connection, received)
    if (received.rotates) this.#background(this.#maintainPrekeys())
    if (received.releases) this.#background(this.releaseReceipts())
    if (received.heartbeat !== undefined) await this.#outbox.sendHeartbeat(received.heartbeat)
  }

  #answer(delivery: Delivery, connection: Connection, { answer }: Received): void {
    const id = this.#context.platform.primitives.sha256(delivery.envelope)
    const sent =
      answer.kind === 'ack'
        ? connection.ack(id, answer.receipt)
        : connection.nack(id, answer.reason)
    // An acknowledgement that got lost is repeated when the envelope comes again.
    const tracked = sent.catch(() => {}).finally(() => this.#answers.delete(tracked))
    this.#answers.add(tracked)
  }

  #again(
    delivery: Delivery,
    connection: Connection,
    attempt: number,
    { details }: ClientError,
  ): void {
    const { random, clock } = this.#context.platform
    const wait = Math.max(1000 * (details.retryAfter ?? 0), backoffMs(random, attempt, REDELIVERY))
    clock.schedule(wait, () => {
      if (this.#live?.connection !== connection) return
      this.#enqueue(delivery, Promise.resolve(connection), attempt + 1)
    })
  }

  #caughtUp({ resolve }: PromiseWithResolvers<void>): void {
    // In the queue, so that everything delivered before has been stored.
    this.#queue = this.#queue
      .then(async () => {
        resolve()
        if (this.#live) this.#live = { ...this.#live, drained: true }
        await this.releaseReceipts()
        return this.#maintainPrekeys()
      })
      .catch((error: unknown) => this.#report(error))
  }

  #lost(reason: CloseReason, caughtUp: PromiseWithResolvers<void>): void {
    caughtUp.reject(new ClientError('unreachable', 'the connection to the server was lost'))
    // One that was closed before it was ours, or a former one, concerns nobody.
    if (this.#live?.caughtUp !== caughtUp) return
    const lasted = this.#context.platform.clock.now() - this.#live.since
    // A server that drops us after each login is not to be asked ever faster.
    if (lasted > STABLE_MS) this.#attempt = 0
    this.#live = undefined
    this.#outbox.detach()
    this.#cancelMaintenance()
    this.#setState(reason.kind === 'replaced' ? 'replaced' : 'offline')
    if (reason.kind === 'lost' && !this.#closed) this.#retryLater()
  }

  #failed(error: unknown): void {
    this.#setState('offline')
    const known = error instanceof ClientError ? error : undefined
    const isFinal = known !== undefined && FINAL.has(known.code)
    if (!isFinal && !this.#closed) this.#retryLater(known?.details.retryAfter)
  }

  /** @param retryAfter - seconds, as the server says; a crowd that hears the same comes apart, too. */
  #retryLater(retryAfter = 0): void {
    const { random, clock } = this.#context.platform
    const asked = 1000 * Math.min(retryAfter, MAX_RETRY_AFTER_S) * (1 + fraction(random))
    const wait = Math.max(asked, backoffMs(random, this.#attempt++, RECONNECT))
    this.#stopWaiting()
    this.#waiting = true
    this.#cancelTimer = clock.schedule(wait, () => {
      this.connect().catch(() => {})
    })
  }

  #stopWaiting(): void {
    this.#waiting = false
    this.#cancelTimer()
  }

  /**
   * Rotates and publishes what is due, destroys what is over once the mailbox is drained, and comes
   * back: in time for the next rotation, soon after a failure, and every hour in any case.
   */
  async #maintainPrekeys(): Promise<void> {
    const { clock, random } = this.#context.platform
    let wait = backoffMs(random, 0, MAINTENANCE_RETRY)
    try {
      if (this.#live?.drained) {
        this.#releaseFormer(this.#live)
        await tidy(this.#context, this.#prekeys)
      }
      await this.#prekeys.run()
      wait = Math.max(0, (await this.#prekeys.nextAt()) - clock.now())
    } finally {
      this.#cancelMaintenance()
      if (this.#live) {
        this.#cancelMaintenance = clock.schedule(Math.min(wait, MAINTENANCE_MS), () =>
          this.#background(this.#maintainPrekeys()),
        )
      }
    }
  }

  /** One at a time, and beside what is delivered: it waits for the server, and for contacts. */
  #releaseFormer(live: Live): void {
    this.#releasing ??= releaseFormer(this.#context, this.#formerMailbox(live))
      .catch((error: unknown) => this.#report(error))
      .finally(() => {
        this.#releasing = undefined
      })
  }

  #formerMailbox({ attached }: Live): FormerMailbox {
    const out = async () => {
      await attached
      await this.#outbox.idle()
    }
    return {
      connector: this.#connector,
      announced: () => Promise.race([out(), this.#delay(SETTLE_LIMIT_MS)]),
    }
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#report(error))
  }

  /** Losing the server is ordinary; anything else is a fault of this device. */
  #report(error: unknown): void {
    if (isFaultOfServer(error)) return
    this.#context.tell.broken(error)
  }

  #setState(state: ConnectionState): void {
    if (state === this.#state) return
    this.#state = state
    this.#onState(state)
  }

  #delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#context.platform.clock.schedule(ms, resolve)
    })
  }
}

interface HeldReceipt {
  readonly contact: number
  readonly position: number
  readonly envelopeId: string
  readonly receipt: Bytes
}

async function heldForAccepted(tables: Tables): Promise<readonly HeldReceipt[]> {
  const held: HeldReceipt[] = []
  if (!(await tables.settings()).receipts) return held
  for (const contact of await tables.contacts()) {
    const { no, accepted, blocked } = contact
    if (!accepted || blocked || awaitsUser(contact)) continue
    for (const { position, value: envelopeId } of await tables.heldReceipts(no)) {
      const received = await tables.receivedEnvelope(envelopeId)
      if (received) held.push({ contact: no, position, envelopeId, receipt: received.receipt })
      else await tables.releaseReceipt(no, position)
    }
  }
  return held
}

/** Trying again would change nothing. */
const FINAL: ReadonlySet<string> = new Set(['unauthenticated', 'client-too-old'])
const RECONNECT = { firstMs: 500, maxMs: 30_000 }
/** No server keeps its people away for longer. */
const MAX_RETRY_AFTER_S = 60
/** How long `settled` waits for answers that depend on somebody else's device. */
const SETTLE_LIMIT_MS = 10_000
/** An envelope whose sender could not be looked up. */
const REDELIVERY = { firstMs: 5000, maxMs: 600_000 }
/** A connection that lasted so long was a good one. */
const STABLE_MS = 30_000
const MAINTENANCE_MS = 60 * 60 * 1000
const MAINTENANCE_RETRY = { firstMs: 60_000, maxMs: 60_000 }
