/** `couplet pin`: guards the number against whoever gets hold of its codes. */
import type { Couplet } from '@couplet/client'
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { withCouplet } from '../home.ts'
import { newPin } from '../passphrase.ts'
import { lockWords } from '../pin-words.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const [action] = context.operands
  if (action !== undefined && action !== 'set' && action !== 'remove') {
    throw new UsageError('it is “couplet pin”, “pin set” or “pin remove”.')
  }
  return withCouplet(context, async (couplet, deadline) => {
    if (action !== undefined) {
      const pin = action === 'set' ? await newPin(context) : undefined
      await terminal.during('Asking the server …', deadline.race(couplet.lockRegistration(pin)))
    }
    await show(context, couplet, (work) => deadline.race(work))
    return 0
  })
}

async function show(
  { terminal }: Context,
  couplet: Couplet,
  inTime: <T>(work: Promise<T>) => Promise<T>,
): Promise<void> {
  const { lock } = await terminal.during('Asking the server …', inTime(couplet.account()))
  await terminal.printJson({
    type: 'pin',
    set: lock !== undefined,
    ...(lock && { triesLeft: lock.triesLeft, failures: lock.failures }),
    ...(lock?.failedAt !== undefined && { failedAt: new Date(lock.failedAt).toISOString() }),
  })
  await terminal.answer(`PIN of ${couplet.phone}: ${lockWords(lock, Date.now())}`)
  terminal.say(
    lock
      ? 'Whoever registers this number anew needs it. It ends when you have not connected for a week.'
      : 'Whoever gets hold of a code for this number can register it anew. To ask for a PIN too: couplet pin set',
  )
}
