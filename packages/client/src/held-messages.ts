/**
 * Messages that wait for the user's decision about a changed key. (spec/delivery.md, "Changed
 * identities")
 */
import { toHex } from '@couplet/wire'
import { type ContactRecord, OUTBOX_PHASES, type OutgoingRecord, type Placed } from './records.ts'
import type { Tables } from './tables.ts'

/** What was written for the old identity waits for the user. */
export async function holdMessages(tables: Tables, contactNo: number, now: number): Promise<void> {
  for (const phase of OUTBOX_PHASES) {
    for (const { position, value } of await tables.outbox(contactNo, phase)) {
      if (phase === 'held') continue
      await holdMessage(tables, contactNo, { position, value }, now)
    }
  }
}

export async function holdMessage(
  tables: Tables,
  contactNo: number,
  { position, value }: Placed<OutgoingRecord>,
  now: number,
): Promise<OutgoingRecord> {
  const held: OutgoingRecord = {
    ...value,
    state: 'failed',
    failure: 'key-changed',
    stateAt: now,
    phase: { kind: 'held' },
  }
  await tables.putOutgoing(contactNo, position, held, value)
  return held
}

/**
 * What was held goes out, to the identity that the contact has now.
 *
 * @param onlyFor - identityIds in hex: what was written for anybody else stays held. Left out: all of
 *   it goes, because the user has said so.
 */
export async function requeueHeld(
  tables: Tables,
  contact: ContactRecord,
  now: number,
  onlyFor?: readonly string[],
): Promise<OutgoingRecord[]> {
  const requeued: OutgoingRecord[] = []
  for (const { position, value } of await tables.outbox(contact.no, 'held')) {
    if (onlyFor && !onlyFor.includes(value.writtenFor ?? '')) continue
    const record: OutgoingRecord = {
      ...value,
      writtenFor: contact.identity && toHex(contact.identity.id),
      state: 'pending',
      failure: undefined,
      stateAt: now,
      phase: { kind: 'fresh' },
    }
    await tables.putOutgoing(contact.no, position, record, value)
    requeued.push(record)
  }
  return requeued
}
