/** How many sockets there may be: in all, and for each address block. */
import { addressBlock } from './addresses.ts'
import { type Limits, type OnLimited, tooOften } from './limits.ts'

export class ConnectionLimits {
  readonly #limits: Limits
  readonly #onLimited: OnLimited
  readonly #byBlock = new Map<string, number>()
  #all = 0

  constructor(limits: Limits, onLimited: OnLimited) {
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

const RETRY_MS = 10_000
