/**
 * The protocol's speed: session set-up, messages in one direction and to and fro, 256-byte texts,
 * side by side with libraries that people would use instead. (README.md says what is measured how)
 */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import {
  type Contestant,
  compete,
  conditions,
  type Figure,
  figure,
  OURS,
  type Plan,
  ratio,
  type Sample,
  type Samples,
  withLoadAfter,
} from './harness.ts'
import { installPeers } from './peers.ts'
import type { Description, ProtocolResults } from './protocol/report.ts'
import { OURS_WEB, SUBJECTS } from './protocol/subjects.ts'
import { MEASURES, type Request, type Response } from './protocol/worker.ts'

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
    this.#process = fork(join(PEERS, 'worker.ts'), [name], {
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [...process.execArgv, FREE_BUFFERS_AT_HOME],
    })
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

/** As our server and daemon run, and the same for everybody. (apps/server/src/garbage-collector.ts) */
const FREE_BUFFERS_AT_HOME = '--no-concurrent-array-buffer-sweeping'
const PEERS = join(import.meta.dirname, 'protocol')
