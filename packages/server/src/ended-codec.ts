/** How an envelope's end is kept on disk: packed for a mailbox, in columns for a sender's lane. */
import { type NackReason, Reader, Writer } from '@couplet/wire'
import type { End, Ended } from './mailbox.ts'

/** `(kind ‖ id ‖ sender ‖ endedAt ‖ receipt or reason)*` */
export function encodeEnded(entries: readonly Ended[]): Uint8Array {
  const writer = new Writer()
  for (const { id, sender, end, endedAt } of entries) {
    writer.u8(KINDS.indexOf(end.kind)).bytes(id).bytes(sender).u64(endedAt)
    if (end.kind === 'delivered') writer.bytes(end.receipt)
    if (end.kind === 'refused') writer.u8(REASONS.indexOf(end.reason))
  }
  return writer.finish()
}

/** Byte fields are views into `encoded`. */
export function decodeEnded(encoded: Uint8Array): readonly Ended[] {
  const reader = new Reader(encoded)
  const entries: Ended[] = []
  while (reader.remaining > 0) {
    const kind = KINDS[reader.u8()]!
    const id = reader.bytes(HASH_BYTES)
    const sender = reader.bytes(HASH_BYTES)
    const endedAt = reader.u64()
    entries.push({ id, sender, endedAt, end: decodeEnd(kind, reader) })
  }
  return entries
}

function decodeEnd(kind: End['kind'], reader: Reader): End {
  if (kind === 'delivered') return { kind, receipt: reader.bytes(HASH_BYTES) }
  if (kind === 'refused') return { kind, reason: REASONS[reader.u8()]! }
  return { kind }
}

/** Columns `kind`, `receipt`, `reason` of the table `receipts`. */
export function endToColumns(end: End): [string, Uint8Array | null, string | null] {
  return [
    end.kind,
    end.kind === 'delivered' ? end.receipt : null,
    end.kind === 'refused' ? end.reason : null,
  ]
}

export function endFromColumns(row: Record<string, unknown>): End {
  const kind = row.kind as End['kind']
  if (kind === 'delivered') return { kind, receipt: row.receipt as Uint8Array }
  if (kind === 'refused') return { kind, reason: row.reason as NackReason }
  return { kind }
}

const HASH_BYTES = 32
/** Positions are on disk: only ever append. */
const KINDS: readonly End['kind'][] = ['delivered', 'settled', 'refused', 'evicted']
const REASONS: readonly NackReason[] = ['late', 'unknown-session', 'retired-prekey', 'invalid']
