/** Limits, from their settings. */
import { DEFAULT_LIMITS, type Limit, type Limits } from '@couplet/server'
import { integerOf, type Reader, wrong } from './config.ts'
import type { Value } from './config-sources.ts'
import { LIMIT_NAMES, type LimitName, limitSetting, UNITS } from './settings-limits.ts'

/** `null`: no limit, which survives being sent to a worker as JSON. */
export type ConfigLimits = {
  readonly [Name in keyof Limits]: Exclude<Limits[Name], undefined> | null
}

/** @throws {ConfigError} naming what is wrong. */
export function limits(read: Reader): ConfigLimits {
  const off = read.onOff('no-limits')
  const entries = LIMIT_NAMES.map((name) => [name, off ? null : oneOf(read, name)] as const)
  const codeDelays = !off && DEFAULT_LIMITS.codeDelays
  return { ...(Object.fromEntries(entries) as unknown as ConfigLimits), codeDelays }
}

function oneOf(read: Reader, name: LimitName): Limit | number | null {
  const value = read.value(limitSetting(name))
  const standard = DEFAULT_LIMITS[name]
  const given = typeof standard === 'number' ? countOf(value) : limitOf(value)
  return given ?? standard ?? null
}

/** `undefined` when it is not set; burst 0 admits nobody; `off` is no limit. */
function limitOf(value: Value): Limit | null | undefined {
  if (value.text === undefined) return undefined
  if (value.text === 'off') return NO_LIMIT
  const [, burst, count, unit] = /^([0-9]{1,7})\/([0-9]{0,4})([smhd])$/.exec(value.text) ?? []
  const unitMs = UNITS.find(([name]) => name === unit)?.[1] ?? 0
  const periodMs = Number(count || '1') * unitMs
  if (burst !== undefined && periodMs > 0) return { burst: Number(burst), periodMs }
  throw wrong(value, 'must be like 60/1m (60 at once, and 60 more in a minute), or off')
}

function countOf(value: Value): number | undefined {
  if (value.text === 'off') return UNCOUNTED
  return integerOf(value, 0, UNCOUNTED)
}

/** `off` for what is counted or limited: more than ever comes. */
const UNCOUNTED = 999_999_999
const NO_LIMIT: Limit = { burst: UNCOUNTED, periodMs: 1000 }
