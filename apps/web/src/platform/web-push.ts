/** Web Push: this browser subscribes with the server's key, and the server is told where. */
import { equalBytes } from '@couplet/wire'
import type { Push } from './ports.ts'
import { registration } from './updates.ts'

/** `undefined` where the browser cannot. */
export function webPush(): Push | undefined {
  if (!('PushManager' in globalThis)) return undefined
  return {
    isOn: async () => (await current()) !== null,
    async switchOn(couplet) {
      const manager = (await registration)?.pushManager
      const key = await couplet.pushKey()
      if (!manager || !key) return false
      const before = await manager.getSubscription()
      // Of another server, or of the same one with another key: void.
      const isCurrent = before && equalBytes(keyOf(before), key)
      if (before && !isCurrent) await before.unsubscribe()
      const subscription = isCurrent
        ? before
        : await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
      try {
        await couplet.subscribeToPush({
          endpoint: subscription.endpoint,
          p256dh: part(subscription, 'p256dh'),
          auth: part(subscription, 'auth'),
        })
      } catch (error) {
        await subscription.unsubscribe()
        throw error
      }
      return true
    },
    async switchOff(couplet) {
      await (await current())?.unsubscribe()
      await couplet.unsubscribeFromPush()
    },
  }
}

async function current(): Promise<PushSubscription | null> {
  return (await (await registration)?.pushManager.getSubscription()) ?? null
}

function keyOf({ options }: PushSubscription): Uint8Array {
  return new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0))
}

function part(
  subscription: PushSubscription,
  name: PushEncryptionKeyName,
): Uint8Array<ArrayBuffer> {
  const value = subscription.getKey(name)
  if (!value) throw new TypeError('a subscription without keys')
  return new Uint8Array(value)
}
