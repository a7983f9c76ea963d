/** `couplet verify`: the safety number, and the mark that it was compared. */
import type { SafetyNumber } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import { type Context, pasteable } from '../context.ts'
import { UsageError } from '../errors.ts'
import { withCouplet } from '../home.ts'
import { rowsOf } from '../safety-number.ts'
import { onWarnings } from '../warnings.ts'

export async function run(context: Context): Promise<number> {
  const { mark = false, unmark = false } = context.options
  if (mark && unmark) throw new UsageError('--mark and --unmark are opposites; choose one.')
  const phone = parsePhoneNumber(context.operands[0]!)
  return withCouplet(context, async (couplet, deadline) => {
    onWarnings(context, couplet)
    const { terminal } = context
    const before = (await couplet.contacts()).find((contact) => contact.phone === phone)
    let number = await terminal.during('Asking the server …', deadline.race(couplet.verify(phone)))
    if (mark) {
      // What was compared is the number that was shown before, not one that the server brings now.
      const compared = { ...number, identityId: before?.identityId ?? number.identityId }
      await couplet.markVerified(compared)
    }
    if (unmark) await couplet.unmarkVerified(phone)
    if (mark || unmark) number = { ...number, verified: mark }
    const { digits, verified, keyChanged } = number
    await terminal.printJson({ phone, digits, verified, keyChanged })
    if (!terminal.json) await show(context, number)
    return 0
  })
}

async function show(context: Context, number: SafetyNumber): Promise<void> {
  const { terminal } = context
  const { phone } = number
  terminal.say(`Safety number with ${phone}:\n`)
  await terminal.print(
    rowsOf(number.digits)
      .map((row) => `  ${row}`)
      .join('\n'),
  )
  terminal.say(`\n${whatItMeans(context, number)}`)
}

function whatItMeans(context: Context, { phone, verified, keyChanged }: SafetyNumber): string {
  const same = 'the same digits at both ends mean that nobody is in between.'
  if (keyChanged) {
    return `This is the number of a NEW key that you have not accepted: a new phone, or somebody in between. Compare it with ${phone}, face to face or on a call: ${same}\nOnly if they match: ${pasteable(context, `contacts accept ${phone}`)}`
  }
  if (verified) return `Marked as verified: you compared it with ${phone}.`
  return `Not verified yet. Compare it with ${phone}, face to face or on a call: ${same}\nIf they match: ${pasteable(context, `verify ${phone} --mark`)}`
}
