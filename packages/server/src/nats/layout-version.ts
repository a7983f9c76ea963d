/**
 * Which layout the streams have, and how an older one becomes this one. The version is a record of
 * its own; streams from before it was written down have layout 1.
 */
import { DeliverPolicy, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { StoreUnusableError } from '../sqlite-schema.ts'
import { decodeFirstLane, LANE, LANE_VERSION, SENT } from './codecs.ts'
import {
  initStreams,
  isLane,
  LAYOUT_VERSION,
  laneStream,
  META_STREAM,
  metaSubject,
  sentOfLane,
} from './layout.ts'
import { OLDEST_HEADER, type RecordKind } from './records.ts'

/** None, when there are no streams. */
export async function layoutVersion(manager: JetStreamManager): Promise<number | undefined> {
  const streams = await manager.streams.names(metaSubject('layout')).next()
  if (!streams.includes(META_STREAM)) return undefined
  const message = await manager.streams.getMessage(META_STREAM, {
    last_by_subj: metaSubject('layout'),
  })
  return message ? Number(message.string()) : 1
}

/** @throws {StoreUnusableError} when this program cannot work with streams of that layout. */
export function requireLayout(version: number | undefined): void {
  if (version === undefined || version === LAYOUT_VERSION) return
  throw new StoreUnusableError(
    version < LAYOUT_VERSION
      ? `the streams have layout ${version}, older than ${LAYOUT_VERSION}: stop all nodes and run couplet store migrate`
      : `the streams have layout ${version}, of a newer Couplet than this one, which knows ${LAYOUT_VERSION}`,
  )
}

export async function recordLayout(client: JetStreamClient): Promise<void> {
  await client.publish(metaSubject('layout'), String(LAYOUT_VERSION))
}

/**
 * Brings streams of an older layout to this one, while no node uses them. Stopped half-way, it can
 * be done again.
 *
 * @returns The version that was found.
 * @throws {StoreUnusableError} when there are no streams, or of a newer layout.
 */
export async function upgradeLayout(
  client: JetStreamClient,
  manager: JetStreamManager,
): Promise<number> {
  const found = await layoutVersion(manager)
  if (found === undefined) throw new StoreUnusableError('there are no streams of Couplet')
  if (found > LAYOUT_VERSION) requireLayout(found)
  if (found === LAYOUT_VERSION) return found
  const { partitions } = await initStreams(manager)
  for (let part = 0; part < partitions; part++) await splitLanes(client, manager, laneStream(part))
  await recordLayout(client)
  return found
}

/** From 1 to 2: what was sent gets a record of its own, and lanes lose their sender. */
async function splitLanes(
  client: JetStreamClient,
  manager: JetStreamManager,
  stream: string,
): Promise<void> {
  const { state } = await manager.streams.info(stream)
  if (state.messages === 0) return
  const consumer = await client.consumers.get(stream, { deliver_policy: DeliverPolicy.All })
  const messages = await consumer.consume({ max_messages: BATCH })
  const now = Date.now()
  for await (const { subject, seq, data, info } of messages) {
    const old = isLane(subject) && data.length > 0 && data[0] !== LANE_VERSION
    if (old) {
      const { sent, ended } = decodeFirstLane(data)
      const dated = sent.map((one) => ({ ...one, storedAt: now }))
      // First what is new: after a stop between the two, the lane is found old again.
      if (sent.length > 0) await write(client, sentOfLane(subject), SENT, dated)
      await write(client, subject, LANE, ended, seq)
    }
    if (info.pending === 0 || seq >= state.last_seq) break
  }
  await messages.close()
  await consumer.delete()
}

/** @param expected - the record that was read; another one is an error. */
async function write<T>(
  client: JetStreamClient,
  subject: string,
  kind: RecordKind<T>,
  record: T,
  expected?: number,
): Promise<void> {
  const oldest = kind.oldestAt?.(record)
  const all = headers()
  if (oldest !== undefined) all.set(OLDEST_HEADER, String(oldest))
  await client.publish(subject, kind.encode(record), {
    headers: all,
    ...(expected === undefined ? {} : { expect: { lastSubjectSequence: expected } }),
  })
}

const BATCH = 1000
