/** The engine for many machines. Apart from the rest, so that a single server does not load it. */
export {
  DEFAULT_PARTITIONS,
  type LayoutOptions,
  type StreamHealth,
  streamHealth,
} from './layout.ts'
export { type MigrationReport, migrateToNats } from './migration.ts'
export {
  initNats,
  type NatsEngine,
  type NatsOptions,
  natsEngine,
  openNats,
  withoutPassword,
} from './nats-engine.ts'
