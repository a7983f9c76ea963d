/** Goes through a stream by headers alone: which records hold something old? */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { streamOf } from './layout.ts'
import { OLDEST_HEADER } from './records.ts'

/** Subjects of the records whose oldest part came at or before `before`. */
export async function scanOldest(
  client: JetStreamClient,
  manager: JetStreamManager,
  stream: string,
  before: number,
): Promise<readonly string[]> {
  const { state } = await manager.streams.info(stream)
  if (state.messages === 0) return []
  const consumer = await client.consumers.get(stream, { headers_only: true })
  const messages = await consumer.consume({ max_messages: BATCH })
  const found: string[] = []
  for await (const message of messages) {
    const oldest = message.headers?.get(OLDEST_HEADER)
    if (oldest && Number(oldest) <= before) found.push(message.subject)
    if (message.info.pending === 0) break
  }
  await messages.close()
  await consumer.delete()
  return found
}

/** What every subject that matches holds now. */
export async function readAll<T>(
  manager: JetStreamManager,
  filter: string,
  decode: (bytes: Uint8Array) => T,
): Promise<readonly T[]> {
  const stream = streamOf(filter)
  const { state } = await manager.streams.info(stream, { subjects_filter: filter })
  const subjects = Object.keys(state.subjects ?? {})
  const found: T[] = []
  for (const subject of subjects) {
    const message = await manager.streams.getMessage(stream, { last_by_subj: subject })
    if (message && message.data.length > 0) found.push(decode(message.data))
  }
  return found
}

const BATCH = 1000
