/** `couplet keyring`: keeps the passphrase of a home where the system keeps such things. */
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { homeFolder, sdk } from '../home.ts'
import { forgetInKeyring, fromKeyring, storeInKeyring } from '../keyring.ts'
import { knownPassphrase } from '../passphrase.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const [action] = context.operands
  const home = await homeFolder(context)
  if (action === 'store') {
    const { openCouplet } = await sdk()
    const passphrase = await knownPassphrase(context)
    // Only one that opens the home is worth keeping.
    const couplet = await terminal.during('Opening your home …', openCouplet({ home, passphrase }))
    await couplet.close()
    await storeInKeyring(home, passphrase)
  } else if (action === 'forget') await forgetInKeyring(home)
  else if (action !== undefined) {
    throw new UsageError('it is “couplet keyring”, “keyring store” or “keyring forget”.')
  }
  const isKept = (await fromKeyring(home)) !== undefined
  await terminal.printJson({ type: 'keyring', kept: isKept })
  await terminal.answer(
    isKept
      ? 'The passphrase of this home is in the keyring: you are not asked for it.'
      : 'The passphrase of this home is not in the keyring.',
  )
  return 0
}
