/** The server program, for its own command and for `couplet serve`. */
export { backupCommand } from './backup-command.ts'
export { type Config, ConfigError, type Environment, readConfig } from './config.ts'
export { HELP } from './help.ts'
export { type OperatorTopic, operatorCommand } from './operator-command.ts'
export { serve } from './serve.ts'
export { storeCommand } from './store-command.ts'
