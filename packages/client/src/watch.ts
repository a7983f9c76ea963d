/** Who is told what: listeners of events, and the promises that `send` gives out. */
import type { CoupletEvents, OutgoingMessage } from './api.ts'
import { ClientError } from './errors.ts'

export class Watch {
  readonly #listeners: { readonly [E in keyof CoupletEvents]: Set<CoupletEvents[E]> } = {
    status: new Set(),
    connection: new Set(),
    arrival: new Set(),
    warning: new Set(),
    request: new Set(),
    expired: new Set(),
  }
  /** By message id. */
  readonly #waiting = new Map<string, Waiting>()
  #arrival = Promise.withResolvers<void>()

  on<E extends keyof CoupletEvents>(event: E, listener: CoupletEvents[E]): () => void {
    this.#listeners[event].add(listener)
    return () => this.#listeners[event].delete(listener)
  }

  emit<E extends keyof CoupletEvents>(event: E, subject: Parameters<CoupletEvents[E]>[0]): void {
    for (const listener of this.#listeners[event]) {
      try {
        ;(listener as (subject: Parameters<CoupletEvents[E]>[0]) => void)(subject)
      } catch (error) {
        // The program's own fault: reported as such, and no harm to the delivery of messages.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** Resolves when there may be something new to read. */
  get arrival(): Promise<void> {
    return this.#arrival.promise
  }

  arrived(): void {
    this.#arrival.resolve()
    this.#arrival = Promise.withResolvers<void>()
  }

  /** Promises for what becomes of a message. Nobody has to listen to them. */
  wait(messageId: string): { sent: Promise<OutgoingMessage>; delivered: Promise<OutgoingMessage> } {
    const sent = Promise.withResolvers<OutgoingMessage>()
    const delivered = Promise.withResolvers<OutgoingMessage>()
    sent.promise.catch(() => {})
    delivered.promise.catch(() => {})
    this.#waiting.set(messageId, { sent, delivered })
    return { sent: sent.promise, delivered: delivered.promise }
  }

  /** An outgoing message changed its state. */
  status(message: OutgoingMessage): void {
    const waiting = this.#waiting.get(message.id)
    if (message.state === 'sent' || message.state === 'delivered') waiting?.sent.resolve(message)
    if (message.state === 'delivered') waiting?.delivered.resolve(message)
    if (message.state === 'failed') reject(waiting, failureOf(message))
    if (message.state === 'delivered' || message.state === 'failed')
      this.#waiting.delete(message.id)
    this.emit('status', message)
  }

  /** A message was deleted because its time was over; undelivered, it will never be. */
  expired(message: Parameters<CoupletEvents['expired']>[0]): void {
    const sentence = 'the time of the message was over before it was delivered'
    reject(this.#waiting.get(message.id), new ClientError('timed-out', sentence))
    this.#waiting.delete(message.id)
    this.emit('expired', message)
  }

  /** Nothing more will happen. */
  end(error: ClientError): void {
    for (const waiting of this.#waiting.values()) reject(waiting, error)
    this.#waiting.clear()
  }
}

interface Waiting {
  readonly sent: PromiseWithResolvers<OutgoingMessage>
  readonly delivered: PromiseWithResolvers<OutgoingMessage>
}

function reject(waiting: Waiting | undefined, error: ClientError): void {
  waiting?.sent.reject(error)
  waiting?.delivered.reject(error)
}

function failureOf(message: OutgoingMessage): ClientError {
  return message.failure === 'unknown-recipient'
    ? new ClientError('unknown-recipient', `nobody is registered as ${message.to}`)
    : new ClientError('key-changed', `the key of ${message.to} has changed`)
}
