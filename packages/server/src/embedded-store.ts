/**
 * The embedded store, seen from the server's thread: calls become batches for the store thread.
 *
 * While one batch is being committed the next one gathers. If the thread dies, every open call is
 * rejected and the server is told: without a store there is nothing to serve.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { pack } from './arena.ts'
import type { Store } from './ports.ts'
import { StoreUnusableError } from './sqlite-schema.ts'
import {
  type FromStore,
  methodsOf,
  type StoreAnswer,
  type StoreCall,
  type StorePorts,
  type StoreThreadData,
  type ToStore,
} from './store-calls.ts'

export interface EmbeddedStoreOptions {
  /** Folder for `couplet.db`; made when it is not there, for its owner only. */
  readonly folder: string
  /** Messages that a mailbox holds. */
  readonly capacity: number
  readonly checkpointMs?: number | undefined
}

/**
 * Deleted bytes leave the write-ahead log, too: at the latest this long after they were deleted,
 * also under load. (delivery.md: within 60 s)
 */
const CHECKPOINT_MS = 20_000

/** @throws {StoreUnusableError} when the data cannot be used. */
export async function embeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  try {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    chmodSync(options.folder, 0o700)
  } catch (error) {
    throw new StoreUnusableError(
      `the data folder ${options.folder} cannot be used: ${(error as Error).message}`,
      { cause: error },
    )
  }
  const thread = new StoreThread(options)
  await thread.ready
  const self = thread.port('self')
  return {
    mailboxes: thread.port('mailboxes'),
    directory: thread.port('directory'),
    registrations: thread.port('registrations'),
    records: thread.port('records'),
    probe: () => self.probe(),
    isCurrent: () => self.isCurrent(),
    failed: thread.failed,
    close: () => thread.close(),
  }
}

interface OpenCall extends StoreCall {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

class StoreThread {
  /** Resolves when the data is open. */
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #failed = Promise.withResolvers<Error>()
  /** Asked, not yet handed over. */
  #gathering: OpenCall[] = []
  /** Handed over, not yet answered. */
  #committing: OpenCall[] = []
  #handOverScheduled = false
  #state: 'opening' | 'open' | 'closing' | 'closed' | 'failed' = 'opening'
  #onIdle: (() => void) | undefined

  constructor(options: EmbeddedStoreOptions) {
    const { folder, capacity, checkpointMs = CHECKPOINT_MS } = options
    const workerData: StoreThreadData = { folder, capacity, checkpointMs }
    // The same file in the sources and when compiled: it has our own ending.
    const extension = extname(import.meta.url)
    this.#worker = new Worker(new URL(`./store-thread${extension}`, import.meta.url), {
      workerData,
      execArgv: extension === '.ts' ? ['--conditions=source'] : [],
    })
    const opened = Promise.withResolvers<void>()
    this.ready = opened.promise
    this.#worker.on('message', (message: FromStore) => this.#receive(message, opened))
    this.#worker.on('error', (error) => {
      opened.reject(error)
      this.#fail(error as Error)
    })
    this.#worker.on('exit', () => this.#fail(new Error('the store thread ended')))
  }

  /** A port whose methods are calls to the thread. */
  port<Name extends keyof StorePorts>(name: Name): StorePorts[Name] {
    const entries = methodsOf(name).map((method) => [
      method,
      (...args: readonly unknown[]) => this.#call(name, method, args),
    ])
    return Object.fromEntries(entries) as StorePorts[Name]
  }

  get failed(): Promise<Error> {
    return this.#failed.promise
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    if (this.#gathering.length + this.#committing.length > 0) {
      const idle = Promise.withResolvers<void>()
      this.#onIdle = idle.resolve
      await idle.promise
    }
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#post({ kind: 'close' })
    await exited
  }

  #call(port: keyof StorePorts, method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#state !== 'open') return Promise.reject(new Error(`the store is ${this.#state}`))
    return new Promise((resolve, reject) => {
      this.#gathering.push({ port, method, args, resolve, reject })
      this.#scheduleHandOver()
    })
  }

  /** Everything that this turn of the event loop brings goes into one commit. */
  #scheduleHandOver(): void {
    if (this.#handOverScheduled || this.#committing.length > 0) return
    this.#handOverScheduled = true
    setImmediate(() => {
      this.#handOverScheduled = false
      this.#handOver()
    })
  }

  #handOver(): void {
    if (this.#gathering.length === 0) {
      this.#onIdle?.()
      return
    }
    this.#committing = this.#gathering
    this.#gathering = []
    const calls = this.#committing.map(({ port, method, args }) => ({ port, method, args }))
    this.#post({ kind: 'batch', calls })
  }

  #receive(message: FromStore, opened: PromiseWithResolvers<void>): void {
    switch (message.kind) {
      case 'ready':
        this.#state = 'open'
        opened.resolve()
        break
      case 'unusable':
        this.#state = 'closed'
        opened.reject(new StoreUnusableError(message.message))
        break
      case 'answers':
        this.#answer(message.answers)
        break
      case 'closed':
        this.#state = 'closed'
        break
    }
  }

  #answer(answers: readonly StoreAnswer[]): void {
    const calls = this.#committing
    this.#committing = []
    calls.forEach((call, index) => {
      const answer = answers[index]!
      if ('error' in answer) call.reject(new Error(answer.error))
      else call.resolve(answer.value)
    })
    this.#handOver()
  }

  #fail(error: Error): void {
    if (this.#state === 'closed' || this.#state === 'failed') return
    this.#state = 'failed'
    for (const { reject } of [...this.#committing, ...this.#gathering]) reject(error)
    this.#committing = []
    this.#gathering = []
    this.#onIdle?.()
    this.#failed.resolve(error)
  }

  #post(message: ToStore): void {
    const { value, transfer } = pack(message)
    this.#worker.postMessage(value, transfer)
  }
}
