import type { AccountInfo } from '@couplet/wire'
import { ago } from './time.ts'

/** `set`; what somebody else has tried is said. */
export function lockWords(lock: AccountInfo['lock'], now: number): string {
  if (!lock) return 'none'
  const { failures, failedAt } = lock
  if (failures === 0) return 'set'
  const when = failedAt === undefined ? '' : `, last ${ago(failedAt, now)}`
  const tries = failures === 1 ? 'one wrong try' : `${failures} wrong tries`
  return `set; ${tries}${when}: somebody has had a code of your number`
}
