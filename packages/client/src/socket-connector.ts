/**
 * Connections to a server's socket, over the standard `WebSocket`: the same in Node and in
 * browsers. (spec/socket.md)
 *
 * One connection, from challenge to close. Connecting again, and everything that must survive a
 * connection, is the engine's. Nothing is queued here: there is one small entry for each question
 * of the caller that is still open.
 */
import {
  type Bytes,
  CLIENT_SUBPROTOCOL_PREFIX,
  CLOSE_CODE,
  type ClientFrame,
  decodeServerFrame,
  type EnvelopeStatus,
  type ErrorCode,
  encodeClientFrame,
  loginSignedBytes,
  type NackReason,
  type PutMode,
  type PutOutcome,
  type ServerFrame,
  SOCKET_PROTOCOL,
  toHex,
} from '@couplet/wire'
import { ClientError } from './errors.ts'
import { parseServerAddress, type ServerAddress } from './http-api.ts'
import type {
  Clock,
  CloseReason,
  Connection,
  ConnectionEvents,
  Connector,
  RequestSigner,
} from './ports.ts'
import { CLIENT_VERSION } from './version.ts'

export interface SocketConnectorOptions {
  /** Like `http://localhost:8080` or `https://chat.example`: the same as for HTTP. */
  readonly url: string
  readonly clock: Clock
}

/**
 * Events begin only after the promise of `connect` has been taken up, so that a handler may use
 * the connection.
 *
 * @throws {ClientError} `malformed` when the URL is not one of a server.
 */
export function createSocketConnector(options: SocketConnectorOptions): Connector {
  const address = parseServerAddress(options.url)
  return {
    connect: (signer, events) =>
      new Promise((resolve, reject) => {
        const { clock } = options
        new SocketConnection({ address, clock, signer, events, resolve, reject }).open()
      }),
  }
}

interface Setting {
  readonly address: ServerAddress
  readonly clock: Clock
  readonly signer: RequestSigner
  readonly events: ConnectionEvents
  readonly resolve: (connection: Connection) => void
  readonly reject: (error: ClientError) => void
}

interface Waiter<T> {
  readonly resolve: (answer: T) => void
  readonly reject: (error: ClientError) => void
}

type Question =
  | (Waiter<PutOutcome> & { readonly asks: 'put' })
  | (Waiter<readonly EnvelopeStatus[]> & { readonly asks: 'status'; readonly count: number })

class SocketConnection implements Connection {
  capacity = 0
  clockOffset = 0
  readonly #setting: Setting
  readonly #socket: WebSocket
  #phase: 'challenge' | 'welcome' | 'open' | 'closing' | 'over' = 'challenge'
  /** Frames that came before the caller could know of the connection. */
  #held: ServerFrame[] | undefined
  readonly #questions = new Map<number, Question>()
  #lastRef = 0
  /** Who waits for an `acked`, by the id in hex. */
  readonly #acknowledgements = new Map<string, Waiter<void>[]>()
  #resolveClosed: () => void = () => undefined
  readonly #closed = new Promise<void>((resolve) => {
    this.#resolveClosed = resolve
  })
  #lastHeardAt = 0
  #heardSinceAsked = false
  #cancelTimer: () => void = () => undefined

  constructor(setting: Setting) {
    this.#setting = setting
    this.#socket = new WebSocket(setting.address.socketUrl, [
      SOCKET_PROTOCOL,
      CLIENT_SUBPROTOCOL_PREFIX + CLIENT_VERSION,
    ])
    this.#socket.binaryType = 'arraybuffer'
  }

  open(): void {
    this.#schedule(CONNECT_TIMEOUT_MS, () =>
      this.#fail('timed-out', `the server at ${this.#origin} does not answer in time`),
    )
    this.#socket.addEventListener('message', ({ data }) => this.#receive(data))
    // An error is always followed by a close; alone it says nothing.
    this.#socket.addEventListener('close', ({ code }) => this.#socketClosed(code))
  }

  async put(recipient: Bytes, envelope: Bytes, mode: PutMode): Promise<PutOutcome> {
    return new Promise((resolve, reject) => {
      const ref = this.#ask({ asks: 'put', resolve, reject })
      if (ref) this.#send({ type: 'put', ref, mode, recipient, envelope })
    })
  }

  async status(ids: readonly Bytes[]): Promise<readonly EnvelopeStatus[]> {
    return new Promise((resolve, reject) => {
      const ref = this.#ask({ asks: 'status', count: ids.length, resolve, reject })
      if (ref) this.#send({ type: 'status', ref, ids })
    })
  }

  async ack(id: Bytes, receipt: Bytes | undefined): Promise<void> {
    return this.#acknowledge(id, { type: 'ack', id, receipt })
  }

  async nack(id: Bytes, reason: NackReason): Promise<void> {
    return this.#acknowledge(id, { type: 'nack', id, reason })
  }

  check(): void {
    if (this.#phase === 'open') this.#askForLife(CHECK_TIMEOUT_MS)
  }

  async close(): Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'closing'
      this.#held = undefined
      this.#socket.close(NORMAL_CLOSE)
      this.#schedule(CLOSE_TIMEOUT_MS, () => this.#end({ kind: 'closed-by-us' }))
    }
    return this.#closed
  }

  /** Remembers a question under a fresh ref; 0, with the question rejected, when it is too late. */
  #ask(question: Question): number {
    if (this.#phase !== 'open') {
      question.reject(this.#unreachable())
      return 0
    }
    do this.#lastRef = (this.#lastRef % MAX_REF) + 1
    while (this.#questions.has(this.#lastRef))
    this.#questions.set(this.#lastRef, question)
    return this.#lastRef
  }

  #acknowledge(id: Bytes, frame: ClientFrame): Promise<void> {
    if (this.#phase !== 'open') return Promise.reject(this.#unreachable())
    return new Promise((resolve, reject) => {
      const key = toHex(id)
      const waiters = this.#acknowledgements.get(key)
      if (waiters) waiters.push({ resolve, reject })
      else this.#acknowledgements.set(key, [{ resolve, reject }])
      this.#send(frame)
    })
  }

  #send(frame: ClientFrame): void {
    this.#socket.send(encodeClientFrame(frame))
  }

  #receive(data: unknown): void {
    if (this.#phase === 'closing' || this.#phase === 'over') return
    this.#lastHeardAt = this.#setting.clock.now()
    this.#heardSinceAsked = true
    let frame: ServerFrame
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError('text')
      frame = decodeServerFrame(new Uint8Array(data))
    } catch {
      this.#violated()
      return
    }
    if (this.#phase === 'challenge' || this.#phase === 'welcome') this.#logIn(frame)
    else if (this.#held) this.#held.push(frame)
    else this.#handle(frame)
  }

  #logIn(frame: ServerFrame): void {
    const { clock, signer, address } = this.#setting
    if (frame.type === 'error' && frame.ref === 0) {
      this.#fail(frame.code, refusalSentence(frame.code), frame.retryAfter)
    } else if (this.#phase === 'challenge' && frame.type === 'challenge') {
      const { identityId } = signer
      const { challenge } = frame
      const { serverName } = address
      const signature = signer.sign(loginSignedBytes({ serverName, challenge, identityId }))
      this.#phase = 'welcome'
      this.#send({ type: 'login', identityId, signature })
    } else if (this.#phase === 'welcome' && frame.type === 'welcome') {
      this.capacity = frame.capacity
      this.clockOffset = frame.now - clock.now()
      this.#phase = 'open'
      this.#held = []
      this.#setting.resolve(this)
      // Frames of one segment are dispatched without a pause; after a turn of the event loop the
      // caller has gone on.
      setTimeout(() => this.#release(), 0)
      this.#schedule(IDLE_MS, () => this.#listenForLife())
    } else {
      this.#violated()
    }
  }

  #release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const frame of held) if (this.#phase === 'open') this.#handle(frame)
  }

  #handle(frame: ServerFrame): void {
    const { events } = this.#setting
    switch (frame.type) {
      case 'deliver':
        events.deliver({
          sender: copy(frame.sender),
          storedAt: frame.storedAt,
          envelope: copy(frame.envelope),
        })
        break
      case 'caught-up':
        events.caughtUp()
        break
      case 'notice':
        events.notice(copy(frame.id), frame.status)
        break
      case 'room':
        events.room(copy(frame.recipient))
        break
      case 'acked':
        this.#acked(frame.id)
        break
      case 'put-result':
      case 'status-result':
        this.#answered(frame)
        break
      case 'error':
        this.#refused(frame)
        break
      case 'challenge':
      case 'welcome':
        this.#violated()
        break
    }
  }

  /** Several may wait for one id: it is settled for all of them, whichever was applied. */
  #acked(id: Uint8Array): void {
    const key = toHex(id)
    const waiters = this.#acknowledgements.get(key)
    this.#acknowledgements.delete(key)
    for (const waiter of waiters ?? []) waiter.resolve()
  }

  #answered(frame: Extract<ServerFrame, { type: 'put-result' | 'status-result' }>): void {
    const question = this.#questions.get(frame.ref)
    if (frame.type === 'put-result' && question?.asks === 'put') {
      this.#questions.delete(frame.ref)
      question.resolve(frame.outcome)
    } else if (
      frame.type === 'status-result' &&
      question?.asks === 'status' &&
      question.count === frame.statuses.length
    ) {
      this.#questions.delete(frame.ref)
      question.resolve(frame.statuses)
    } else {
      this.#violated()
    }
  }

  #refused(frame: Extract<ServerFrame, { type: 'error' }>): void {
    // About the connection: the server closes it now, with a code that says more.
    if (frame.ref === 0) return
    const question = this.#questions.get(frame.ref)
    if (!question) {
      this.#violated()
      return
    }
    this.#questions.delete(frame.ref)
    question.reject(refusal(frame.code, refusalSentence(frame.code), frame.retryAfter))
  }

  /** Browsers cannot ping. After a while without a frame, a question about nothing does the same. */
  #listenForLife(): void {
    const quietMs = Math.max(0, this.#setting.clock.now() - this.#lastHeardAt)
    if (quietMs < IDLE_MS) {
      this.#schedule(IDLE_MS - quietMs, () => this.#listenForLife())
      return
    }
    this.#askForLife(ANSWER_TIMEOUT_MS)
  }

  #askForLife(withinMs: number): void {
    this.#heardSinceAsked = false
    this.status([]).catch(() => undefined)
    this.#schedule(withinMs, () => {
      if (this.#heardSinceAsked) this.#listenForLife()
      else this.#abandon(CLOSE_CODE.timeout)
    })
  }

  /** What the server does is not the protocol. */
  #violated(): void {
    this.#abandon(CLOSE_CODE.malformed)
  }

  #abandon(code: number): void {
    if (this.#phase === 'over') return
    this.#end(
      { kind: 'lost' },
      new ClientError('unexpected-answer', `${this.#origin} does not answer like a Couplet server`),
    )
    this.#socket.close(code)
  }

  /** Before the login is through. */
  #fail(code: ErrorCode | 'timed-out', message: string, retryAfter = 0): void {
    this.#end({ kind: 'lost' }, refusal(code, message, retryAfter))
    this.#socket.close(NORMAL_CLOSE)
  }

  #socketClosed(code: number): void {
    const reason = this.#phase === 'closing' ? 'closed-by-us' : closeReason(code)
    const error =
      reason === 'unauthenticated'
        ? refusal('unauthenticated', refusalSentence('unauthenticated'), 0)
        : this.#unreachable()
    this.#end({ kind: reason }, error)
  }

  /** The end, once: of the attempt, or of the connection. What was received is told before. */
  #end(reason: CloseReason, loginError?: ClientError): void {
    if (this.#phase === 'open') this.#release()
    if (this.#phase === 'over') return
    const wasOpen = this.#phase === 'open' || this.#phase === 'closing'
    this.#phase = 'over'
    this.#cancelTimer()
    const error = this.#unreachable()
    for (const question of this.#questions.values()) question.reject(error)
    this.#questions.clear()
    for (const waiters of this.#acknowledgements.values()) {
      for (const waiter of waiters) waiter.reject(error)
    }
    this.#acknowledgements.clear()
    if (wasOpen) this.#setting.events.closed(reason)
    else this.#setting.reject(loginError ?? error)
    this.#resolveClosed()
  }

  #unreachable(): ClientError {
    return new ClientError(
      'unreachable',
      this.#phase === 'challenge'
        ? `the server at ${this.#origin} does not answer`
        : `the connection to ${this.#origin} has ended`,
    )
  }

  get #origin(): string {
    return this.#setting.address.origin
  }

  /** There is one timer at a time: for connecting, then for signs of life, then for closing. */
  #schedule(delayMs: number, task: () => void): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#setting.clock.schedule(delayMs, task)
  }
}

function closeReason(code: number): CloseReason['kind'] {
  if (code === CLOSE_CODE.replaced) return 'replaced'
  if (code === CLOSE_CODE.unauthenticated) return 'unauthenticated'
  return 'lost'
}

function refusal(code: ErrorCode | 'timed-out', message: string, retryAfter: number): ClientError {
  return new ClientError(code, message, { details: retryAfter > 0 ? { retryAfter } : {} })
}

function refusalSentence(code: ErrorCode): string {
  return code === 'unauthenticated'
    ? 'the server does not know this identity, or not any more'
    : `the server refused: ${code}`
}

/** Bytes of their own, where a frame's fields are views into it. */
function copy(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes)
}

const CONNECT_TIMEOUT_MS = 15_000
const CLOSE_TIMEOUT_MS = 2000
/** Silence after which the server is asked whether it is there. */
const IDLE_MS = 45_000
const ANSWER_TIMEOUT_MS = 20_000
/** The same after waking up, when somebody is looking. */
const CHECK_TIMEOUT_MS = 5000
const NORMAL_CLOSE = 1000
/** A ref is a u32, and 0 stands for the connection. */
const MAX_REF = 0xffff_ffff
