/**
 * Beginning a session with a contact, for the first time or after one was lost.
 * (spec/delivery.md, "Replacement sessions")
 *
 * A lost session is replaced at most once an hour and three times a day for each contact: a `nack`
 * is the server's word, and must not cost more than that.
 */
import { initiateSession, type Session, sessionToSendIn } from '@couplet/protocol'
import { equalBytes, wipe } from '@couplet/wire'
import type { Context } from './context.ts'
import { continuityOf } from './continuity.ts'
import type { Peer, PeerDirectory } from './peer-directory.ts'
import type { ContactRecord, SessionEntry } from './records.ts'
import { inTransaction, type Tables } from './tables.ts'

/** Thrown by `open` when this contact's session was replaced too often of late. */
export const MAX_REPLACEMENTS_REACHED: unique symbol = Symbol('too many replacement sessions')

export class SessionOpener {
  readonly #context: Context
  readonly #directory: PeerDirectory

  constructor(context: Context, directory: PeerDirectory) {
    this.#context = context
    this.#directory = directory
  }

  /**
   * Stores a new session as initiator, unless one to send in has come up meanwhile or the contact's
   * key turns out to be another. Nothing is sent: the handshake rides on the next messages.
   *
   * @throws MAX_REPLACEMENTS_REACHED; {ProtocolError} `expired-prekeys`; {ClientError} of the lookup.
   */
  async open({ no }: ContactRecord): Promise<void> {
    const { store, platform } = this.#context
    const before = await inTransaction(store, (tables) => sessionsOf(tables, no))
    const replaces = before.entries.some(isSpent)
    if (replaces && !mayReplace(before.contact, platform.clock.now()))
      throw MAX_REPLACEMENTS_REACHED

    const peer = await this.#directory.refresh(before.contact)
    const { contact } = await inTransaction(store, (tables) => sessionsOf(tables, no))
    if (!isPinned(contact, peer)) return

    const session = await this.#initiate(peer, {
      prekeys: this.#directory.prekeys(contact, peer),
      continues: continuityOf(contact, before.all),
    })
    await this.#store(no, peer, session, replaces)
  }

  async #initiate(
    peer: Peer,
    input: Pick<Parameters<typeof initiateSession>[1], 'prekeys' | 'continues'>,
  ): Promise<Session> {
    const { platform, self } = this.#context
    const { primitives, random, clock } = platform
    const [ephemeralSeed, sessionSecret, identityBlockIv] = [random(32), random(32), random(16)]
    try {
      const entropy = { ephemeralSeed, sessionSecret, identityBlockIv }
      const now = clock.now()
      return await initiateSession(primitives, {
        ...input,
        self,
        peer: peer.identity,
        entropy,
        now,
      })
    } finally {
      wipe(ephemeralSeed, sessionSecret)
    }
  }

  async #store(no: number, peer: Peer, session: Session, replaces: boolean): Promise<void> {
    const { store, platform, tell } = this.#context
    const now = platform.clock.now()
    const replaced = await inTransaction(store, async (tables) => {
      const { contact, entries } = await sessionsOf(tables, no)
      if (!isPinned(contact, peer)) return undefined
      if (sessionToSendIn(entries.map((entry) => entry.session))) return undefined
      await tables.addSession(no, session, now)
      await tables.putContact({
        ...contact,
        highestPrekeyId: Math.max(contact.highestPrekeyId, session.handshake?.prekeyId ?? 0),
        replacements: replaces ? [now, ...contact.replacements].slice(0, 3) : contact.replacements,
      })
      return entries.some((entry) => entry.session.established) ? contact : undefined
    })
    if (replaced) tell.warning('session-replaced', replaced)
  }
}

async function sessionsOf(
  tables: Tables,
  no: number,
): Promise<{
  contact: ContactRecord
  /** With the pinned identity. */
  entries: readonly SessionEntry[]
  all: readonly SessionEntry[]
}> {
  const contact = await tables.requireContact(no)
  const id = contact.identity?.id
  const all = await tables.sessions(no)
  return {
    contact,
    entries: all.filter(({ session }) => id !== undefined && equalBytes(session.peer, id)),
    all,
  }
}

function isPinned(contact: ContactRecord, peer: Peer): boolean {
  const { identity, changed } = contact
  return changed === undefined && !!identity && equalBytes(identity.id, peer.identity.id)
}

function isSpent({ session }: SessionEntry): boolean {
  return session.standing !== 'live' || session.established
}

/** Whether one more session may be replaced now. What a clock noted while it was ahead is past. */
export function mayReplace({ replacements }: ContactRecord, now: number): boolean {
  const within = (ms: number) => replacements.filter((at) => at <= now && now - at < ms).length
  return within(HOUR_MS) === 0 && within(DAY_MS) < REPLACEMENTS_PER_DAY
}

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const REPLACEMENTS_PER_DAY = 3
