/** Times and spans of time, as the user's language writes them. */

/** The clock time: 14:05, or 2:05 PM. */
export function clockTime(at: number, language: string): string {
  return format(language, { hour: 'numeric', minute: '2-digit' }).format(at)
}

/** When something was, for a narrow column: the time today, the weekday this week, else the date. */
export function shortTime(at: number, now: number, language: string): string {
  const days = daysBetween(at, now)
  if (days === 0) return clockTime(at, language)
  if (days < 7) return format(language, { weekday: 'short' }).format(at)
  return format(language, { day: 'numeric', month: 'short' }).format(at)
}

/** A day of its own line; the caller has words for today and yesterday. */
export function longDay(at: number, now: number, language: string): string {
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return format(language, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(!isThisYear && { year: 'numeric' }),
  }).format(at)
}

export function fullTime(at: number, language: string): string {
  return format(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(at)
}

/** Calendar days from one time to a later one, in this place's time. */
export function daysBetween(earlier: number, later: number): number {
  return Math.round((midnight(later) - midnight(earlier)) / DAY_MS)
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}

/** The largest fitting unit: 45 seconds, 2 minutes, 3 days. */
export function duration(ms: number, language: string): string {
  const [unit, unitMs] = UNITS.find(([, size]) => ms >= size) ?? UNITS.at(-1)!
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 0,
  }).format(Math.max(1, Math.round(ms / unitMs)))
}

/** For a countdown: 0:42. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  const found = FORMATS.get(key) ?? new Intl.DateTimeFormat(language, options)
  FORMATS.set(key, found)
  return found
}

/** Making one is slow, and a long list asks for thousands. */
const FORMATS = new Map<string, Intl.DateTimeFormat>()
const DAY_MS = 24 * 60 * 60 * 1000
const UNITS = [
  ['week', 7 * DAY_MS],
  ['day', DAY_MS],
  ['hour', 60 * 60 * 1000],
  ['minute', 60 * 1000],
  ['second', 1000],
] as const
