/** The receipt lane in SQLite: a ring of `LANE_LIMIT` entries for each sender. (receipt-lane.ts) */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { endFromColumns, endToColumns } from './ended-codec.ts'
import { type End, type Ended, saysMore } from './mailbox.ts'
import { LANE_LIMIT } from './receipt-lane.ts'

export class SqliteLane {
  readonly #find: StatementSync
  readonly #last: StatementSync
  readonly #insert: StatementSync
  readonly #remove: StatementSync
  readonly #trim: StatementSync
  readonly #expire: StatementSync
  readonly #drop: StatementSync

  constructor(db: DatabaseSync) {
    this.#find = db.prepare(
      'SELECT kind, receipt, reason FROM receipts WHERE sender = ? AND id = ?',
    )
    this.#last = db.prepare('SELECT max(position) AS position FROM receipts WHERE sender = ?')
    this.#insert = db.prepare(
      `INSERT INTO receipts (sender, position, id, ended_at, kind, receipt, reason)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#remove = db.prepare('DELETE FROM receipts WHERE sender = ? AND id = ?')
    this.#trim = db.prepare('DELETE FROM receipts WHERE sender = ? AND position <= ?')
    this.#expire = db.prepare('DELETE FROM receipts WHERE ended_at <= ?')
    this.#drop = db.prepare('DELETE FROM receipts WHERE sender = ?')
  }

  add({ sender, id, end, endedAt }: Ended): void {
    const past = this.find(sender, id)
    if (past) {
      if (!saysMore(end, past)) return
      this.#remove.run(sender, id)
    }
    const position = (this.#last.get(sender)?.position as number | null) ?? 0
    this.#insert.run(sender, position + 1, id, endedAt, ...endToColumns(end))
    this.#trim.run(sender, position + 1 - LANE_LIMIT)
  }

  find(sender: Uint8Array, id: Uint8Array): End | undefined {
    const row = this.#find.get(sender, id)
    return row && endFromColumns(row)
  }

  expire(before: number): void {
    this.#expire.run(before)
  }

  drop(sender: Uint8Array): void {
    this.#drop.run(sender)
  }
}
