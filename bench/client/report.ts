/** Results of the client's benchmark, and the report for people. */
import { type Conditions, type Figure, rounded, table } from '../harness.ts'
import type { Past } from '../web/home.ts'

export interface ClientResults extends Conditions {
  readonly benchmark: 'client'
  readonly past: Past
  /** Whole processes, from their start to their end. */
  readonly commands: Readonly<Record<string, Figure>>
  /** `npm start` with everything installed and built, until the server listens, milliseconds. */
  readonly startMs: number
  readonly memory: { readonly empty: Memory; readonly withPast: Memory }
}

/** MiB, after a collection, with the home open, connected, and its conversations listed. */
export interface Memory {
  readonly heap: number
  readonly resident: number
}

export function clientReport(results: ClientResults): string {
  const { commands, memory, past, load, startMs } = results
  const bare = commands[BARE]
  return [
    `${results.machine}, ${results.cores} cores, load ${load.before} before and ${load.after} after`,
    `Node ${results.node}, commit ${results.commit}, ${results.date}`,
    '',
    table([
      ['a process, start to end', 'ms', 'CPU ms', 'CPU beyond bare Node'],
      ...Object.entries(commands).map(([name, { perSecond, cpuMicros }]) => [
        name,
        String(rounded(1000 / perSecond)),
        String(rounded(cpuMicros / 1000)),
        bare && name !== BARE ? String(rounded((cpuMicros - bare.cpuMicros) / 1000)) : '',
      ]),
    ]),
    '',
    `npm start, all built, until it listens: ${rounded(startMs)} ms`,
    '',
    table([
      ['memory of the SDK, MiB', 'heap', 'resident'],
      ['no conversation', String(memory.empty.heap), String(memory.empty.resident)],
      [
        `${past.conversations} conversations, ${past.long} messages in one, ${past.short} in each other`,
        String(memory.withPast.heap),
        String(memory.withPast.resident),
      ],
    ]),
  ].join('\n')
}

export const BARE = 'node -e 0'
