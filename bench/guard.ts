/**
 * The guard of the hot paths: bytes that one operation allocates, compared with what was recorded.
 * Allocation is counted, not timed, so a busy machine does not decide. (README.md, "guard")
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

export interface Allocations {
  /** Counts differ between versions of V8. */
  readonly node: string
  /** Bytes on JavaScript's heap for one operation, by hot path. */
  readonly bytes: Readonly<Record<string, number>>
}

/** A tenth more than recorded is too much. Repeated runs differ by one percent. */
export const TOLERANCE = 0.1
const BASELINE = join(import.meta.dirname, 'results', 'allocations.json')

/** In a process of its own, which nobody has warmed up or filled. */
export function measureAllocations(): Allocations {
  const script = join(import.meta.dirname, 'guard', 'measure.ts')
  const args = ['--conditions=source', script]
  const bytes = execFileSync(process.execPath, args, { encoding: 'utf8' })
  return { node: process.versions.node, bytes: JSON.parse(bytes) as Allocations['bytes'] }
}

export function recordedAllocations(): Allocations {
  return JSON.parse(readFileSync(BASELINE, 'utf8')) as Allocations
}

export function recordAllocations(allocations: Allocations): string {
  writeFileSync(BASELINE, `${JSON.stringify(allocations, undefined, 2)}\n`)
  return BASELINE
}

/** Hot paths that allocate too much, or that nobody has recorded, in words. */
export function excesses(now: Allocations, recorded: Allocations): readonly string[] {
  return Object.entries(now.bytes).flatMap(([name, bytes]) => {
    const limit = Math.round((recorded.bytes[name] ?? 0) * (1 + TOLERANCE))
    return bytes > limit ? [`${name}: ${bytes} bytes an operation, at most ${limit}`] : []
  })
}

export function allocationReport(now: Allocations, recorded: Allocations): string {
  return Object.entries(now.bytes)
    .map(([name, bytes]) => {
      const before = recorded.bytes[name]
      const share = before ? `${Math.round((100 * bytes) / before)} % of what is recorded` : 'new'
      return `${name.padEnd(10)} ${String(bytes).padStart(7)} bytes an operation, ${share}`
    })
    .join('\n')
}
