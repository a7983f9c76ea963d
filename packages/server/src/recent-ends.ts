/**
 * How envelopes ended that never reached the store: delivered before they were written.
 *
 * Soft state like the receipt lane, whose place it takes for them: bounded, the oldest forgotten
 * first, written down when the server stops in good order.
 *
 * Every live message passes through here and stays for a while. As objects they would be most of what
 * the garbage collector has to move, so they are rows of bytes in one ring, found by chains of numbers.
 */
import { NACK_REASONS, sameBytes } from '@couplet/wire'
import { hashOf } from './id-table.ts'
import { type Answer, type Ended, saysMore } from './mailbox.ts'

/** Without its id, which is its place here. */
export interface RecentEnd {
  readonly sender: Uint8Array
  readonly recipient: Uint8Array
  readonly end: Answer
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

export class RecentEnds {
  readonly #limit: number
  /** `id ‖ sender ‖ recipient ‖ receipt`, 32 bytes each, of every row. */
  readonly #rows: Uint8Array
  /** What the recipient answered, `EMPTY` in a row that holds nothing. */
  readonly #answers: Uint8Array
  readonly #times: Float64Array
  /** The newest row of each chain, and behind each row the next older one of its chain. */
  readonly #chains = new Int32Array(CHAINS).fill(NONE)
  readonly #older: Int32Array
  /** The row that is written next, and is the oldest once all have been. */
  #next = 0

  /** @param limit - how many are remembered. */
  constructor(limit: number = RECENT_ENDS_LIMIT) {
    this.#limit = limit
    this.#rows = new Uint8Array(limit * ROW_BYTES)
    this.#answers = new Uint8Array(limit)
    this.#times = new Float64Array(limit)
    this.#older = new Int32Array(limit)
  }

  add(id: Uint8Array, { sender, recipient, end, endedAt }: RecentEnd): void {
    const before = this.#find(id)
    if (before !== NONE) this.#remove(before)
    const row = this.#next
    this.#next = (row + 1) % this.#limit
    this.#remove(row)
    const at = row * ROW_BYTES
    this.#rows.fill(0, at, at + ROW_BYTES)
    this.#rows.set(id, at)
    this.#rows.set(sender, at + SENDER_AT)
    this.#rows.set(recipient, at + RECIPIENT_AT)
    if (end.kind === 'delivered') this.#rows.set(end.receipt, at + RECEIPT_AT)
    this.#answers[row] = codeOf(end)
    this.#times[row] = endedAt
    const chain = chainOf(id, 0)
    this.#older[row] = this.#chains[chain]!
    this.#chains[chain] = row
  }

  /** What the recipient answered, for the sender who asks. */
  forSender(sender: Uint8Array, id: Uint8Array): RecentEnd | undefined {
    const row = this.#find(id)
    return row !== NONE && this.#is(row, SENDER_AT, sender) ? this.#read(row) : undefined
  }

  /** The recipient says more about an envelope that is remembered here. Answers the new end. */
  upgrade(recipient: Uint8Array, id: Uint8Array, answer: Answer, at: number): Ended | undefined {
    const row = this.#find(id)
    if (row === NONE || !this.#is(row, RECIPIENT_AT, recipient)) return undefined
    const past = this.#read(row)
    if (!saysMore(answer, past.end)) return undefined
    this.add(id, { ...past, end: answer, endedAt: at })
    return { id: Uint8Array.from(id), sender: past.sender, end: answer, endedAt: at }
  }

  /** Forgets what ended at this time or before. */
  forgetUntil(time: number): void {
    for (let row = 0; row < this.#limit; row++) {
      if (this.#times[row]! <= time) this.#remove(row)
    }
  }

  /** Forgets what somebody sent, and what somebody was sent. */
  forgetAbout(identityId: Uint8Array): void {
    for (let row = 0; row < this.#limit; row++) {
      if (this.#answers[row] === EMPTY) continue
      if (this.#is(row, SENDER_AT, identityId) || this.#is(row, RECIPIENT_AT, identityId)) {
        this.#remove(row)
        this.#rows.fill(0, row * ROW_BYTES, (row + 1) * ROW_BYTES)
      }
    }
  }

  /** The oldest first. */
  *all(): Iterable<Ended & RecentEnd> {
    for (let i = 0; i < this.#limit; i++) {
      const row = (this.#next + i) % this.#limit
      if (this.#answers[row] !== EMPTY) yield { id: this.#bytes(row, 0), ...this.#read(row) }
    }
  }

  #find(id: Uint8Array): number {
    let row = this.#chains[chainOf(id, 0)]!
    while (row !== NONE && !this.#is(row, 0, id)) row = this.#older[row]!
    return row
  }

  #remove(row: number): void {
    if (this.#answers[row] === EMPTY) return
    this.#answers[row] = EMPTY
    const chain = chainOf(this.#rows, row * ROW_BYTES)
    let newer = this.#chains[chain]!
    if (newer === row) {
      this.#chains[chain] = this.#older[row]!
      return
    }
    while (this.#older[newer] !== row) newer = this.#older[newer]!
    this.#older[newer] = this.#older[row]!
  }

  /** Whether this is what stands there in the row. */
  #is(row: number, field: number, bytes: Uint8Array): boolean {
    const at = row * ROW_BYTES + field
    return sameBytes(this.#rows.subarray(at, at + FIELD_BYTES), bytes)
  }

  #read(row: number): RecentEnd {
    return {
      sender: this.#bytes(row, SENDER_AT),
      recipient: this.#bytes(row, RECIPIENT_AT),
      end: this.#answer(row),
      endedAt: this.#times[row]!,
    }
  }

  #answer(row: number): Answer {
    const code = this.#answers[row]!
    if (code === DELIVERED) return { kind: 'delivered', receipt: this.#bytes(row, RECEIPT_AT) }
    return code === SETTLED
      ? { kind: 'settled' }
      : { kind: 'refused', reason: NACK_REASONS[code - REFUSED]! }
  }

  /** A copy: the row will be another's. */
  #bytes(row: number, field: number): Uint8Array {
    const at = row * ROW_BYTES + field
    return this.#rows.slice(at, at + FIELD_BYTES)
  }
}

function codeOf(end: Answer): number {
  if (end.kind === 'refused') return REFUSED + NACK_REASONS.indexOf(end.reason)
  return end.kind === 'delivered' ? DELIVERED : SETTLED
}

function chainOf(bytes: Uint8Array, at: number): number {
  return hashOf(bytes, at) & (CHAINS - 1)
}

const RECENT_ENDS_LIMIT = 32_768

const FIELD_BYTES = 32
const SENDER_AT = 32
const RECIPIENT_AT = 64
const RECEIPT_AT = 96
const ROW_BYTES = 128

const EMPTY = 0
const SETTLED = 1
const DELIVERED = 2
/** … and the number of the reason. */
const REFUSED = 3

/** No row. */
const NONE = -1
const CHAINS = 2 ** 15
