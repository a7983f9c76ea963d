/**
 * Web Push: a user without a connection is told that a message waits, once until he was back.
 * (spec/http-api.md, "Push")
 *
 * The message says nothing but that: no sender, no text, no number, and it is the same every time.
 * The push service learns that something came, and when.
 */
import { type PushSubscription, WireError } from '@couplet/wire'
import type { Logger } from 'pino'
import { keyOf } from './keys.ts'
import type { Clock, User } from './ports.ts'
import { type EndpointRules, post, requireEndpoint } from './push-endpoint.ts'
import type { PushKeys } from './push-keys.ts'
import { encryptPush, pushAuthorization } from './push-message.ts'
import type { PushStore, StoredSubscription } from './push-store.ts'

export interface PushOptions {
  readonly store: PushStore
  readonly keys: PushKeys
  /** Where operators of push services find this server's: `https:` or `mailto:`. */
  readonly subject: string
  readonly rules: EndpointRules
  readonly clock: Clock
  readonly log: Logger
}

export class Push {
  readonly #options: PushOptions
  /** Identities that were told and have not been back. */
  readonly #told = new Set<string>()
  readonly #waiting: {
    readonly identityId: Uint8Array
    readonly subscription: StoredSubscription
  }[] = []
  readonly #sending = new Set<Promise<void>>()

  constructor(options: PushOptions) {
    this.#options = options
  }

  /** The application server key, 65 bytes. */
  get publicKey(): Uint8Array {
    return this.#options.keys.publicKey
  }

  /** @throws {WireError} `malformed`. */
  subscribe(user: User, subscription: PushSubscription): void {
    const { store, clock, rules } = this.#options
    const createdAt = clock.now()
    requireEndpoint(subscription.endpoint, rules)
    try {
      encryptPush(subscription, MESSAGE)
    } catch {
      throw new WireError('malformed', 'p256dh: not a point on the curve')
    }
    store.put(user.identityId, { ...subscription, createdAt })
    this.#told.delete(keyOf(user.identityId))
  }

  unsubscribe(identityId: Uint8Array): void {
    this.#options.store.remove(identityId)
    this.#told.delete(keyOf(identityId))
  }

  /** What is kept for a user. */
  subscription(identityId: Uint8Array): StoredSubscription | undefined {
    return this.#options.store.find(identityId)
  }

  /** A message was stored for a user who has no connection. */
  messageWaits(identityId: Uint8Array): void {
    const key = keyOf(identityId)
    if (this.#told.has(key)) return
    const subscription = this.#options.store.find(identityId)
    if (!subscription || this.#waiting.length >= MAX_WAITING) return
    this.#told.add(key)
    this.#waiting.push({ identityId: Uint8Array.from(identityId), subscription })
    this.#pump()
  }

  /** The user has a connection: next time, tell him again. */
  isBack(identityId: Uint8Array): void {
    this.#told.delete(keyOf(identityId))
  }

  /** Lets what is under way end. */
  async close(): Promise<void> {
    this.#waiting.length = 0
    await Promise.all(this.#sending)
    this.#options.store.close()
  }

  #pump(): void {
    while (this.#sending.size < MAX_SENDING) {
      const next = this.#waiting.shift()
      if (!next) return
      const sending = this.#send(next.identityId, next.subscription).finally(() => {
        this.#sending.delete(sending)
        this.#pump()
      })
      this.#sending.add(sending)
    }
  }

  async #send(identityId: Uint8Array, subscription: StoredSubscription): Promise<void> {
    const { keys, subject, rules, clock, store, log } = this.#options
    try {
      const endpoint = requireEndpoint(subscription.endpoint, rules)
      const status = await post(endpoint, rules, {
        headers: {
          ttl: String(TTL_SECONDS),
          urgency: 'high',
          // One takes the place of another that was not delivered yet.
          topic: 'message',
          'content-encoding': 'aes128gcm',
          'content-type': 'application/octet-stream',
          authorization: pushAuthorization(keys, endpoint, { subject, now: clock.now() }),
        },
        body: encryptPush(subscription, MESSAGE),
      })
      if (GONE.includes(status)) store.remove(identityId, subscription.endpoint)
      else if (status >= 300) this.#failed(identityId)
    } catch {
      this.#failed(identityId)
      log.debug('a push service did not answer')
    }
  }

  /** The next message may try again. */
  #failed(identityId: Uint8Array): void {
    this.#told.delete(keyOf(identityId))
  }
}

const MESSAGE = new TextEncoder().encode('New message')
/** As long as the mailbox keeps the message. */
const TTL_SECONDS = 30 * 24 * 60 * 60
const GONE: readonly number[] = [404, 410]
const MAX_SENDING = 16
const MAX_WAITING = 10_000
