/**
 * The protocol's speed: session set-up, messages in one direction and to and fro, 256-byte texts,
 * side by side with libraries that people would use instead. (README.md says what is measured how)
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import {
  type Conditions,
  type Contestant,
  compete,
  conditions,
  type Figure,
  figure,
  type Plan,
  ratio,
  type Sample,
  type Samples,
  table,
  withLoadAfter,
} from './harness.ts'
import { installPeers } from './peers.ts'
import { OURS, OURS_WEB, SUBJECTS } from './protocol/subjects.ts'
import { type Description, MEASURES, type Request, type Response } from './protocol/worker.ts'

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

/** @param only - names of subjects; all of them if there is none. */
export async function benchProtocol(
  plan: Plan,
  only: readonly string[],
  tell: (message: string) => void,
): Promise<ProtocolResults> {
  const names = Object.keys(SUBJECTS).filter((name) => only.length === 0 || only.includes(name))
  if (names.some((name) => name !== OURS && name !== OURS_WEB)) installPeers(PEERS, tell)
  const before = conditions()
  const workers = names.map((name) => new Worker(name))
  try {
    const descriptions = new Map<string, Description>()
    for (const worker of workers) descriptions.set(worker.name, await worker.describe())
    const samples = await compete(workers, Object.keys(MEASURES), plan, tell)
    return {
      benchmark: 'protocol',
      ...withLoadAfter(before),
      rounds: plan.rounds,
      turnMs: plan.turnMs,
      figures: Object.fromEntries(
        names.map((name) => [name, { ...descriptions.get(name)!, speed: speedOf(samples, name) }]),
      ),
      ratios: ratiosOf(samples, names),
    }
  } finally {
    for (const worker of workers) worker.stop()
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
  const measures = Object.keys(MEASURES)
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
  const measures = Object.keys(MEASURES)
  const peers = Object.keys(figures).filter((name) => name !== OURS)
  return [
    ['', ...measures],
    ...peers.map((peer) => [
      peer,
      ...measures.map((m) => `${ratios[`${m}.vs.${peer}`]} (${ratios[`${m}.cpu.vs.${peer}`]})`),
    ]),
  ]
}

function speedOf(samples: Samples, name: string): Record<string, Figure> {
  return Object.fromEntries(
    Object.entries(samples).map(([measure, all]) => [measure, figure(all[name]!)]),
  )
}

function ratiosOf(samples: Samples, names: readonly string[]): Record<string, number> {
  const ratios: Record<string, number> = {}
  for (const [measure, all] of Object.entries(samples)) {
    for (const name of names) {
      const ours = all[OURS]
      if (name === OURS || !ours) continue
      const { wall, cpu } = ratio(ours, all[name]!)
      ratios[`${measure}.vs.${name}`] = wall
      ratios[`${measure}.cpu.vs.${name}`] = cpu
    }
  }
  return ratios
}

/** A subject in a process of its own. */
class Worker implements Contestant {
  readonly name: string
  readonly #process: ChildProcess

  constructor(name: string) {
    this.name = name
    this.#process = fork(join(PEERS, 'worker.ts'), [name], { stdio: ['ignore', 2, 2, 'ipc'] })
  }

  async run(measure: string, operations: number): Promise<Sample> {
    const response = await this.#ask({ kind: 'run', measure, operations })
    if (response.kind !== 'ran') throw new Error(`${this.name}: answered out of turn`)
    return response.sample
  }

  async describe(): Promise<Description> {
    const response = await this.#ask({ kind: 'describe' })
    if (response.kind !== 'described') throw new Error(`${this.name}: answered out of turn`)
    return response.description
  }

  stop(): void {
    this.#process.kill()
  }

  #ask(request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`${this.name}: its process ended`))
      this.#process.once('exit', onExit)
      this.#process.once('message', (response: Response) => {
        this.#process.off('exit', onExit)
        if (response.kind === 'failed') reject(new Error(`${this.name}: ${response.reason}`))
        else resolve(response)
      })
      this.#process.send(request)
    })
  }
}

const PEERS = join(import.meta.dirname, 'protocol')
