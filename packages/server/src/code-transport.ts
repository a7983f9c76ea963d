/**
 * What every way of sending a code to a phone shares: a time limit for each try, one more try after
 * a moment, and a circuit breaker, so that a network that is down is not asked for every code.
 *
 * Whoever registers waits for the answer, so all of it fits into the 15 seconds that clients give.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PhoneNumber } from '@couplet/wire'
import type { CodeSender } from './ports.ts'

export interface CodeMessage {
  readonly phone: PhoneNumber
  readonly code: string
  /** What the person reads. */
  readonly text: string
}

/** Hands one message to a network. */
export interface CodeTransport {
  /**
   * @param signal - aborted when it takes too long.
   * @throws {CodeRefusedError} when another try would end the same; any other error otherwise.
   */
  send(message: CodeMessage, signal: AbortSignal): Promise<void>
}

/** The network does not take this message: a number that it cannot reach, say. */
export class CodeRefusedError extends Error {
  override readonly name = 'CodeRefusedError'
}

/** The breaker is open: the network was not asked. */
export class CodeNetworkDownError extends Error {
  override readonly name = 'CodeNetworkDownError'
}

/** Whether no message can have left: the network was not asked, or could not be reached. */
export function nothingSent(error: unknown): boolean {
  if (error instanceof CodeNetworkDownError) return true
  if (error instanceof AggregateError) return error.errors.every(nothingSent)
  const { syscall } = error as NodeJS.ErrnoException
  return syscall === 'connect' || syscall === 'getaddrinfo'
}

export interface SturdyOptions {
  /** With `{code}` in it. */
  readonly text?: string | undefined
  readonly timeoutMs?: number | undefined
  readonly tries?: number | undefined
  /** Failures one after another that open the breaker, and how long it stays open. */
  readonly breaker?: { readonly failures: number; readonly openMs: number } | undefined
  /** Milliseconds of a clock that does not jump. */
  readonly monotonic?: (() => number) | undefined
}

/** A transport as a code sender that can be relied upon. */
export function sturdyCodeSender(
  transport: CodeTransport,
  options: SturdyOptions = {},
): CodeSender {
  const { text = CODE_TEXT, timeoutMs = TRY_TIMEOUT_MS, tries = TRIES } = options
  const breaker = new Breaker(options)
  const once = (message: CodeMessage): Promise<void> => withLimit(transport, message, timeoutMs)
  return {
    development: false,
    async send(phone, code) {
      const message = { phone, code, text: text.replaceAll('{code}', code) }
      // Of several failures, the one after which a message may have left.
      let doubt: unknown
      for (let attempt = 1; ; attempt++) {
        try {
          breaker.check()
          await once(message)
          breaker.succeeded()
          return
        } catch (error) {
          // A number that cannot be reached says nothing about the network.
          if (error instanceof CodeRefusedError) throw error
          if (!nothingSent(error)) doubt ??= error
          if (error instanceof CodeNetworkDownError) throw doubt ?? error
          breaker.failed()
          // After a time-out the message may be on its way: a second one would only confuse.
          if (attempt >= tries || isTimeout(error)) throw doubt ?? error
          await sleep(RETRY_AFTER_MS * attempt)
        }
      }
    },
  }
}

/** The limit holds whatever the transport makes of its signal. */
async function withLimit(
  transport: CodeTransport,
  message: CodeMessage,
  timeoutMs: number,
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  await Promise.race([transport.send(message, signal), late])
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
}

/** Closed, until so many in a row have failed; then open for a while; then one may try. */
class Breaker {
  readonly #limits: { readonly failures: number; readonly openMs: number }
  readonly #now: () => number
  #failures = 0
  #openUntil = 0

  constructor({ breaker = BREAKER, monotonic }: SturdyOptions) {
    this.#limits = breaker
    this.#now = monotonic ?? (() => performance.now())
  }

  /** @throws {CodeNetworkDownError} */
  check(): void {
    if (this.#failures < this.#limits.failures) return
    const now = this.#now()
    if (now < this.#openUntil) throw new CodeNetworkDownError('the network for codes is down')
    // Of many who wait, one tries; the others go on waiting for what comes of it.
    this.#openUntil = now + this.#limits.openMs
  }

  failed(): void {
    this.#failures++
    if (this.#failures >= this.#limits.failures) {
      this.#openUntil = this.#now() + this.#limits.openMs
    }
  }

  succeeded(): void {
    this.#failures = 0
  }
}

const CODE_TEXT = '{code} is your Couplet code. Tell it to nobody.'
const TRY_TIMEOUT_MS = 6000
const TRIES = 2
const RETRY_AFTER_MS = 500
const BREAKER = { failures: 5, openMs: 30_000 }
