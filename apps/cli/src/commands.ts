/** Every command there is, in the order in which help lists them. */
import type { Command } from './command.ts'
import { BEGIN } from './tables/begin.ts'
import { HOST } from './tables/host.ts'
import { KEEP } from './tables/keep.ts'
import { PROGRAM } from './tables/program.ts'
import { TALK } from './tables/talk.ts'
import { TRUST } from './tables/trust.ts'

export type { Command, Example, Operand } from './command.ts'

export const COMMANDS: readonly Command[] = [
  ...BEGIN,
  ...TALK,
  ...TRUST,
  ...KEEP,
  ...HOST,
  ...PROGRAM,
]

export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}
