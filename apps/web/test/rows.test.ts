/** The list of conversations, followed row by row. */
import type { Contact, Conversation, IncomingMessage } from '@couplet/client'
import { describe, expect, test } from 'vitest'
import { changed, withContacts, withRows } from '../src/app/rows.ts'

describe('the list after some rows were read again', () => {
  const list = [row('+12', 30), row('+13', 20), row('+14', 10)]

  test('whoever wrote comes to the top, and the others stay the same objects', () => {
    const now = withRows(list, ['+14'], [row('+14', 40)])
    expect(phones(now)).toEqual(['+14', '+12', '+13'])
    expect(now[1]).toBe(list[0])
    expect(now[2]).toBe(list[1])
  })

  test('several at once keep their order', () => {
    const now = withRows(list, ['+14', '+15'], [row('+15', 50), row('+14', 40)])
    expect(phones(now)).toEqual(['+15', '+14', '+12', '+13'])
  })

  test('one whose last message is gone goes to where the one before it belongs', () => {
    expect(phones(withRows(list, ['+12'], [row('+12', 15)]))).toEqual(['+13', '+12', '+14'])
    expect(phones(withRows(list, ['+12'], [row('+12', 5)]))).toEqual(['+13', '+14', '+12'])
  })

  test('one that was asked for and is not there leaves', () => {
    expect(phones(withRows(list, ['+13'], []))).toEqual(['+12', '+14'])
    expect(phones(withRows(list, ['+19'], []))).toEqual(['+12', '+13', '+14'])
  })

  test('nothing new is the very same list', () => {
    expect(withRows(list, ['+13'], [row('+13', 20)])).toBe(list)
    expect(withRows(list, ['+19'], [])).toBe(list)
  })
})

test('one row is changed, or nothing', () => {
  const list = [row('+12', 30), row('+13', 20)]
  const seen = changed(list, '+13', (entry) => ({ ...entry, unread: 7 }))
  expect(seen.map(({ unread }) => unread)).toEqual([0, 7])
  expect(seen[0]).toBe(list[0])
  expect(changed(list, '+13', (entry) => entry)).toBe(list)
  expect(changed(list, '+19', (entry) => ({ ...entry, unread: 7 }))).toBe(list)
})

test('contacts that were read again: changed, new, gone, the same', () => {
  const before = new Map([contact('+12'), contact('+13')].map((c) => [c.phone as string, c]))
  expect(withContacts(before, ['+12'], [contact('+12')])).toBe(before)
  const verified = { ...contact('+12'), verified: true }
  const now = withContacts(before, ['+12', '+13', '+14'], [verified, contact('+14')])
  expect([...now.keys()].toSorted()).toEqual(['+12', '+14'])
  expect(now.get('+12')).toBe(verified)
})

function phones(rows: readonly Conversation[]): readonly string[] {
  return rows.map((entry) => entry.contact.phone)
}

function contact(phone: string): Contact {
  return { phone, identityId: '', verified: false, accepted: true, blocked: false } as Contact
}

function row(phone: string, receivedAt: number): Conversation {
  const last = { id: `${receivedAt}`, direction: 'incoming', receivedAt, text: '' }
  return { contact: contact(phone), unread: 0, last: last as unknown as IncomingMessage }
}
