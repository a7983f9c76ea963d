/**
 * Records in JetStream: one message for each subject, changed by compare-and-set.
 *
 * A change is a pure step from record to record, so it can be done again on whatever another node
 * has written meanwhile. Steps for one record that come while it is being written are done together
 * in the next write. What is known of a record is kept for the next change, never for an answer:
 * an answer that needed no write was read from the stream's leader.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { JetStreamApiError, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { errors, headers } from '@nats-io/transport-node'
import { streamOf } from './layout.ts'
import { RecordCache } from './record-cache.ts'

/** How a kind of record is kept. */
export interface RecordKind<T> {
  /** What a subject without a message holds. */
  readonly empty: T
  encode(record: T): Uint8Array
  /** @throws when it was written by another version. */
  decode(bytes: Uint8Array): T
  /** Time of what expires first, milliseconds since 1970; kept in a header. */
  oldestAt?(record: T): number | undefined
}

/** What a step answers: the same record when nothing changes. */
export interface Step<T, R> {
  readonly record: T
  readonly result: R
}

/** Header of a record: when the oldest of what is in it came. */
export const OLDEST_HEADER = 'Couplet-Oldest'
/** Header of a record: which process wrote it. */
export const WRITER_HEADER = 'Couplet-Writer'

interface Known<T> {
  readonly record: T
  readonly sequence: number
}

interface Job<T> {
  readonly step: (record: T) => Step<T, unknown>
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

export class Records<T> {
  readonly #client: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #kind: RecordKind<T>
  readonly #writer: string | undefined
  readonly #cache = new RecordCache<Known<T>>()
  readonly #queues = new Map<string, Job<T>[]>()

  /** @param writer - a name for this process, written beside each record. */
  constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    kind: RecordKind<T>,
    writer?: string,
  ) {
    this.#client = client
    this.#manager = manager
    this.#kind = kind
    this.#writer = writer
  }

  /** From the stream's leader, after every change that was asked for here before. */
  read(subject: string): Promise<T> {
    return this.change(subject, (record) => ({ record, result: record }))
  }

  /**
   * Resolves when the result is durable. Rejects when the outcome is not known.
   *
   * @param step - may be called again, with what another node has written.
   */
  change<R>(subject: string, step: (record: T) => Step<T, R>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const job: Job<T> = { step, resolve, reject }
      const queue = this.#queues.get(subject)
      if (queue) queue.push(job)
      else {
        this.#queues.set(subject, [job])
        void this.#run(subject)
      }
    })
  }

  /** The record is gone, whatever was in it. */
  async remove(subject: string): Promise<void> {
    await this.change(subject, () => ({ record: this.#kind.empty, result: undefined }))
    await this.#manager.streams.purge(streamOf(subject), { filter: subject })
    this.#cache.delete(subject)
  }

  async #run(subject: string): Promise<void> {
    for (;;) {
      const jobs = this.#queues.get(subject)!
      if (jobs.length === 0) break
      this.#queues.set(subject, [])
      try {
        const results = await this.#applyAll(subject, jobs)
        for (const [index, job] of jobs.entries()) job.resolve(results[index] as never)
      } catch (error) {
        this.#cache.delete(subject)
        for (const job of jobs) job.reject(error)
      }
    }
    this.#queues.delete(subject)
  }

  /** Again and again until it is written, or time is up. */
  async #applyAll(subject: string, jobs: readonly Job<T>[]): Promise<readonly unknown[]> {
    const deadline = performance.now() + PATIENCE_MS
    for (let attempt = 0; ; attempt++) {
      try {
        const results = await this.#applyOnce(subject, jobs)
        if (results) return results
      } catch (error) {
        if (!isPassing(error) || performance.now() > deadline) throw error
        await sleep(RETRY_MS * (0.5 + jitter()))
      }
      this.#cache.delete(subject)
      // Another node is writing, too: out of step with it, one of us gets through.
      if (attempt > 0) await sleep(Math.min(attempt, 10) * jitter())
    }
  }

  /** Nothing when another node was faster. */
  async #applyOnce(
    subject: string,
    jobs: readonly Job<T>[],
  ): Promise<readonly unknown[] | undefined> {
    const cached = this.#cache.get(subject)
    const known = cached ?? (await this.#load(subject))
    let record = known.record
    const results = jobs.map(({ step }) => {
      const done = step(record)
      record = done.record
      return done.result
    })
    if (record === known.record) {
      if (cached) return undefined
      return results
    }
    const written = await this.#write(subject, record, known.sequence)
    return written ? results : undefined
  }

  async #load(subject: string): Promise<Known<T>> {
    const message = await this.#manager.streams.getMessage(streamOf(subject), {
      last_by_subj: subject,
    })
    if (!message) return { record: this.#kind.empty, sequence: 0 }
    const known = {
      record: message.data.length === 0 ? this.#kind.empty : this.#kind.decode(message.data),
      sequence: message.seq,
    }
    this.#cache.set(subject, known, message.data.length)
    return known
  }

  /** Answers whether the record was still what it was thought to be. */
  async #write(subject: string, record: T, expected: number): Promise<boolean> {
    const bytes = record === this.#kind.empty ? new Uint8Array(0) : this.#kind.encode(record)
    const options = {
      expect: { lastSubjectSequence: expected },
      timeout: WRITE_TIMEOUT_MS,
      retries: 0,
      ...this.#headers(record),
    }
    try {
      const { seq } = await this.#client.publish(subject, bytes, options)
      this.#cache.set(subject, { record, sequence: seq }, bytes.length)
      return true
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return false
      throw error
    }
  }

  #headers(record: T): { headers?: ReturnType<typeof headers> } {
    const oldest = this.#kind.oldestAt?.(record)
    if (oldest === undefined && !this.#writer) return {}
    const all = headers()
    if (oldest !== undefined) all.set(OLDEST_HEADER, String(oldest))
    if (this.#writer) all.set(WRITER_HEADER, this.#writer)
    return { headers: all }
  }
}

/** Worth another try: no leader, no answer, no connection. Steps are idempotent. */
function isPassing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status >= 500
  return (
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoRespondersError ||
    error instanceof errors.RequestError ||
    error instanceof errors.ConnectionError
  )
}

function jitter(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32
}

const WRONG_LAST_SEQUENCE = 10_071
const WRITE_TIMEOUT_MS = 3000
/** A new leader is elected in about five seconds. */
const PATIENCE_MS = 12_000
const RETRY_MS = 200
