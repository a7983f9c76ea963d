/** What a command is given. */
import type { Options } from './options.ts'
import type { Terminal } from './terminal.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Context {
  readonly options: Options
  /** What stood after the command besides options. */
  readonly operands: readonly string[]
  /** Everything after the command, as it was typed; for commands with a parser of their own. */
  readonly rest: readonly string[]
  readonly environment: Environment
  readonly terminal: Terminal
}

/**
 * A command that the user can paste, in the way that this program was called: with the same home,
 * and through npx if so.
 */
export function pasteable(context: Context, command: string): string {
  const words = [context.environment.npm_command === 'exec' ? 'npx couplet' : 'couplet']
  const { home } = context.options
  if (home !== undefined && home !== context.environment.COUPLET_HOME) {
    words.push('--home', quoted(home))
  }
  return [...words, command].join(' ')
}

/** A word as a POSIX shell reads it back. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
