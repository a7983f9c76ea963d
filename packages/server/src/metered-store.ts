/** A store that says how long it takes, what it evicts, and how often it fails. */
import type { Histogram } from 'prom-client'
import type { Meter } from './meter.ts'
import type { PutResult, Store } from './ports.ts'
import { methodsOf } from './store-calls.ts'

type PortName = 'mailboxes' | 'directory' | 'registrations' | 'records'
type Method = (...args: readonly unknown[]) => Promise<unknown>

export function meteredStore(store: Store, meter: Meter, latency: Histogram<'operation'>): Store {
  const { mailboxes } = store
  const timed = <Name extends PortName>(name: Name): Store[Name] => {
    const port = store[name] as unknown as Record<string, Method>
    const entries = methodsOf(name).map((method) => {
      const observer = latency.labels(`${name}.${method}`)
      return [method, measured((...args) => port[method]!(...args), observer, meter)]
    })
    return Object.fromEntries(entries) as Store[Name]
  }
  const timedMailboxes = timed('mailboxes')
  return {
    ...store,
    directory: timed('directory'),
    registrations: timed('registrations'),
    records: timed('records'),
    mailboxes: {
      ...timedMailboxes,
      put(...args) {
        const putting = timedMailboxes.put(...args)
        // Beside it, not in its way: a put is heard of before what the store did after it.
        void countPut(putting, meter)
        return putting
      },
      async expire(...args) {
        const evicted = await timedMailboxes.expire(...args)
        if (evicted.length > 0) meter.count('evicted', 'age', evicted.length)
        return evicted
      },
      ...(mailboxes.watch && { watch: mailboxes.watch.bind(mailboxes) }),
    },
  }
}

function measured(
  method: Method,
  observer: { observe(seconds: number): void },
  meter: Meter,
): Method {
  return async (...args) => {
    const begun = performance.now()
    try {
      return await method(...args)
    } catch (error) {
      meter.count('errors', 'store')
      throw error
    } finally {
      observer.observe((performance.now() - begun) / 1000)
    }
  }
}

async function countPut(putting: Promise<PutResult>, meter: Meter): Promise<void> {
  try {
    const { outcome, evicted } = await putting
    if (outcome.kind === 'stored') meter.count('stored')
    if (evicted.length > 0) meter.count('evicted', 'capacity', evicted.length)
  } catch {
    // Whoever asked hears of it.
  }
}
