/**
 * What every benchmark shares: contestants take turns (A B C A B C …) on the same work, so that a
 * machine that gets slower halfway slows all of them; what counts is the median of the rounds, and
 * for a comparison the median of the ratios within one round.
 *
 * Process CPU is measured beside wall time, all threads included. It hardly moves when others use
 * the machine too, and shows who merely spreads the same work over more cores.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/** Our own contestant's name, in every comparison. */
export const OURS = 'couplet'

/** How often a piece of work was done, and what that took. */
export interface Sample {
  readonly operations: number
  readonly wallMs: number
  readonly cpuMs: number
}

/** One side of a comparison. */
export interface Contestant {
  readonly name: string
  run(measure: string, operations: number): Promise<Sample>
}

export interface Plan {
  readonly rounds: number
  /** How long one turn lasts, about. Many short turns are better than few long ones. */
  readonly turnMs: number
  /** How long each contestant does each measure before it counts: JavaScript becomes fast late. */
  readonly warmUpMs: number
}

export interface Figure {
  /** Operations per second, by the clock. */
  readonly perSecond: number
  /** CPU per operation, user and system. */
  readonly cpuMicros: number
}

/** Samples by measure and contestant, one for each round. */
export type Samples = Readonly<Record<string, Readonly<Record<string, readonly Sample[]>>>>

/**
 * Lets all contestants do all measures, in turns.
 *
 * @param tell - called before each round, for people who wait.
 */
export async function compete(
  contestants: readonly Contestant[],
  measures: readonly string[],
  plan: Plan,
  tell: (message: string) => void,
): Promise<Samples> {
  const samples: Record<string, Record<string, Sample[]>> = {}
  for (const measure of measures) {
    tell(`${measure}: warming up`)
    const operations = new Map<string, number>()
    for (const contestant of contestants) {
      operations.set(contestant.name, await warmUp(contestant, measure, plan))
    }
    const collected = Object.fromEntries(contestants.map(({ name }) => [name, [] as Sample[]]))
    for (let round = 1; round <= plan.rounds; round++) {
      tell(`${measure}: round ${round} of ${plan.rounds}`)
      for (const contestant of contestants) {
        const sample = await contestant.run(measure, operations.get(contestant.name)!)
        collected[contestant.name]!.push(sample)
      }
    }
    samples[measure] = collected
  }
  return samples
}

/** Medians over the rounds. */
export function figure(samples: readonly Sample[]): Figure {
  return {
    perSecond: rounded(median(samples.map(perSecond))),
    cpuMicros: rounded(median(samples.map(cpuMicros))),
  }
}

/** How many times faster `ours` is than `theirs`, by the clock and by CPU; above 1 is faster. */
export function ratio(
  ours: readonly Sample[],
  theirs: readonly Sample[],
): { readonly wall: number; readonly cpu: number } {
  const pairs = ours.map((sample, round) => [sample, theirs[round]!] as const)
  return {
    wall: rounded(median(pairs.map(([a, b]) => perSecond(a) / perSecond(b)))),
    cpu: rounded(median(pairs.map(([a, b]) => cpuMicros(b) / cpuMicros(a)))),
  }
}

/** Where and when something was measured. */
export interface Conditions {
  readonly date: string
  readonly commit: string
  readonly node: string
  readonly machine: string
  readonly cores: number
  readonly memoryGiB: number
  /** Processes that ran or waited, on average over the last minute, before and after. */
  readonly load: { readonly before: number; after?: number }
}

export function conditions(): Conditions {
  const [cpu] = cpus()
  return {
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    machine: `${cpu?.model.trim() ?? 'unknown processor'}, ${platform()} ${arch()}`,
    cores: cpus().length,
    memoryGiB: rounded(totalmem() / 2 ** 30),
    load: { before: rounded(loadavg()[0]!) },
  }
}

export function withLoadAfter(before: Conditions): Conditions {
  return { ...before, load: { ...before.load, after: rounded(loadavg()[0]!) } }
}

export function saveResults(name: string, results: unknown): string {
  const file = join(import.meta.dirname, 'results', `${name}.json`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
  return file
}

/** Rows of text in columns; the first is a heading, and numbers stand right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Three digits that count, as a number. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3))
}

/** @returns How many operations fill a turn. */
async function warmUp(
  contestant: Contestant,
  measure: string,
  { turnMs, warmUpMs }: Plan,
): Promise<number> {
  let operations = 1
  for (let passedMs = 0; ; ) {
    const { wallMs } = await contestant.run(measure, operations)
    passedMs += wallMs
    const fitting = Math.max(1, Math.round((operations * turnMs) / wallMs))
    if (passedMs >= warmUpMs && wallMs >= turnMs / 2) return fitting
    operations = Math.min(operations * 8, fitting)
  }
}

function perSecond({ operations, wallMs }: Sample): number {
  return (operations / wallMs) * 1000
}

function cpuMicros({ operations, cpuMs }: Sample): number {
  return (cpuMs / operations) * 1000
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The commit, marked `+` when what was measured differs from it. */
function commit(): string {
  try {
    const changed = git('status', '--porcelain', '--', '../packages/*/src', '*.ts')
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? '+' : '')
  } catch {
    return 'unknown'
  }
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
}
