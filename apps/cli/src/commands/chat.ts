/** `couplet chat`: a live conversation, in a terminal or through pipes. */
import { parsePhoneNumber } from '@couplet/wire'
import type { Context } from '../context.ts'
import { converse } from '../conversation.ts'
import { commandDeadline, tryOnline, withCouplet } from '../home.ts'
import { createLineView } from '../line-view.ts'
import { createPlainView } from '../plain-view.ts'

export async function run(context: Context): Promise<number> {
  const peer = parsePhoneNumber(context.operands[0]!)
  const { terminal } = context
  const live = terminal.interactive && terminal.outputIsTerminal
  return withCouplet(context, async (couplet) => {
    const view = live ? createLineView(context, peer) : createPlainView(context)
    const conversation = { context, couplet, peer, view, live }
    try {
      if (!live) await tryOnline(context, couplet, commandDeadline(context))
      await converse(conversation)
      return 0
    } finally {
      view.close()
    }
  })
}
