/** `couplet delete-account`: the number is free, and nothing of it is left at the server. */
import type { Context } from '../context.ts'
import { CommandError, UsageError } from '../errors.ts'
import { homeFolder, withCouplet } from '../home.ts'
import { ask } from '../prompt.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  return withCouplet(context, async (couplet, deadline) => {
    const { phone, server } = couplet
    await confirmed(context, phone)
    await terminal.during('Asking the server …', deadline.race(couplet.deleteAccount()))
    await terminal.printJson({ type: 'account-deleted', phone, server })
    await terminal.answer(`${phone} is not registered at ${server} any more.`)
    terminal.say(
      `Your messages are still here; to delete them too: rm -r ${await homeFolder(context)}`,
    )
    return 0
  })
}

/** What cannot be undone is typed, not clicked. */
async function confirmed({ terminal, options }: Context, phone: string): Promise<void> {
  if (options.yes) return
  if (!terminal.interactive) throw new UsageError('this cannot be undone: say --yes.')
  terminal.say(
    'The number is free for others, what waits for you is gone, and people you know are warned when it is registered anew.',
  )
  const typed = await ask(terminal.streams, `Type ${phone} to delete the account: `)
  if (typed.replace(/\s/g, '') !== phone) throw new CommandError('usage', 'nothing was deleted.')
}
