/** `couplet export FILE`: moves this home into one encrypted file. Moved, never copied. */
import type { Context } from '../context.ts'
import { CommandError } from '../errors.ts'
import { homeFolder, sdk } from '../home.ts'
import { filePassphrase, passphraseToOpen } from '../passphrase.ts'
import { ask } from '../prompt.ts'

export async function run(context: Context): Promise<number> {
  const { terminal, options } = context
  const { exportHomeToFile, needsPassphrase, takeBackHomeExport } = await sdk()
  const home = await homeFolder(context)
  const need = await needsPassphrase(home)
  const passphrase = await passphraseToOpen(context, need, home)
  const access = { home, ...(passphrase !== undefined && { passphrase }) }
  if (options['take-back']) {
    await takeBackHomeExport(access)
    await terminal.answer('The interrupted export is taken back: this home is here again.')
    return 0
  }
  const file = context.operands[0]
  if (file === undefined)
    throw new CommandError('usage', 'FILE is missing. Usage: couplet export FILE')
  await confirmed(context, file)
  const secret = await filePassphrase(context, 'new')
  await terminal.during(
    'Writing the file …',
    exportHomeToFile({ ...access, file, filePassphrase: secret }),
  )
  await terminal.printJson({ type: 'exported', file })
  await terminal.answer(`This home is in ${file} now, and cannot be opened here any more.`)
  terminal.say(`Bring the file to where it goes on: couplet import ${file}`)
  return 0
}

async function confirmed({ terminal, options }: Context, file: string): Promise<void> {
  if (options.yes || !terminal.interactive) return
  terminal.say(
    `Your keys, people and messages move into ${file}. This home is emptied: two devices with the same keys would break both.`,
  )
  if (/^y/i.test(await ask(terminal.streams, 'Go on? [y/N] '))) return
  throw new CommandError('usage', 'nothing was exported.')
}
