/**
 * The service worker as the page sees it: registered once, and a new version of the app told when it
 * is loaded and waits.
 */
import type { Updates } from './ports.ts'
import { scriptAddress } from './trusted.ts'

/** `undefined` where there are no service workers, or none is served (in development). */
export const registration: Promise<ServiceWorkerRegistration | undefined> = register()

export function updates(): Updates {
  return {
    async onReady(tell) {
      const registered = await registration
      if (!registered) return
      const check = () => {
        // Without a controller it is the first one, and nothing to tell of.
        if (registered.waiting && navigator.serviceWorker.controller) tell()
      }
      check()
      registered.addEventListener('updatefound', () => {
        registered.installing?.addEventListener('statechange', check)
      })
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') registered.update().catch(() => undefined)
      })
    },
    async use() {
      const waiting = (await registration)?.waiting
      if (!waiting) return
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), {
        once: true,
      })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is our own worker
      waiting.postMessage('use the new version')
    },
  }
}

async function register(): Promise<ServiceWorkerRegistration | undefined> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return undefined
  try {
    const address = scriptAddress('/service-worker.js') as string
    return await navigator.serviceWorker.register(address, { type: 'module', scope: '/' })
  } catch {
    // The app works without; it needs the network to start then.
    return undefined
  }
}
