/** Whether a row of the directory is still the one that somebody has read. */
import { equalBytes } from '@couplet/wire'
import type { RowVersion } from './ports.ts'

/** @param found - none: the number has no row; the same for `expected`. */
export function isSameRow(
  found: RowVersion | undefined,
  expected: RowVersion | undefined,
): boolean {
  if (!found || !expected) return found === expected
  return found.revision === expected.revision && equalBytes(found.identityId, expected.identityId)
}
