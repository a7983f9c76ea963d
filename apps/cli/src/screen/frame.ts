/** What the screen shows, from what there is to show. Pure. */
import type { Contact, Conversation, MessageRequest } from '@couplet/client'
import type { ChatMessage } from '../chat-view.ts'
import { gapSentence } from '../message-lines.ts'
import { sanitize, sanitizeLine } from '../sanitize.ts'
import { STATE_MARKS, stateWords } from '../states.ts'
import type { Terminal } from '../terminal.ts'
import { clockTime } from '../time.ts'
import { type Editor, EMPTY, layout } from './editor.ts'
import type { Frame } from './painter.ts'
import { fit, widthOf, wrap } from './text.ts'

export interface ScreenState {
  readonly peer: string
  readonly contact: Contact | undefined
  readonly messages: readonly ChatMessage[]
  /** The first message that was new when the conversation was opened. */
  readonly firstNew: string | undefined
  readonly conversations: readonly Conversation[]
  /** People who wrote first and wait for a decision. */
  readonly requests: readonly MessageRequest[]
  /** The contact's key changed while this was on the screen, and nobody has said anything to that. */
  readonly isKeyNew: boolean
  readonly offline: boolean
  /** An answer to a command, until the next key. */
  readonly notice: string | undefined
  readonly editor: Editor
  /** Rows that the history is scrolled up from its end. */
  readonly scrolled: number
  readonly picker: Picker | undefined
}

/** The list of conversations, open above the history. */
export interface Picker {
  readonly filter: string
  readonly chosen: number
  readonly choices: readonly Choice[]
}

export interface Choice {
  readonly phone: string
  readonly conversation: Conversation | undefined
  /** Somebody who waits for a decision. */
  readonly request?: MessageRequest
}

/** Before there is a conversation. */
export const EMPTY_SCREEN: ScreenState = {
  peer: '',
  contact: undefined,
  messages: [],
  firstNew: undefined,
  isKeyNew: false,
  conversations: [],
  requests: [],
  offline: false,
  notice: undefined,
  editor: EMPTY,
  scrolled: 0,
  picker: undefined,
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Drawn {
  readonly frame: Frame
  /** How many rows the history could be scrolled. */
  readonly scrollable: number
  /** Rows of the history that are visible. */
  readonly page: number
}

type Paint = Terminal['paint']

export function drawChat(state: ScreenState, size: Size, paint: Paint, now: number): Drawn {
  const { columns } = size
  const top = [titleRow(state, columns, paint), ...banners(state, columns, paint)]
  const composer = composerRows(state.editor, columns, paint)
  const notice = noticeRows(state, columns, size.rows, paint)
  const below = [...notice, rule(columns, scrollHint(state), paint), ...composer.rows]
  const page = Math.max(1, size.rows - top.length - below.length)
  const body = state.picker
    ? pickerRows(state.picker, columns, paint, now)
    : historyRows(state, columns, paint, now)
  const scrollable = state.picker ? 0 : Math.max(0, body.length - page)
  const end = body.length - Math.min(state.scrolled, scrollable)
  const visible = state.picker ? body.slice(0, page) : body.slice(Math.max(0, end - page), end)
  const empty = Array.from({ length: page - visible.length }, () => '')
  // A short conversation stands at the bottom, near where the next message is typed.
  const filled = state.picker ? [...visible, ...empty] : [...empty, ...visible]
  const rows = [...top, ...filled, ...below].slice(-size.rows)
  const cursor = state.picker
    ? {
        row: top.length,
        column: Math.min(columns - 1, PICKER_PROMPT.length + state.picker.filter.length),
      }
    : { row: rows.length - composer.rows.length + composer.row, column: composer.column }
  return { frame: { rows, cursor }, scrollable, page }
}

function titleRow(state: ScreenState, columns: number, paint: Paint): string {
  const { contact } = state
  const trust = contact?.changedKey
    ? 'CHANGED KEY'
    : contact?.blocked
      ? 'blocked'
      : contact?.verified
        ? '✔ verified'
        : isStranger(contact)
          ? 'wants to write to you'
          : 'not verified yet'
  const left = ` ${state.peer}  ${trust}`
  const unread = state.conversations
    .filter((each) => each.contact.phone !== state.peer)
    .reduce((sum, each) => sum + each.unread, 0)
  const asking = state.requests.filter(({ contact: { phone } }) => phone !== state.peer).length
  const right =
    unread > 0
      ? `${unread} new elsewhere: Ctrl-N `
      : asking > 0
        ? `${asking} ask${asking === 1 ? 's' : ''} to write: Ctrl-N `
        : 'Ctrl-N: others '
  const gap = columns - widthOf(left) - widthOf(right)
  const text = gap > 0 ? `${left}${' '.repeat(gap)}${right}` : fit(left, columns).padEnd(columns)
  return paint('inverse', text)
}

function banners(state: ScreenState, columns: number, paint: Paint): readonly string[] {
  const rows: string[] = []
  const key = keyBanner(state)
  if (key !== undefined)
    rows.push(...wrap(key, columns).map((row) => paint(['bold', 'yellow'], row)))
  else if (isStranger(state.contact)) {
    const text = `You do not know ${state.peer} yet, and no receipt has gone there. /accept to go on with each other, /block to hear no more; an answer accepts, too.`
    rows.push(...wrap(text, columns).map((row) => paint(['bold', 'cyan'], row)))
  }
  if (state.offline) {
    const text = 'Offline: what you write is kept and goes out when the server answers.'
    rows.push(...wrap(text, columns).map((row) => paint('yellow', row)))
  }
  return rows
}

/** Somebody who wrote first, and whom the user has not decided about. */
export function isStranger(contact: Contact | undefined): boolean {
  return contact !== undefined && !contact.accepted && !contact.blocked && !contact.changedKey
}

/** Nothing goes to a verified contact's new key; to another's, nothing that was written before. */
function keyBanner({ contact, peer, messages, isKeyNew }: ScreenState): string | undefined {
  const what = `${peer} has a new key: a new phone, or somebody in between.`
  if (contact?.changedKey) {
    const was = contact.verified ? ' You had verified the old one.' : ''
    return `${what}${was} Nothing is sent until you decide: /verify shows the number to compare, /accept goes on with the new key.`
  }
  const isHeld = messages.some(
    (each) => each.direction === 'outgoing' && each.failure === 'key-changed',
  )
  if (!isHeld && !isKeyNew) return undefined
  const held = isHeld ? ' What you wrote for the old one waits.' : ''
  return `${what}${held} /verify shows the number to compare, /accept goes on with the new key.`
}

function historyRows(
  state: ScreenState,
  columns: number,
  paint: Paint,
  now: number,
): readonly string[] {
  const { messages } = state
  if (messages.length === 0) {
    const text = `A new conversation with ${state.peer}. Type a message and press Enter; /help lists more.`
    return wrap(text, columns).map((row) => paint('dim', row))
  }
  return messages.flatMap((message, index) => {
    const before = messages[index - 1]
    const rows: string[] = []
    if (message.id === state.firstNew) rows.push(rule(columns, 'new', paint))
    if (message.direction === 'incoming' && message.missingBefore > 0) {
      rows.push(...wrap(`· ${gapSentence(message)}`, columns).map((row) => paint('dim', row)))
    }
    if (!before || !belongTogether(before, message)) rows.push(headRow(message, paint, now))
    return [...rows, ...textRows(message, columns, paint)]
  })
}

/** Whether a message needs no head of its own: the same author, moments later. */
function belongTogether(before: ChatMessage, message: ChatMessage): boolean {
  const apart = message.sentAt - before.sentAt
  return before.direction === message.direction && apart >= 0 && apart < TOGETHER_MS
}

function headRow(message: ChatMessage, paint: Paint, now: number): string {
  const time = paint('dim', clockTime(message.sentAt, now))
  return message.direction === 'outgoing'
    ? `${time} ${paint(['bold', 'cyan'], 'you')}`
    : `${time} ${paint(['bold', 'green'], message.from)}`
}

/** The text, with the state of an outgoing message in the margin, in words too unless all is well. */
function textRows(message: ChatMessage, columns: number, paint: Paint): readonly string[] {
  const width = columns - MARGIN
  const rows = wrap(sanitize(message.text), width).map((row, index) => {
    const mark = index === 0 && message.direction === 'outgoing' ? STATE_MARKS[message.state] : ''
    return `${paint('dim', `${mark} `.padStart(MARGIN))}${row}`
  })
  const words: string[] = []
  if (message.direction === 'outgoing' && !QUIET_STATES.has(message.state)) {
    words.push(stateWords(message))
  }
  if (message.direction === 'incoming' && message.fromChangedKey) words.push('from the new key')
  const style = message.direction === 'outgoing' && message.state === 'failed' ? 'red' : 'dim'
  const notes = words.flatMap((each) => wrap(each, width))
  return [...rows, ...notes.map((row) => paint(style, `${' '.repeat(MARGIN)}${row}`))]
}

function composerRows(
  editor: Editor,
  columns: number,
  paint: Paint,
): { readonly rows: readonly string[]; readonly row: number; readonly column: number } {
  const { rows, row, column } = layout(editor, columns - PROMPT.length)
  // It grows to some rows, and then shows those around the cursor.
  const first = Math.max(0, Math.min(row - COMPOSER_ROWS + 1, rows.length - COMPOSER_ROWS))
  const shown = rows.slice(first, first + COMPOSER_ROWS)
  const prompt = paint('cyan', PROMPT)
  return {
    rows: shown.map(
      (text, index) => `${first + index === 0 ? prompt : ' '.repeat(PROMPT.length)}${text}`,
    ),
    row: row - first,
    column: column + PROMPT.length,
  }
}

function noticeRows(
  { notice }: ScreenState,
  columns: number,
  rows: number,
  paint: Paint,
): readonly string[] {
  if (notice === undefined) return []
  const lines = wrap(sanitize(notice), columns - 2).map((row) => paint('cyan', `  ${row}`))
  return [rule(columns, '', paint), ...lines].slice(0, Math.max(1, Math.floor(rows / 2)))
}

function pickerRows(picker: Picker, columns: number, paint: Paint, now: number): readonly string[] {
  const head = `${PICKER_PROMPT}${sanitizeLine(picker.filter)}`
  const rows = picker.choices.map((choice, index) => {
    const text = fit(choiceText(choice, now), columns - 2)
    return index === picker.chosen ? paint('inverse', `> ${text}`) : `  ${text}`
  })
  const how = 'Enter opens, Esc goes back; type a number to find or begin one.'
  return [head, ...rows, '', ...wrap(how, columns).map((row) => paint('dim', row))]
}

function choiceText({ phone, conversation, request }: Choice, now: number): string {
  if (request) {
    const last = request.messages.at(-1)
    return `${phone}  asks to write: ${last ? sanitizeLine(last.text) : ''}`
  }
  if (!conversation) return `${phone}  a new conversation`
  const { unread, last } = conversation
  const count = unread > 0 ? `(${unread} new) ` : ''
  const who = last.direction === 'outgoing' ? 'you: ' : ''
  return `${phone}  ${clockTime(last.sentAt, now)}  ${count}${who}${sanitizeLine(last.text)}`
}

function scrollHint({ scrolled, conversations, peer }: ScreenState): string {
  if (scrolled === 0) return ''
  const unread = conversations.find(({ contact }) => contact.phone === peer)?.unread ?? 0
  return unread > 0 ? `${unread} new below: PgDn` : 'PgDn: down'
}

function rule(columns: number, label: string, paint: Paint): string {
  const text = label === '' ? '' : ` ${label} `
  return paint('dim', `──${text}${'─'.repeat(Math.max(0, columns - 2 - widthOf(text)))}`)
}

const QUIET_STATES: ReadonlySet<string> = new Set(['sent', 'delivered'])
const TOGETHER_MS = 5 * 60 * 1000
const MARGIN = 5
const PROMPT = '> '
const PICKER_PROMPT = 'Conversations: '
const COMPOSER_ROWS = 6
