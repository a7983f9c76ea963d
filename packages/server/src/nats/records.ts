/**
 * Records in JetStream: one message for each subject, changed by compare-and-set.
 *
 * A change is a pure step from record to record, so it can be done again on whatever another node
 * has written meanwhile. Steps for one record that come while it is being written are done together
 * in the next write. What is known of a record is kept for the next change, never for an answer:
 * an answer that needed no write was read from the stream's leader.
 *
 * Every write has a name. When its acknowledgement is lost, as while a leader is elected, the record
 * that is found afterwards says by that name whether it was written.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { JetStreamApiError, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { errors, headers, type MsgHdrs } from '@nats-io/transport-node'
import { atMost } from './at-most.ts'
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
/** Header of a record: the name of the write. */
const WRITE_HEADER = 'Couplet-Write'

interface Known<T> {
  readonly record: T
  readonly sequence: number
  /** Name of the write that made it so. */
  readonly write?: string | undefined
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
  readonly #patienceMs: number
  /** Of this process, so that it knows its own writes again. */
  readonly #writer = randomBytes(WRITER_BYTES).toString('base64url')
  readonly #cache = new RecordCache<Known<T>>()
  readonly #queues = new Map<string, Job<T>[]>()
  readonly #atMost = atMost(READS_AT_ONCE)
  #lastWrite = 0

  /** @param patienceMs - how long a change is tried. */
  constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    kind: RecordKind<T>,
    patienceMs: number = PATIENCE_MS,
  ) {
    this.#client = client
    this.#manager = manager
    this.#kind = kind
    this.#patienceMs = patienceMs
  }

  /** @param all - of a record that was written. */
  isOwnWrite(all: MsgHdrs | undefined): boolean {
    return all?.get(WRITE_HEADER).startsWith(`${this.#writer}.`) ?? false
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

  /** The record is gone, whatever was in it; one that somebody writes meanwhile stays. */
  async remove(subject: string): Promise<void> {
    await this.change(subject, () => ({ record: this.#kind.empty, result: undefined }))
    const stream = streamOf(subject)
    const left = await this.#manager.streams.getMessage(stream, { last_by_subj: subject })
    if (!left || left.data.length > 0) return
    await this.#manager.streams.purge(stream, { filter: subject, seq: left.seq + 1 })
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
    const deadline = performance.now() + this.#patienceMs
    /** What the steps answered, by the write that was tried. */
    const tried = new Map<string, readonly unknown[]>()
    for (let attempt = 0; ; attempt++) {
      let reason: unknown
      try {
        const results = await this.#applyOnce(subject, jobs, tried)
        if (results) return results
      } catch (error) {
        if (!isPassing(error)) throw error
        reason = error
        await sleep(RETRY_MS * (0.5 + jitter()))
      }
      if (performance.now() > deadline) {
        throw reason ?? new Error('a record that others change all the time')
      }
      this.#cache.delete(subject)
      // Another node is writing, too: out of step with it, one of us gets through.
      if (attempt > 0) await sleep(Math.min(attempt, MAX_STEPS_APART) * jitter())
    }
  }

  /** Nothing when another node was faster. */
  async #applyOnce(
    subject: string,
    jobs: readonly Job<T>[],
    tried: Map<string, readonly unknown[]>,
  ): Promise<readonly unknown[] | undefined> {
    const cached = this.#cache.get(subject)
    const known = cached ?? (await this.#load(subject))
    const before = known.write === undefined ? undefined : tried.get(known.write)
    if (before) return before
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
    const write = `${this.#writer}.${++this.#lastWrite}`
    tried.set(write, results)
    const written = await this.#write(subject, { record, sequence: known.sequence, write })
    return written ? results : undefined
  }

  async #load(subject: string): Promise<Known<T>> {
    const message = await this.#atMost(() =>
      this.#manager.streams.getMessage(streamOf(subject), { last_by_subj: subject }),
    )
    if (!message) return { record: this.#kind.empty, sequence: 0 }
    const known = {
      record: message.data.length === 0 ? this.#kind.empty : this.#kind.decode(message.data),
      sequence: message.seq,
      write: message.header?.get(WRITE_HEADER),
    }
    this.#cache.set(subject, known, message.data.length)
    return known
  }

  /**
   * Answers whether the record was still what it was thought to be.
   *
   * @param next - with the sequence of the record that it follows.
   */
  async #write(subject: string, next: Required<Known<T>>): Promise<boolean> {
    const { record, sequence, write } = next
    const bytes = record === this.#kind.empty ? new Uint8Array(0) : this.#kind.encode(record)
    const all = headers()
    all.set(WRITE_HEADER, write!)
    const oldest = this.#kind.oldestAt?.(record)
    if (oldest !== undefined) all.set(OLDEST_HEADER, String(oldest))
    const options = {
      expect: { lastSubjectSequence: sequence },
      timeout: WRITE_TIMEOUT_MS,
      retries: 0,
      headers: all,
    }
    try {
      const { seq } = await this.#client.publish(subject, bytes, options)
      this.#cache.set(subject, { record, sequence: seq, write }, bytes.length)
      return true
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return false
      throw error
    }
  }
}

/** Worth another try: no leader, no answer, no connection. Steps are idempotent. */
export function isPassing(error: unknown): boolean {
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

export const WRONG_LAST_SEQUENCE = 10_071
const WRITE_TIMEOUT_MS = 3000
/** A new leader is elected in about five seconds. */
const PATIENCE_MS = 12_000
const RETRY_MS = 200
/** Milliseconds at most by which two that write at one time come apart. */
const MAX_STEPS_APART = 10
const WRITER_BYTES = 6
/**
 * After a gap all users look into their mailboxes, and NATS throws all questions away when more than
 * 10,000 wait; fewer than these keep it busy.
 */
export const READS_AT_ONCE = 128
