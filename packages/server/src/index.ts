/** Couplet's server: registration, directory, a mailbox of two, and live delivery. */

export { type TrustedProxies, trustedProxies } from './addresses.ts'
export { createInvitation } from './admission.ts'
export { backupStore, restoreStore } from './backup.ts'
export { systemClock } from './clock.ts'
export { loadClusterKey } from './code-key.ts'
export { consoleCodeSender, fileCodeSender } from './code-sender.ts'
export { type CodeSenderChoice, makeCodeSender } from './code-senders.ts'
export type { ConnectionTiming } from './connection.ts'
export { embeddedEngine } from './embedded-engine.ts'
export { DEFAULT_LIMITS, type Limit, type LimitName, type Limits, NO_LIMITS } from './limits.ts'
export { createLog } from './log.ts'
export { Meter } from './meter.ts'
export { Metrics, type MetricsSnapshot, metricsPage } from './metrics.ts'
export { listenForMetrics, type MetricsListener } from './metrics-listener.ts'
export {
  type Gone,
  type ListedInvitation,
  type ListedUser,
  Operator,
  operatorOf,
} from './operator.ts'
export { listenForOperator, type OperatorCalls, reachOperator } from './operator-socket.ts'
export type { Clock, CodeSender, Engine } from './ports.ts'
export { createServer, type Server, type ServerOptions } from './server.ts'
export { StoreUnusableError } from './sqlite-schema.ts'
export { joinHub, StoreHub } from './store-hub.ts'
export { readTls, type TlsFiles } from './tls.ts'
export { VERSION } from './version.ts'
