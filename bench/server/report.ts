/** Results of the server's benchmark, and the report for people. */

import { type Conditions, type Figure, OURS, table } from '../harness.ts'
import type { Survival } from './workloads.ts'

export interface ServerPlan {
  readonly rounds: number
  /** How long everybody writes, in each round. */
  readonly liveMs: number
  /** People who are away in each round, and log in, and are silent. */
  readonly absent: number
}

export interface ServerResults extends Conditions {
  readonly benchmark: 'server'
  readonly plan: ServerPlan
  readonly figures: Readonly<Record<string, ServerFigures>>
  /** CPU of theirs by ours, above 1 we are cheaper: `live.vs.ejabberd`. */
  readonly ratios: Readonly<Record<string, number>>
}

export interface ServerFigures {
  readonly remark: string
  readonly speed: Readonly<Record<string, Figure>>
  readonly idleKiB: number
  /** Messages for the absent that were accepted just before a `kill -9`, and were gone after it. */
  readonly killed?: Survival
}

export function serverReport(results: ServerResults): string {
  const { load, figures } = results
  const measures = Object.keys(figures[OURS]?.speed ?? {})
  return [
    `${results.machine}, ${results.cores} cores, load ${load.before} before and ${load.after} after`,
    `Node ${results.node}, commit ${results.commit}, ${results.date}`,
    `1 KiB messages; medians of ${results.plan.rounds} rounds; in brackets the server's CPU, µs`,
    '',
    table([
      ['', ...measures, 'idle, KiB', 'lost by kill -9'],
      ...Object.entries(figures).map(([name, all]) => [
        name,
        ...measures.map((measure) => cell(all, measure)),
        String(all.idleKiB),
        all.killed ? `${all.killed.lost} of ${all.killed.accepted}` : '-',
      ]),
    ]),
    '',
    "The server's CPU, theirs by ours; above 1 ours is cheaper:",
    table([['', 'ratio'], ...Object.entries(results.ratios).map(([k, v]) => [k, String(v)])]),
    '',
    ...Object.entries(figures).map(([name, { remark }]) => `${name}: ${remark}`),
  ].join('\n')
}

function cell(all: ServerFigures, measure: string): string {
  const one = all.speed[measure]
  return one ? `${one.perSecond}/s (${one.cpuMicros})` : '-'
}
