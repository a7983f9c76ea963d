import type { IncomingMessage, OutgoingMessage } from '@couplet/client'
import type { PhoneNumber } from '@couplet/wire'
import { expect, test } from 'vitest'
import { quoted } from '../src/context.ts'
import { excerpt, gapSentence, incomingJson, outgoingJson } from '../src/message-lines.ts'
import { rowsOf } from '../src/safety-number.ts'
import { countStates, stateWords } from '../src/states.ts'
import { ago, clockTime } from '../src/time.ts'

const BEN = '+12025550102' as PhoneNumber
const incoming = {
  id: '0'.repeat(32),
  direction: 'incoming',
  peer: BEN,
  from: BEN,
  text: 'Yes.',
  sentAt: 0,
  receivedAt: 1000,
  sequence: 3,
  missingBefore: 2,
} satisfies IncomingMessage
const outgoing = {
  id: '1'.repeat(32),
  direction: 'outgoing',
  peer: BEN,
  to: BEN,
  text: 'Dinner at eight?',
  sentAt: 0,
  state: 'failed',
  failure: 'key-changed',
  stateAt: 1000,
} satisfies OutgoingMessage

test('messages as JSON have the documented fields', () => {
  expect(incomingJson(incoming)).toEqual({
    type: 'message',
    id: incoming.id,
    from: BEN,
    text: 'Yes.',
    sentAt: '1970-01-01T00:00:00.000Z',
    receivedAt: '1970-01-01T00:00:01.000Z',
    sequence: 3,
    missingBefore: 2,
  })
  expect(outgoingJson(outgoing)).toEqual({
    type: 'outgoing',
    id: outgoing.id,
    to: BEN,
    text: 'Dinner at eight?',
    state: 'failed',
    failure: 'key-changed',
    sentAt: '1970-01-01T00:00:00.000Z',
    stateAt: '1970-01-01T00:00:01.000Z',
  })
})

test('gaps and states in plain words', () => {
  expect(gapSentence(incoming)).toBe(`2 earlier messages are still on ${BEN}’s device.`)
  expect(gapSentence({ ...incoming, missingBefore: 1 })).toMatch(/^1 earlier message is still on/)
  expect(stateWords(outgoing)).toBe('not delivered: their key changed; verify and decide')
  const waiting: OutgoingMessage = { ...outgoing, state: 'waiting-for-room' }
  expect(countStates([waiting, outgoing, waiting])).toBe('2 waiting for room, 1 not delivered')
  expect(countStates([])).toBe('')
})

test('a safety number is twelve groups of five in rows of four', () => {
  const digits = '012345678901234567890123456789012345678901234567890123456789'
  expect(rowsOf(digits)).toEqual([
    '01234 56789 01234 56789',
    '01234 56789 01234 56789',
    '01234 56789 01234 56789',
  ])
})

test('an excerpt never cuts a character in two', () => {
  expect(excerpt('🚀'.repeat(30), 5)).toBe('🚀🚀🚀🚀…')
  expect(excerpt('one\ntwo')).toBe('one two')
})

test('times do not depend on the locale, and survive nonsense', () => {
  const noon = new Date(2026, 7, 1, 12, 5).getTime()
  expect(clockTime(noon, noon + 1000)).toBe('12:05')
  expect(clockTime(noon, noon + 86_400_000)).toBe('2026-08-01 12:05')
  expect(clockTime(8.64e15 + 1, noon)).toBe('??:??')
  expect(ago(noon, noon + 200_000)).toBe('3 min ago')
  expect(ago(noon + 5000, noon)).toBe('just now')
})

test('words that are pasted into a shell stay one word', () => {
  expect(quoted('./ana')).toBe('./ana')
  expect(quoted("it's here")).toBe("'it'\\''s here'")
})
