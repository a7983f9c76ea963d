/**
 * Another phone number for the same person. (spec/delivery.md, "Changed numbers")
 *
 * The keys stay; the record that names them is signed anew with the new number, and is registered
 * like any other. That is another identity as far as mailboxes and sessions go, so the home leaves
 * its sessions behind and sends what was under way again in new ones. Contacts know the keys, and
 * follow by themselves (followed-number.ts). The old number is given back at the end.
 */
import { createIdentity, createPrekeys, type OwnIdentity } from '@couplet/protocol'
import type { Bytes, PhoneNumber } from '@couplet/wire'
import { ownIdentity, signerOf } from './account.ts'
import type { Registered } from './api.ts'
import type { Context } from './context.ts'
import { ClientError, isFaultOfServer } from './errors.ts'
import { refuseMoved } from './moved.ts'
import type { Platform } from './platform.ts'
import type { Store } from './ports.ts'
import type { PrekeysRecord, RegistrationRecord } from './records.ts'
import { proveCode, type RegistrationPorts } from './registration.ts'
import { inTransaction, type Tables } from './tables.ts'

/**
 * Asks the server to send a code to the new number. May be repeated: the newest code counts.
 *
 * @throws {ClientError} `not-registered`; `malformed` for the number that one has;
 *   `registration-closed`, `unreachable`, `rate-limited`, `code-not-sent`, …: nothing is changed.
 */
export async function requestNumberChange(
  ports: RegistrationPorts,
  store: Store,
  input: { readonly phone: PhoneNumber; readonly invitation?: string | undefined },
): Promise<RegistrationRecord> {
  const { platform, createApi } = ports
  const { phone, invitation } = input
  const { account, earlier, highestId } = await inTransaction(store, async (tables) => {
    await refuseMoved(tables)
    return {
      account: await tables.requireAccount(),
      earlier: await tables.numberChange(),
      highestId: (await tables.prekeys()).at(-1)?.id ?? 0,
    }
  })
  if (phone === account.phone) throw new ClientError('malformed', 'this is your number already')
  const api = createApi(account.server)
  const info = await api.info()
  const again = earlier?.account.phone === phone
  const before = await ownIdentity(platform, account)
  const self = again
    ? await ownIdentity(platform, earlier.account)
    : renamed(platform, before, phone)
  const prekeys = again ? earlier.prekeys : prekeysFor(platform, self, highestId + 1)
  const answer = await api.register({
    phone,
    identity: self.signed,
    prekeys: prekeys.signed,
    invitation,
  })
  const pending: RegistrationRecord = {
    account: { ...account, phone, identity: self.signed },
    prekeys,
    registrationId: answer.id,
    challenge: answer.challenge,
    expiresAt: answer.expiresAt,
    development: info.development,
  }
  await inTransaction(store, (tables) => tables.putNumberChange(pending))
  return pending
}

/**
 * Finishes with the code: from now on this home is the new number. The old one is given back at
 * once, or at the next connection if the server does not answer any more.
 *
 * @throws {ClientError} those of `submitCode`: nothing is changed.
 */
export async function completeNumberChange(
  ports: RegistrationPorts,
  store: Store,
  code: string,
  pin?: string,
): Promise<Registered> {
  const { platform, createApi } = ports
  const { pending, before } = await inTransaction(store, async (tables) => {
    await refuseMoved(tables)
    return { pending: await tables.numberChange(), before: await tables.requireAccount() }
  })
  if (!pending) {
    throw new ClientError('no-registration', 'no new number is waiting for a code in this home')
  }
  const registered = await proveCode(ports, pending, code, pin)
  // Two changes in a row: the number before the last must be free before it is forgotten.
  const api = createApi(before.server)
  const former = await ownIdentity(platform, before)
  const self = await ownIdentity(platform, pending.account)
  await releaseFormer({ store, platform, api, self: former })
  await inTransaction(store, (tables) => adopt(tables, pending, former.id, platform.clock.now()))
  try {
    await releaseFormer({ store, platform, api, self })
  } catch (error) {
    // At the next connection, then.
    if (!isFaultOfServer(error)) throw error
  }
  return registered
}

/**
 * Gives a number back that this home had before. Nothing to do for most homes.
 *
 * @throws {ClientError} `unreachable`, …: to be tried again.
 */
export async function releaseFormer(
  context: Pick<Context, 'store' | 'platform' | 'api' | 'self'>,
): Promise<void> {
  const { store, platform, api, self } = context
  const former = await inTransaction(store, (tables) => tables.formerIdentity())
  if (!former) return
  try {
    // The same signing key, in the name that it had.
    await api.deleteAccount({ ...signerOf(platform.primitives, self), identityId: former })
  } catch (error) {
    const isGone = error instanceof ClientError && error.code === 'unauthenticated'
    if (!isGone) throw error
  }
  await inTransaction(store, (tables) => tables.deleteFormerIdentity())
}

function renamed(platform: Platform, before: OwnIdentity, phone: PhoneNumber): OwnIdentity {
  const { record, exchangeKey, signingSeed, identitySecret } = before
  return createIdentity(platform.primitives, {
    phone,
    // Contacts follow forward only: a record from before never takes them back.
    createdAt: Math.max(platform.clock.now(), record.createdAt + 1),
    exchangePublicKey: record.exchangeKey,
    exchangeKey,
    signingSeed,
    identitySecret,
  })
}

function prekeysFor(platform: Platform, owner: OwnIdentity, id: number): PrekeysRecord {
  const { primitives, random, clock } = platform
  const now = clock.now()
  const secrets = { secret: random(32), kemSeed: random(64) }
  return {
    ...createPrekeys(primitives, { owner, id, now, ...secrets }),
    createdAt: now,
    published: false,
  }
}

/** The home is the new number: what was bound to the old one is left behind, in one transaction. */
async function adopt(
  tables: Tables,
  pending: RegistrationRecord,
  former: Bytes,
  now: number,
): Promise<void> {
  const before = await tables.requireAccount()
  const { phone, identity } = pending.account
  await tables.putFormerIdentity(former)
  await tables.putAccount({ ...before, phone, identity, rotatePrekeysAt: undefined })
  for (const { id } of await tables.prekeys()) await tables.deletePrekeys(id)
  await tables.putPrekeys({ ...pending.prekeys, published: true })
  for (const { no } of await tables.contacts()) {
    for (const entry of await tables.sessions(no)) await tables.deleteSession(no, entry.no)
    for (const { position } of await tables.heldReceipts(no))
      await tables.releaseReceipt(no, position)
    await tables.sendAgain(no, now)
  }
  await tables.deleteNumberChange()
}
