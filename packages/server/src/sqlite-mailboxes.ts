/**
 * Mailboxes in SQLite: loads a record, lets `mailbox.ts` decide, writes what changed.
 * Runs in the store's thread, inside the transaction of its batch.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type EnvelopeStatus, equalBytes, type PutMode } from '@couplet/wire'
import { decodeEnded, encodeEnded } from './ended-codec.ts'
import {
  type Answer,
  type Ended,
  hasRoom,
  type MailboxRecord,
  stepAck,
  stepExpire,
  stepPut,
  stepShrink,
  type Waiting,
} from './mailbox.ts'
import type { AckResult, Eviction, MailboxStore, PutResult, StoredEnvelope } from './ports.ts'
import { findInLane } from './receipt-lane.ts'
import { SqliteLane } from './sqlite-lane.ts'
import type { Synchronous } from './store-calls.ts'

/** A row of `messages` that exists has a sequence; one that is to be written has its bytes. */
type Row = Waiting & { readonly sequence?: number; readonly envelope?: Uint8Array }

export class SqliteMailboxes implements Synchronous<MailboxStore> {
  readonly #capacity: number
  readonly #statements: Statements
  readonly #lane: SqliteLane

  constructor(db: DatabaseSync, capacity: number) {
    this.#capacity = capacity
    this.#statements = prepare(db)
    this.#lane = new SqliteLane(db)
  }

  put(recipient: Uint8Array, envelope: StoredEnvelope, mode: PutMode): PutResult {
    const before = this.#load(recipient)
    const step = stepPut<Row>(before, envelope, mode, this.#capacity)
    this.#save(recipient, before, step.record)
    return { outcome: step.outcome, evicted: this.#evicted(recipient, step) }
  }

  fetch(
    recipient: Uint8Array,
    limit: number,
    except: readonly Uint8Array[],
  ): readonly StoredEnvelope[] {
    return this.#waiting(recipient)
      .filter(({ id }) => !except.some((other) => equalBytes(other, id)))
      .slice(0, limit)
      .map(({ id, sender, storedAt, sequence }) => {
        const envelope = this.#statements.envelope.get(sequence!)!.envelope as Uint8Array
        return { id, sender, storedAt, envelope }
      })
  }

  count(recipient: Uint8Array): number {
    return this.#statements.count.get(recipient)!.count as number
  }

  ack(
    recipient: Uint8Array,
    id: Uint8Array,
    answer: Answer,
    at: number,
    pushedFor?: Uint8Array,
  ): AckResult {
    const before = this.#load(recipient)
    const { record, ended } = stepAck<Row>(before, id, answer, at, pushedFor)
    this.#save(recipient, before, record)
    const room = hasRoom(record, this.#capacity)
    if (!ended) return { room }
    this.#lane.add(ended)
    return { ended, room }
  }

  hasRoom(recipient: Uint8Array): boolean {
    return hasRoom(this.#load(recipient), this.#capacity)
  }

  status(sender: Uint8Array, ids: readonly Uint8Array[]): readonly EnvelopeStatus[] {
    const lane = this.#lane.of(sender)
    return ids.map((id) =>
      this.#statements.waits.get(sender, id)
        ? { kind: 'waiting' }
        : (findInLane(lane, id) ?? { kind: 'unknown' }),
    )
  }

  expire(before: number, at: number): readonly Eviction[] {
    const recipients = this.#statements.expired.all(before, before)
    const evictions = recipients.flatMap(({ recipient }) =>
      this.#change(recipient as Uint8Array, (record) => stepExpire(record, before, at)),
    )
    this.#lane.expire(before)
    return evictions
  }

  drop(identityId: Uint8Array): void {
    this.#statements.dropMessages.run(identityId)
    this.#statements.dropEnded.run(identityId)
    this.#lane.drop(identityId)
  }

  /** After a start: a capacity that was lowered holds at once, and nobody's mailbox is left over. */
  tidy(at: number): void {
    for (const { recipient } of this.#statements.overfull.all(this.#capacity)) {
      this.#change(recipient as Uint8Array, (record) => stepShrink(record, this.#capacity, at))
    }
    for (const { recipient } of this.#statements.orphans.all()) this.drop(recipient as Uint8Array)
  }

  #change(
    recipient: Uint8Array,
    step: (record: MailboxRecord<Row>) => {
      readonly record: MailboxRecord<Row>
      readonly evicted: readonly Row[]
    },
  ): readonly Eviction[] {
    const before = this.#load(recipient)
    const after = step(before)
    this.#save(recipient, before, after.record)
    return this.#evicted(recipient, after)
  }

  /** Tells the senders' lanes, of all: the record itself remembers only the last ends. */
  #evicted(
    recipient: Uint8Array,
    step: { readonly record: MailboxRecord<Row>; readonly evicted: readonly Row[] },
  ): readonly Eviction[] {
    if (step.evicted.length === 0) return []
    const { end, endedAt } = step.record.ended.at(-1)!
    for (const { id, sender } of step.evicted) this.#lane.add({ id, sender, end, endedAt })
    return step.evicted.map(({ id, sender }) => ({ recipient, id, sender }))
  }

  #load(recipient: Uint8Array): MailboxRecord<Row> {
    const row = this.#statements.ended.get(recipient)
    const ended = row ? decodeEnded(row.entries as Uint8Array) : []
    return { waiting: this.#waiting(recipient), ended }
  }

  #waiting(recipient: Uint8Array): readonly Row[] {
    return this.#statements.waiting.all(recipient) as unknown as readonly Row[]
  }

  /** Steps keep what they do not change, so identity tells what is new and what is gone. */
  #save(recipient: Uint8Array, before: MailboxRecord<Row>, after: MailboxRecord<Row>): void {
    if (after.waiting !== before.waiting) {
      for (const row of before.waiting) {
        if (!after.waiting.includes(row)) this.#statements.remove.run(row.sequence!)
      }
      for (const { sequence, id, sender, storedAt, envelope } of after.waiting) {
        if (sequence === undefined) {
          this.#statements.insert.run(recipient, id, sender, storedAt, envelope!)
        }
      }
    }
    if (after.ended !== before.ended) this.#saveEnded(recipient, after.ended)
  }

  #saveEnded(recipient: Uint8Array, ended: readonly Ended[]): void {
    if (ended.length === 0) {
      this.#statements.dropEnded.run(recipient)
      return
    }
    const oldestAt = Math.min(...ended.map(({ endedAt }) => endedAt))
    this.#statements.saveEnded.run(recipient, oldestAt, encodeEnded(ended))
  }
}

type Statements = Record<keyof typeof SQL, StatementSync>

function prepare(db: DatabaseSync): Statements {
  return Object.fromEntries(
    Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)]),
  ) as Statements
}

const SQL = {
  waiting: `SELECT sequence, id, sender, stored_at AS storedAt FROM messages
            WHERE recipient = ? ORDER BY sequence`,
  envelope: 'SELECT envelope FROM messages WHERE sequence = ?',
  count: 'SELECT count(*) AS count FROM messages WHERE recipient = ?',
  waits: 'SELECT 1 FROM messages WHERE sender = ? AND id = ?',
  insert: `INSERT INTO messages (recipient, id, sender, stored_at, envelope)
           VALUES (?, ?, ?, ?, ?)`,
  remove: 'DELETE FROM messages WHERE sequence = ?',
  ended: 'SELECT entries FROM ended WHERE recipient = ?',
  saveEnded: `INSERT INTO ended (recipient, oldest_at, entries) VALUES (?, ?, ?)
              ON CONFLICT DO UPDATE SET oldest_at = excluded.oldest_at, entries = excluded.entries`,
  dropEnded: 'DELETE FROM ended WHERE recipient = ?',
  dropMessages: 'DELETE FROM messages WHERE recipient = ?',
  expired: `SELECT recipient FROM messages WHERE stored_at <= ?
            UNION SELECT recipient FROM ended WHERE oldest_at <= ?`,
  overfull: 'SELECT recipient FROM messages GROUP BY recipient HAVING count(*) > ?',
  orphans: `SELECT DISTINCT recipient FROM messages
            WHERE recipient NOT IN (SELECT identity_id FROM users)`,
} as const
