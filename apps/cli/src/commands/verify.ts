/** `couplet verify`: the safety number, and the mark that it was compared. */
import type { SafetyNumber } from '@couplet/client'
import { parsePhoneNumber, toBase64Url } from '@couplet/wire'
import { type Context, pasteable } from '../context.ts'
import { CommandError, UsageError } from '../errors.ts'
import { withCouplet } from '../home.ts'
import { rowsOf } from '../safety-number.ts'
import { onWarnings } from '../warnings.ts'

export async function run(context: Context): Promise<number> {
  const { unmark = false, compare } = context.options
  const mark = context.options.mark === true || compare !== undefined
  if (mark && unmark) throw new UsageError('--mark and --unmark are opposites; choose one.')
  const digitsThere = compare === undefined ? undefined : sixtyDigits(compare)
  const phone = parsePhoneNumber(context.operands[0]!)
  return withCouplet(context, async (couplet, deadline) => {
    onWarnings(context, couplet)
    const { terminal } = context
    const before = (await couplet.contacts()).find((contact) => contact.phone === phone)
    let number = await terminal.during('Asking the server …', deadline.race(couplet.verify(phone)))
    if (digitsThere !== undefined && digitsThere !== number.digits) throw mismatch(context, phone)
    if (mark) {
      // What was compared is the number that was shown before, not one that the server brings now.
      const compared = { ...number, identityId: before?.identityId ?? number.identityId }
      await couplet.markVerified(compared)
    }
    if (unmark) await couplet.unmarkVerified(phone)
    if (mark || unmark) number = { ...number, verified: mark }
    const { digits, verified, keyChanged } = number
    const code = toBase64Url(number.code)
    await terminal.printJson({ type: 'safety-number', phone, digits, code, verified, keyChanged })
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
  if (terminal.outputIsTerminal) await showCode(context, number)
  terminal.say(`\n${whatItMeans(context, number)}`)
}

/** The code that the contact's device scans. */
async function showCode({ terminal }: Context, { code }: SafetyNumber): Promise<void> {
  const { qrLines } = await import('../qr-code.ts')
  const colours = terminal.paint('bold', '.') !== '.'
  const lines = qrLines(code, colours)
  const { columns = 80 } = terminal.streams.output
  if (columns < QR_COLUMNS) return
  await terminal.print(`\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

function sixtyDigits(text: string): string {
  const digits = text.replace(/\s/g, '')
  if (!/^\d{60}$/.test(digits)) throw new UsageError('a safety number has sixty digits.')
  return digits
}

function mismatch(context: Context, phone: string): CommandError {
  return new CommandError(
    'mismatch',
    `these are NOT the digits of ${phone} as the server shows them here: somebody may be in between, or one of you has a new key. Nothing was marked. See: ${pasteable(context, `verify ${phone}`)}`,
  )
}

function whatItMeans(context: Context, { phone, verified, keyChanged }: SafetyNumber): string {
  const same = 'the same digits at both ends mean that nobody is in between.'
  if (keyChanged) {
    return `This is the number of a NEW key that you have not accepted: a new phone, or somebody in between. Compare it with ${phone}, face to face or on a call: ${same}\nOnly if they match: ${pasteable(context, `contacts accept ${phone}`)}`
  }
  if (verified) return `Marked as verified: you compared it with ${phone}.`
  return `Not verified yet. Compare it with ${phone}, face to face or on a call: ${same}\nIf they match: ${pasteable(context, `verify ${phone} --mark`)}`
}

/** The code with its margins. */
const QR_COLUMNS = 44
