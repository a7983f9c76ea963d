/** Results of the protocol's benchmark, and the report for people. */
import { type Conditions, type Figure, OURS, table } from '../harness.ts'

export interface ProtocolResults extends Conditions {
  readonly benchmark: 'protocol'
  readonly rounds: number
  readonly turnMs: number
  readonly figures: Readonly<Record<string, SubjectFigures>>
  /** Ours against theirs, above 1 is faster: by the clock, and as `….cpu.vs.…` by CPU. */
  readonly ratios: Readonly<Record<string, number>>
}

export interface SubjectFigures extends Description {
  /** By measure. */
  readonly speed: Readonly<Record<string, Figure>>
}

/** What is not a matter of speed. */
export interface Description {
  readonly remark: string
  /** Bytes on the wire beyond the 256 of the text, means. */
  readonly overhead: {
    readonly firstMessage: number
    /** In a session where both have written, several in one direction. */
    readonly settledMessage: number
    /** Where every message turns the ratchet. */
    readonly turningMessage: number
  }
}

/** The report for people. */
export function protocolReport(results: ProtocolResults): string {
  const { load } = results
  return [
    `${results.machine}, ${results.cores} cores, load ${load.before} before and ${load.after} after`,
    `Node ${results.node}, commit ${results.commit}, ${results.date}`,
    `256-byte texts, encrypt + decrypt; medians of ${results.rounds} rounds; in brackets CPU µs`,
    '',
    table(speedRows(results)),
    '',
    'Bytes beyond the text:',
    table(overheadRows(results)),
    '',
    ...(Object.keys(results.ratios).length > 0
      ? [
          'Ours against theirs, by the clock (by CPU); above 1 is faster:',
          table(ratioRows(results)),
          '',
        ]
      : []),
    ...Object.entries(results.figures).map(([name, { remark }]) => `${name}: ${remark}`),
  ].join('\n')
}

function speedRows({ figures }: ProtocolResults): string[][] {
  const measures = measuresOf(figures)
  return [
    ['', ...measures],
    ...Object.entries(figures).map(([name, { speed }]) => [
      name,
      ...measures.map((measure) => speedCell(speed[measure]!)),
    ]),
  ]
}

function speedCell({ perSecond, cpuMicros }: Figure): string {
  return `${perSecond}/s (${cpuMicros})`
}

function overheadRows({ figures }: ProtocolResults): string[][] {
  return [
    ['', 'first', 'settled', 'turning'],
    ...Object.entries(figures).map(([name, { overhead }]) => [
      name,
      ...[overhead.firstMessage, overhead.settledMessage, overhead.turningMessage].map(String),
    ]),
  ]
}

function ratioRows({ figures, ratios }: ProtocolResults): string[][] {
  const measures = measuresOf(figures)
  const peers = Object.keys(figures).filter((name) => name !== OURS)
  return [
    ['', ...measures],
    ...peers.map((peer) => [
      peer,
      ...measures.map((m) => `${ratios[`${m}.vs.${peer}`]} (${ratios[`${m}.cpu.vs.${peer}`]})`),
    ]),
  ]
}

function measuresOf(figures: ProtocolResults['figures']): string[] {
  return Object.keys(Object.values(figures)[0]?.speed ?? {})
}
