/**
 * The server's speed: messages between people who are there, messages kept for people who are not,
 * logins, and memory, side by side with servers that people would use instead. (README.md says what
 * is measured how)
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conditions, figure, OURS, ratio, rounded, type Sample, withLoadAfter } from './harness.ts'
import { installPeers } from './peers.ts'
import { hasProgram } from './server/processes.ts'
import type { ServerFigures, ServerPlan, ServerResults } from './server/report.ts'
import type { RunningServer, ServerSubject } from './server/subject.ts'
import { SERVERS } from './server/subjects.ts'
import {
  drain,
  FIRST_ABSENT,
  idleMemory,
  LiveRelay,
  logins,
  type Survival,
  sendingUsers,
  storeForAbsent,
  survival,
} from './server/workloads.ts'

export const QUICK_SERVER_PLAN: ServerPlan = { rounds: 2, liveMs: 1500, absent: 100 }
export const FULL_SERVER_PLAN: ServerPlan = { rounds: 5, liveMs: 4000, absent: 400 }

type Samples = Record<string, Sample[]>

/** @param only - names of servers; all that this machine has if there is none. */
export async function benchServer(
  plan: ServerPlan,
  only: readonly string[],
  tell: (message: string) => void,
): Promise<ServerResults> {
  installPeers(PEERS, tell)
  const before = conditions()
  const contestants: ServerUnderTest[] = []
  try {
    for (const [name, { needs, subject }] of Object.entries(SERVERS)) {
      if (only.length > 0 && !only.includes(name)) continue
      if (needs && !hasProgram(needs)) {
        tell(`${name} is left out: there is no ${needs} (Debian has a package)`)
        continue
      }
      tell(`${name}: starting`)
      contestants.push(await ServerUnderTest.start(name, await subject(), plan))
    }
    for (const one of contestants) await one.warmUp()
    for (let round = 0; round < plan.rounds; round++) {
      tell(`round ${round + 1} of ${plan.rounds}`)
      for (const one of contestants) await one.live()
      for (const one of contestants) await one.away(round)
    }
    for (const one of contestants) await one.beKilled()
    return {
      benchmark: 'server',
      ...withLoadAfter(before),
      plan,
      figures: Object.fromEntries(contestants.map((one) => [one.name, one.figures()])),
      ratios: ratiosOf(contestants),
    }
  } finally {
    for (const one of contestants) await one.stop()
  }
}

/** The report for people. */
class ServerUnderTest {
  readonly name: string
  readonly samples: Samples = {}
  readonly #subject: ServerSubject
  readonly #plan: ServerPlan
  readonly #server: RunningServer
  readonly #relay: LiveRelay
  readonly #folder: string
  #idleBytes = 0
  #killed: Survival | undefined

  private constructor(options: {
    readonly name: string
    readonly subject: ServerSubject
    readonly plan: ServerPlan
    readonly server: RunningServer
    readonly folder: string
  }) {
    this.name = options.name
    this.#subject = options.subject
    this.#plan = options.plan
    this.#server = options.server
    this.#folder = options.folder
    this.#relay = new LiveRelay(options.server)
  }

  static async start(
    name: string,
    subject: ServerSubject,
    plan: ServerPlan,
  ): Promise<ServerUnderTest> {
    // Memory first, of a server of its own: one that has worked gives back what nobody can tell from
    // what connections hold, and one that has had thousands of them is not fresh for work.
    const other = await ServerUnderTest.#started(name, subject, plan)
    const idleBytes = await idleMemory(other.#server, other.#everybodyAbsent())
    await other.stop()
    const one = await ServerUnderTest.#started(name, subject, plan)
    one.#idleBytes = idleBytes
    await one.#relay.connect()
    return one
  }

  static async #started(
    name: string,
    subject: ServerSubject,
    plan: ServerPlan,
  ): Promise<ServerUnderTest> {
    const folder = mkdtempSync(join(tmpdir(), 'couplet-bench-'))
    const server = await subject.start(folder, FIRST_ABSENT + plan.rounds * plan.absent)
    return new ServerUnderTest({ name, subject, plan, server, folder })
  }

  async warmUp(): Promise<void> {
    await this.#relay.run(this.#plan.liveMs)
  }

  async live(): Promise<void> {
    this.#add('live', await this.#relay.run(this.#plan.liveMs))
  }

  /** Everything that has to do with people who are not always there. */
  async away(round: number): Promise<void> {
    const users = this.#absent(round)
    // The first time somebody comes is not like the others: a subscription is made, say.
    await logins(this.#server, users)
    if (this.#subject.stores) {
      this.#add('store', await storeForAbsent(this.#server, users, sendingUsers()))
      this.#add('drain', await drain(this.#server, users))
    }
    this.#add('login', await logins(this.#server, users))
  }

  async beKilled(): Promise<void> {
    if (!this.#subject.stores) return
    this.#killed = await survival(this.#server, this.#absent(0), sendingUsers())
  }

  figures(): ServerFigures {
    return {
      remark: this.#subject.remark,
      speed: Object.fromEntries(
        Object.entries(this.samples).map(([measure, all]) => [measure, figure(all)]),
      ),
      idleKiB: rounded(this.#idleBytes / 1024),
      ...(this.#killed && { killed: this.#killed }),
    }
  }

  async stop(): Promise<void> {
    await this.#server.process.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #everybodyAbsent(): number[] {
    return Array.from({ length: this.#plan.rounds }, (_, round) => this.#absent(round)).flat()
  }

  #absent(round: number): number[] {
    const { absent } = this.#plan
    return Array.from({ length: absent }, (_, index) => FIRST_ABSENT + round * absent + index)
  }

  #add(measure: string, sample: Sample): void {
    this.samples[measure] ??= []
    this.samples[measure].push(sample)
  }
}

function ratiosOf(contestants: readonly ServerUnderTest[]): Record<string, number> {
  const ours = contestants.find(({ name }) => name === OURS)?.samples ?? {}
  const ratios: Record<string, number> = {}
  for (const { name, samples } of contestants) {
    if (name === OURS) continue
    for (const [measure, theirs] of Object.entries(samples)) {
      if (ours[measure]) ratios[`${measure}.vs.${name}`] = ratio(ours[measure], theirs).cpu
    }
  }
  return ratios
}

const PEERS = join(import.meta.dirname, 'server')
