/**
 * Delivered before it was written: an envelope that was pushed to its recipient waits a moment
 * before it goes to the store, and if the answer comes first it never goes there. Live traffic then
 * costs no disk write. (architecture.md, "Delivered before it was written")
 *
 * Over any store. For each mailbox the store sees operations in the order in which they came.
 */
import { type EnvelopeStatus, type PutMode, sameBytes } from '@couplet/wire'
import { type IdEntry, IdTable } from './id-table.ts'
import { removeFrom } from './lists.ts'
import type { Answer } from './mailbox.ts'
import type { AckResult, Eviction, MailboxStore, PutResult, StoredEnvelope } from './ports.ts'
import { RecentEnds } from './recent-ends.ts'

/**
 * How long a pushed envelope waits for its answer: longer than most round trips, shorter than
 * anybody waits for a tick.
 */
export const COMMIT_WINDOW_MS = 100

/** An envelope that waits for its recipient's answer. */
interface Held extends IdEntry<Held> {
  readonly mailbox: HeldMailbox
  readonly envelope: StoredEnvelope
  readonly mode: PutMode
  /** By the monotonic clock, milliseconds. */
  readonly deadline: number
  readonly answer: PromiseWithResolvers<PutResult>
  /** Whose deadlines come before and after. */
  older: Held | undefined
  newer: Held | undefined
}

/** The id is the recipient's. */
interface HeldMailbox extends IdEntry<HeldMailbox> {
  /** At most a window, the oldest first. */
  readonly held: Held[]
}

export class CommitWindow {
  readonly #store: MailboxStore
  readonly #windowMs: number
  readonly #recent = new RecentEnds()
  /** Of one id never more than one: what it is put to a second time goes to the store. */
  readonly #held = new IdTable<Held>()
  readonly #mailboxes = new IdTable<HeldMailbox>()
  #oldest: Held | undefined
  #newest: Held | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(store: MailboxStore, windowMs: number = COMMIT_WINDOW_MS) {
    this.#store = store
    this.#windowMs = windowMs
  }

  /**
   * @param pushed - the envelope was pushed to its recipient just now, and every other one that
   *   waits in this mailbox was, too: then it is not in the store yet, and may wait.
   */
  put(
    recipient: Uint8Array,
    envelope: StoredEnvelope,
    mode: PutMode,
    pushed: boolean,
  ): Promise<PutResult> {
    if (!pushed || this.#windowMs === 0 || this.#held.find(envelope.id)) {
      this.flush(recipient)
      return this.#store.put(recipient, envelope, mode)
    }
    return this.#hold(recipient, envelope, mode)
  }

  /**
   * What is already known of this envelope without asking the store: it was answered for before
   * it was written, and this is its sender's repetition.
   */
  known(sender: Uint8Array, recipient: Uint8Array, id: Uint8Array): Answer | undefined {
    const recent = this.#recent.forSender(sender, id)
    return recent && sameBytes(recent.recipient, recipient) ? recent.end : undefined
  }

  /** At once for what never reached the store. */
  ack(
    recipient: Uint8Array,
    id: Uint8Array,
    answer: Answer,
    at: number,
    pushedFor?: Uint8Array,
  ): AckResult | Promise<AckResult> {
    const held = this.#held.find(id)
    if (held && sameBytes(held.mailbox.id, recipient)) {
      const { id: ownId, sender } = held.envelope
      const ended = { id: ownId, sender, end: answer, endedAt: at }
      this.#release(held)
      this.#recent.add(id, { sender, recipient, end: answer, endedAt: at })
      held.answer.resolve({ outcome: answer, evicted: [] })
      return { ended, room: false }
    }
    const ended = this.#recent.upgrade(recipient, id, answer, at)
    if (ended) return { ended, room: false }
    return this.#ackStored(recipient, id, answer, at, pushedFor)
  }

  /** Some steps later than the store itself, so that puts of the same commit are heard of before. */
  async #ackStored(...ack: Parameters<MailboxStore['ack']>): Promise<AckResult> {
    const [recipient] = ack
    this.flush(recipient)
    return this.#store.ack(...ack)
  }

  fetch(
    recipient: Uint8Array,
    limit: number,
    except: readonly Uint8Array[],
  ): Promise<readonly StoredEnvelope[]> {
    this.flush(recipient)
    return this.#store.fetch(recipient, limit, except)
  }

  hasRoom(recipient: Uint8Array): Promise<boolean> {
    this.flush(recipient)
    return this.#store.hasRoom(recipient)
  }

  async status(sender: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly EnvelopeStatus[]> {
    for (const id of ids) {
      const held = this.#held.find(id)
      if (held && sameBytes(held.envelope.sender, sender)) this.#flush(held.mailbox)
    }
    const statuses = await this.#store.status(sender, ids)
    return statuses.map((status, index) =>
      status.kind === 'unknown'
        ? (this.#recent.forSender(sender, ids[index]!)?.end ?? status)
        : status,
    )
  }

  async drop(identityId: Uint8Array): Promise<void> {
    this.flush(identityId)
    this.#recent.forgetAbout(identityId)
    await this.#store.drop(identityId)
  }

  async expire(before: number, at: number): Promise<readonly Eviction[]> {
    this.#recent.forgetUntil(before)
    return this.#store.expire(before, at)
  }

  /** What waits for this mailbox goes to the store: its recipient is gone, or order asks for it. */
  flush(recipient: Uint8Array): void {
    const mailbox = this.#mailboxes.find(recipient)
    if (mailbox) this.#flush(mailbox)
  }

  flushAll(): void {
    while (this.#oldest) this.#write(this.#oldest)
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

  #flush(mailbox: HeldMailbox): void {
    // A copy: each leaves the list as it is written.
    for (const held of mailbox.held.slice()) this.#write(held)
  }

  #hold(recipient: Uint8Array, envelope: StoredEnvelope, mode: PutMode): Promise<PutResult> {
    let mailbox = this.#mailboxes.find(recipient)
    if (!mailbox) {
      mailbox = { id: recipient, held: [], chained: undefined }
      this.#mailboxes.add(mailbox)
    }
    const held: Held = {
      id: envelope.id,
      mailbox,
      envelope,
      mode,
      deadline: performance.now() + this.#windowMs,
      answer: Promise.withResolvers(),
      older: this.#newest,
      newer: undefined,
      chained: undefined,
    }
    this.#held.add(held)
    mailbox.held.push(held)
    if (this.#newest) this.#newest.newer = held
    else this.#oldest = held
    this.#newest = held
    this.#timer ??= setTimeout(() => this.#expire(), this.#windowMs)
    return held.answer.promise
  }

  #release(held: Held): void {
    const { mailbox, older, newer } = held
    this.#held.remove(held)
    removeFrom(mailbox.held, held)
    if (mailbox.held.length === 0) this.#mailboxes.remove(mailbox)
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    // What is done keeps nothing that comes after it. (id-table.ts)
    held.older = undefined
    held.newer = undefined
  }

  #write(held: Held): void {
    this.#release(held)
    this.#store
      .put(held.mailbox.id, held.envelope, held.mode)
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
      while (this.#oldest) {
        if (this.#oldest.deadline > now) {
          this.#timer = setTimeout(() => this.#expire(), left(this.#oldest))
          return
        }
        this.#flush(this.#oldest.mailbox)
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
