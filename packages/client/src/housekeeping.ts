/**
 * What is no longer of use is forgotten: old private prekeys, sessions that nobody sends in, and the
 * envelopes that no server can deliver again. Runs when the mailbox has been drained.
 */
import {
  PREKEY_RETENTION_MS,
  SESSION_RETENTION_MS,
  withoutExpiredSessions,
} from '@couplet/protocol'
import { MAILBOX_TTL_MS, toHex } from '@couplet/wire'
import type { Context } from './context.ts'
import type { PrekeyRotation } from './prekey-rotation.ts'
import { inTransaction, type Tables } from './tables.ts'

export async function tidy({ store, platform }: Context, prekeys: PrekeyRotation): Promise<void> {
  await prekeys.destroyOld()
  const now = platform.clock.now()
  await inTransaction(store, async (tables) => {
    await forgetSessions(tables, now)
    await forgetFormerPrekeys(tables, now)
    await tables.forgetReceivedEnvelopesBefore(Math.floor((now - 2 * MAILBOX_TTL_MS) / DAY_MS))
  })
}

/** Those of a number that was left live no longer than any that are retired, given back or not. */
async function forgetFormerPrekeys(tables: Tables, now: number): Promise<void> {
  const former = await tables.formerNumber()
  if (former && now - former.leftAt >= PREKEY_RETENTION_MS)
    await tables.putFormerNumber({ ...former, prekeys: [] })
}

async function forgetSessions(tables: Tables, now: number): Promise<void> {
  for (const { no, identity } of await tables.contacts()) {
    const entries = await tables.sessions(no)
    const usedAt = new Map(entries.map((entry) => [entry.session, entry.usedAt]))
    const byPeer = Map.groupBy(entries, ({ session }) => toHex(session.peer))
    for (const [peer, ofPeer] of byPeer) {
      const isPinned = identity !== undefined && toHex(identity.id) === peer
      const sessions = ofPeer.map(({ session }) => session)
      const kept = withoutExpiredSessions(sessions, (session) => usedAt.get(session) ?? 0, now)
      for (const entry of ofPeer) {
        // Nothing is sent to an identity that the contact had before: none of its sessions stays for that.
        const isOld = now - entry.usedAt >= SESSION_RETENTION_MS
        if ((isOld && !isPinned) || !kept.includes(entry.session))
          await tables.deleteSession(no, entry.no)
      }
    }
  }
}

const DAY_MS = 24 * 60 * 60 * 1000
