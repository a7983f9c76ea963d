/** Sessions as bytes: every shape survives, and what cannot be read is refused. (house-style, §5) */
import { concatBytes } from '@couplet/wire'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { recordArrays } from '../../wire/test/arrays.ts'
import { decodeSession, encodeSession, noteReceipt, type Session } from '../src/index.ts'
import { Conversation, cast, codeOf } from './conversation.ts'
import { initiate } from './support.ts'

/** Sessions of every shape that a conversation goes through. */
async function shapes(): Promise<Session[]> {
  const { ana, ben } = await cast('node:crypto')
  const fresh = await initiate(ana, ben)
  const chat = await Conversation.begin(ana, ben)
  const seen = [fresh, chat.sessions.a, chat.sessions.b]
  for (let turn = 0; turn < 36; turn++) {
    chat.tell(turn % 2 === 0 ? 'b' : 'a')
    if (turn % 5 === 0 || turn > 12) seen.push(chat.sessions.a, chat.sessions.b)
  }
  const said = chat.say('b')
  return [
    ...seen,
    chat.sessions.b,
    noteReceipt(chat.sessions.b, said.position),
    { ...chat.sessions.a, standing: 'dead', unproven: true },
    { ...chat.sessions.a, standing: 'superseded' },
  ]
}

describe('stored sessions', () => {
  let sessions: Session[]
  beforeAll(async () => {
    sessions = await shapes()
  })

  test('every shape survives, one that offers and one that answered included', () => {
    for (const session of sessions) expect(decodeSession(encodeSession(session))).toEqual(session)
    expect(sessions.some(({ sending }) => sending?.offer)).toBe(true)
    expect(sessions.some(({ sending }) => sending?.ciphertext)).toBe(true)
    expect(sessions.some(({ remote }) => remote?.offer)).toBe(true)
    expect(sessions.some(({ pastHeaderKeys }) => pastHeaderKeys.length === 5)).toBe(true)
    expect(sessions.some(({ handshake }) => handshake)).toBe(true)
  })

  test('are encoded in one place: the length of every shape is known before', () => {
    for (const session of sessions) {
      const { made, stop } = recordArrays()
      const encoded = encodeSession(session)
      stop()
      expect(made).toEqual([encoded])
      expect(made[0]).toBe(encoded)
    }
  })

  test('what is read shares the bytes that it was read from: wiping them wipes the session', () => {
    const encoded = encodeSession(sessions.at(-1)!)
    const session = decodeSession(encoded)
    encoded.fill(0)
    expect(session.rootKey).toEqual(new Uint8Array(32))
    expect(session.receiving!.key).toEqual(new Uint8Array(32))
  })

  test('cut at any length, or with a byte behind it, it is unreadable', () => {
    for (const session of [sessions[0]!, sessions[1]!, sessions.at(-1)!]) {
      const encoded = encodeSession(session)
      for (let length = 0; length < encoded.length; length++) {
        expect(codeOf(() => decodeSession(encoded.subarray(0, length)))).toBe('unreadable-state')
      }
      const longer = concatBytes(encoded, Uint8Array.of(0))
      expect(codeOf(() => decodeSession(longer))).toBe('unreadable-state')
    }
  })

  test('a version from the future is refused, not guessed at', () => {
    const encoded = encodeSession(sessions[1]!)
    for (const version of [0, 2, 255]) {
      encoded[0] = version
      expect(codeOf(() => decodeSession(encoded))).toBe('unreadable-state')
    }
  })

  test('property: bytes are a session that encodes to the same bytes, or unreadable', () => {
    const encodings = sessions.map(encodeSession)
    fc.assert(
      fc.property(
        fc.constantFrom(...encodings),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3, size: 'max' }),
        (encoded, edits) => {
          const other = encoded.slice()
          for (const [at, value] of edits) other[at % other.length] = value
          const code = codeOf(() => expect(encodeSession(decodeSession(other))).toEqual(other))
          expect(['nothing thrown', 'unreadable-state']).toContain(code)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
