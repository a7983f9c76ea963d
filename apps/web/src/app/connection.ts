/** The connection as people are told of it: since when it is away, and why. */
import type { Couplet } from '@couplet/client'
import { failureOf } from './failures.ts'
import { type Refusal, useMessenger } from './messenger.ts'

const set = useMessenger.setState
const get = useMessenger.getState

/**
 * Connects the open client, and follows its connection.
 *
 * @param onBroken - called when the home cannot be read.
 */
export function stayConnected(couplet: Couplet, onBroken: (error: unknown) => void): void {
  couplet.on('connection', (state) => {
    const before = get().connection.state
    set(({ connection }) => ({
      connection: {
        state,
        downSince: state === 'online' ? undefined : (connection.downSince ?? Date.now()),
        wasUp: connection.wasUp || state === 'online',
      },
    }))
    clearTimeout(doubt)
    // The SDK tries again by itself and keeps to itself why it failed: that is asked for here.
    const ask = () => {
      // A page that is frozen has said goodbye, and is not to be called back.
      if (document.visibilityState === 'visible') connect(couplet, onBroken)
    }
    if (state === 'offline' && before === 'online') ask()
    else if (state === 'offline') doubt = setTimeout(ask, DOUBT_MS)
  })
  connect(couplet, onBroken)
}
let doubt: ReturnType<typeof setTimeout> | undefined

/** What fails is tried again by itself, but for what trying does not mend. */
function connect(couplet: Couplet, onBroken: (error: unknown) => void): void {
  if (get().couplet !== couplet) return
  couplet.connect().catch((error: unknown) => {
    const { code } = failureOf(error)
    if (get().couplet !== couplet) return
    if (code === 'unreadable-home') onBroken(error)
    // It has closed itself: something on this device failed, and any call says what.
    if (code === 'closed') void askWhy(couplet, onBroken)
    if (!isRefusal(code)) return
    set(({ connection }) => ({ connection: { ...connection, refusal: code } }))
  })
}

async function askWhy(couplet: Couplet, onBroken: (error: unknown) => void): Promise<void> {
  try {
    await couplet.account()
  } catch (error) {
    onBroken(error)
  }
}

function isRefusal(code: string): code is Refusal {
  return code === 'unauthenticated' || code === 'client-too-old'
}

/** Offline for so long, it is asked why. */
const DOUBT_MS = 20_000
