/** The pure parts of the full-screen conversation: text in cells, the editor, the frame. */
import type { IncomingMessage, OutgoingMessage } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY, edit, editorWith, insert, layout, textOf } from '../src/screen/editor.ts'
import { drawChat, EMPTY_SCREEN, type ScreenState } from '../src/screen/frame.ts'
import { fit, widthOf, wrap } from '../src/screen/text.ts'

const BEN = parsePhoneNumber('+12025550102')
const SAMPLES = [
  'plain words',
  '漢字と仮名',
  'שלום עולם',
  '👩‍👩‍👧 family',
  'e\u0301te\u0301',
  'a\nb',
  ' ',
]
const anyText = fc
  .array(fc.oneof(fc.constantFrom(...SAMPLES), fc.string({ unit: 'grapheme' })), { maxLength: 6 })
  .map((parts) => parts.join(''))
const plain = (_style: unknown, text: string): string => text

describe('text in cells', () => {
  test('no row is wider than asked for, and nothing but spaces is lost', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 30 }), (text, width) => {
        const rows = wrap(text, width)
        for (const row of rows) expect(widthOf(row)).toBeLessThanOrEqual(width)
        expect(rows.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
      }),
    )
  })

  test('breaks where words end, and within a word that is too long', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    expect(wrap('漢字漢字', 5)).toEqual(['漢字', '漢字'])
    expect(wrap('one\n\ntwo', 8)).toEqual(['one', '', 'two'])
  })

  test('what does not fit ends in …', () => {
    expect(fit('漢字漢字', 8)).toBe('漢字漢字')
    expect(fit('漢字漢字', 6)).toBe('漢字…')
  })
})

describe('the editor', () => {
  test('takes what was typed, and moves by what a person sees as characters', () => {
    let editor = insert(EMPTY, 'Hi 👩‍👩‍👧!')
    editor = edit(edit(editor, 'left'), 'backspace')
    expect(textOf(editor)).toBe('Hi !')
    expect(textOf(insert(editor, '漢'))).toBe('Hi 漢!')
    expect(textOf(edit(editorWith('one two'), 'delete-word'))).toBe('one ')
    expect(textOf(insert(EMPTY, 'a\r\nb\rc'))).toBe('a\nb\nc')
  })

  test('up and down go to the same place of the next line', () => {
    const editor = editorWith('first\nab\nthird')
    const up = edit(edit(editor, 'up'), 'up')
    expect(up.before.join('')).toBe('fi')
    expect(edit(edit(up, 'down'), 'end').before.join('')).toBe('first\nab')
    expect(edit(edit(editor, 'home'), 'up').before.join('')).toBe('first\n')
  })

  test('every step keeps the text but for what it deletes, and the cursor on the rows', () => {
    const steps = ['left', 'right', 'up', 'down', 'home', 'end', 'word-left', 'word-right'] as const
    fc.assert(
      fc.property(
        anyText,
        fc.array(fc.constantFrom(...steps)),
        fc.integer({ min: 4, max: 20 }),
        (text, moves, width) => {
          const editor = moves.reduce(edit, editorWith(text))
          expect(textOf(editor)).toBe(text)
          const { rows, row, column } = layout(editor, width)
          expect(row).toBeLessThan(rows.length)
          expect(column).toBeLessThan(width)
          for (const each of rows) expect(widthOf(each)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})

describe('the frame', () => {
  const incoming: IncomingMessage = {
    id: '1',
    direction: 'incoming',
    peer: BEN,
    from: BEN,
    text: 'Hello',
    sentAt: 0,
    receivedAt: 0,
    sequence: 1,
    missingBefore: 0,
  }
  const outgoing: OutgoingMessage = {
    id: '2',
    direction: 'outgoing',
    peer: BEN,
    to: BEN,
    text: 'Hello yourself',
    sentAt: 1,
    state: 'delivered',
    stateAt: 1,
  }
  const state: ScreenState = { ...EMPTY_SCREEN, peer: BEN, messages: [incoming, outgoing] }
  const draw = (change: Partial<ScreenState>, columns = 40, rows = 12): readonly string[] =>
    drawChat({ ...state, ...change }, { columns, rows }, plain, 0).frame.rows

  test('somebody who wrote first is a banner until the user has decided', () => {
    const contact = { phone: BEN, identityId: '', verified: false, accepted: false, blocked: false }
    const asks = draw({ contact }, 60).join('\n')
    expect(asks).toContain('wants to write to you')
    expect(asks).toMatch(/no receipt has\s+gone\s+there/)
    for (const decided of [{ accepted: true }, { blocked: true }]) {
      const after = draw({ contact: { ...contact, ...decided } }, 60).join('\n')
      expect(after).not.toMatch(/no receipt has\s+gone/)
    }
    const requests = [
      { contact: { ...contact, phone: parsePhoneNumber('+12025550103') }, messages: [] },
    ]
    expect(draw({ requests }, 60)[0]).toContain('1 asks to write: Ctrl-N')
  })

  test('has as many rows as the screen, none wider, whatever there is to show', () => {
    fc.assert(
      fc.property(
        fc.array(anyText, { maxLength: 8 }),
        anyText,
        fc.integer({ min: 20, max: 60 }),
        fc.integer({ min: 6, max: 30 }),
        fc.record({ offline: fc.boolean(), notice: fc.option(anyText, { nil: undefined }) }),
        (texts, typed, columns, rows, change) => {
          const messages = texts.map((text, index) => ({ ...outgoing, id: `${index}`, text }))
          const editor = editorWith(typed)
          const size = { columns, rows }
          const { frame } = drawChat({ ...state, ...change, messages, editor }, size, plain, 0)
          expect(frame.rows.length).toBe(rows)
          for (const row of frame.rows) expect(widthOf(row)).toBeLessThanOrEqual(columns)
          expect(frame.cursor.row).toBeLessThan(rows)
          expect(frame.cursor.column).toBeLessThan(columns)
        },
      ),
    )
  })

  test('shows states in the margin, and in words unless all is well', () => {
    expect(draw({}).join('\n')).toContain('✓✓ Hello yourself')
    const waiting = draw({ messages: [{ ...outgoing, state: 'waiting-for-room' }] }).join('\n')
    expect(waiting).toMatch(/↻ Hello yourself\n +waiting for room/)
    const failed = draw({ messages: [{ ...outgoing, state: 'failed', failure: 'key-changed' }] })
    expect(failed.join('\n')).toMatch(/✗ Hello yourself\n +not delivered: their key/)
  })

  test('nothing in a message steers the terminal or looks like the screen’s own', () => {
    const text = '\u001b[2J\u202eevil\u0007\n> typed'
    const rows = draw({ messages: [{ ...incoming, text }] }).join('\n')
    for (const steering of ['\u001b', '\u202e', '\u0007']) expect(rows).not.toContain(steering)
    expect(rows).toContain('     \\x1b[2J')
    expect(rows).toContain('     > typed')
  })

  test('a changed key cannot be missed, whether or not it stops what is sent', () => {
    const held: OutgoingMessage = { ...outgoing, state: 'failed', failure: 'key-changed' }
    const waits = draw({ messages: [held] }, 80).join('\n')
    expect(waits).toMatch(/has a new key[\s\S]*wrote\s+for the old one waits/)
    expect(draw({ isKeyNew: true }, 80).join('\n')).toContain('has a new key')
    const contact = {
      phone: BEN,
      identityId: 'a',
      verified: true,
      accepted: true,
      blocked: false,
      changedKey: { identityId: 'b', seenAt: 0 },
    }
    const stopped = draw({ contact }, 80).join('\n')
    expect(stopped).toMatch(/You had\s+verified the old one. Nothing is sent until you decide/)
    expect(draw({}).join('\n')).not.toContain('new key')
  })

  test('says what is new, what is missing, and that it is offline', () => {
    const rows = draw({
      firstNew: '1',
      messages: [{ ...incoming, missingBefore: 3 }],
      offline: true,
    })
    expect(rows.join('\n')).toContain('── new ─')
    expect(rows.join('\n')).toContain('3 earlier messages are still on')
    expect(rows.join('\n')).toContain('Offline: what you write is kept')
  })
})
