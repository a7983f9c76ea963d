/**
 * Replicas that were raised on running streams: until all servers have everything, and would have it
 * after the sudden end of all of them at once.
 *
 * A nats-server before 2.10 leaves what was written before the raise out of the new group's log: when
 * all servers are killed within minutes, streams come back empty. There every record is written
 * again as it is, and is in the log like any other. (docs/cluster.md)
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { JetStreamApiError, type JetStreamClient, type JsMsg } from '@nats-io/jetstream'
import { StoreUnusableError } from '../sqlite-schema.ts'
import { META_STREAM, metaSubject, type StreamHealth, streamHealth } from './layout.ts'
import type { NatsParts } from './nats-engine.ts'
import { isPassing, WRONG_LAST_SEQUENCE } from './records.ts'
import { readThrough } from './scan.ts'
import { isOlder } from './server-version.ts'

/** What is done takes minutes when there is much: one line for each step. */
export type Tell = (what: string) => void

/** On how many servers all records were, when that was last made sure of. 0: never. */
export async function settledReplicas({ manager }: Pick<NatsParts, 'manager'>): Promise<number> {
  const message = await manager.streams.getMessage(META_STREAM, { last_by_subj: SETTLED })
  return message ? Number(message.string()) : 0
}

/**
 * Resolves when every record is on so many servers. Stopped half-way, it can be done again.
 *
 * @param isFresh - the streams were made with these replicas.
 * @throws {StoreUnusableError} when there is no progress.
 */
export async function settleReplicas(
  parts: NatsParts,
  { replicas, isFresh, tell }: { replicas: number; isFresh: boolean; tell: Tell },
): Promise<void> {
  if ((await settledReplicas(parts)) === replicas) return
  if (replicas > 1) {
    if (!isFresh) tell(`waiting until all records are on ${replicas} servers`)
    const all = await untilCurrent(parts)
    if (!isFresh && forgetsRaised(parts)) {
      for (const { name, records } of all.filter((stream) => stream.records > 0)) {
        tell(`writing ${records} records of ${name} again: this NATS is older than 2.10`)
        await writeAgain(parts, name)
      }
      await untilCurrent(parts)
    }
  }
  await parts.client.publish(SETTLED, String(replicas))
}

/** Every stream was seen with all of its replicas up to date. */
async function untilCurrent({ manager }: NatsParts): Promise<readonly StreamHealth[]> {
  const current = new Set<string>()
  let [last, changedAt] = ['', performance.now()]
  for (;;) {
    const all = await streamHealth(manager).catch(() => [])
    for (const { name, leader, behind, lag } of all) {
      if (leader !== undefined && behind === 0 && lag === 0) current.add(name)
    }
    const waiting = all.filter(({ name }) => !current.has(name))
    if (all.length > 0 && waiting.length === 0) return all
    const now = JSON.stringify(waiting.map(({ name, behind, lag }) => [name, behind, lag]))
    if (now !== last) [last, changedAt] = [now, performance.now()]
    if (performance.now() - changedAt > STALLED_MS) {
      const names = waiting.map(({ name }) => name).join(', ')
      throw new StoreUnusableError(
        `${names}: not on all servers yet; see that all of NATS runs, and say this again`,
      )
    }
    await sleep(POLL_MS)
  }
}

function forgetsRaised({ connection }: NatsParts): boolean {
  return isOlder(connection.info?.version ?? '', KEEPS_RAISED)
}

/** Every record that is there now, unless somebody else writes it meanwhile. */
async function writeAgain({ client, manager }: NatsParts, stream: string): Promise<void> {
  const { state } = await manager.streams.info(stream)
  const writing = new Set<Promise<void>>()
  await readThrough(client, stream, {}, async (message) => {
    if (message.seq > state.last_seq) return 'enough'
    const written = writeOneAgain(client, message).finally(() => writing.delete(written))
    writing.add(written)
    if (writing.size >= PARALLEL) await Promise.race(writing)
    return message.seq === state.last_seq ? 'enough' : 'more'
  })
  await Promise.all(writing)
}

async function writeOneAgain(client: JetStreamClient, message: JsMsg): Promise<void> {
  const { subject, data, headers, seq } = message
  const options = { expect: { lastSubjectSequence: seq }, ...(headers ? { headers } : {}) }
  for (let tries = 1; ; tries++) {
    try {
      await client.publish(subject, data, options)
      return
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return
      if (!isPassing(error) || tries === MAX_TRIES) throw error
      await sleep(POLL_MS)
    }
  }
}

const SETTLED = metaSubject('replicas')
/** The first nats-server that does: 20 raises with a kill of all, and nothing lost. */
const KEEPS_RAISED = '2.10'
const POLL_MS = 250
const STALLED_MS = 60_000
const PARALLEL = 64
const MAX_TRIES = 40
