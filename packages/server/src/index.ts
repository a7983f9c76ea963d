/** Couplet's server: registration, directory, a mailbox of two, and live delivery. */

export { systemClock } from './clock.ts'
export { loadClusterKey } from './code-key.ts'
export { consoleCodeSender, fileCodeSender } from './code-sender.ts'
export type { ConnectionTiming } from './connection.ts'
export { embeddedEngine } from './embedded-engine.ts'
export type { Limit } from './limits.ts'
export { createLog } from './log.ts'
export type { Clock, CodeSender, Engine } from './ports.ts'
export { createServer, type Server, type ServerOptions } from './server.ts'
export { StoreUnusableError } from './sqlite-schema.ts'
export { joinHub, StoreHub } from './store-hub.ts'
export { VERSION } from './version.ts'
