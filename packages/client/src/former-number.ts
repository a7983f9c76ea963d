/**
 * A number that this home has left: a last look into its mailbox, then it is given back.
 * (spec/delivery.md, "Changed numbers")
 *
 * Two who change their numbers at once know only each other's old one. Each tells the other under it
 * before it looks into its own old mailbox for the last time: so one of them at least finds the other's
 * word there, whatever the order, and tells it its own number again.
 *
 * Nothing that lies there is acknowledged: whoever sent it still has it, hears of the new number, and
 * sends it there.
 */
import {
  type Accepted,
  acceptSession,
  importIdentity,
  type OwnIdentity,
  ProtocolError,
  parseEnvelope,
  unwrapSessionSecret,
} from '@couplet/protocol'
import { type Bytes, equalBytes } from '@couplet/wire'
import { signerOf } from './account.ts'
import type { Context } from './context.ts'
import { expectedOf, isProven } from './continuity.ts'
import { ClientError } from './errors.ts'
import { type Followed, followNumber, isBlockedPerson } from './followed-number.ts'
import { PeerDirectory } from './peer-directory.ts'
import type { CloseReason, Connector, RequestSigner } from './ports.ts'
import type { FormerRecord } from './records.ts'
import { inTransaction, type Tables } from './tables.ts'

/** The way to it. */
export interface FormerMailbox {
  readonly connector: Connector
  /** Resolves when what can be said to the contacts now has been said. */
  announced(): Promise<void>
}

/**
 * Gives a number back that this home had before. Nothing to do for most homes.
 *
 * @throws {ClientError} `unreachable`, …: to be tried again.
 */
export async function releaseFormer(context: Context, mailbox: FormerMailbox): Promise<void> {
  const { store, platform, api, self } = context
  const former = await inTransaction(store, (tables) => tables.formerNumber())
  if (!former) return
  // The same signing key, in the name that it had.
  const signer = { ...signerOf(platform.primitives, self), identityId: former.id }
  try {
    await mailbox.announced()
    for (const envelope of await waiting(context, mailbox.connector, signer)) {
      await learn(context, former, envelope)
    }
    await api.deleteAccount(signer)
  } catch (error) {
    const isGone = error instanceof ClientError && error.code === 'unauthenticated'
    if (!isGone) throw error
  }
  await inTransaction(store, (tables) => tables.deleteFormerNumber(former.id))
}

/** What lies in the mailbox, and is left there. */
async function waiting(
  { platform }: Context,
  connector: Connector,
  signer: RequestSigner,
): Promise<readonly Bytes[]> {
  const envelopes: Bytes[] = []
  const end = Promise.withResolvers<void>()
  end.promise.catch(() => {})
  const connection = await connector.connect(signer, {
    deliver: ({ envelope }) => envelopes.push(envelope),
    caughtUp: () => end.resolve(),
    notice: () => {},
    room: () => {},
    closed: (reason) => end.reject(endedBy(reason)),
  })
  const cancel = platform.clock.schedule(LOOK_LIMIT_MS, () =>
    end.reject(new ClientError('timed-out', 'the server did not answer in time')),
  )
  try {
    await end.promise
  } finally {
    cancel()
    await connection.close()
  }
  return envelopes
}

function endedBy({ kind }: CloseReason): ClientError {
  return kind === 'unauthenticated'
    ? new ClientError('unauthenticated', 'nobody is registered under the old number any more')
    : new ClientError('unreachable', 'the connection to the server was lost')
}

/** Follows a contact that wrote from another number, so that it is told this home's; nobody else is. */
async function learn(context: Context, former: FormerRecord, envelope: Bytes): Promise<void> {
  const { store, platform, tell } = context
  const accepted = await opened(context, former, envelope)
  if (!accepted) return
  const { peer } = accepted
  const found = await new PeerDirectory(context).lookup(peer.record.phone)
  if (!found || !equalBytes(found.identity.id, peer.id)) return
  const followed = await inTransaction(store, (tables) =>
    meet(tables, accepted, platform.clock.now()),
  )
  if (followed) tell.followed(followed)
}

async function meet(
  tables: Tables,
  accepted: Accepted,
  now: number,
): Promise<Followed | undefined> {
  if (await isBlockedPerson(tables, accepted.peer)) return undefined
  const followed = await followNumber(tables, accepted.peer, now)
  if (!followed?.contact.undecided) return followed
  if (!isProven(await expectedOf(tables, followed.contact), accepted)) return followed
  const contact = { ...followed.contact, undecided: undefined }
  await tables.putContact(contact)
  return { ...followed, contact }
}

/** Who it is from, when it begins a session: those that there were are gone. */
async function opened(
  { platform, self }: Context,
  { signed, prekeys }: FormerRecord,
  envelope: Bytes,
): Promise<Accepted | undefined> {
  const { primitives, random, clock } = platform
  const as: OwnIdentity = { ...self, ...importIdentity(primitives, signed, signed) }
  try {
    const header = parseEnvelope(envelope).handshake
    const own = prekeys.find(({ id }) => id === header?.prekeyId)
    if (!header || !own) return undefined
    const sessionSecret = await unwrapSessionSecret(primitives, as, header, random(32))
    const now = clock.now()
    return acceptSession(primitives, { self: as, prekeys: own, envelope, sessionSecret, now })
  } catch (error) {
    if (error instanceof ProtocolError && error.fault === 'peer') return undefined
    throw error
  }
}

const LOOK_LIMIT_MS = 30_000
