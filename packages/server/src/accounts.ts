/** What a registered user may do with the account: look at it, lock it, delete it. */
import type { AccountInfo } from '@couplet/wire'
import { WireError } from '@couplet/wire'
import type { Clock, DirectoryStore, MailboxStore, User } from './ports.ts'
import type { Push } from './push.ts'
import { lockInfo, makeLock, placed } from './registration-lock.ts'

export interface AccountServices {
  readonly directory: DirectoryStore
  readonly clock: Clock
  /** An identity is gone: its connection ends, and what was kept for it. */
  readonly forget: (identityId: Uint8Array) => Promise<void>
}

export async function accountInfo(
  { mailboxes, push }: { readonly mailboxes: MailboxStore; readonly push: Push | undefined },
  { identityId, registeredAt, lock }: User,
): Promise<AccountInfo> {
  const told = push?.subscription(identityId)
  return {
    registeredAt,
    waiting: await mailboxes.count(identityId),
    ...(told && { push: { service: new URL(told.endpoint).host, since: told.createdAt } }),
    ...(lock && { lock: lockInfo(lock) }),
  }
}

/**
 * @param pin - none: the lock is taken away.
 * @throws {WireError} `unavailable` when too many PINs are waiting to be hashed.
 */
export async function setLock(
  { directory }: AccountServices,
  user: User,
  pin: string | undefined,
): Promise<void> {
  const lock = pin === undefined ? undefined : await placed(() => makeLock(pin))
  await changeUser(directory, user, (row) => ({ ...row, lock }))
}

/** The number is free again, and nothing of its identity is left. */
export async function deleteAccount(
  { directory, forget }: AccountServices,
  user: User,
): Promise<void> {
  for (let row: User | undefined = user; row; row = await directory.byIdentity(user.identityId)) {
    if (await directory.remove(row.phone, row)) break
  }
  await forget(user.identityId)
}

/** The user's device is here. Written at most once a day, and no closer than the day. */
export async function touch(
  { directory, clock }: Pick<AccountServices, 'directory' | 'clock'>,
  identityId: Uint8Array,
): Promise<void> {
  const today = dayOf(clock.now())
  const user = await directory.byIdentity(identityId)
  if (!user || user.seenAt >= today) return
  await changeUser(directory, user, (row) => ({ ...row, seenAt: Math.max(today, row.seenAt) }))
}

export function dayOf(time: number): number {
  return time - (time % DAY_MS)
}

/** @throws {WireError} `unauthenticated` when the identity was replaced meanwhile. */
async function changeUser(
  directory: DirectoryStore,
  user: User,
  change: (row: User) => User,
): Promise<void> {
  for (let row: User | undefined = user; row; row = await directory.byIdentity(user.identityId)) {
    const next = { ...change(row), revision: row.revision + 1 }
    if (await directory.compareAndSet(next, row)) return
  }
  throw new WireError('unauthenticated', 'another identity took this number')
}

const DAY_MS: number = 24 * 60 * 60 * 1000
