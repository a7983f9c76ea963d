/** How long a command is willing to wait. */
import { CommandError } from './errors.ts'

export const DEFAULT_TIMEOUT_SECONDS = 30

export interface Deadline {
  readonly seconds: number
  /**
   * The work's outcome, or `late()` thrown when the time is over first.
   *
   * @throws {CommandError} `timed-out` unless `late` says otherwise.
   */
  race<T>(work: Promise<T>, late?: () => Error): Promise<T>
}

/** Starts to count now. */
export function deadlineAfter(seconds: number): Deadline {
  const end = performance.now() + seconds * 1000
  return {
    seconds,
    async race(work, late = () => timedOut(seconds)) {
      let timer: NodeJS.Timeout | undefined
      const over = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(late()), Math.max(0, end - performance.now()))
      })
      try {
        return await Promise.race([work, over])
      } finally {
        clearTimeout(timer)
        // The loser may still fail; nobody is left to hear it.
        work.catch(() => {})
      }
    },
  }
}

function timedOut(seconds: number): CommandError {
  return new CommandError('timed-out', `this took longer than ${seconds} seconds.`)
}
