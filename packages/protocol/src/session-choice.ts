/**
 * Which of several sessions with one peer to send in. (spec/session.md, "Several sessions")
 *
 * Several arise when both ends begin at once, or when one replaces an established session. The
 * choice depends only on things that both ends agree on, never on "the last one that decrypted":
 * with evictions that oscillates.
 */
import { compareBytes } from '@couplet/wire'
import { SESSION_RETENTION_MS } from './constants.ts'
import type { Session } from './session.ts'

/**
 * The session to send in, or `undefined` when a new one must begin.
 *
 * An established session wins over any that is not: a thief of a prekey could otherwise grind
 * handshakes until his hash is the smaller one. Among equals the smaller H(th1) is used, which
 * both ends compute alike.
 *
 * A session that was given up or superseded, and in which a message came after all, is one that the
 * peer sends in. Given up and without a successor it is as good as before. Otherwise it is sent in
 * until its successor is established, the later of several first, and never again after that, since
 * an old state may have been stolen. Without this one nack, forged by the server, would have each
 * end send in another session for ever, and no ratchet turn.
 *
 * @param sessions - all sessions with one peer, in the order in which they came to be here.
 */
export function sessionToSendIn(sessions: readonly Session[]): Session | undefined {
  return sessions
    .map((session) => ({ session, rank: rank(session, sessions) }))
    .filter((candidate) => candidate.rank >= 0)
    .sort(
      (a, b) => b.rank - a.rank || compareBytes(a.session.handshakeHash, b.session.handshakeHash),
    )[0]?.session
}

/**
 * Adds a session that the peer began to those there are.
 *
 * With a proof of continuity it is the successor of what there is. Without one it stands beside:
 * if nothing was established, both may have begun at once, and the choice above settles it; if
 * something was, it can receive, and is marked for the user to be told.
 *
 * A proof counts only from an established session of full rank, and from others only while there is
 * no such. Otherwise a handshake that was held back could replace the session that replaced its own
 * ground, and the two ends would send in different ones for ever, neither ratchet turning; and
 * whoever once read a session's reset key could go on proving with it after its replacement. What
 * continues a session without proof has none itself.
 *
 * @param former - what was established under other identities of the two, while nothing is under
 *   these: then one of them is to be continued, whoever begins.
 */
export function addAcceptedSession(
  sessions: readonly Session[],
  accepted: Session,
  continues: (session: Pick<Session, 'continuity'>) => boolean,
  former: readonly Pick<Session, 'continuity'>[] = [],
): readonly Session[] {
  const continued = grounds(sessions).filter(continues)
  if (continued.length > 0) {
    return [
      ...sessions.map((session) =>
        session.established || continues(session)
          ? { ...session, standing: 'superseded' as const }
          : session,
      ),
      { ...accepted, unproven: continued.every(({ unproven }) => unproven) },
    ]
  }
  const isExpected = former.length > 0 && !former.some(continues)
  return isExpected || sessions.some(({ established }) => established)
    ? [...sessions, { ...accepted, unproven: true }]
    : [...sessions, accepted]
}

/** Those of the sessions with one peer that a new one may continue, and prove itself by. */
export function grounds(sessions: readonly Session[]): readonly Session[] {
  const inUse = sessions.filter((session) => rank(session, sessions) === FULL_RANK)
  return inUse.length > 0 ? inUse : sessions
}

/** The sessions that are still of use: those sent in, and for 30 days those that may yet receive. */
export function withoutExpiredSessions(
  sessions: readonly Session[],
  lastUsedAt: (session: Session) => number,
  now: number,
): readonly Session[] {
  const current = sessionToSendIn(sessions)
  return sessions.filter(
    (session) => session === current || now - lastUsedAt(session) < SESSION_RETENTION_MS,
  )
}

/** Higher goes first; below zero nothing is sent. */
function rank(session: Session, sessions: readonly Session[]): number {
  const asLive = session.established ? FULL_RANK : 0
  const successors = successorsOf(session, sessions)
  switch (session.standing) {
    case 'live':
      return asLive
    case 'revived':
      return successors > 0 ? 1 / successors : asLive
    case 'recalled':
      return 1 / Math.max(successors, 1)
    case 'superseded':
    case 'dead':
      return -1
  }
}

/** How many sessions after this one began, by what their handshakes say, in place of another. */
function successorsOf(session: Session, sessions: readonly Session[]): number {
  return sessions.slice(sessions.indexOf(session) + 1).filter(({ successor }) => successor).length
}

const FULL_RANK = 2
