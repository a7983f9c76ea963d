/**
 * What the operator of a server may do about people: see who is registered, block and remove
 * numbers, hand out invitations. (docs/operations.md, "People")
 */
import type { PhoneNumber } from '@couplet/wire'
import { blockName, createInvitation, INVITATION_PREFIX, invitationName } from './admission.ts'
import { possiblePhoneNumber } from './phone-numbers.ts'
import type { Clock, DirectoryStore, Engine, RecordStore, User } from './ports.ts'
import { activeLock } from './registration-lock.ts'
import { sayForgotten } from './router.ts'

/** `blocked`: it may come back. `removed`: nothing of it is left in the directory. */
export type Gone = 'blocked' | 'removed'

export interface OperatorServices {
  readonly directory: DirectoryStore
  readonly records: RecordStore
  readonly clock: Clock
  /** Ends the connection of an identity, wherever it is, and what a removed one has left. */
  readonly gone: (identityId: Uint8Array, how: Gone) => Promise<void>
}

export interface ListedUser {
  readonly phone: string
  /** Milliseconds since 1970; none: the number is blocked, and nobody has it. */
  readonly registeredAt?: number | undefined
  /** Kept to the day. */
  readonly seenAt?: number | undefined
  /** Whether a PIN guards the number. */
  readonly locked: boolean
  readonly blocked: boolean
}

export interface ListedInvitation {
  /** What it is called when it is revoked; the code itself is kept nowhere. */
  readonly id: string
  readonly usesLeft: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Everything by name, so that it can be asked for from another process. (operator-socket.ts) */
export class Operator {
  readonly #services: OperatorServices

  constructor(services: OperatorServices) {
    this.#services = services
  }

  /** Who is registered, in the order of numbers, after `after`; fewer than asked for: all. */
  async users(after: string, limit: number): Promise<readonly ListedUser[]> {
    const { directory, records, clock } = this.#services
    const now = clock.now()
    const users = await directory.list(after, Math.min(limit, MAX_LISTED))
    return Promise.all(
      users.map(async (user) => ({
        phone: user.phone,
        registeredAt: user.registeredAt,
        seenAt: user.seenAt,
        locked: activeLock(user, now) !== undefined,
        blocked: (await records.get(blockName(user.phone))) !== undefined,
      })),
    )
  }

  /** Numbers that may not register, whether anybody has them or not. */
  async blocked(): Promise<readonly string[]> {
    const all = await this.#services.records.list(blockName('' as PhoneNumber))
    return all.map(({ name }) => name.slice(blockName('' as PhoneNumber).length))
  }

  /**
   * Nobody is connected, logs in or registers under this number any more. What the account has stays.
   *
   * @returns whether somebody is registered under it.
   * @throws {WireError} `invalid-phone-number`.
   */
  async block(number: string): Promise<boolean> {
    const { directory, records, clock, gone } = this.#services
    const phone = possiblePhoneNumber(number)
    const at = clock.now()
    const name = blockName(phone)
    await records.compareAndSet({ name, level: 1, at, expiresAt: FOREVER, revision: 1 }, 0)
    const user = await directory.byPhone(phone)
    if (user) await gone(user.identityId, 'blocked')
    return user !== undefined
  }

  /** @returns whether it was blocked. */
  async unblock(number: string): Promise<boolean> {
    const { records } = this.#services
    const name = blockName(possiblePhoneNumber(number))
    const was = (await records.get(name)) !== undefined
    await records.remove(name)
    return was
  }

  /**
   * The account is deleted, as its owner could; the number may be registered again.
   *
   * @returns whether there was one.
   */
  async remove(number: string): Promise<boolean> {
    const { directory, gone } = this.#services
    const phone = possiblePhoneNumber(number)
    let user: User | undefined
    do {
      user = await directory.byPhone(phone)
      if (!user) return false
    } while (!(await directory.remove(phone, user)))
    await gone(user.identityId, 'removed')
    return true
  }

  /** @param lifetimeMs - after which it is void. */
  async invite(uses: number, lifetimeMs: number): Promise<ListedInvitation & { code: string }> {
    const { records, clock } = this.#services
    const now = clock.now()
    const expiresAt = now + lifetimeMs
    const code = await createInvitation(records, { uses, expiresAt, now })
    return { id: idOf(invitationName(code)), code, usesLeft: uses, expiresAt }
  }

  /** Those that are still good. */
  async invitations(): Promise<readonly ListedInvitation[]> {
    const now = this.#services.clock.now()
    const all = await this.#services.records.list(INVITATION_PREFIX)
    return all
      .filter(({ level, expiresAt }) => level >= 1 && expiresAt > now)
      .map(({ name, level, expiresAt }) => ({ id: idOf(name), usesLeft: level, expiresAt }))
  }

  /**
   * @param which - an id, or a code.
   * @returns whether there was one.
   */
  async revoke(which: string): Promise<boolean> {
    const { records } = this.#services
    const all = await records.list(INVITATION_PREFIX)
    const found = all.find(({ name }) => idOf(name) === which || name === invitationName(which))
    if (found) await records.remove(found.name)
    return found !== undefined
  }
}

/** For a store that no server of this process uses: others that do are told on its bus. */
export function operatorOf({ store, bus }: Engine, clock: Clock): Operator {
  const { directory, records, mailboxes } = store
  return new Operator({
    directory,
    records,
    clock,
    async gone(identityId, how) {
      if (bus) sayForgotten(bus, identityId)
      if (how === 'removed') await mailboxes.drop(identityId)
      // A login whose question the store answered just before has come through meanwhile.
      await store.probe()
      if (bus) sayForgotten(bus, identityId)
    },
  })
}

/** Of the hash, as many letters as people can copy. */
function idOf(name: string): string {
  return name.slice(INVITATION_PREFIX.length, INVITATION_PREFIX.length + ID_LETTERS)
}

const ID_LETTERS = 8
/** At once. */
const MAX_LISTED = 1000
const FOREVER: number = Number.MAX_SAFE_INTEGER
