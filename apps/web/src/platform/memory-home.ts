/** A home in memory: gone when the page is. */
import {
  ClientError,
  type Clock,
  createHttpApi,
  createSocketConnector,
  memoryStore,
  type Platform,
  type Random,
} from '@couplet/client'
import type { ExchangePrivateKey } from '@couplet/protocol'
import { webPrimitives } from '@couplet/protocol/web'
import type { OpenHome, WebHome } from './ports.ts'

export function memoryHome(): WebHome {
  let home: OpenHome | undefined
  return {
    inspect: async () => ({ kind: home ? 'open' : 'absent' }),
    open: async () => {
      home ??= { store: memoryStore(), ports: memoryPorts(), rememberOwner: () => {} }
      return home
    },
    remove: async () => {
      home = undefined
    },
  }
}

function memoryPorts(): OpenHome['ports'] {
  const keys = new Map<string, ExchangePrivateKey>()
  const platform: Platform = {
    primitives: webPrimitives,
    random,
    clock: pageClock,
    // The key itself never leaves WebCrypto: the store gets a name for it.
    exportExchangeKey(key) {
      const name = random(16)
      keys.set(name.toString(), key)
      return name
    },
    async importExchangeKey(name) {
      const key = keys.get(name.toString())
      if (!key) throw new ClientError('unreadable-home', 'the exchange key is not in this browser')
      return key
    },
  }
  return {
    platform,
    createApi: (url) =>
      createHttpApi({ url, clock: pageClock, sha256: (data) => webPrimitives.sha256(data) }),
    createConnector: (url) => createSocketConnector({ url, clock: pageClock }),
  }
}

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

const pageClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, task) {
    // Longer timers fire at once.
    const timer = setTimeout(task, Math.min(delayMs, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}
