/** Spans of time as people write them: `30s`, `5m`, `1h`, `7d`, `2w`, `off`. */
import { UsageError } from './errors.ts'

/**
 * Milliseconds; 0 for `off`.
 *
 * @param label - what it is for, in an error.
 * @throws {UsageError}
 */
export function durationMs(text: string, label: string): number {
  if (text === 'off' || text === '0') return 0
  const [, count, unit] = /^(\d{1,9})\s*([smhdw])$/.exec(text) ?? []
  const ms = Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  if (!(ms > 0 && ms <= MAX_MS)) {
    throw new UsageError(`${label} is a time like 30s, 5m, 1h, 7d or off, not “${text}”.`)
  }
  return ms
}

/** `7d`: the largest unit that fits without a rest; `off` for 0. */
export function durationWords(ms: number): string {
  if (ms === 0) return 'off'
  const [unit, size] = Object.entries(UNIT_MS).findLast(([, each]) => ms % each === 0) ?? [
    's',
    1000,
  ]
  return `${ms / size}${unit}`
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
/** Ten years: what the SDK takes. */
const MAX_MS = 3650 * 86_400_000
