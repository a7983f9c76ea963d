/** `couplet outbox`: what is not delivered yet, and a push for it. */
import type { Couplet, OutgoingMessage } from '@couplet/client'
import type { Context } from '../context.ts'
import { exitCodeFor } from '../exit-codes.ts'
import { goOnline, withCouplet } from '../home.ts'
import { excerpt, outgoingJson } from '../message-lines.ts'
import { countStates, stateWords } from '../states.ts'
import { ago } from '../time.ts'
import { onWarnings } from '../warnings.ts'

export function run(context: Context): Promise<number> {
  return withCouplet(context, async (couplet, deadline) => {
    onWarnings(context, couplet)
    const before = await couplet.outbox()
    const ended = new Map<string, OutgoingMessage>()
    if (context.options.flush) {
      couplet.on('status', (message) => {
        const isOver = message.state === 'delivered' || message.state === 'failed'
        if (isOver) ended.set(message.id, message)
      })
      await goOnline(context, couplet, deadline)
    }
    await report(context, couplet, before, [...ended.values()])
    const [failure] = [...ended.values()].flatMap((message) => message.failure ?? [])
    return failure === undefined ? 0 : exitCodeFor(failure)
  })
}

async function report(
  context: Context,
  couplet: Couplet,
  before: readonly OutgoingMessage[],
  ended: readonly OutgoingMessage[],
): Promise<void> {
  const { terminal, options } = context
  const waiting = await couplet.outbox()
  for (const message of [...ended, ...waiting]) {
    if (terminal.json) await terminal.printJson(outgoingJson(message))
    else await terminal.print(lineOf(context, message))
  }
  if (before.length === 0 && waiting.length === 0) {
    terminal.say('Nothing waits: everything is delivered.')
  } else if (options.flush) {
    terminal.say(`${countStates([...ended, ...waiting])}.`)
  }
}

/** `+12025550102  waiting for room  3 min ago  Dinner at eight?`. */
function lineOf({ terminal }: Context, message: OutgoingMessage): string {
  const state = stateWords(message).padEnd(16)
  const painted =
    message.state === 'failed'
      ? terminal.paint('red', state)
      : message.state === 'delivered'
        ? terminal.paint('green', state)
        : state
  const age = terminal.paint('dim', ago(message.sentAt, Date.now()).padEnd(10))
  return `${message.to}  ${painted}  ${age}  ${excerpt(message.text)}`
}
