/** Which session to send in, and what replaces which. (protocol.md, "Handshake") */
import { beforeAll, describe, expect, test } from 'vitest'
import {
  addAcceptedSession,
  SESSION_RETENTION_MS,
  type Session,
  sessionToSendIn,
  withoutExpiredSessions,
} from '../src/index.ts'
import { cast } from './conversation.ts'
import { initiate, NOW } from './support.ts'

let blank: Session
beforeAll(async () => {
  const { ana, ben } = await cast('node:crypto')
  blank = await initiate(ana, ben)
})

function session(hash: number, change: Partial<Session> = {}): Session {
  return { ...blank, handshakeHash: new Uint8Array(32).fill(hash), ...change }
}

function hashOf(chosen: Session | undefined): number | undefined {
  return chosen?.handshakeHash[0]
}

const never = () => false

describe('the session to send in', () => {
  test('none: a new one must begin', () => {
    expect(sessionToSendIn([])).toBeUndefined()
    expect(sessionToSendIn([session(1, { standing: 'dead' })])).toBeUndefined()
    expect(sessionToSendIn([session(1, { standing: 'superseded' })])).toBeUndefined()
  })

  test('among those not established the smaller H(th1), whatever their order', () => {
    const [low, high] = [session(1), session(2)]
    expect(hashOf(sessionToSendIn([low, high]))).toBe(1)
    expect(hashOf(sessionToSendIn([high, low]))).toBe(1)
    const [a, b] = [session(1), session(1)]
    a.handshakeHash[31] = 2
    expect(sessionToSendIn([a, b])).toBe(b)
  })

  test('an established one against any smaller hash: grinding draws nobody away', () => {
    const established = session(0xff, { established: true })
    const ground = [session(0), session(1, { unproven: true }), session(2)]
    expect(sessionToSendIn([...ground, established])).toBe(established)
    expect(sessionToSendIn([established, ...ground])).toBe(established)
  })

  test('never a dead or superseded one, established though it be', () => {
    const live = session(9)
    for (const standing of ['dead', 'superseded'] as const) {
      expect(sessionToSendIn([session(1, { established: true, standing }), live])).toBe(live)
    }
  })

  test('one given up, in which the peer sends after all, is as good as before …', () => {
    const other = session(5, { established: true, role: 'responder' })
    for (const hash of [1, 9]) {
      const revived = session(hash, { established: true, standing: 'revived' })
      expect(sessionToSendIn([revived, other])).toBe(hash === 1 ? revived : other)
      const fresh = session(hash, { standing: 'revived' })
      expect(sessionToSendIn([fresh, other])).toBe(other)
      expect(hashOf(sessionToSendIn([fresh, session(5, { role: 'responder' })]))).toBe(
        Math.min(hash, 5),
      )
    }
  })

  test('… unless it has a successor: then only until that one is established', () => {
    const revived = session(9, { established: true, standing: 'revived' })
    const successor = session(1, { successor: true })
    expect(sessionToSendIn([revived, successor])).toBe(revived)
    for (const hash of [1, 12]) {
      const settled = session(hash, { successor: true, established: true })
      expect(sessionToSendIn([revived, settled])).toBe(settled)
      expect(hashOf(sessionToSendIn([settled, revived]))).toBe(Math.min(hash, 9))
    }
  })

  test('of several that came back, the one with the fewest successors', () => {
    const back = { established: true, standing: 'revived' } as const
    const [first, second] = [session(1, back), session(5, { ...back, successor: true })]
    const third = session(3, { successor: true })
    expect(sessionToSendIn([first, second, third])).toBe(second)
    const recalled = session(1, { ...back, standing: 'recalled' })
    expect(sessionToSendIn([recalled, second, third])).toBe(second)
  })

  test('one superseded, in which the peer sends after all, only until its successor is established', () => {
    const recalled = session(0, { established: true, standing: 'recalled' })
    const successor = session(5, { role: 'responder' })
    expect(sessionToSendIn([recalled, successor])).toBe(recalled)
    const settled = { ...successor, established: true }
    expect(sessionToSendIn([recalled, settled])).toBe(settled)
  })

  test('asking changes nothing', () => {
    const sessions = [session(3), session(1), session(2)]
    sessionToSendIn(sessions)
    expect(sessions.map(hashOf)).toEqual([3, 1, 2])
  })
})

describe('a session that the peer began', () => {
  test('stands beside others while none is established: both may have begun at once', () => {
    const own = session(1)
    const result = addAcceptedSession([own], session(2), never)
    expect(result.map(hashOf)).toEqual([1, 2])
    expect(result.map((s) => [s.standing, s.unproven, s.successor])).toEqual([
      ['live', false, false],
      ['live', false, false],
    ])
  })

  test('without proof it is shown as such, and the established one stays', () => {
    const established = session(9, { established: true })
    const result = addAcceptedSession([established], session(0), never)
    expect(result[0]).toBe(established)
    expect(result[1]).toMatchObject({ unproven: true, standing: 'live' })
    expect(sessionToSendIn(result)).toBe(established)
  })

  test('with proof it takes the place of the established one, which can still receive', () => {
    const established = session(1, { established: true })
    const result = addAcceptedSession(
      [established, session(5)],
      session(9),
      (s) => s === established,
    )
    expect(result.map(({ standing }) => standing)).toEqual(['superseded', 'live', 'live'])
    expect(result[2]).toMatchObject({ unproven: false })
    expect(result.length).toBe(3)
  })

  test('proof may come from a session given up here too: both ends replaced it at once', () => {
    const gone = session(1, { established: true, standing: 'dead' })
    const result = addAcceptedSession([gone, session(5)], session(9), (s) => s === gone)
    expect(result[0]).toMatchObject({ standing: 'superseded' })
    expect(result[2]).toMatchObject({ unproven: false })
    expect(hashOf(sessionToSendIn(result))).toBe(5)
  })

  test('proof from a session that was replaced does not replace its successor', () => {
    for (const standing of ['dead', 'superseded'] as const) {
      const gone = session(1, { established: true, standing })
      const successor = session(5, { established: true })
      const result = addAcceptedSession([gone, successor], session(0), (s) => s === gone)
      expect(result[1]).toBe(successor)
      expect(result[2]).toMatchObject({ unproven: true })
      expect(sessionToSendIn(result)).toBe(successor)
    }
  })

  test('nor does proof from one that came back, while its successor is established', () => {
    for (const standing of ['revived', 'recalled'] as const) {
      const old = session(1, { established: true, standing })
      const successor = session(5, { established: true, successor: true })
      const result = addAcceptedSession([old, successor], session(0), (s) => s === old)
      expect(result[2]).toMatchObject({ unproven: true })
      expect(sessionToSendIn(result)).toBe(successor)
    }
  })

  test('what continues one without proof has none itself', () => {
    const [gone, beside] = [
      session(1, { established: true, standing: 'dead' }),
      session(2, { unproven: true }),
    ]
    const result = addAcceptedSession([gone, beside], session(3), (s) => s === beside)
    expect(result[2]).toMatchObject({ unproven: true })
  })

  test('while nothing is established, one under earlier identities is to be continued', () => {
    const [own, before] = [session(1), session(2, { established: true })]
    const [without] = addAcceptedSession([own], session(3), never, [before]).slice(-1)
    expect(without).toMatchObject({ unproven: true })
    const proven = addAcceptedSession([own], session(3), (s) => s === before, [before])
    expect(proven).toMatchObject([
      { standing: 'live', unproven: false },
      { standing: 'live', unproven: false },
    ])
  })

  test('proof from one that is not established counts while none is', () => {
    const [other, continued] = [session(1), session(2)]
    const proof = (s: Pick<Session, 'continuity'>) => s === continued
    const beside = addAcceptedSession([other, continued], session(9), proof)
    expect(beside.map(({ standing }) => standing)).toEqual(['live', 'superseded', 'live'])
    expect(beside[2]).toMatchObject({ unproven: false })
    const established = session(3, { established: true })
    const result = addAcceptedSession([established, continued], session(9), proof)
    expect(result[2]).toMatchObject({ unproven: true })
    expect(sessionToSendIn(result)).toBe(established)
  })
})

describe('forgetting', () => {
  test('the session that is sent in stays for ever, others 30 days after their last use', () => {
    expect(SESSION_RETENTION_MS).toBe(30 * 24 * 60 * 60 * 1000)
    const current = session(1, { established: true })
    const [recent, old] = [session(2), session(3)]
    const usedAt = new Map([
      [current, 0],
      [recent, NOW - SESSION_RETENTION_MS + 1],
      [old, NOW - SESSION_RETENTION_MS],
    ])
    const kept = withoutExpiredSessions([old, recent, current], (s) => usedAt.get(s)!, NOW)
    expect(kept).toEqual([recent, current])
  })
})
