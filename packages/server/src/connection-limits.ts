/** How many sockets there may be: in all, and for each address block. */
import type { Socket } from 'node:net'
import { addressBlock, type TrustedProxies } from './addresses.ts'
import { type Limits, type OnLimited, tooOften } from './limits.ts'

type CountLimits = Pick<Limits, 'connections' | 'connectionsPerAddress'>

export class ConnectionLimits {
  readonly #limits: CountLimits
  readonly #onLimited: OnLimited
  readonly #byBlock = new Map<string, number>()
  #all = 0

  constructor(limits: CountLimits, onLimited: OnLimited) {
    this.#limits = limits
    this.#onLimited = onLimited
  }

  get open(): number {
    return this.#all
  }

  /**
   * A socket from this address opens.
   *
   * @returns to be called when it has closed.
   * @throws {WireError} `rate-limited`.
   */
  take(address: string): () => void {
    const { connections, connectionsPerAddress } = this.#limits
    const block = addressBlock(address)
    const mine = this.#byBlock.get(block) ?? 0
    if (connections !== undefined && this.#all >= connections) this.#refuse('connections')
    if (connectionsPerAddress !== undefined && mine >= connectionsPerAddress) {
      this.#refuse('connectionsPerAddress')
    }
    this.#all++
    this.#byBlock.set(block, mine + 1)
    let open = true
    return () => {
      if (!open) return
      open = false
      this.#all--
      const left = this.#byBlock.get(block)! - 1
      if (left === 0) this.#byBlock.delete(block)
      else this.#byBlock.set(block, left)
    }
  }

  #refuse(name: 'connections' | 'connectionsPerAddress'): never {
    this.#onLimited(name)
    throw tooOften(RETRY_MS)
  }
}

/**
 * The same for whatever connects, before it has said a word: a browser has a socket and some
 * connections for requests, so twice as many. Proxies that are trusted speak for many.
 *
 * @returns for the server's event `connection`.
 */
export function limitTcp(
  { connections, connectionsPerAddress }: Limits,
  onLimited: OnLimited,
  proxies: TrustedProxies,
): (socket: Socket) => void {
  const limits = new ConnectionLimits(
    {
      connections: connections && 2 * connections,
      connectionsPerAddress: connectionsPerAddress && 2 * connectionsPerAddress,
    },
    onLimited,
  )
  return (socket) => {
    const { remoteAddress = '' } = socket
    if (proxies.has(remoteAddress)) return
    try {
      socket.once('close', limits.take(remoteAddress))
    } catch {
      socket.destroy()
    }
  }
}

const RETRY_MS = 10_000
