/**
 * The SDK: an identity, its conversations, and an outbox that loses nothing. (docs/sdk.md)
 *
 * This entry is free of any environment; `@couplet/client/node` puts it on Node.
 */
export type * from './api.ts'
export { type ClientPorts, openClient } from './client.ts'
export * from './errors.ts'
export {
  exportHome,
  type HomeExport,
  type Imported,
  importHome,
  type MovePorts,
  takeBackExport,
} from './export.ts'
export { createHttpApi, parseServerAddress } from './http-api.ts'
export { memoryStore } from './memory-store.ts'
export { completeNumberChange, requestNumberChange } from './number-change.ts'
export type { Stretch } from './passphrase.ts'
export type { Platform } from './platform.ts'
export type * from './ports.ts'
export * from './registration.ts'
export { createSocketConnector } from './socket-connector.ts'
