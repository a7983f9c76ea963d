/** The receipt lane in SQLite: a log of `LANE_LIMIT` entries for each sender. (receipt-lane.ts) */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { endFromColumns, endToColumns } from './ended-codec.ts'
import type { Ended } from './mailbox.ts'
import { LANE_LIMIT } from './receipt-lane.ts'

export class SqliteLane {
  readonly #all: StatementSync
  readonly #last: StatementSync
  readonly #insert: StatementSync
  readonly #trim: StatementSync
  readonly #expire: StatementSync
  readonly #drop: StatementSync

  constructor(db: DatabaseSync) {
    this.#all = db.prepare(
      `SELECT id, ended_at AS endedAt, kind, receipt, reason FROM receipts
       WHERE sender = ? ORDER BY position`,
    )
    this.#last = db.prepare('SELECT max(position) AS position FROM receipts WHERE sender = ?')
    this.#insert = db.prepare(
      `INSERT INTO receipts (sender, position, id, ended_at, kind, receipt, reason)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#trim = db.prepare('DELETE FROM receipts WHERE sender = ? AND position <= ?')
    this.#expire = db.prepare('DELETE FROM receipts WHERE ended_at <= ?')
    this.#drop = db.prepare('DELETE FROM receipts WHERE sender = ?')
  }

  add({ sender, id, end, endedAt }: Ended): void {
    const last = (this.#last.get(sender)?.position as number | null) ?? 0
    this.#insert.run(sender, last + 1, id, endedAt, ...endToColumns(end))
    if (last >= LANE_LIMIT) this.#trim.run(sender, last + 1 - LANE_LIMIT)
  }

  of(sender: Uint8Array): readonly Ended[] {
    return this.#all.all(sender).map((row) => ({
      id: row.id as Uint8Array,
      sender,
      end: endFromColumns(row),
      endedAt: row.endedAt as number,
    }))
  }

  expire(before: number): void {
    this.#expire.run(before)
  }

  drop(sender: Uint8Array): void {
    this.#drop.run(sender)
  }
}
