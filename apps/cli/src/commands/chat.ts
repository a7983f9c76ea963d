/** `couplet chat`: a live conversation: on the full screen, line by line, or through pipes. */
import { parsePhoneNumber } from '@couplet/wire'
import type { Context } from '../context.ts'
import { converse } from '../conversation.ts'
import { UsageError } from '../errors.ts'
import { commandDeadline, tryOnline, withCouplet } from '../home.ts'
import { createLineView } from '../line-view.ts'
import { createPlainView } from '../plain-view.ts'

export async function run(context: Context): Promise<number> {
  const { terminal, environment, options } = context
  const number = context.operands[0]
  const peer = number === undefined ? undefined : parsePhoneNumber(number)
  const live = terminal.interactive && terminal.outputIsTerminal
  const fullScreen = live && options.lines !== true && environment.TERM !== 'dumb'
  if (peer === undefined && !fullScreen) {
    throw new UsageError('NUMBER is missing. Usage: couplet chat NUMBER')
  }
  return withCouplet(context, async (couplet) => {
    if (peer === undefined || fullScreen) {
      const { chatOnScreen } = await import('../screen/chat-screen.ts')
      await chatOnScreen(context, couplet, peer)
      return 0
    }
    const view = live ? createLineView(context, peer) : createPlainView(context)
    try {
      if (!live) await tryOnline(context, couplet, commandDeadline(context))
      await converse({ context, couplet, peer, view, live })
      return 0
    } finally {
      view.close()
    }
  })
}
