/**
 * One connected user: what was pushed and not yet answered, and what is still to be pushed.
 * (delivery.md, "Live delivery")
 *
 * The mailbox is the truth. While this user is caught up, everything that waits there is in flight
 * here, and arrivals are pushed at once. Past the window, or while the reader is slow, nothing is
 * pushed and nothing is kept: what was missed is fetched from the mailbox when there is room.
 */
import type { EnvelopeStatus, PutOutcome } from '@couplet/wire'
import type { IdEntry } from './id-table.ts'
import { keyOf } from './keys.ts'
import { findById, removeFrom } from './lists.ts'
import type { StoredEnvelope } from './ports.ts'

/** Deliveries under way to one user before the server waits for acknowledgements. */
export const IN_FLIGHT_WINDOW = 64

/** What the user's connection can do. Calls after it is closed have no effect. */
export interface Channel {
  /** Whether the reader keeps up. When that changes to true, `LiveUser.catchUp` is called. */
  readonly writable: boolean
  deliver(envelope: StoredEnvelope): void
  caughtUp(): void
  notice(id: Uint8Array, status: EnvelopeStatus): void
  room(recipient: Uint8Array): void
  close(reason: 'replaced' | 'unauthenticated' | 'stopping'): void
  /** Something waits that was not pushed: calls `LiveUser.catchUp` and answers for its failure. */
  lookAgain(): void
}

/** An envelope that was pushed and not answered yet. */
export interface InFlight {
  readonly id: Uint8Array
  readonly sender: Uint8Array
  /** It left the mailbox since; its sender hears of it only if no answer comes. */
  evicted: boolean
  /** Set for an envelope that is only here, not in the mailbox: gives its put the outcome. */
  passedThrough: ((outcome: PutOutcome) => void) | undefined
}

export type Fetch = (
  limit: number,
  except: readonly Uint8Array[],
) => Promise<readonly StoredEnvelope[]>

export class LiveUser implements IdEntry<LiveUser> {
  /** The user's identityId. */
  readonly id: Uint8Array
  /** `keyOf(id)`. */
  readonly key: string
  chained: LiveUser | undefined
  readonly channel: Channel
  readonly #fetch: Fetch
  readonly #window: number
  /** At most a window. */
  #inFlight: InFlight[] = []
  /** Something may wait in the mailbox that was not pushed. */
  #behind = true
  /** While the mailbox is being read: whether more arrived, and what was answered meanwhile. */
  #reading: { missed: boolean; readonly answered: Set<string> } | undefined
  #saidCaughtUp = false
  #gone = false

  constructor(options: {
    readonly identityId: Uint8Array
    readonly channel: Channel
    readonly fetch: Fetch
    readonly window: number
  }) {
    this.id = options.identityId
    this.key = keyOf(options.identityId)
    this.channel = options.channel
    this.#fetch = options.fetch
    this.#window = options.window
  }

  /**
   * Pushes an envelope that just arrived, if this user is caught up. Answers whether it did; if not,
   * it is fetched from the mailbox later.
   */
  offer(envelope: StoredEnvelope): boolean {
    if (this.#find(envelope.id)) return false
    if (!this.#behind && this.#canPush()) {
      this.#push(envelope)
      return true
    }
    this.#behind = true
    if (this.#reading) this.#reading.missed = true
    return false
  }

  /**
   * For an envelope that the mailbox has no room for: it is only here, pushed now if it was not
   * before, and `settle` hears the recipient's answer, or `full` when the connection ends without.
   * Of two puts of the same envelope the later one is told, the earlier one is `full`.
   * Answers whether there was room in the window.
   */
  passThrough(envelope: StoredEnvelope, settle: (outcome: PutOutcome) => void): boolean {
    let entry = this.#find(envelope.id)
    if (!entry) {
      if (!this.#canPush()) return false
      entry = this.#push(envelope)
    }
    entry.passedThrough?.({ kind: 'full' })
    entry.passedThrough = settle
    return true
  }

  /** Something may wait in the mailbox that was written by another process. */
  lookAgain(): void {
    this.#behind = true
    if (this.#reading) this.#reading.missed = true
    else this.channel.lookAgain()
  }

  /** An envelope left the mailbox. Answers whether its end is open, because it is in flight. */
  evicted(id: Uint8Array): boolean {
    const entry = this.#find(id)
    if (entry) entry.evicted = true
    return entry !== undefined
  }

  /** The user answered for an envelope: it is in flight no more. */
  answered(id: Uint8Array): InFlight | undefined {
    const entry = this.#find(id)
    if (entry) removeFrom(this.#inFlight, entry)
    this.#reading?.answered.add(keyOf(id))
    return entry
  }

  /** Pushes from the mailbox what was not pushed yet, as far as window and reader allow. */
  async catchUp(): Promise<void> {
    if (this.#reading) return
    while (this.#behind && this.#canPush()) {
      const reading = { missed: false, answered: new Set<string>() }
      this.#reading = reading
      const room = this.#window - this.#inFlight.length
      const except = this.#inFlight.map(({ id }) => id)
      try {
        // One more than fits, to know whether there is more.
        const envelopes = await this.#fetch(room + 1, except)
        this.#pushAll(envelopes, reading)
      } finally {
        this.#reading = undefined
      }
    }
  }

  /** The connection ended. What was in flight is given to the caller, who knows what it means. */
  leave(): readonly InFlight[] {
    this.#gone = true
    const left = this.#inFlight
    this.#inFlight = []
    return left
  }

  #pushAll(
    envelopes: readonly StoredEnvelope[],
    reading: { readonly missed: boolean; readonly answered: ReadonlySet<string> },
  ): void {
    for (const envelope of envelopes) {
      if (reading.answered.has(keyOf(envelope.id)) || this.#find(envelope.id)) continue
      if (!this.#canPush()) return
      this.#push(envelope)
    }
    if (this.#gone) return
    if (!this.#saidCaughtUp) this.channel.caughtUp()
    this.#saidCaughtUp = true
    this.#behind = reading.missed
  }

  #find(id: Uint8Array): InFlight | undefined {
    return findById(this.#inFlight, id)
  }

  #push(envelope: StoredEnvelope): InFlight {
    const { id, sender } = envelope
    const entry: InFlight = { id, sender, evicted: false, passedThrough: undefined }
    this.#inFlight.push(entry)
    this.channel.deliver(envelope)
    return entry
  }

  #canPush(): boolean {
    return !this.#gone && this.#inFlight.length < this.#window && this.channel.writable
  }
}
