/**
 * One tab at a time, by Web Locks: the lock is gone with its tab, however that ends.
 *
 * A tab that wants the home asks over a channel. The one that has it finishes what it is doing,
 * closes, and lets go. One that does not answer, frozen perhaps, loses the lock all the same: the
 * store refuses whatever it would still write.
 */
import type { TabLock } from './ports.ts'

export function webLock(): TabLock {
  const channel = new BroadcastChannel(NAME)
  let release: (() => void) | undefined

  /** Resolves once this tab has the lock, or with `false` when it is not to be had. */
  const request = (options: LockOptions, onLost: () => Promise<void>) =>
    new Promise<boolean>((resolve, reject) => {
      let held = false
      navigator.locks
        .request(NAME, options, async (lock) => {
          if (!lock) return resolve(false)
          held = true
          const asked = new Promise<void>((letGo) => {
            release = letGo
          })
          resolve(true)
          await asked
          release = undefined
          await onLost()
        })
        .catch((error: unknown) => {
          // Taken away while it was held, or not given in time.
          if (held) void onLost()
          else if (isAbort(error)) resolve(false)
          else reject(error)
        })
    })

  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data === TAKE_OVER) release?.()
  })

  return {
    async acquire(onLost) {
      if (await request({ ifAvailable: true }, onLost)) return true
      // A page that was loaded anew may be quicker than the end of the one before it.
      await new Promise((resolve) => setTimeout(resolve, GRACE_MS))
      return request({ ifAvailable: true }, onLost)
    },
    async takeOver(onLost) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel of one origin
      channel.postMessage(TAKE_OVER)
      const patience = AbortSignal.timeout(PATIENCE_MS)
      if (await request({ signal: patience }, onLost)) return
      await request({ steal: true }, onLost)
    },
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && ['AbortError', 'TimeoutError'].includes(error.name)
}

const NAME = 'couplet.home'
const TAKE_OVER = 'take over'
/** How long the lock of a page that is gone may outlive it. */
const GRACE_MS = 500
/** How long another tab may take to close. */
const PATIENCE_MS = 5000
