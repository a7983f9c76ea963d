/**
 * A client that wakes and sleeps with its page.
 *
 * A connection may be dead without anybody knowing: the machine slept, or the network changed. And a
 * page may be frozen, its timers and sockets stopped: it says goodbye before, so that the server
 * knows that nobody reads, and other ways of notice take over.
 */
import type { Couplet } from '../api.ts'

/** Follows the page until the client is closed. */
export function followPage(couplet: Couplet): Couplet {
  /** Whether it was the page that took the client offline. */
  let asleep = false

  const sleep = () => {
    if (couplet.connection !== 'online' && couplet.connection !== 'connecting') return
    asleep = true
    void couplet.disconnect().catch(() => undefined)
  }
  const wake = () => {
    if (document.visibilityState === 'hidden' && !asleep) return
    if (!asleep) return couplet.wake()
    asleep = false
    couplet.connect().catch(() => undefined)
  }
  const online = () => couplet.wake()
  const hidden = ({ persisted }: PageTransitionEvent) => {
    // Kept as it is, to be shown again: what is closed for good closes its socket by itself.
    if (persisted) sleep()
  }

  addEventListener('online', online)
  addEventListener('pageshow', wake)
  addEventListener('pagehide', hidden)
  document.addEventListener('visibilitychange', wake)
  document.addEventListener('freeze', sleep)
  document.addEventListener('resume', wake)

  const close = couplet.close.bind(couplet)
  couplet.close = () => {
    removeEventListener('online', online)
    removeEventListener('pageshow', wake)
    removeEventListener('pagehide', hidden)
    document.removeEventListener('visibilitychange', wake)
    document.removeEventListener('freeze', sleep)
    document.removeEventListener('resume', wake)
    return close()
  }
  return couplet
}
