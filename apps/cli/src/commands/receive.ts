/** `couplet receive`: prints what is waiting, and what arrives. */
import type { Couplet, IncomingMessage } from '@couplet/client'
import type { Context } from '../context.ts'
import { CommandError, Interrupted } from '../errors.ts'
import { tryOnline, withCouplet } from '../home.ts'
import { gapSentence, incomingJson, incomingLine } from '../message-lines.ts'
import { onWarnings } from '../warnings.ts'

export async function run(context: Context): Promise<number> {
  const { follow = false, timeout } = context.options
  try {
    return await withCouplet(context, async (couplet, deadline) => {
      onWarnings(context, couplet)
      const online = await tryOnline(context, couplet, deadline)
      const reading = print(context, couplet, follow && online)
      const replaced = untilReplaced(couplet)
      const end = Promise.race([reading, replaced])
      const count = follow && timeout !== undefined ? await deadline.race(end, over) : await end
      if (!online) throw unreachable(count)
      if (count === 0) context.terminal.say('Nothing is waiting.')
      return 0
    })
  } catch (error) {
    // Being stopped is how following ends.
    if (follow && (error instanceof Interrupted || error instanceof TimeOver)) return 0
    throw error
  }
}

/** A message counts as seen when the next is asked for: after it has been printed. */
async function print(context: Context, couplet: Couplet, follow: boolean): Promise<number> {
  const { terminal } = context
  if (follow) terminal.say('Waiting for messages; Ctrl-C ends it.')
  let count = 0
  for await (const message of couplet.messages({ follow })) {
    await printOne(context, message)
    count++
  }
  return count
}

async function printOne({ terminal }: Context, message: IncomingMessage): Promise<void> {
  if (terminal.json) return terminal.printJson(incomingJson(message))
  if (message.missingBefore > 0)
    terminal.say(terminal.paintTalk('dim', `· ${gapSentence(message)}`))
  await terminal.print(incomingLine(terminal, message, Date.now()))
}

function untilReplaced(couplet: Couplet): Promise<never> {
  return new Promise((_, reject) => {
    couplet.on('connection', (state) => {
      if (state !== 'replaced') return
      const sentence = 'another connection with this identity took over; this one ends.'
      reject(new CommandError('closed', sentence))
    })
  })
}

function unreachable(count: number): CommandError {
  const kept = count > 0 ? 'Printed is what was here already' : 'Nothing new is here'
  return new CommandError(
    'unreachable',
    `the server does not answer. ${kept}; what waits there stays there.`,
  )
}

class TimeOver extends Error {}

function over(): Error {
  return new TimeOver('the time to follow is over')
}
