/** Goes through a stream, from its first record to the last that there is. */
import type { JetStreamClient, JsMsg } from '@nats-io/jetstream'
import { streamOf } from './layout.ts'
import { OLDEST_HEADER } from './records.ts'

/** Subjects of the records whose oldest part came at or before `before`. By headers alone. */
export async function scanOldest(
  client: JetStreamClient,
  stream: string,
  before: number,
): Promise<readonly string[]> {
  const found: string[] = []
  await readThrough(client, stream, { headers_only: true }, ({ headers, subject }) => {
    const oldest = headers?.get(OLDEST_HEADER)
    if (oldest && Number(oldest) <= before) found.push(subject)
  })
  return found
}

/** What every subject that matches holds now. */
export async function readAll<T>(
  client: JetStreamClient,
  filter: string,
  decode: (bytes: Uint8Array) => T,
): Promise<readonly T[]> {
  const found: T[] = []
  await readThrough(client, streamOf(filter), { filter_subjects: filter }, ({ data }) => {
    if (data.length > 0) found.push(decode(data))
  })
  return found
}

/**
 * @param each - is waited for; `enough`, or a promise of it, ends this.
 * @throws when the stream falls silent before its end.
 */
export async function readThrough(
  client: JetStreamClient,
  stream: string,
  options: { readonly headers_only?: boolean; readonly filter_subjects?: string },
  each: (message: JsMsg) => unknown,
): Promise<void> {
  const consumer = await client.consumers.get(stream, options)
  try {
    if ((await consumer.info()).num_pending === 0) return
    const messages = await consumer.consume({ max_messages: BATCH })
    const silence = setTimeout(() => messages.stop(), SILENCE_MS)
    try {
      for await (const message of messages) {
        silence.refresh()
        if ((await each(message)) === 'enough' || message.info.pending === 0) return
      }
    } finally {
      clearTimeout(silence)
      await messages.close()
    }
    throw new Error(`${stream} fell silent`)
  } finally {
    await consumer.delete()
  }
}

const BATCH = 1000
/** Longer than the election of a leader. */
const SILENCE_MS = 15_000
