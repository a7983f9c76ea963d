/** `couplet backup` and `couplet restore`: a copy of who is registered. (docs/operations.md) */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { backupStore, restoreStore, StoreUnusableError } from '@couplet/server'
import { ConfigError, type Environment, readConfig } from './config.ts'
import { EXIT } from './exit-codes.ts'

export const BACKUP_HELP: string = `Usage: couplet backup FILE [--data DIR]
       couplet restore FILE [--data DIR]

Copies who is registered, invitations and blocks of a server's folder into a new file, also while
the server runs; and makes a folder of such a file again. Messages that wait are left out: their
senders still have them.

  --data DIR           the server's folder (COUPLET_DATA)
  -h, --help           this page

Examples:
  couplet backup /var/backups/couplet-$(date +%F).db
  couplet restore /var/backups/couplet-2026-01-31.db --data ./data
`

type Verb = 'backup' | 'restore'

/** @returns The exit code. */
export function backupCommand(
  verb: Verb,
  args: readonly string[],
  environment: Environment,
): number {
  try {
    const command = parse(verb, args, environment)
    if (command === 'help') {
      process.stdout.write(BACKUP_HELP)
      return EXIT.ok
    }
    const { file, data } = command
    const users = verb === 'backup' ? backupStore(data, file) : restoreStore(file, data)
    const place = verb === 'backup' ? file : data
    process.stdout.write(`couplet: ${users} ${users === 1 ? 'person' : 'people'} in ${place}\n`)
    return EXIT.ok
  } catch (error) {
    process.stderr.write(`couplet: ${(error as Error).message}\n`)
    if (error instanceof ConfigError) return error.kind === 'usage' ? EXIT.usage : EXIT.config
    const isExpected = error instanceof StoreUnusableError || 'code' in (error as object)
    if (!isExpected) throw error
    return EXIT.cannotCreate
  }
}

function parse(
  verb: Verb,
  args: readonly string[],
  environment: Environment,
): { readonly file: string; readonly data: string } | 'help' {
  let parsed: ReturnType<typeof parseArgs>
  try {
    const options = { data: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
    parsed = parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ')
    throw new ConfigError('usage', `${sentence}; see couplet ${verb} --help`)
  }
  const { data, help } = parsed.values as { data?: string; help?: boolean }
  if (help) return 'help'
  const [file, ...more] = parsed.positionals
  if (!file || more.length > 0) {
    throw new ConfigError('usage', `say one file; see couplet ${verb} --help`)
  }
  const config = readConfig(data ? ['--data', data] : [], environment)
  return config === 'help' ? 'help' : { file: resolve(file), data: config.data }
}
