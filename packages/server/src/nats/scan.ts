/** Goes through a stream by headers alone: which records hold something old? */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
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

const BATCH = 1000
