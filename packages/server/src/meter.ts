/**
 * What the server counts about itself: plain numbers, cheap enough for the hot path. Labels are
 * words of ours; nothing about a person is ever one. (metrics.ts makes a page of them)
 */

/** Every counter, and what it says. */
export const COUNTERS = {
  limited: ['limit', 'Requests that hit a limit'],
  registrations: ['outcome', 'Steps of registrations, by what came of them'],
  codes: ['outcome', 'Codes handed to the network that delivers them, or not'],
  logins: ['outcome', 'Logins on the socket'],
  puts: ['outcome', 'Envelopes put, by what came of them'],
  answers: ['kind', 'Acknowledgements and refusals by recipients'],
  lookups: ['outcome', 'Numbers looked up'],
  requests: ['status', 'HTTP requests, by status of the answer'],
  closed: ['reason', 'Sockets that the server closed'],
  errors: ['kind', 'Failures of the server itself'],
} as const

export type CounterName = keyof typeof COUNTERS

export class Meter {
  readonly #counts = new Map<CounterName, Map<string, number>>()

  count(name: CounterName, label: string): void {
    let counts = this.#counts.get(name)
    if (!counts) {
      counts = new Map()
      this.#counts.set(name, counts)
    }
    counts.set(label, (counts.get(label) ?? 0) + 1)
  }

  /** By label. */
  counts(name: CounterName): ReadonlyMap<string, number> {
    return this.#counts.get(name) ?? EMPTY
  }
}

const EMPTY: ReadonlyMap<string, number> = new Map()
