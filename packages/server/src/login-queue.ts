/**
 * Logins after the end of a node come all at once: as many as the directory can bear are checked at
 * one time, the others wait in the order in which they came, and whom it would take too long is told
 * at once when to come again. (spec/socket.md, "Login")
 */
import { WireError } from '@couplet/wire'

export interface LoginQueueLimits {
  /** Checked at one time: each is a few questions to the directory. */
  readonly atOnce: number
  /** Waiting. Each holds a socket and a few hundred bytes. */
  readonly waiting: number
  /** The longest wait: well within the time that a client has for its login. */
  readonly patienceMs: number
}

export const LOGIN_QUEUE_LIMITS: LoginQueueLimits = {
  atOnce: 64,
  waiting: 20_000,
  patienceMs: 5000,
}

interface Waiter {
  readonly since: number
  readonly begin: () => void
}

export class LoginQueue {
  readonly #limits: LoginQueueLimits
  readonly #now: () => number
  readonly #waiters = new Set<Waiter>()
  #checking = 0

  /** @param now - milliseconds of a clock that only goes forward. */
  constructor(
    limits: LoginQueueLimits = LOGIN_QUEUE_LIMITS,
    now: () => number = () => performance.now(),
  ) {
    this.#limits = limits
    this.#now = now
  }

  /**
   * @param check - called when there is room for it.
   * @throws {WireError} `unavailable` with the seconds after which to come again.
   */
  async run<T>(check: () => Promise<T>): Promise<T> {
    if (this.#checking >= this.#limits.atOnce) await this.#turn()
    else this.#checking++
    try {
      return await check()
    } finally {
      this.#next()
    }
  }

  /** The place is handed over by whoever has finished. */
  #turn(): Promise<void> {
    const { waiting, patienceMs } = this.#limits
    const now = this.#now()
    const [oldest] = this.#waiters
    // As long as the one whose turn it is has waited, a newcomer would wait at least.
    const wait = now - (oldest?.since ?? now)
    if (wait > patienceMs || this.#waiters.size >= waiting) {
      const retryAfter = Math.min(MAX_RETRY_S, Math.ceil(Math.max(wait, patienceMs) / 1000))
      throw new WireError('unavailable', 'too many logins at once', { retryAfter })
    }
    return new Promise((resolve) => this.#waiters.add({ since: now, begin: resolve }))
  }

  #next(): void {
    const [first] = this.#waiters
    if (!first) {
      this.#checking--
      return
    }
    this.#waiters.delete(first)
    first.begin()
  }
}

const MAX_RETRY_S = 30
