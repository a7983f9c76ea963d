/**
 * Disappearing messages: both ends delete what has a time to live. (spec/delivery.md, "Expiry")
 *
 * The sender's copy ends so long after it was sent, the recipient's so long after it was seen. A
 * message that ends undelivered is not sent any more; its recipient's gap closes with the next one.
 */
import type { Context } from './context.ts'
import { ClientError } from './errors.ts'
import type { ContactRecord } from './records.ts'
import { inTransaction, type Tables } from './tables.ts'

/** Longest time to live: ten years. A peer may ask for more, and gets this. */
export const MAX_EXPIRES_AFTER_MS: number = 3650 * 24 * 60 * 60 * 1000

/** @throws {ClientError} `malformed` unless it is a whole number of milliseconds within the limit. */
export function requireTimeToLive(ms: number): void {
  if (Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_EXPIRES_AFTER_MS) return
  throw new ClientError('malformed', 'a time to live is at most ten years, in milliseconds')
}

export class Expiry {
  readonly #context: Context
  #cancel: () => void = () => {}
  #stopped = false

  constructor(context: Context) {
    this.#context = context
  }

  /** Deletes what is over, now and from now on. */
  async start(): Promise<void> {
    await this.sweep()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** Deletes what is over, from the disk too, and plans the next time. */
  async sweep(): Promise<void> {
    const { store, platform, tell } = this.#context
    let deleted = 0
    for (;;) {
      const now = platform.clock.now()
      const batch = await inTransaction(store, (tables) => deleteExpired(tables, now))
      for (const { contact, id } of batch) tell.expired(contact, id)
      deleted += batch.length
      if (batch.length < BATCH) break
    }
    if (deleted > 0) await store.scrub()
    await this.plan()
  }

  /** To be called when a message with an end was stored. */
  async plan(): Promise<void> {
    const { store, platform, tell } = this.#context
    const next = await inTransaction(store, (tables) => tables.nextExpiry())
    this.#cancel()
    if (next === undefined || this.#stopped) return
    const wait = Math.max(0, next - platform.clock.now())
    this.#cancel = platform.clock.schedule(Math.min(wait, MAX_WAIT_MS), () => {
      if (!this.#stopped) this.sweep().catch((error: unknown) => tell.broken(error))
    })
  }
}

async function deleteExpired(
  tables: Tables,
  now: number,
): Promise<readonly { readonly contact: ContactRecord; readonly id: string }[]> {
  const deleted: { contact: ContactRecord; id: string }[] = []
  for (const { place, contact, position } of await tables.expired(now, BATCH)) {
    await tables.removeExpiring(place)
    const message = await tables.message(contact, position)
    if (!message) continue
    await tables.deleteMessage(contact, position)
    deleted.push({ contact: await tables.requireContact(contact), id: message.id })
  }
  return deleted
}

const BATCH = 100
/** Looks again at least every hour: clocks of sleeping machines jump. */
const MAX_WAIT_MS = 60 * 60 * 1000
