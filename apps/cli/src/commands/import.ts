/** `couplet import FILE`: makes a home from an exported one. */
import { existsSync } from 'node:fs'
import type { Context } from '../context.ts'
import { CommandError } from '../errors.ts'
import { homeFolder, sdk } from '../home.ts'
import { filePassphrase, passphraseToCreate } from '../passphrase.ts'
import { isoTime } from '../time.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const file = context.operands[0]!
  if (!existsSync(file)) throw new CommandError('cannot-write', `there is no file ${file}.`)
  const { importHomeFromFile, needsPassphrase } = await sdk()
  const home = await homeFolder(context)
  const secret = await filePassphrase(context, 'known')
  const isNew = (await needsPassphrase(home)) === 'new'
  const passphrase = isNew ? await passphraseToCreate(context) : undefined
  const access = { home, ...(passphrase !== undefined && { passphrase }) }
  const imported = await terminal.during(
    'Reading the file …',
    importHomeFromFile({ ...access, file, filePassphrase: secret }),
  )
  const { phone, server, identityId, exportedAt } = imported
  await terminal.printJson({
    type: 'imported',
    phone,
    server,
    identityId,
    exportedAt: isoTime(exportedAt),
  })
  await terminal.answer(`${phone} is here now, at ${server}.`)
  terminal.say(`Delete ${file}: a home is imported once.`)
  return 0
}
