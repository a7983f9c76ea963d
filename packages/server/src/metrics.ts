/**
 * Metrics in the text format of Prometheus: what the meter counted, what is true at this moment,
 * how long the store takes, and the process itself. (docs/operations.md lists them)
 *
 * Several processes of one machine answer as one: each hands over a snapshot, and `metricsPage` sums
 * them up, each metric in its own way.
 */
import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client'
import { COUNTERS, type CounterName, type Meter } from './meter.ts'

/** One process's metrics, as plain data that can be sent to another process. */
export type MetricsSnapshot = readonly object[]

/** What is true at this moment; asked for at every scrape. */
export interface Readings {
  /** Sockets, logged in or not. */
  readonly sockets: () => number
  /** Users who are connected. */
  readonly online: () => number
  readonly ready: () => Promise<boolean>
  /** Of codes; none when it is unlimited. */
  readonly codeBudget: () => Promise<CodeBudget | undefined>
}

export interface CodeBudget {
  readonly limit: number
  /** Codes that count against it now. */
  readonly spent: number
}

/** Metrics of one process. */
export class Metrics {
  readonly #registry = new Registry()

  /** The process itself: memory, CPU, event loop, garbage collection. */
  constructor() {
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX })
    // The library's own is left out when several processes are summed up.
    const started = Date.now() / 1000 - process.uptime()
    this.gauge('start_time_seconds', 'When the oldest process started', 'min', () => started)
  }

  /** Counters of a server. */
  follow(meter: Meter): void {
    for (const name of Object.keys(COUNTERS) as CounterName[]) this.#counter(name, meter)
  }

  /** What a server knows of itself. */
  read({ sockets, online, ready, codeBudget }: Readings): void {
    this.gauge('sockets', 'Sockets that are open', 'sum', sockets)
    this.gauge('users_online', 'Users who are connected', 'sum', online)
    this.gauge('ready', 'Whether every process can take a message and keep it', 'min', async () =>
      Number(await ready()),
    )
    const budget = async (value: (budget: CodeBudget) => number): Promise<number | undefined> => {
      // What cannot be read is left out.
      const now = await codeBudget().catch(() => undefined)
      return now && value(now)
    }
    this.gauge('code_budget_limit', 'Codes that may be sent in a period', 'max', () =>
      budget(({ limit }) => limit),
    )
    this.gauge('code_budget_spent', 'Codes that count against the budget', 'max', () =>
      budget(({ spent }) => spent),
    )
    this.gauge('code_budget_exhausted', '1 when no code is sent: the hard stop', 'max', () =>
      budget(({ spent, limit }) => Number(limit - spent < 1)),
    )
  }

  /** @param aggregator - how several processes are summed up. */
  gauge(
    name: string,
    help: string,
    aggregator: 'sum' | 'min' | 'max',
    value: () => number | undefined | Promise<number | undefined>,
  ): void {
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      aggregator,
      registers: [this.#registry],
      async collect() {
        const now = await value()
        if (now === undefined) this.remove()
        else this.set(now)
      },
    })
    void gauge
  }

  /** For latencies of the store. */
  storeLatency(): Histogram<'operation'> {
    return new Histogram({
      name: `${PREFIX}store_latency_seconds`,
      help: 'Time from asking the store to its durable answer',
      labelNames: ['operation'],
      buckets: LATENCY_BUCKETS,
      registers: [this.#registry],
    })
  }

  snapshot(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON()
  }

  #counter(name: CounterName, meter: Meter): void {
    const { name: middle, label, help, known = [] } = COUNTERS[name]
    const counter: Counter = new Counter({
      name: `${PREFIX}${middle}_total`,
      help,
      labelNames: label === undefined ? [] : [label],
      registers: [this.#registry],
      collect() {
        this.reset()
        if (label === undefined) this.inc(meter.counts(name).get('') ?? 0)
        else {
          for (const value of known) this.inc({ [label]: value }, 0)
          for (const [value, count] of meter.counts(name)) this.inc({ [label]: value }, count)
        }
      },
    })
    void counter
  }
}

/** All of them as one page. */
export function metricsPage(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as unknown as object[][]).metrics()
}

export const METRICS_CONTENT_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE

const PREFIX = 'couplet_'
/** From a commit of the embedded store on a fast disk to the patience of clients, in seconds. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
