/**
 * Moving the account out of this browser and into it. A page cannot know whether a download was
 * saved: until the person says so the home waits, retired, and can be taken back.
 */
import { webPlatform } from '../platform/index.ts'
import { closeMessenger } from './messenger.ts'
import { currentPassphrase, resume, show, useSession } from './session.ts'

/** Takes up the account of a file. @throws {ClientError} `wrong-passphrase`, `unreadable-export`, … */
export async function restoreFrom(file: Blob, passphrase: string): Promise<void> {
  await webPlatform.moving.importHome(file, passphrase)
  await resume()
}

/**
 * Retires the home and shows its file, to be saved. When that fails the home is as it was.
 *
 * @param filePassphrase - protects the file.
 */
export async function moveOut(filePassphrase: string): Promise<void> {
  const before = useSession.getState().phase
  show({ kind: 'starting' })
  try {
    await closeMessenger()
    const passphrase = currentPassphrase()
    const moving = await webPlatform.moving.exportHome({ passphrase, filePassphrase })
    show({ kind: 'moving-out', moving })
  } catch (error) {
    if (before.kind === 'ready') await resume()
    else show(before)
    throw error
  }
}

/** An interrupted move is given up: this browser has the account again. */
export async function takeBack(): Promise<void> {
  await webPlatform.moving.takeBack({ passphrase: currentPassphrase() })
  await resume()
}

/** Gives a file to the browser, to be saved. */
export function download(file: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = `couplet-${new Date().toISOString().slice(0, 10)}.couplet`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), DOWNLOAD_MS)
}

/** How long a browser may take to ask where a file shall go. */
const DOWNLOAD_MS = 600_000
