/**
 * All cores: workers that serve on one port, each a process of its own, so that the end of one ends
 * its connections only. This process has the store, hands out connections, and starts again what
 * ended. (docs/ARCHITECTURE.md)
 */
import cluster, { type Worker } from 'node:cluster'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  type Engine,
  embeddedEngine,
  type Gone,
  Metrics,
  type MetricsSnapshot,
  Operator,
  StoreHub,
  systemClock,
} from '@couplet/server'
import type { Config } from './config.ts'

/** What runs, whatever it consists of. */
export interface Running {
  readonly url: string
  /** Resolves when it has failed for good. */
  readonly failed: Promise<Error>
  /** None with NATS, which the operator's commands reach by themselves. */
  readonly operator: Operator | undefined
  /** Of every process. */
  metrics(): Promise<readonly MetricsSnapshot[]>
  close(): Promise<void>
}

/** What a worker is told, in its environment: arguments can be read by everybody on the machine. */
export interface WorkerTask {
  readonly config: Config
  readonly worker: number
  /** Where the store is; none with NATS, which every worker reaches by itself. */
  readonly hub: string | undefined
}

/** What a worker is asked, besides to stop. */
export interface ToWorker {
  readonly number: number
  readonly question: Question
}

export type Question =
  | { readonly kind: 'metrics' }
  /** An identity, in base64url, may not be connected any more. */
  | { readonly kind: 'gone'; readonly identityId: string; readonly how: Gone }

/** What a worker says. */
export type FromWorker =
  | { readonly kind: 'answer'; readonly number: number; readonly value: unknown }
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'unable'; readonly message: string; readonly code?: string | undefined }

/** @throws as the server does when it cannot start. */
export async function startWorkers(config: Config): Promise<Running> {
  const { data: folder, capacity } = config
  const engine = config.store ? undefined : await embeddedEngine({ folder, capacity })
  const hub = engine && (await StoreHub.start(engine))
  const workers = new Workers(config, hub?.path)
  const own = config.metricsListen && metricsOf(workers)
  try {
    const url = await workers.start()
    return {
      url,
      failed: Promise.race([engine?.store.failed ?? never(), workers.failed]),
      operator: engine && operatorOf(engine, workers),
      metrics: async () => [
        ...(own ? [await own.snapshot()] : []),
        ...((await workers.ask({ kind: 'metrics' })) as MetricsSnapshot[]),
      ],
      close: async () => {
        await workers.stop()
        await hub?.close()
      },
    }
  } catch (error) {
    await workers.stop()
    await hub?.close()
    throw error
  }
}

function operatorOf({ store: { directory, records } }: Engine, workers: Workers): Operator {
  const gone = async (id: Uint8Array, how: Gone): Promise<void> => {
    const identityId = Buffer.from(id).toString('base64url')
    await workers.ask({ kind: 'gone', identityId, how })
  }
  return new Operator({ directory, records, clock: systemClock, gone })
}

/** Of this process, which serves nobody itself. */
function metricsOf(workers: Workers): Metrics {
  const metrics = new Metrics()
  metrics.gauge('workers', 'Processes that serve', 'sum', () => workers.count)
  return metrics
}

class Workers {
  readonly #config: Config
  readonly #hub: string | undefined
  readonly #running = new Set<Worker>()
  readonly #failed = Promise.withResolvers<Error>()
  /** Every worker that was ever started has a number of its own. */
  #lastNumber = 0
  readonly #questions = new Map<number, (value: unknown) => void>()
  #lastQuestion = 0
  #stopping = false
  #port: number

  constructor(config: Config, hub: string | undefined) {
    this.#config = config
    this.#hub = hub
    this.#port = config.port
    cluster.setupPrimary({
      exec: fileURLToPath(new URL(`./worker${FILE_ENDING}`, import.meta.url)),
      args: [],
    })
  }

  get failed(): Promise<Error> {
    return this.#failed.promise
  }

  get count(): number {
    return this.#running.size
  }

  /** Asks every worker. One that does not answer in time is left out. */
  async ask(question: Question): Promise<readonly unknown[]> {
    const answers = await Promise.all(
      [...this.#running].map((worker) => this.#askOne(worker, question)),
    )
    return answers.filter((answer) => answer !== undefined)
  }

  /** Resolves when all serve. */
  async start(): Promise<string> {
    // All share the listener of one port, so it must have a number before the first asks for it.
    this.#port ||= await freePort(this.#config.host)
    const [first, ...others] = Array.from({ length: this.#config.workers }, () => this.#fork(0))
    await Promise.all(others)
    return first!
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const ended = [...this.#running].map((worker) => {
      const end = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
      if (worker.isConnected()) worker.send('stop', () => {})
      return end
    })
    const late = setTimeout(() => {
      for (const worker of this.#running) worker.process.kill('SIGKILL')
    }, STOP_PATIENCE_MS)
    await Promise.all(ended)
    clearTimeout(late)
  }

  #askOne(worker: Worker, question: Question): Promise<unknown> {
    if (!worker.isConnected()) return Promise.resolve(undefined)
    const number = ++this.#lastQuestion
    return new Promise((resolve) => {
      const settle = (value: unknown): void => {
        clearTimeout(late)
        this.#questions.delete(number)
        resolve(value)
      }
      const late = setTimeout(() => settle(undefined), ANSWER_PATIENCE_MS)
      this.#questions.set(number, settle)
      worker.send({ number, question } satisfies ToWorker, (error) => {
        if (error) settle(undefined)
      })
    })
  }

  /** @param failures - how often in a row workers ended early in this place. */
  #fork(failures: number): Promise<string> {
    const task: WorkerTask = {
      config: { ...this.#config, port: this.#port },
      worker: ++this.#lastNumber,
      hub: this.#hub,
    }
    const begun = performance.now()
    const worker = cluster.fork({ COUPLET_WORKER_TASK: JSON.stringify(task) })
    this.#running.add(worker)
    const listening = Promise.withResolvers<string>()
    let served = false
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'answer') this.#questions.get(message.number)?.(message.value)
      else if (message.kind === 'listening') {
        served = true
        // It was told before it could listen.
        if (this.#stopping) worker.send('stop', () => {})
        listening.resolve(message.url)
      } else {
        const error = new Error(message.message)
        listening.reject(Object.assign(error, { code: message.code }))
      }
    })
    // One that ended cannot be told anything; its end is heard of by itself.
    worker.on('error', () => {})
    worker.on('exit', (code, signal) => {
      this.#running.delete(worker)
      const how = signal ?? `exit code ${code}`
      listening.reject(new Error(`a worker ended before it served: ${how}`))
      if (this.#stopping || (!served && failures === 0)) return
      const early = performance.now() - begun < STEADY_MS
      this.#heal(task.worker, how, early ? failures + 1 : 1)
    })
    return listening.promise
  }

  #heal(number: number, how: string, failures: number): void {
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS)
    process.stderr.write(
      `couplet: worker ${number} ended (${how}); another one starts in ${waitMs / 1000} s\n`,
    )
    setTimeout(() => {
      if (!this.#stopping) this.#fork(failures).catch(() => {})
    }, waitMs).unref()
  }
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, host, () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

function never(): Promise<never> {
  return new Promise(() => {})
}

const FILE_ENDING = import.meta.url.slice(-3)
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 30_000
/** For a worker to answer a question. */
const ANSWER_PATIENCE_MS = 2000
/** For a worker to answer what is under way, codes that are being sent included. */
const STOP_PATIENCE_MS = 20_000
/** Who has served this long was well. */
const STEADY_MS = 60_000
