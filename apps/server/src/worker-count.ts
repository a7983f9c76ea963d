/** How many processes serve. */
import { availableParallelism } from 'node:os'

export const MAX_WORKERS = 128

/**
 * One on small machines: there a single process is as fast as two, and simpler. With more cores,
 * one for each but one, which the store and the system have. (docs/scale.md has the figures)
 */
export function defaultWorkers(cores: number = availableParallelism()): number {
  return cores < SMALL ? 1 : Math.min(cores - 1, MAX_WORKERS)
}

const SMALL = 4
