/** Homes that were moved to another device, or are about to be. (export.ts) */
import { ClientError } from './errors.ts'
import type { MovedRecord } from './records.ts'
import type { Tables } from './tables.ts'

/**
 * @param allowed - a state that is no hindrance here.
 * @throws {ClientError} `home-moved`, `export-unfinished`.
 */
export async function refuseMoved(tables: Tables, allowed?: MovedRecord['state']): Promise<void> {
  const moved = await tables.moved()
  if (!moved || moved.state === allowed) return
  if (moved.state === 'moved') {
    throw new ClientError(
      'home-moved',
      'this home was exported: it is wherever the file was imported, and not here any more',
    )
  }
  throw new ClientError(
    'export-unfinished',
    'an export of this home was interrupted: export it again, or take the export back',
  )
}
