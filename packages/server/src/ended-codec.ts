/** How an envelope's end is kept on disk: packed for a mailbox, in columns for a sender's lane. */
import type { NackReason } from '@couplet/wire'
import type { End, Ended } from './mailbox.ts'

/**
 * `(kind ‖ id ‖ sender ‖ endedAt ‖ detail)*`, every entry of the same size: it is read and written
 * with every message. `detail` is the receipt, or the reason in its first byte, or zeros.
 */
export function encodeEnded(entries: readonly Ended[]): Uint8Array {
  const encoded = new Uint8Array(entries.length * ENTRY_BYTES)
  const view = new DataView(encoded.buffer)
  let at = 0
  for (const { id, sender, end, endedAt } of entries) {
    encoded[at] = KINDS.indexOf(end.kind)
    encoded.set(id, at + ID_AT)
    encoded.set(sender, at + SENDER_AT)
    view.setFloat64(at + TIME_AT, endedAt)
    if (end.kind === 'delivered') encoded.set(end.receipt, at + DETAIL_AT)
    if (end.kind === 'refused') encoded[at + DETAIL_AT] = REASONS.indexOf(end.reason)
    at += ENTRY_BYTES
  }
  return encoded
}

/** Byte fields are views into `encoded`. */
export function decodeEnded(encoded: Uint8Array): readonly Ended[] {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const entries: Ended[] = []
  for (let at = 0; at < encoded.length; at += ENTRY_BYTES) {
    entries.push({
      id: encoded.subarray(at + ID_AT, at + SENDER_AT),
      sender: encoded.subarray(at + SENDER_AT, at + TIME_AT),
      end: decodeEnd(encoded, at),
      endedAt: view.getFloat64(at + TIME_AT),
    })
  }
  return entries
}

function decodeEnd(encoded: Uint8Array, at: number): End {
  const kind = KINDS[encoded[at]!]!
  if (kind === 'delivered') {
    return { kind, receipt: encoded.subarray(at + DETAIL_AT, at + ENTRY_BYTES) }
  }
  if (kind === 'refused') return { kind, reason: REASONS[encoded[at + DETAIL_AT]!]! }
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

/** Positions are on disk: only ever append. */
const KINDS: readonly End['kind'][] = ['delivered', 'settled', 'refused', 'evicted']
const REASONS: readonly NackReason[] = ['late', 'unknown-session', 'retired-prekey', 'invalid']

const ID_AT = 1
const SENDER_AT = 33
const TIME_AT = 65
const DETAIL_AT = 73
const ENTRY_BYTES = 105
