/** One run of the program: from words to an exit code. Nothing here ends the process. */
import type { Command, Operand } from './commands.ts'
import type { Context, Environment } from './context.ts'
import { codeOf, detailsOf, Interrupted, OutputClosed, UsageError } from './errors.ts'
import { exitCodeFor, INTERRUPTED } from './exit-codes.ts'
import { type Invocation, isMissing, parseCommandLine, wantsJson } from './parse.ts'
import { sentenceFor } from './sentences.ts'
import { createTerminal, type Streams, type Terminal } from './terminal.ts'

export async function runCli(
  words: readonly string[],
  environment: Environment,
  streams: Streams,
): Promise<number> {
  let terminal = createTerminal(streams, { json: wantsJson(words, environment), quiet: false })
  let context: Context | undefined
  try {
    const invocation = parseCommandLine(words, environment)
    const { json = false, quiet = false } = invocation.options
    terminal = createTerminal(streams, { json, quiet })
    context = { ...invocation, environment, terminal }
    const { command, missing } = invocation
    if (command && missing) context = await asked(context, command, missing)
    return await dispatch(invocation, context)
  } catch (error) {
    return failed(error, terminal, context, environment)
  }
}

/** Somebody at a terminal is asked for what is missing; a script is told. */
async function asked(context: Context, command: Command, missing: Operand): Promise<Context> {
  const { terminal, operands } = context
  if (!terminal.interactive) throw isMissing(command, missing)
  const { ask } = await import('./prompt.ts')
  const answer = await ask(terminal.streams, missing.question!)
  return { ...context, operands: [...operands, answer] }
}

async function dispatch({ command, options }: Invocation, context: Context): Promise<number> {
  const { terminal } = context
  if (options.version) {
    const { version } = await import('./version.ts')
    await terminal.print(version())
    return 0
  }
  if (!command || options.help) {
    const { commandHelp, generalHelp } = await import('./help.ts')
    await terminal.print(command ? commandHelp(command) : generalHelp())
    return 0
  }
  return (await command.load()).run(context)
}

function failed(
  error: unknown,
  terminal: Terminal,
  context: Context | undefined,
  environment: Environment,
): number {
  if (error instanceof OutputClosed) return 0
  if (error instanceof Interrupted) return INTERRUPTED[error.signal] ?? 130
  const code = error instanceof UsageError ? 'usage' : codeOf(error)
  terminal.fail(code, sentenceFor(error, context), detailsOf(error))
  if (environment.COUPLET_DEBUG === '1' && error instanceof Error) {
    terminal.streams.errors.write(`${error.stack ?? ''}\n`)
  }
  return exitCodeFor(code)
}
