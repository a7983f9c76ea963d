/** The server program, for its own command and for `couplet serve`. */
export { backupCommand } from './backup-command.ts'
export { type Config, ConfigError, type Environment, readConfig } from './config.ts'
export { type OperatorTopic, operatorCommand } from './operator-command.ts'
export { serve } from './serve.ts'
export { HELP } from './settings.ts'
export { storeCommand } from './store-command.ts'
