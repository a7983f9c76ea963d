/** How an envelope's end is kept on disk: packed for a mailbox, in columns for a sender's lane. */
import type { NackReason } from '@couplet/wire'
import type { End, Ended } from './mailbox.ts'

/**
 * `(kind ‖ id ‖ sender ‖ endedAt ‖ detail)*`, every entry of the same size: it is read and written
 * with every message. `detail` is the receipt, or the reason in its first byte, or zeros.
 */
export function encodeEnded(entries: readonly Ended[]): Uint8Array {
  const encoded = encode(entries, ENTRY)
  for (const [index, { sender }] of entries.entries()) {
    encoded.set(sender, index * ENTRY.bytes + SENDER_AT)
  }
  return encoded
}

/** The same without senders: in a lane there is one. */
export function encodeLane(entries: readonly LaneEntry[]): Uint8Array {
  return encode(entries, LANE_ENTRY)
}

export type LaneEntry = Omit<Ended, 'sender'>

function encode(entries: readonly LaneEntry[], { time, detail, bytes }: Places): Uint8Array {
  const encoded = new Uint8Array(entries.length * bytes)
  const view = new DataView(encoded.buffer)
  let at = 0
  for (const { id, end, endedAt } of entries) {
    encoded[at] = KINDS.indexOf(end.kind)
    encoded.set(id, at + ID_AT)
    view.setFloat64(at + time, endedAt)
    if (end.kind === 'delivered') encoded.set(end.receipt, at + detail)
    if (end.kind === 'refused') encoded[at + detail] = REASONS.indexOf(end.reason)
    at += bytes
  }
  return encoded
}

/** Byte fields are views into `encoded`. */
export function decodeEnded(encoded: Uint8Array): readonly Ended[] {
  return decode(encoded, ENTRY).map((entry, index) => {
    const at = index * ENTRY.bytes + SENDER_AT
    return { ...entry, sender: encoded.subarray(at, at + ID_BYTES) }
  })
}

/** Byte fields are views into `encoded`. */
export function decodeLane(encoded: Uint8Array): readonly LaneEntry[] {
  return decode(encoded, LANE_ENTRY)
}

function decode(encoded: Uint8Array, places: Places): readonly LaneEntry[] {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const entries: LaneEntry[] = []
  for (let at = 0; at < encoded.length; at += places.bytes) {
    entries.push({
      id: encoded.subarray(at + ID_AT, at + ID_AT + ID_BYTES),
      end: decodeEnd(encoded.subarray(at, at + places.bytes), places.detail),
      endedAt: view.getFloat64(at + places.time),
    })
  }
  return entries
}

function decodeEnd(entry: Uint8Array, detail: number): End {
  const kind = KINDS[entry[0]!]!
  if (kind === 'delivered') return { kind, receipt: entry.subarray(detail) }
  if (kind === 'refused') return { kind, reason: REASONS[entry[detail]!]! }
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

interface Places {
  readonly time: number
  readonly detail: number
  readonly bytes: number
}

const ID_AT = 1
const ID_BYTES = 32
const SENDER_AT = 33
const ENTRY: Places = { time: 65, detail: 73, bytes: 105 }
const LANE_ENTRY: Places = { time: 33, detail: 41, bytes: 73 }
