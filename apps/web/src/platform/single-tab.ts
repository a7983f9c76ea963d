/** A lock for a home that no other tab can see. */
import type { TabLock } from './ports.ts'

export function singleTab(): TabLock {
  return { acquire: async () => true, takeOver: async () => {} }
}
