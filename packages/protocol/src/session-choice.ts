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
 * A revived session comes in between. It was given up on the server's word and another was begun in
 * its place; but the peer sends in it, and may go on doing so if its hash is the smaller one. So it
 * is sent in until the other is established: one forged nack at the first message would otherwise
 * have each end send in another session for ever, and no ratchet turn.
 */
export function sessionToSendIn(sessions: readonly Session[]): Session | undefined {
  return sessions
    .filter((session) => rank(session) >= 0)
    .sort((a, b) => rank(b) - rank(a) || compareBytes(a.handshakeHash, b.handshakeHash))[0]
}

/**
 * Adds a session that the peer began to those there are.
 *
 * Nothing was established: both may have begun at once, the choice above settles it. Something
 * was: a proof of continuity makes the new session its successor; without one the new session can
 * receive, and is marked for the user to be told.
 *
 * A proof counts only from the established session that is sent in, and from one gone by only while
 * there is no such. Otherwise a handshake that was held back could replace the session that replaced
 * its own ground, and the two ends would send in different ones for ever, neither ratchet turning;
 * and whoever once read a session's reset key could go on proving with it after its replacement.
 */
export function addAcceptedSession(
  sessions: readonly Session[],
  accepted: Session,
  continues: (session: Session) => boolean,
): readonly Session[] {
  const established = sessions.filter((session) => session.established)
  if (established.length === 0) return [...sessions, accepted]
  const live = established.filter(isSentIn)
  if (!(live.length > 0 ? live : established).some(continues)) {
    return [...sessions, { ...accepted, unproven: true }]
  }
  return [
    ...sessions.map((session) =>
      session.established && isSentIn(session)
        ? { ...session, standing: 'superseded' as const }
        : session,
    ),
    accepted,
  ]
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
function rank({ standing, established }: Session): number {
  if (standing === 'live') return established ? 2 : 0
  return standing === 'revived' ? 1 : -1
}

function isSentIn(session: Session): boolean {
  return rank(session) >= 0
}
