/** The engine for many machines. Apart from the rest, so that a single server does not load it. */
export {
  DEFAULT_PARTITIONS,
  LAYOUT_VERSION,
  type LayoutOptions,
  type StreamHealth,
  streamHealth,
} from './layout.ts'
export { type MigrationReport, migrateToNats } from './migration.ts'
export {
  initNats,
  inWords,
  type NatsEngine,
  type NatsOptions,
  natsEngine,
  openNats,
  upgradeNats,
  withoutPassword,
} from './nats-engine.ts'
export { settledReplicas, type Tell } from './replicas.ts'
