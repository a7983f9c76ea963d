/** Keys and pastes from a terminal in raw mode. Node's readline knows the sequences. */
import { emitKeypressEvents } from 'node:readline'
import type { ReadStream } from 'node:tty'
import type { Edit } from './editor.ts'

export type Input =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'edit'; readonly edit: Edit }
  | { readonly kind: 'command'; readonly command: Command }

export type Command =
  | 'enter'
  | 'page-up'
  | 'page-down'
  | 'next'
  | 'previous'
  | 'escape'
  | 'redraw'
  | 'end-of-input'
  | 'interrupt'

/** Listens until the function that it gives back is called. */
export function listenToKeys(input: ReadStream, on: (input: Input) => void): () => void {
  let pasted: string | undefined
  const onKey = (text: string | undefined, key: Key): void => {
    if (key.name === 'paste-start') pasted = ''
    else if (key.name === 'paste-end') {
      const all = pasted ?? ''
      pasted = undefined
      if (all !== '') on({ kind: 'text', text: all })
    } else if (pasted !== undefined) pasted += key.sequence ?? text ?? ''
    else {
      const meaning = meaningOf(text, key)
      if (meaning) on(meaning)
    }
  }
  emitKeypressEvents(input)
  input.setRawMode(true)
  input.on('keypress', onKey)
  input.resume()
  return () => {
    input.off('keypress', onKey)
    input.setRawMode(false)
    input.pause()
  }
}

function meaningOf(text: string | undefined, key: Key): Input | undefined {
  const name = `${key.ctrl ? 'C-' : ''}${key.meta ? 'M-' : ''}${key.name ?? ''}`
  const edit = EDITS[name]
  if (edit) return { kind: 'edit', edit }
  const command = COMMANDS[name]
  if (command) return { kind: 'command', command }
  // Ctrl-J, and Enter with Alt: a line break in the message.
  if (name === 'enter' || name === 'M-return' || name === 'M-enter' || name === 'C-j') {
    return { kind: 'text', text: '\n' }
  }
  const isText = text !== undefined && !key.ctrl && !key.meta && !/^\p{Cc}/u.test(text)
  return isText ? { kind: 'text', text } : undefined
}

const EDITS: Readonly<Record<string, Edit>> = {
  left: 'left',
  'C-b': 'left',
  right: 'right',
  'C-f': 'right',
  up: 'up',
  down: 'down',
  home: 'home',
  'C-a': 'home',
  end: 'end',
  'C-e': 'end',
  'C-left': 'word-left',
  'M-b': 'word-left',
  'M-left': 'word-left',
  'C-right': 'word-right',
  'M-f': 'word-right',
  'M-right': 'word-right',
  backspace: 'backspace',
  'C-h': 'backspace',
  delete: 'delete',
  'C-w': 'delete-word',
  'M-backspace': 'delete-word',
  'C-u': 'delete-to-start',
  'C-k': 'delete-to-end',
}

const COMMANDS: Readonly<Record<string, Command>> = {
  return: 'enter',
  pageup: 'page-up',
  pagedown: 'page-down',
  'C-n': 'next',
  'C-p': 'previous',
  escape: 'escape',
  'M-escape': 'escape',
  'C-l': 'redraw',
  'C-d': 'end-of-input',
  'C-c': 'interrupt',
}

interface Key {
  readonly sequence?: string
  readonly name?: string
  readonly ctrl?: boolean
  readonly meta?: boolean
}
