/**
 * Delivered before it was written: an envelope that was pushed to its recipient waits a moment
 * before it goes to the store, and if the answer comes first it never goes there. Live traffic then
 * costs no disk write. (architecture.md, "Delivered before it was written")
 *
 * Over any store. For each mailbox the store sees operations in the order in which they came.
 */
import { type EnvelopeStatus, equalBytes, type PutMode } from '@couplet/wire'
import { keyOf } from './keys.ts'
import type { Answer } from './mailbox.ts'
import type { AckResult, Eviction, MailboxStore, PutResult, StoredEnvelope } from './ports.ts'
import { RecentEnds } from './recent-ends.ts'

/**
 * How long a pushed envelope waits for its answer: longer than most round trips, shorter than
 * anybody waits for a tick.
 */
export const COMMIT_WINDOW_MS = 100

/** An envelope that waits for its recipient's answer. */
interface Held {
  readonly recipient: Uint8Array
  readonly recipientKey: string
  readonly idKey: string
  readonly envelope: StoredEnvelope
  readonly mode: PutMode
  /** By the monotonic clock, milliseconds. */
  readonly deadline: number
  readonly answer: PromiseWithResolvers<PutResult>
}

export class CommitWindow {
  readonly #store: MailboxStore
  readonly #windowMs: number
  readonly #recent = new RecentEnds()
  /** By id; in the order of their deadlines. */
  readonly #held = new Map<string, Held>()
  /** By recipient. */
  readonly #heldFor = new Map<string, Held[]>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: MailboxStore, windowMs: number = COMMIT_WINDOW_MS) {
    this.#store = store
    this.#windowMs = windowMs
  }

  /**
   * @param pushed - the envelope was pushed to its recipient just now, and every other one that
   *   waits in this mailbox was, too: then it is not in the store yet, and may wait.
   * @param keys - of recipient and id, for who has made them already.
   */
  put(
    recipient: Uint8Array,
    envelope: StoredEnvelope,
    mode: PutMode,
    pushed: boolean,
    keys: readonly [recipient: string, id: string] = [keyOf(recipient), keyOf(envelope.id)],
  ): Promise<PutResult> {
    const [recipientKey, idKey] = keys
    if (!pushed || this.#windowMs === 0 || this.#held.has(idKey)) {
      this.flush(recipientKey)
      return this.#store.put(recipient, envelope, mode)
    }
    const held: Held = {
      recipient,
      recipientKey,
      idKey,
      envelope,
      mode,
      deadline: performance.now() + this.#windowMs,
      answer: Promise.withResolvers(),
    }
    this.#hold(held)
    return held.answer.promise
  }

  /**
   * What is already known of this envelope without asking the store: it was answered for before
   * it was written, and this is its sender's repetition.
   */
  known(sender: Uint8Array, recipient: Uint8Array, id: Uint8Array): Answer | undefined {
    const recent = this.#recent.forSender(sender, id)
    return recent && equalBytes(recent.recipient, recipient) ? recent.end : undefined
  }

  async ack(
    recipient: Uint8Array,
    id: Uint8Array,
    answer: Answer,
    at: number,
    pushedFor?: Uint8Array,
  ): Promise<AckResult> {
    const held = this.#held.get(keyOf(id))
    if (held && equalBytes(held.recipient, recipient)) {
      const { id: ownId, sender } = held.envelope
      const ended = { id: ownId, sender, end: answer, endedAt: at }
      this.#release(held)
      this.#recent.add(id, { sender, recipient, end: answer, endedAt: at })
      held.answer.resolve({ outcome: answer, evicted: [] })
      return { ended, room: false }
    }
    const ended = this.#recent.upgrade(recipient, id, answer, at)
    if (ended) return { ended, room: false }
    this.flush(keyOf(recipient))
    return this.#store.ack(recipient, id, answer, at, pushedFor)
  }

  fetch(
    recipient: Uint8Array,
    limit: number,
    except: readonly Uint8Array[],
  ): Promise<readonly StoredEnvelope[]> {
    this.flush(keyOf(recipient))
    return this.#store.fetch(recipient, limit, except)
  }

  hasRoom(recipient: Uint8Array): Promise<boolean> {
    this.flush(keyOf(recipient))
    return this.#store.hasRoom(recipient)
  }

  async status(sender: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly EnvelopeStatus[]> {
    for (const id of ids) {
      const held = this.#held.get(keyOf(id))
      if (held && equalBytes(held.envelope.sender, sender)) this.flush(held.recipientKey)
    }
    const statuses = await this.#store.status(sender, ids)
    return statuses.map((status, index) =>
      status.kind === 'unknown'
        ? (this.#recent.forSender(sender, ids[index]!)?.end ?? status)
        : status,
    )
  }

  async drop(identityId: Uint8Array): Promise<void> {
    this.flush(keyOf(identityId))
    this.#recent.forgetAbout(identityId)
    await this.#store.drop(identityId)
  }

  async expire(before: number, at: number): Promise<readonly Eviction[]> {
    this.#recent.forgetUntil(before)
    return this.#store.expire(before, at)
  }

  /** What waits for this mailbox goes to the store: its recipient is gone, or order asks for it. */
  flush(recipientKey: string): void {
    const held = this.#heldFor.get(recipientKey)
    // A copy: each leaves the list as it is written.
    if (held) for (const one of held.slice()) this.#write(one)
  }

  flushAll(): void {
    for (const held of this.#held.values()) this.#write(held)
  }

  /** Before a stop in good order: everything is written, receipts of unwritten envelopes too. */
  async close(): Promise<void> {
    this.flushAll()
    clearTimeout(this.#timer)
    const writes = Array.from(this.#recent.all(), ({ recipient, id, end, endedAt, sender }) =>
      this.#store.ack(recipient, id, end, endedAt, sender),
    )
    await Promise.all(writes)
  }

  #hold(held: Held): void {
    this.#held.set(held.idKey, held)
    const others = this.#heldFor.get(held.recipientKey)
    if (others) others.push(held)
    else this.#heldFor.set(held.recipientKey, [held])
    this.#timer ??= setTimeout(() => this.#expire(), this.#windowMs)
  }

  #release(held: Held): void {
    this.#held.delete(held.idKey)
    const others = this.#heldFor.get(held.recipientKey)!
    if (others.length === 1) this.#heldFor.delete(held.recipientKey)
    else others.splice(others.indexOf(held), 1)
  }

  #write(held: Held): void {
    this.#release(held)
    this.#store
      .put(held.recipient, held.envelope, held.mode)
      .then(held.answer.resolve, held.answer.reject)
  }

  /**
   * A busy server finds its timers due before it has read what arrived. So answers that are on
   * their way get some turns of the event loop: otherwise load would cause writes, and writes load.
   */
  #expire(): void {
    const now = performance.now()
    afterTurns(TURNS_OF_PATIENCE, () => {
      this.#timer = undefined
      for (const held of this.#held.values()) {
        if (held.deadline > now) {
          this.#timer = setTimeout(() => this.#expire(), left(held))
          return
        }
        this.flush(held.recipientKey)
      }
    })
  }
}

/** Milliseconds until the deadline; it may have passed by now. */
function left({ deadline }: Held): number {
  return Math.max(0, deadline - performance.now())
}

/** Between two turns the event loop reads what has arrived. */
function afterTurns(turns: number, then: () => void): void {
  setImmediate(() => (turns > 1 ? afterTurns(turns - 1, then) : then()))
}

/** What was pushed in one turn leaves at its end, and is answered in the second or third. */
const TURNS_OF_PATIENCE = 3
