/** Export and import of the home, as far as the browser's side can do them. */
import { webPlatform } from '../platform/index.ts'
import { closeMessenger } from './messenger.ts'
import { start } from './session.ts'

export function canMove(): boolean {
  return webPlatform.moving !== undefined
}

/** Takes the home of a backup up in this browser. @throws {ClientError} `wrong-passphrase`, … */
export async function restoreFrom(file: Blob, passphrase: string): Promise<void> {
  await webPlatform.moving?.importHome(file, passphrase)
  await start()
}

/** The encrypted home as a file; afterwards it is no longer in this browser. */
export async function exportTo(passphrase: string): Promise<Blob | undefined> {
  await closeMessenger()
  try {
    return await webPlatform.moving?.exportHome(passphrase)
  } finally {
    await start()
  }
}
