/** Whether codes go out: counts them, tells the log when one does not, and knows the state. */
import type { Logger } from 'pino'
import { CodeRefusedError } from './code-transport.ts'
import type { Meter } from './meter.ts'
import type { CodeSender } from './ports.ts'

/** `development`: they come out where the server runs. `failing`: the last ones could not be sent. */
export type CodeHealth = 'ok' | 'development' | 'failing'

export interface WatchedCodeSender extends CodeSender {
  health(): CodeHealth
  /** Resolves when what is being sent now has gone or failed. */
  settled(): Promise<void>
}

export function watchedCodeSender(
  sender: CodeSender,
  log: Logger,
  meter: Meter,
): WatchedCodeSender {
  let failures = 0
  const underWay = new Set<Promise<void>>()
  return {
    development: sender.development,
    async send(phone, code) {
      const sending = sender.send(phone, code)
      underWay.add(sending)
      try {
        await sending
        failures = 0
        meter.count('codes', 'sent')
      } catch (error) {
        // A number that cannot be reached says nothing about the network.
        if (!(error instanceof CodeRefusedError)) failures++
        meter.count('codes', 'failed')
        log.warn({ error: (error as NodeJS.ErrnoException).code }, 'a code could not be sent')
        throw error
      } finally {
        underWay.delete(sending)
      }
    },
    async settled() {
      await Promise.allSettled(underWay)
    },
    health() {
      if (failures >= FAILING_AFTER) return 'failing'
      return sender.development ? 'development' : 'ok'
    },
  }
}

/** In a row. */
const FAILING_AFTER = 3
