/** Settings of limits: one for each that the server has, with the default that it has there. */
import { DEFAULT_LIMITS, type Limits } from '@couplet/server'
import type { Setting } from './setting.ts'

export type LimitName = Exclude<keyof Limits, 'codeDelays'>
export type LimitSettingName = 'no-limits' | `limit-${string}`

/** `codeBudget`: `limit-code-budget`. */
export function limitSetting(name: LimitName): LimitSettingName {
  return `limit-${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

const HELP: Readonly<Record<LimitName, string>> = {
  registrations: 'registrations opened from one address block (/24, /48)',
  codes: 'codes to one number',
  codesToOneFromAddress:
    'of these, asked for from one address block: a stranger cannot use them all up',
  codesFromAddress: 'codes asked for from one address block, to whatever numbers',
  codeBudget: 'codes in all: a hard stop against pumping',
  lookups: 'numbers looked up by one account',
  lookupsFromAddress: 'numbers looked up from one address block',
  sends: 'messages of one account',
  strangerSends: 'messages to one account from all whom it has not written to',
  strangerSendsFromOne: 'of these, messages of one of them: nobody alone keeps all others away',
  questions: 'status questions of one account',
  requests: 'signed requests of one account, whatever they ask for',
  prekeys: 'sets of prekeys published by one account',
  subscriptions: 'changes of push subscriptions by one account',
  pins: 'PINs of a registration lock set by one account',
  connectionsPerAddress:
    'sockets from one address block, for each process; and twice as many connections of any kind',
  connections: 'sockets in all, for each process; and twice as many connections of any kind',
}

/** Of a limit's time, the longest first. */
export const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
]

export const LIMIT_NAMES: readonly LimitName[] = Object.keys(HELP) as LimitName[]

export const LIMIT_SETTINGS: readonly (Setting & { readonly name: LimitSettingName })[] = [
  {
    name: 'no-limits',
    group: 'Limits',
    type: 'switch',
    help: 'no limits at all: for measurements and tests, never in public',
  },
  ...LIMIT_NAMES.map((name) => ({
    name: limitSetting(name),
    group: 'Limits',
    ...kindOf(name),
    standard: standardOf(name),
    help: HELP[name],
  })),
]

function kindOf(name: LimitName): Pick<Setting, 'type' | 'value'> & { type: 'count' | 'limit' } {
  return typeof DEFAULT_LIMITS[name] === 'number'
    ? { type: 'count', value: 'N' }
    : { type: 'limit', value: 'LIMIT' }
}

/** As people write it: `60/1h`. */
function standardOf(name: LimitName): string {
  const limit = DEFAULT_LIMITS[name]
  if (typeof limit !== 'object') return String(limit ?? 'off')
  const [unit, ms] = UNITS.find(([, unitMs]) => limit.periodMs % unitMs === 0)!
  return `${limit.burst}/${limit.periodMs / ms}${unit}`
}
