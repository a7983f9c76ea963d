/**
 * What is no longer of use is forgotten: old private prekeys, sessions that nobody sends in, and the
 * envelopes that no server can deliver again. Runs when the mailbox has been drained.
 */
import { withoutExpiredSessions } from '@couplet/protocol'
import { MAILBOX_TTL_MS, toHex } from '@couplet/wire'
import type { Context } from './context.ts'
import { isFaultOfServer } from './errors.ts'
import { releaseFormer } from './number-change.ts'
import type { PrekeyRotation } from './prekey-rotation.ts'
import { inTransaction, type Tables } from './tables.ts'

export async function tidy(context: Context, prekeys: PrekeyRotation): Promise<void> {
  const { store, platform } = context
  await releaseFormer(context).catch(unlessOurs)
  await prekeys.destroyOld()
  const now = platform.clock.now()
  await inTransaction(store, async (tables) => {
    await forgetSessions(tables, now)
    await tables.forgetReceivedEnvelopesBefore(Math.floor((now - 2 * MAILBOX_TTL_MS) / DAY_MS))
  })
}

/** What the server did not do now is asked for again the next time. */
function unlessOurs(error: unknown): void {
  if (!isFaultOfServer(error)) throw error
}

async function forgetSessions(tables: Tables, now: number): Promise<void> {
  for (const { no } of await tables.contacts()) {
    const entries = await tables.sessions(no)
    const usedAt = new Map(entries.map((entry) => [entry.session, entry.usedAt]))
    const byPeer = Map.groupBy(entries, ({ session }) => toHex(session.peer))
    for (const ofPeer of byPeer.values()) {
      const sessions = ofPeer.map(({ session }) => session)
      const kept = withoutExpiredSessions(sessions, (session) => usedAt.get(session) ?? 0, now)
      for (const entry of ofPeer) {
        if (!kept.includes(entry.session)) await tables.deleteSession(no, entry.no)
      }
    }
  }
}

const DAY_MS = 24 * 60 * 60 * 1000
