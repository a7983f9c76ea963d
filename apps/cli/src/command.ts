/** What a command is: what help says about it, what it takes, and where its code is. */
import type { Context } from './context.ts'
import type { OptionName } from './options.ts'

export interface Command {
  readonly name: string
  readonly group: 'Begin' | 'Talk' | 'Trust' | 'Look' | 'Keep' | 'Host' | 'Program' | 'Learn'
  readonly summary: string
  /** What stands after the options, as help shows it. */
  readonly operands: readonly Operand[]
  readonly options: readonly OptionName[]
  /** Paragraphs of `--help`. */
  readonly description: readonly string[]
  readonly examples: readonly Example[]
  /** The arguments go to another parser as they are. */
  readonly passThrough?: true
  /** Loads the code, which no other command pays for. */
  readonly load: () => Promise<{ run(context: Context): Promise<number> }>
}

export interface Operand {
  readonly name: string
  readonly optional?: true
  /** What it can be, for completion. */
  readonly values?: readonly string[]
  /** What somebody at a terminal is asked when it is missing. */
  readonly question?: string
}

export interface Example {
  readonly command: string
  readonly says: string
}

/** Options of every command that opens a home. */
const PASSPHRASE: readonly OptionName[] = ['passphrase-file', 'no-passphrase']
export const COMMON: readonly OptionName[] = ['home', ...PASSPHRASE, 'json', 'quiet', 'help']
export const NUMBER: Operand = { name: 'NUMBER', question: 'Number, like +12025550102: ' }
