/**
 * What the server counts about itself: plain numbers, cheap enough for the hot path. Labels are
 * words of ours; nothing about a person is ever one. (metrics.ts makes a page of them)
 */

export type CounterName =
  | 'limited'
  | 'registrations'
  | 'codes'
  | 'logins'
  | 'puts'
  | 'relayed'
  | 'stored'
  | 'evicted'
  | 'answers'
  | 'lookups'
  | 'requests'
  | 'closed'
  | 'errors'

export interface Counter {
  /** Between `couplet_` and `_total`. */
  readonly name: string
  readonly label?: string
  readonly help: string
  /** Values of the label that are there from the start, as zeros: alerts can look at them. */
  readonly known?: readonly string[]
}

/** Every counter, and what it says. */
export const COUNTERS: Readonly<Record<CounterName, Counter>> = {
  limited: { name: 'limited', label: 'limit', help: 'Requests that hit a limit' },
  registrations: {
    name: 'registrations',
    label: 'outcome',
    help: 'Steps of registrations, by what came of them',
    known: ['opened', 'registered', 'replaced', 'wrong-code', 'rate-limited'],
  },
  codes: {
    name: 'codes',
    label: 'outcome',
    help: 'Codes handed to the network that delivers them, or not',
    known: ['sent', 'failed'],
  },
  logins: {
    name: 'logins',
    label: 'outcome',
    help: 'Logins on the socket',
    known: ['welcome', 'refused'],
  },
  puts: {
    name: 'envelopes_put',
    label: 'outcome',
    help: 'Envelopes put, by what their sender heard',
  },
  relayed: {
    name: 'envelopes_relayed',
    help: 'Envelopes handed to the connection of who they are for',
  },
  stored: { name: 'envelopes_stored', help: 'Envelopes written into a mailbox' },
  evicted: {
    name: 'envelopes_evicted',
    label: 'reason',
    help: 'Envelopes that left a mailbox unread: pushed out, or too old',
    known: ['capacity', 'age'],
  },
  answers: { name: 'answers', label: 'kind', help: 'Acknowledgements and refusals by recipients' },
  lookups: {
    name: 'lookups',
    label: 'outcome',
    help: 'Numbers looked up',
    known: ['found', 'unknown-recipient'],
  },
  requests: {
    name: 'http_requests',
    label: 'status',
    help: 'HTTP requests, by class of the answer',
    known: ['2xx', '3xx', '4xx', '5xx'],
  },
  closed: { name: 'sockets_closed', label: 'reason', help: 'Sockets that the server closed' },
  errors: {
    name: 'errors',
    label: 'kind',
    help: 'Failures of the server itself',
    known: ['store', 'defect'],
  },
}

export class Meter {
  readonly #counts = new Map<CounterName, Map<string, number>>()

  /** @param label - of a counter that has one. */
  count(name: CounterName, label = '', by = 1): void {
    let counts = this.#counts.get(name)
    if (!counts) {
      counts = new Map()
      this.#counts.set(name, counts)
    }
    counts.set(label, (counts.get(label) ?? 0) + by)
  }

  /** By label. */
  counts(name: CounterName): ReadonlyMap<string, number> {
    return this.#counts.get(name) ?? EMPTY
  }
}

const EMPTY: ReadonlyMap<string, number> = new Map()
