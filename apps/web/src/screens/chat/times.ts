/** How long messages may live, to choose from, in milliseconds. */
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const TIMES: readonly number[] = [
  MINUTE / 2,
  5 * MINUTE,
  HOUR,
  8 * HOUR,
  DAY,
  7 * DAY,
  28 * DAY,
]
