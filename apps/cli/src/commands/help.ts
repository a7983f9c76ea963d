/** `couplet help [TOPIC]`. */
import { COMMANDS, commandNamed } from '../commands.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { commandHelp, generalHelp, TOPICS } from '../help.ts'
import { suggest } from '../suggest.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const [topic] = context.operands
  const command = topic === undefined ? undefined : commandNamed(topic)
  if (command?.passThrough) {
    return (await command.load()).run({ ...context, rest: ['--help'] })
  }
  const text =
    topic === undefined ? generalHelp() : command ? commandHelp(command) : TOPICS[topic]?.()
  if (text === undefined) {
    const near = suggest(topic!, [...COMMANDS.map(({ name }) => name), ...Object.keys(TOPICS)])
    throw new UsageError(
      `there is no help on “${topic}”.${near ? ` Did you mean “${near}”?` : ''} See: couplet help`,
    )
  }
  await terminal.print(text)
  return 0
}
