/**
 * One connection, from its challenge to its end: who it is, and what each of its frames asks for.
 * (spec/socket.md)
 *
 * What becomes of envelopes is decided in `delivery.ts`; how much a peer may cost, in `frame-socket.ts`.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  CHALLENGE_BYTES,
  CLOSE_CODE,
  type ClientFrame,
  decodeClientFrame,
  type EnvelopeStatus,
  type ErrorCode,
  type ServerName,
  WireError,
} from '@couplet/wire'
import type { WebSocket } from 'ws'
import { dayOf } from './accounts.ts'
import type { Delivery } from './delivery.ts'
import { type FrameHearer, FrameSocket } from './frame-socket.ts'
import type { TokenBuckets } from './limits.ts'
import type { Channel, LiveUser } from './live-user.ts'
import { checkLogin, type LoginServices } from './login.ts'
import type { Answer } from './mailbox.ts'
import type { Meter } from './meter.ts'
import type { Clock, StoredEnvelope } from './ports.ts'

export interface ConnectionServices extends LoginServices {
  readonly delivery: Delivery
  readonly clock: Clock
  /** Told in `welcome`. */
  readonly capacity: number
  readonly window: number
  readonly timing: ConnectionTiming
  /** Of status questions, by account. */
  readonly questions: TokenBuckets
  /** A user's device is here. */
  readonly touch: (identityId: Uint8Array) => Promise<void>
  readonly meter: Meter
}

/** Implementation choices; the specification leaves them to the server. */
export interface ConnectionTiming {
  /** Time for a login. */
  readonly loginMs: number
  /** Time for a reader that fell behind to catch up. */
  readonly slowReaderMs: number
  /** Between two pings; a peer that answers none of them in one interval is gone. */
  readonly pingMs: number
}

export const CONNECTION_TIMING: ConnectionTiming = {
  loginMs: 10_000,
  slowReaderMs: 30_000,
  pingMs: 30_000,
}

export interface ConnectionPeer {
  readonly webSocket: WebSocket
  /** Under the WebSocket. */
  readonly socket: Socket
  readonly serverNames: readonly ServerName[]
  /** Called once. */
  readonly onClosed: () => void
}

export class Connection implements Channel, FrameHearer {
  readonly #services: ConnectionServices
  readonly #peer: ConnectionPeer
  readonly #frames: FrameSocket
  readonly #challenge = Uint8Array.from(randomBytes(CHALLENGE_BYTES))
  readonly #loginTimer: NodeJS.Timeout
  readonly #liftLimit: () => void
  #state: 'challenged' | 'checking' | 'open' | 'closed' = 'challenged'
  #user: LiveUser | undefined
  /** The last day on which the user's row says that it was here. */
  #seenAt = 0

  constructor(services: ConnectionServices, peer: ConnectionPeer) {
    this.#services = services
    this.#peer = peer
    const { slowReaderMs, loginMs } = services.timing
    this.#frames = new FrameSocket(peer.webSocket, peer.socket, this, slowReaderMs)
    this.#liftLimit = this.#frames.limitBytes(MAX_BYTES_BEFORE_LOGIN, () => this.#fail(...STRANGER))
    // Without an error: a slow line says nothing about the identity, and the client tries again.
    this.#loginTimer = setTimeout(() => this.#end(CLOSE_CODE.timeout), loginMs)
    this.#frames.send({ type: 'challenge', challenge: this.#challenge })
  }

  get authenticated(): boolean {
    return this.#user !== undefined
  }

  get writable(): boolean {
    return this.#state === 'open' && this.#frames.hasRoom
  }

  deliver({ sender, storedAt, envelope }: StoredEnvelope): void {
    this.#services.meter.count('relayed')
    this.#frames.send({ type: 'deliver', sender, storedAt, envelope })
  }

  caughtUp(): void {
    this.#frames.send({ type: 'caught-up' })
  }

  notice(id: Uint8Array, status: EnvelopeStatus): void {
    this.#frames.send({ type: 'notice', id, status })
  }

  room(recipient: Uint8Array): void {
    this.#frames.send({ type: 'room', recipient })
  }

  close(reason: 'replaced' | 'unauthenticated' | 'stopping'): void {
    this.#end(CLOSE_CODE[reason])
  }

  lookAgain(): void {
    this.#catchUp()
  }

  /** Says why, and ends. */
  refuse(code: ErrorCode, closeCode: number): void {
    this.#fail(code, closeCode)
  }

  /** Takes no more frames; answers still go out. */
  stopReading(): void {
    this.#frames.stopReading()
  }

  /** Called at every interval: a peer that gave no sign of life since the last one is gone. */
  ping(): void {
    if (this.#state === 'closed' || this.#frames.paused) return
    if (this.#frames.ping()) this.#touch()
    else this.#cut(CLOSE_CODE.timeout)
  }

  message(data: Buffer, isBinary: boolean): void {
    if (this.#state === 'closed') return
    if (!isBinary) {
      this.#fail('malformed', CLOSE_CODE.malformed)
      return
    }
    try {
      this.#handle(decodeClientFrame(data), data.length)
    } catch (error) {
      const code = error instanceof WireError ? error.code : 'internal'
      this.#fail(code, code === 'too-large' ? MESSAGE_TOO_BIG : CLOSE_CODE.malformed)
    }
  }

  drained(): void {
    this.#catchUp()
  }

  slow(): void {
    this.#cut(CLOSE_CODE.tooSlow)
  }

  gone(): void {
    this.#leave()
  }

  #handle(frame: ClientFrame, length: number): void {
    const user = this.#user
    if (!user) {
      if (frame.type === 'login' && this.#state === 'challenged') {
        void this.#login(frame.identityId, frame.signature)
      } else this.#fail(...STRANGER)
      return
    }
    if ('ref' in frame && frame.ref === CONNECTION_REF) {
      throw new WireError('malformed', 'ref 0 is for the connection')
    }
    switch (frame.type) {
      case 'login':
        throw new WireError('malformed', 'logged in already')
      case 'put':
        void this.#work(length, frame.ref, () => this.#put(user, frame))
        break
      case 'ack':
        this.#answer(user, frame.id, answerOf(frame.receipt), length)
        break
      case 'nack':
        this.#answer(user, frame.id, { kind: 'refused', reason: frame.reason }, length)
        break
      case 'status':
        void this.#work(length, frame.ref, () => this.#status(user, frame.ref, frame.ids))
        break
    }
  }

  async #login(identityId: Uint8Array, signature: Uint8Array): Promise<void> {
    this.#state = 'checking'
    const own = Uint8Array.from(identityId)
    try {
      const user = await checkLogin(this.#services, {
        identityId: own,
        signature: Uint8Array.from(signature),
        challenge: this.#challenge,
        serverNames: this.#peer.serverNames,
        isWaited: () => this.#state === 'checking',
      })
      if (this.#state !== 'checking') return
      this.#services.meter.count('logins', user ? 'welcome' : 'refused')
      if (user) this.#welcome(own, user.seenAt)
      else this.#fail(...STRANGER)
    } catch (error) {
      this.#workFailed(CONNECTION_REF, error)
    }
  }

  #welcome(identityId: Uint8Array, seenAt: number): void {
    const { delivery, clock, capacity, window } = this.#services
    clearTimeout(this.#loginTimer)
    this.#liftLimit()
    this.#state = 'open'
    this.#user = delivery.attach(identityId, this)
    this.#frames.send({ type: 'welcome', capacity, window, now: clock.now() })
    this.#catchUp()
    this.#seenAt = seenAt
    this.#touch()
  }

  /** Once a day, while it is connected. When it fails, the next day writes it down. */
  #touch(): void {
    const { touch, clock } = this.#services
    const today = dayOf(clock.now())
    if (!this.#user || this.#seenAt >= today) return
    this.#seenAt = today
    touch(this.#user.id).catch(() => {})
  }

  #put(user: LiveUser, frame: ClientFrame & { readonly type: 'put' }): Promise<void> {
    const { ref, mode, recipient, envelope } = frame
    const { delivery, meter } = this.#services
    return delivery.put({
      sender: user.id,
      recipient,
      bytes: envelope,
      mode,
      settle: (outcome) => {
        meter.count('puts', outcome.kind)
        return this.#frames.send({ type: 'put-result', ref, outcome })
      },
    })
  }

  async #status(user: LiveUser, ref: number, ids: readonly Uint8Array[]): Promise<void> {
    const { questions, clock } = this.#services
    questions.take(user.key, clock.now())
    const statuses = await this.#services.delivery.status(user.id, ids)
    this.#frames.send({ type: 'status-result', ref, statuses })
  }

  #answer(user: LiveUser, id: Uint8Array, answer: Answer, length: number): void {
    void this.#work(length, CONNECTION_REF, () => this.#apply(user, id, answer))
  }

  async #apply(user: LiveUser, id: Uint8Array, answer: Answer): Promise<void> {
    this.#services.meter.count('answers', answer.kind)
    await this.#services.delivery.answer(user, id, answer)
    this.#frames.send({ type: 'acked', id })
    this.#catchUp()
  }

  /** Keeps count of what is under way, and answers for it when it fails. */
  async #work(length: number, ref: number, work: () => Promise<void>): Promise<void> {
    const cost = this.#frames.workBegan(length)
    try {
      await work()
    } catch (error) {
      this.#workFailed(ref, error)
    } finally {
      this.#frames.workEnded(cost)
    }
  }

  /** Without the store nothing can be promised; the client asks again. */
  #workFailed(ref: number, error: unknown): void {
    const known = error instanceof WireError
    const code = known ? error.code : 'unavailable'
    const retryAfter = known ? (error.details.retryAfter ?? 0) : STORE_RETRY_SECONDS
    if (ref === CONNECTION_REF) this.#fail(code, CLOSE_CODE.stopping, retryAfter)
    else this.#frames.send({ type: 'error', ref, code, retryAfter })
  }

  #catchUp(): void {
    this.#user?.catchUp().catch(() => this.#fail('unavailable', CLOSE_CODE.stopping))
  }

  #fail(code: ErrorCode, closeCode: number, retryAfter = 0): void {
    this.#frames.send({ type: 'error', ref: CONNECTION_REF, code, retryAfter })
    this.#end(closeCode)
  }

  #end(code: number): void {
    if (this.#state === 'closed') return
    this.#services.meter.count('closed', CLOSE_REASONS.get(code) ?? String(code))
    this.#leave()
    this.#frames.end(code)
  }

  /** Without waiting for a goodbye. */
  #cut(code: number): void {
    this.#end(code)
    this.#frames.cut()
  }

  #leave(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#loginTimer)
    this.#liftLimit()
    this.#frames.retire()
    if (this.#user) {
      this.#services.delivery.detach(this.#user)
      this.#services.questions.leave(this.#user.key, this.#services.clock.now())
      this.#touch()
    }
    this.#peer.onClosed()
  }
}

const STRANGER = ['unauthenticated', CLOSE_CODE.unauthenticated] as const
const answerOf = (receipt: Uint8Array | undefined): Answer =>
  receipt ? { kind: 'delivered', receipt } : { kind: 'settled' }
const CLOSE_REASONS: ReadonlyMap<number, string> = new Map(
  Object.entries(CLOSE_CODE).map(([reason, code]) => [code, reason]),
)
/** `ref` of errors that are about the connection. */
const CONNECTION_REF = 0
/** RFC 6455 §7.4.1. */
const MESSAGE_TOO_BIG = 1009
/** A login is below 200 bytes. */
const MAX_BYTES_BEFORE_LOGIN = 4096
const STORE_RETRY_SECONDS = 5
