/**
 * Another phone number for the same person. (spec/delivery.md, "Changed numbers")
 *
 * The keys stay; the record that names them is signed anew with the new number, and is registered
 * like any other. That is another identity as far as mailboxes and sessions go, so the home leaves
 * its sessions behind and sends what was under way again in new ones. It tells its contacts at once, with
 * empty messages; they know the keys, and follow by themselves (followed-number.ts). The old number is
 * given back at the end (former-number.ts).
 */
import { createIdentity, createPrekeys, type OwnIdentity } from '@couplet/protocol'
import { type PhoneNumber, toHex } from '@couplet/wire'
import { ownIdentity } from './account.ts'
import type { Registered, Warning } from './api.ts'
import { type ClientPorts, openClient } from './client.ts'
import { continuityToKeep } from './continuity.ts'
import { ClientError, isFaultOfServer } from './errors.ts'
import { refuseMoved } from './moved.ts'
import type { Platform } from './platform.ts'
import type { Store } from './ports.ts'
import {
  ANNOUNCE_FOR_MS,
  type ContactRecord,
  isOfPinned,
  type PrekeysRecord,
  type RegistrationRecord,
} from './records.ts'
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
 * Finishes with the code: from now on this home is the new number. What waits at the old one is received
 * first. Then the contacts are told, and the old number is given back; what of that the server does not
 * answer now is done at the next connection.
 *
 * @throws {ClientError} those of `submitCode`, `unreachable`, …: nothing is changed, and the same code
 *   may be brought again.
 */
export async function completeNumberChange(
  ports: Omit<ClientPorts, 'store'>,
  store: Store,
  code: string,
  pin?: string,
): Promise<Registered> {
  const { platform } = ports
  const { pending, before } = await inTransaction(store, async (tables) => {
    await refuseMoved(tables)
    return { pending: await tables.numberChange(), before: await tables.requireAccount() }
  })
  if (!pending) {
    throw new ClientError('no-registration', 'no new number is waiting for a code in this home')
  }
  const registered = await proveCode(ports, pending, code, pin)
  await beOnline(ports, store).catch(unlessNobody)
  const former = await ownIdentity(platform, before)
  await inTransaction(store, (tables) => adopt(tables, pending, former, platform.clock.now()))
  try {
    await beOnline(ports, store)
  } catch (error) {
    if (!isFaultOfServer(error)) throw error
  }
  return registered
}

/** As whom the home is now: what waits is received, what can be sent is. Warnings wait for who listens. */
async function beOnline(ports: Omit<ClientPorts, 'store'>, store: Store): Promise<void> {
  const kept: Store = {
    transaction: (work) => store.transaction(work),
    scrub: () => store.scrub(),
    close: async () => {},
  }
  const client = await openClient({ ...ports, store: kept })
  const warnings: Warning[] = []
  client.on('warning', (warning) => warnings.push(warning))
  try {
    await client.connect()
    await client.settled()
  } finally {
    await client.close()
    await inTransaction(store, (tables) => keepWarnings(tables, warnings))
  }
}

async function keepWarnings(tables: Tables, warnings: readonly Warning[]): Promise<void> {
  for (const { kind, contact } of warnings) {
    const found = await tables.contactByPhone(contact.phone)
    if (found) await tables.keepWarning(found.no, kind)
  }
}

/** Under the old number nobody is registered any more: nothing waits there. */
function unlessNobody(error: unknown): void {
  if (!(error instanceof ClientError && error.code === 'unauthenticated')) throw error
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
  { id, signed }: OwnIdentity,
  now: number,
): Promise<void> {
  // Two changes in a row: the number before the last must be free before it is forgotten.
  if (await tables.formerNumber()) {
    throw new ClientError('unavailable', 'the number before is still to be given back: try again')
  }
  const before = await tables.requireAccount()
  const { phone, identity } = pending.account
  const prekeys = await tables.prekeys()
  await tables.putFormerNumber({ id, signed, prekeys, leftAt: now })
  await tables.putAccount({ ...before, phone, identity, rotatePrekeysAt: undefined })
  for (const each of prekeys) await tables.deletePrekeys(each.id)
  await tables.putPrekeys({ ...pending.prekeys, published: true })
  for (const contact of await tables.contacts()) await leaveSessions(tables, contact, now)
  await tables.deleteNumberChange()
}

/** What remains of them is the proof that the next one continues them. */
async function leaveSessions(tables: Tables, contact: ContactRecord, now: number): Promise<void> {
  const { no } = contact
  const entries = await tables.sessions(no)
  // Sessions with keys that the contact had before say nothing about those that it has now.
  const isKnown = entries.some(({ session }) => isOfPinned(contact, toHex(session.peer)))
  const knowsUs = isKnown || contact.announce !== undefined
  await tables.putContact({
    ...contact,
    continuity: continuityToKeep(contact, entries),
    announce: knowsUs ? { at: 0, until: now + ANNOUNCE_FOR_MS } : undefined,
  })
  for (const entry of entries) await tables.deleteSession(no, entry.no)
  for (const { position } of await tables.heldReceipts(no))
    await tables.releaseReceipt(no, position)
  await tables.sendAgain(no, now)
}
