/**
 * Between the processes of one service: a put goes to the process that has its recipient's
 * connection, its sender is told wherever it is, and of two connections of one user one stays.
 *
 * Whoever has the recipient's connection decides about the put, as if its sender were connected
 * there too; so what is delivered live is not written, whatever number of processes there are. If
 * nobody has it, or nobody answers, the put goes to the store from here: every put is idempotent.
 * All that is lost with a message between processes is time. (docs/ARCHITECTURE.md)
 */
import { randomBytes } from 'node:crypto'
import { type PutMode, type PutOutcome, WireError } from '@couplet/wire'
import type { AskResult, Bus, Hearing, Respond } from './bus.ts'
import { keyOf } from './keys.ts'
import type { End } from './mailbox.ts'
import type { Clock } from './ports.ts'
import {
  decodeAnswer,
  decodeRoute,
  encodeAnswer,
  encodeRoute,
  NONCE_BYTES,
  type RouteAnswer,
  type RouteMessage,
} from './route-codec.ts'

/** What other processes ask of this one, and tell it. */
export interface RouterEvents {
  /** A put for a user of this process; nothing, when the user is not here any more. */
  putHere(put: RoutedPut): Promise<void> | undefined
  /** An envelope that `sender` put for `recipient` came to its end. */
  ended(recipient: Uint8Array, sender: Uint8Array, id: Uint8Array, end: End): void
  /** A mailbox has room, and somebody here waits for that. */
  room(recipient: Uint8Array): void
  /** From now on `room` is heard of this mailbox; what was said before may have been missed. */
  hearsRoom(recipient: Uint8Array): Promise<void>
  /** The user has a newer connection in another process. */
  replaced(identityId: Uint8Array): void
  /** Another process has written into this user's mailbox. */
  written(identityId: Uint8Array): void
  /** An identity is gone. */
  forgotten(identityId: Uint8Array): void
  /** Anything of the above may have been missed. */
  missed(): void
}

export interface RoutedPut {
  readonly sender: Uint8Array
  readonly recipient: Uint8Array
  readonly bytes: Uint8Array
  readonly mode: PutMode
  /** The sender's process knows that the recipient has written to the sender. */
  readonly isFriend?: boolean
  readonly settle: (outcome: PutOutcome) => boolean
}

/** Hears who else writes into a mailbox, when the store tells by itself. */
export type WatchMailbox = (recipient: Uint8Array, written: () => void) => Hearing

interface Attachment {
  readonly nonce: Uint8Array
  /** Every process that had the user has answered, or there was none. */
  alone: boolean
  readonly hearings: readonly Hearing[]
}

export class Router {
  readonly #bus: Bus
  readonly #events: RouterEvents
  readonly #clock: Clock
  readonly #watch: WatchMailbox | undefined
  readonly #attached = new Map<string, Attachment>()
  /** Mailboxes whose room somebody here waits for, the oldest first. */
  readonly #rooms = new Map<string, { readonly recipient: Uint8Array; readonly hearing: Hearing }>()

  constructor(bus: Bus, events: RouterEvents, clock: Clock, watch?: WatchMailbox) {
    this.#bus = bus
    this.#events = events
    this.#clock = clock
    this.#watch = watch
    bus.hear(FORGOTTEN, (identityId) => events.forgotten(Uint8Array.from(identityId)))
    bus.onGap(() => {
      events.missed()
      void this.#lookForRooms()
    })
  }

  /**
   * The user's connection is here now. Resolves when whatever others do for this user is heard:
   * what is read from the mailbox after that is all there is.
   */
  async attach(identityId: Uint8Array): Promise<void> {
    this.detach(identityId)
    const written = (): void => this.#events.written(identityId)
    const attachment: Attachment = {
      nonce: loginNonce(this.#clock.now()),
      alone: false,
      hearings: [
        this.#bus.hear(userSubject(identityId), (message, respond) =>
          this.#heard(identityId, message, respond),
        ),
        this.#watch?.(identityId, written) ?? this.#bus.hear(writtenSubject(identityId), written),
      ],
    }
    this.#attached.set(keyOf(identityId), attachment)
    await Promise.all(attachment.hearings.map(({ ready }) => ready))
    this.#replaceOthers(identityId, attachment)
  }

  /** It is not here any more. */
  detach(identityId: Uint8Array): void {
    const key = keyOf(identityId)
    for (const hearing of this.#attached.get(key)?.hearings ?? []) hearing.end()
    this.#attached.delete(key)
  }

  /**
   * Offers a put to the process that has its recipient. Resolves to whether it was settled there.
   *
   * @throws {WireError} as that process says.
   */
  put(put: RoutedPut): Promise<boolean> {
    const { sender, recipient, mode, bytes, isFriend = false } = put
    const message = encodeRoute({ kind: 'put', sender, recipient, mode, isFriend, bytes })
    return new Promise((resolve, reject) => {
      // At once, not in a promise: notices about the same envelope may be right behind.
      const answered = (result: AskResult): void => {
        const answer = answerOf(result)
        if (answer.kind === 'failed') reject(answer.error)
        else {
          if (answer.kind === 'outcome') put.settle(answer.outcome)
          resolve(answer.kind === 'outcome')
        }
      }
      this.#bus.ask(userSubject(recipient), message, ANSWER_TIMEOUT_MS, answered)
    })
  }

  /** This process has written into a mailbox whose user is not here. */
  written(recipient: Uint8Array): void {
    if (!this.#watch) this.#bus.say(writtenSubject(recipient), NOTHING)
  }

  /** Tells a sender who is not connected here. */
  ended(recipient: Uint8Array, sender: Uint8Array, id: Uint8Array, end: End): void {
    this.#bus.say(userSubject(sender), encodeRoute({ kind: 'ended', recipient, id, end }))
  }

  room(recipient: Uint8Array): void {
    this.#bus.say(roomSubject(recipient), NOTHING)
  }

  /** Somebody here is to be told when this mailbox has room. */
  awaitRoom(recipient: Uint8Array): void {
    const key = keyOf(recipient)
    if (this.#rooms.has(key)) return
    if (this.#rooms.size >= ROOM_LIMIT) this.#forgetOldestRoom()
    const hear = (): void => {
      this.roomTold(recipient)
      this.#events.room(recipient)
    }
    const hearing = this.#bus.hear(roomSubject(recipient), hear)
    const own = Uint8Array.from(recipient)
    this.#rooms.set(key, { recipient: own, hearing })
    void hearing.ready.then(() => this.#events.hearsRoom(own)).catch(() => {})
  }

  /** Nobody here waits for it any more. */
  roomTold(recipient: Uint8Array): void {
    const key = keyOf(recipient)
    this.#rooms.get(key)?.hearing.end()
    this.#rooms.delete(key)
  }

  forgotten(identityId: Uint8Array): void {
    sayForgotten(this.#bus, identityId)
  }

  #heard(identityId: Uint8Array, bytes: Uint8Array, respond?: Respond): void {
    let message: RouteMessage
    try {
      message = decodeRoute(bytes)
    } catch {
      // Of another version: whoever asked stores it, whoever told us told a hint.
      respond?.(encodeAnswer({ kind: 'gone' }))
      return
    }
    if (message.kind === 'put') this.#heardPut(message, respond)
    else if (message.kind === 'here') this.#heardHere(identityId, message.nonce, respond)
    else this.#events.ended(message.recipient, identityId, message.id, message.end)
  }

  #heardPut(message: RouteMessage & { kind: 'put' }, respond?: Respond): void {
    const { sender, recipient, mode, isFriend, bytes } = message
    const begun = performance.now()
    const settle = (outcome: PutOutcome): boolean => {
      const inTime = performance.now() - begun < ANSWER_TIMEOUT_MS
      if (inTime) respond?.(encodeAnswer({ kind: 'outcome', outcome }))
      return inTime
    }
    const putting = this.#events.putHere({ sender, recipient, mode, isFriend, bytes, settle })
    if (!putting) respond?.(encodeAnswer({ kind: 'gone' }))
    putting?.catch((error: unknown) => {
      const failed = error instanceof WireError ? error : new WireError('unavailable', 'no store')
      respond?.(encodeAnswer({ kind: 'failed', error: failed }))
    })
  }

  /**
   * Whoever asks has just logged in: the connection here is the older one, and goes. Only while
   * this process asks the same, each has heard the other, and the nonce decides: the newer stays,
   * as far as the clocks of the two agree, and one of them in any case.
   */
  #heardHere(identityId: Uint8Array, nonce: Uint8Array, respond?: Respond): void {
    const mine = this.#attached.get(keyOf(identityId))
    const stays = mine !== undefined && !mine.alone && Buffer.compare(mine.nonce, nonce) > 0
    respond?.(stays ? mine.nonce : NOTHING)
    if (mine && !stays) this.#events.replaced(identityId)
  }

  #replaceOthers(identityId: Uint8Array, attachment: Attachment): void {
    const isHere = (): boolean => this.#attached.get(keyOf(identityId)) === attachment
    if (!isHere()) return
    const message = encodeRoute({ kind: 'here', nonce: attachment.nonce })
    const answered = (result: AskResult): void => {
      attachment.alone = true
      const otherStays = typeof result !== 'string' && result.length > 0
      if (otherStays && isHere()) this.#events.replaced(identityId)
    }
    // A process that does not keep up must not miss it: the user would stay connected there, too.
    this.#bus.ask(userSubject(identityId), message, HERE_TIMEOUT_MS, answered, true)
  }

  /** One after the other: there may be many, and whoever waits has a backoff of its own. */
  async #lookForRooms(): Promise<void> {
    for (const { recipient } of Array.from(this.#rooms.values())) {
      if (this.#rooms.has(keyOf(recipient))) await this.#events.hearsRoom(recipient).catch(() => {})
    }
  }

  #forgetOldestRoom(): void {
    for (const [oldest, { hearing }] of this.#rooms) {
      hearing.end()
      this.#rooms.delete(oldest)
      break
    }
  }
}

/** Every process that hears it ends the identity's connection. */
export function sayForgotten(bus: Bus, identityId: Uint8Array): void {
  bus.say(FORGOTTEN, identityId)
}

/** Orders logins by their time, those of one millisecond by chance. */
function loginNonce(now: number): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  nonce.writeUIntBE(now % 2 ** (8 * TIME_BYTES), 0, TIME_BYTES)
  return Uint8Array.from(nonce)
}

function answerOf(result: AskResult): RouteAnswer {
  if (typeof result === 'string') return { kind: 'gone' }
  try {
    return decodeAnswer(result)
  } catch {
    return { kind: 'gone' }
  }
}

const userSubject = (identityId: Uint8Array): string => `user.${hex(identityId)}`
const writtenSubject = (recipient: Uint8Array): string => `written.${hex(recipient)}`
const roomSubject = (recipient: Uint8Array): string => `room.${hex(recipient)}`

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Milliseconds, which begin again every 34 years; the rest of the nonce is chance. */
const TIME_BYTES = 5
const FORGOTTEN = 'forgotten'
const NOTHING = new Uint8Array(0)
/**
 * How long another process may take for a put: longer than a commit window and most answers of a
 * recipient. This is what everybody waits who writes to a user of a process that hangs, so it is
 * short; the put then goes to the store, and an answer that comes after all becomes a notice.
 */
const ANSWER_TIMEOUT_MS = 2000
/** How long a process may take to let go of a user's older connection. */
const HERE_TIMEOUT_MS = 2000
/** Mailboxes whose room is waited for. */
const ROOM_LIMIT = 16_384
