/** Times, the same in every locale. */

/** For programs and files: `2026-08-01T18:00:00.000Z`. */
export function isoTime(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'at an unknown time' : date.toISOString()
}

/** For people, local: `18:00` today, `2026-07-31 18:00` before. */
export function clockTime(ms: number, now: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return '??:??'
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}`
  const day = dayOf(date)
  return day === dayOf(new Date(now)) ? time : `${day} ${time}`
}

/** `3 min ago`. */
export function ago(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000)
  if (seconds < 10) return 'just now'
  for (const [size, unit] of UNITS) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`
  }
  return 'just now'
}

function dayOf(date: Date): string {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
]
