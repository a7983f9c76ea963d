/**
 * Own prekeys: publishing, rotating, destroying. (spec/identity.md, "Rotation")
 *
 * New private halves are stored before the public ones leave. Old ones are destroyed 48 hours after
 * their rotation, and never before the mailbox has been drained: what was sent to them may wait there.
 */
import { createPrekeys, PREKEY_RETENTION_MS, PREKEY_ROTATION_MS } from '@couplet/protocol'
import { decodePrekeySet, equalBytes, splitSignedPrekeys } from '@couplet/wire'
import type { Context } from './context.ts'
import { ClientError } from './errors.ts'
import type { PrekeysRecord } from './records.ts'
import { inTransaction, type Tables } from './tables.ts'

export class PrekeyRotation {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Rotates if it is time, and publishes what the server does not have yet. */
  async run(): Promise<void> {
    const { store, api, signer } = this.#context
    const current = await inTransaction(store, (tables) => this.#rotateIfDue(tables))
    if (!current || current.published) return
    try {
      await api.publishPrekeys(current.signed, signer)
    } catch (error) {
      if (!(error instanceof ClientError && error.code === 'stale-prekeys')) throw error
      if (!(await this.#isServed(current))) return
    }
    await inTransaction(store, (tables) => this.#published(tables, current))
  }

  /**
   * The server has prekeys that are not older than these. Either they are these, and the answer to
   * our last try was lost; or this home was put back to an earlier state, and new ones must go on
   * above those that the server has.
   */
  async #isServed(current: PrekeysRecord): Promise<boolean> {
    const { store, api, signer, self } = this.#context
    const entry = await api.lookup(self.record.phone, signer)
    if (!entry) throw new ClientError('unauthenticated', 'the server does not know this identity')
    if (equalBytes(entry.prekeys, current.signed)) return true
    const { id } = decodePrekeySet(splitSignedPrekeys(entry.prekeys).encoded)
    await inTransaction(store, async (tables) => {
      await tables.deletePrekeys(current.id)
      await tables.putPrekeys(this.#fresh(id + 1))
    })
    return false
  }

  /** When `run` is due next, in milliseconds since 1970. */
  nextAt(): Promise<number> {
    return inTransaction(this.#context.store, async (tables) => {
      const account = await tables.requireAccount()
      const current = (await tables.prekeys()).at(-1)
      const daily = (current?.createdAt ?? 0) + PREKEY_ROTATION_MS
      return Math.min(daily, account.rotatePrekeysAt ?? daily)
    })
  }

  /** Destroys private halves whose time is over. Only to be called when the mailbox is drained. */
  async destroyOld(): Promise<void> {
    const now = this.#context.platform.clock.now()
    await inTransaction(this.#context.store, async (tables) => {
      for (const { id, retiredAt } of await tables.prekeys()) {
        if (retiredAt !== undefined && now - retiredAt >= PREKEY_RETENTION_MS) {
          await tables.deletePrekeys(id)
        }
      }
    })
  }

  async #rotateIfDue(tables: Tables): Promise<PrekeysRecord | undefined> {
    const now = this.#context.platform.clock.now()
    const account = await tables.requireAccount()
    const current = (await tables.prekeys()).at(-1)
    const asked = account.rotatePrekeysAt !== undefined && account.rotatePrekeysAt <= now
    const old = current !== undefined && now - current.createdAt >= PREKEY_ROTATION_MS
    if (!current?.published || !(asked || old)) return current
    const record = this.#fresh(current.id + 1)
    await tables.putPrekeys(record)
    await tables.putAccount({ ...account, rotatePrekeysAt: undefined })
    return record
  }

  #fresh(id: number): PrekeysRecord {
    const { platform, self } = this.#context
    const now = platform.clock.now()
    const prekeys = createPrekeys(platform.primitives, {
      owner: self,
      id,
      now,
      secret: platform.random(32),
      kemSeed: platform.random(64),
    })
    return { ...prekeys, createdAt: now, published: false }
  }

  /** From now on nobody is given the older ones any more. */
  async #published(tables: Tables, current: PrekeysRecord): Promise<void> {
    const now = this.#context.platform.clock.now()
    for (const prekeys of await tables.prekeys()) {
      if (prekeys.id === current.id) await tables.putPrekeys({ ...prekeys, published: true })
      else if (prekeys.retiredAt === undefined) {
        await tables.putPrekeys({ ...prekeys, retiredAt: now })
      }
    }
  }
}
