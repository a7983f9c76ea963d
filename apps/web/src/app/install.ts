/**
 * Whether this page can become an app, and how. Chromium says when it would ask; on an iPhone or iPad
 * only a person can do it, and should before there is an account: the app on the home screen has a
 * storage of its own, which Safari does not clear after a week without a visit.
 */
import { create } from 'zustand'

interface Install {
  /** `none`: it is one already, or the browser cannot, or does not say. */
  readonly way: 'none' | 'prompt' | 'by-hand'
}

/** Only Chromium has it. */
interface InstallEvent extends Event {
  prompt(): Promise<unknown>
}

/** Only WebKit on iOS has `standalone`: whether this was opened from the home screen. */
function isPageOnIos(): boolean {
  return 'standalone' in navigator && navigator.standalone === false
}

export const useInstall = create<Install>()(() => ({ way: isPageOnIos() ? 'by-hand' : 'none' }))

let asked: InstallEvent | undefined

addEventListener('beforeinstallprompt', (event) => {
  // Its own banner would come at any moment: ours is where it makes sense.
  event.preventDefault()
  asked = event as InstallEvent
  useInstall.setState({ way: 'prompt' })
})
addEventListener('appinstalled', () => useInstall.setState({ way: 'none' }))

/** From a click. The browser asks once; what becomes of it, it says by an event. */
export async function install(): Promise<void> {
  const event = asked
  asked = undefined
  useInstall.setState({ way: 'none' })
  await event?.prompt()
}
