/**
 * The server's log: JSON lines about the server itself. No phone number, key, code, address or
 * message id is ever passed to it; requests are not logged at all.
 */
import { type Logger, pino } from 'pino'

/** @param level - `silent` for none. Lines go to standard error. */
export function createLog(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
}
