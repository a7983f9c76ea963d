/** Signals as one promise: a command that holds something open lets go of it in order. */
import { once } from 'node:events'
import { Interrupted } from './errors.ts'
import { INTERRUPTED } from './exit-codes.ts'

let controller: AbortController | undefined

/** Aborted by the first signal. A second one ends the program where it stands. */
export function interruption(): AbortSignal {
  if (controller) return controller.signal
  const installed = new AbortController()
  controller = installed
  for (const signal of Object.keys(INTERRUPTED)) {
    process.on(signal, () => {
      if (installed.signal.aborted) process.exit(INTERRUPTED[signal])
      installed.abort(new Interrupted(signal))
    })
  }
  return installed.signal
}

/**
 * The work's outcome, unless a signal comes first.
 *
 * @throws {Interrupted}
 */
export async function unlessInterrupted<T>(work: Promise<T>): Promise<T> {
  const signal = interruption()
  const done = new AbortController()
  const interrupted = once(signal, 'abort', { signal: done.signal }).then(
    () => {
      throw signal.reason as Interrupted
    },
    () => new Promise<never>(() => {}),
  )
  try {
    signal.throwIfAborted()
    return await Promise.race([work, interrupted])
  } finally {
    done.abort()
  }
}
