/**
 * The full-screen conversation: history above, what you type below, other conversations behind
 * Ctrl-N. A message counts as seen when it is on the screen. What was typed and not sent is kept in
 * the home until the next time.
 */

import type { ReadStream } from 'node:tty'
import type { ConnectionState, Couplet, Warning } from '@couplet/client'
import { type PhoneNumber, parsePhoneNumber } from '@couplet/wire'
import { type ChatCommands, obey } from '../chat-commands.ts'
import type { Context } from '../context.ts'
import { CommandError, codeOf } from '../errors.ts'
import { explained } from '../former-number.ts'
import { UNREACHABLE } from '../home.ts'
import { capitalized, sentenceFor } from '../sentences.ts'
import { warningSentence } from '../warnings.ts'
import { EMPTY, edit, editorWith, insert, textOf } from './editor.ts'
import {
  type Choice,
  type Drawn,
  drawChat,
  EMPTY_SCREEN,
  isStranger,
  type ScreenState,
} from './frame.ts'
import { type Command, type Input, listenToKeys } from './keys.ts'
import { Painter } from './painter.ts'
import { choicesOf, updated } from './picker.ts'

/** Runs until the user ends it. Without a peer, it begins with the list of conversations. */
export async function chatOnScreen(
  context: Context,
  couplet: Couplet,
  peer: PhoneNumber | undefined,
): Promise<void> {
  const screen = new ChatScreen(context, couplet)
  await screen.run(peer)
}

class ChatScreen {
  readonly #context: Context
  readonly #couplet: Couplet
  readonly #painter: Painter
  readonly #ended = Promise.withResolvers<void>()
  #commands: ChatCommands | undefined
  #state: ScreenState = EMPTY_SCREEN
  #drawn: Drawn | undefined
  #historyLimit = HISTORY_PAGE
  #refreshing: Promise<void> | undefined
  #again = false
  #wasOnline = false

  constructor(context: Context, couplet: Couplet) {
    this.#context = context
    this.#couplet = couplet
    this.#painter = new Painter(context.terminal.streams.output)
  }

  async run(peer: PhoneNumber | undefined): Promise<void> {
    const { input, output } = this.#context.terminal.streams
    const onResize = (): void => {
      this.#painter.forget()
      this.#draw()
    }
    this.#painter.enter()
    // Keys are taken one after the other: one may have to wait for the home.
    let handled: Promise<void> = Promise.resolve()
    const stop = [
      listenToKeys(input as ReadStream, (key) => {
        handled = handled.then(() => this.#take(key)).catch(this.#ended.reject)
      }),
      this.#couplet.on('arrival', () => void this.#refresh()),
      this.#couplet.on('status', () => void this.#refresh()),
      this.#couplet.on('expired', () => void this.#refresh()),
      this.#couplet.on('request', () => void this.#refresh()),
      this.#couplet.on('connection', (state) => this.#onConnection(state)),
      this.#couplet.on('warning', (warning) => this.#onWarning(warning)),
    ]
    output.on('resize', onResize)
    try {
      if (peer === undefined) await this.#pick('')
      else await this.#open(peer)
      this.#connect().catch(this.#ended.reject)
      await this.#ended.promise
      await this.#keepDraft()
    } finally {
      output.off('resize', onResize)
      for (const each of stop) each()
      this.#painter.leave()
    }
  }

  // ----- keys

  async #take(input: Input): Promise<void> {
    if (input.kind === 'command' && input.command === 'interrupt') return this.#ended.resolve()
    if (this.#state.picker) return this.#takeInPicker(input)
    if (input.kind === 'text') this.#show({ editor: insert(this.#state.editor, input.text) })
    else if (input.kind === 'edit') this.#show({ editor: edit(this.#state.editor, input.edit) })
    else await this.#command(input.command)
  }

  async #command(command: Command): Promise<void> {
    switch (command) {
      case 'enter':
        return this.#enter()
      case 'page-up':
        return this.#scroll(1)
      case 'page-down':
        return this.#scroll(-1)
      case 'next':
      case 'previous':
        return this.#pick('')
      case 'escape':
        return this.#show({ notice: undefined, isKeyNew: false })
      case 'redraw':
        this.#painter.forget()
        return this.#show({})
      case 'end-of-input':
        if (textOf(this.#state.editor) === '') return this.#ended.resolve()
        return this.#show({ editor: edit(this.#state.editor, 'delete') })
      case 'interrupt':
        return this.#ended.resolve()
    }
  }

  async #enter(): Promise<void> {
    const text = textOf(this.#state.editor)
    if (text.trim() === '') return this.#show({ notice: undefined })
    if (!text.startsWith('/')) return this.#send(text)
    if (text.startsWith('//')) return this.#send(text.slice(1))
    this.#show({ editor: EMPTY, notice: undefined })
    const command = text.slice(1).trim()
    if (command === 'accept') this.#show({ isKeyNew: false })
    const goesOn = await obey(this.#commands!, command)
    if (!goesOn) this.#ended.resolve()
    await this.#refresh()
  }

  async #send(text: string): Promise<void> {
    const { peer } = this.#state
    try {
      const sending = await this.#couplet.send(peer, text)
      // What becomes of it is told by `status`.
      sending.sent.catch(() => {})
      sending.delivered.catch(() => {})
      this.#show({ editor: EMPTY, notice: undefined, scrolled: 0, firstNew: undefined })
    } catch (error) {
      // The text stays where it was typed.
      const isChanged = codeOf(error) === 'key-changed'
      const sentence = isChanged
        ? 'Not sent: decide about the new key first (/verify, then /accept).'
        : capitalized(sentenceFor(await explained(this.#couplet, peer, error), this.#context))
      this.#show({ notice: sentence })
    }
    await this.#refresh()
  }

  async #scroll(pages: number): Promise<void> {
    const { page = 1, scrollable = 0 } = this.#drawn ?? {}
    const scrolled = this.#state.scrolled + pages * Math.max(1, page - 2)
    this.#show({ scrolled: Math.max(0, Math.min(scrolled, scrollable)) })
    const isAtTop = this.#state.scrolled === scrollable
    if (isAtTop && this.#state.messages.length === this.#historyLimit) {
      this.#historyLimit += HISTORY_PAGE
    }
    await this.#refresh()
  }

  // ----- other conversations

  async #takeInPicker(input: Input): Promise<void> {
    const picker = this.#state.picker!
    const { chosen, choices, filter } = picker
    const move = (by: number): void => {
      const count = Math.max(1, choices.length)
      this.#show({ picker: { ...picker, chosen: (chosen + by + count) % count } })
    }
    if (input.kind === 'text') return this.#pick(filter + input.text.replace(/[^+\d]/g, ''))
    if (input.kind === 'edit') {
      if (input.edit === 'up') return move(-1)
      if (input.edit === 'down') return move(1)
      return input.edit === 'backspace' ? this.#pick(filter.slice(0, -1)) : undefined
    }
    switch (input.command) {
      case 'next':
        return move(1)
      case 'previous':
        return move(-1)
      case 'enter': {
        const choice = choices[chosen]
        return choice ? this.#open(parsePhoneNumber(choice.phone)) : undefined
      }
      case 'escape':
      case 'end-of-input':
        if (this.#state.peer === '') return this.#ended.resolve()
        return this.#show({ picker: undefined })
      case 'page-up':
      case 'page-down':
      case 'redraw':
      case 'interrupt':
        return undefined
    }
  }

  async #pick(filter: string): Promise<void> {
    const conversations = await this.#couplet.conversations()
    const requests = await this.#couplet.requests()
    const choices = choicesOf(conversations, requests, filter)
    // Who wrote something new comes first to mind.
    const isNew = ({ phone, conversation }: Choice): boolean =>
      phone !== this.#state.peer && (conversation?.unread ?? 0) > 0
    const chosen = Math.max(0, choices.findIndex(isNew))
    this.#show({ conversations, requests, picker: { filter, chosen, choices } })
  }

  async #open(peer: PhoneNumber): Promise<void> {
    await this.#keepDraft()
    this.#historyLimit = HISTORY_PAGE
    const draft = await this.#couplet.memo<string>(draftName(peer))
    const found = (await this.#couplet.conversations()).find(
      ({ contact }) => contact.phone === peer,
    )
    const messages = await this.#couplet.history(peer, { limit: HISTORY_PAGE })
    const incoming = messages.filter(({ direction }) => direction === 'incoming')
    const unread = found?.unread ?? 0
    this.#commands = {
      context: this.#context,
      couplet: this.#couplet,
      peer,
      notice: (notice) => this.#show({ notice }),
      keys: 'PgUp and PgDn scroll, Ctrl-N shows other conversations, Alt-Enter breaks the line.',
    }
    this.#show({
      ...EMPTY_SCREEN,
      peer,
      offline: this.#state.offline,
      messages,
      contact: found?.contact,
      editor: editorWith(draft ?? ''),
      firstNew: unread > 0 ? incoming.at(-unread)?.id : undefined,
    })
    await this.#refresh()
  }

  async #keepDraft(): Promise<void> {
    const { peer, editor } = this.#state
    if (peer === '') return
    await this.#couplet.keepMemo(draftName(peer), textOf(editor) || undefined)
  }

  // ----- what happens

  /** Reads again what is shown; once more if something happened meanwhile. */
  #refresh(): Promise<void> {
    this.#again = true
    this.#refreshing ??= this.#reloadAll()
    return this.#refreshing
  }

  async #reloadAll(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false
        await this.#reload()
      }
    } catch (error) {
      this.#ended.reject(error)
    } finally {
      this.#refreshing = undefined
    }
  }

  async #reload(): Promise<void> {
    const { peer, scrolled } = this.#state
    const contact = (await this.#couplet.contacts()).find(({ phone }) => phone === peer)
    // What is above the end of the screen is seen; what came while one reads further up is not, nor
    // what a stranger wrote, before the user has decided.
    const isSeen = peer !== '' && scrolled === 0 && !this.#state.picker && !isStranger(contact)
    if (isSeen) await this.#couplet.markAllSeen(peer)
    const conversations = await this.#couplet.conversations()
    const requests = await this.#couplet.requests()
    const messages =
      peer === '' ? [] : await this.#couplet.history(peer, { limit: this.#historyLimit })
    const { picker } = this.#state
    if (picker) {
      const choices = choicesOf(conversations, requests, picker.filter)
      this.#show({ conversations, requests, picker: updated(picker, choices) })
    }
    // Another conversation may have been opened meanwhile.
    if (peer === this.#state.peer) this.#show({ conversations, requests, contact, messages })
  }

  #onConnection(state: ConnectionState): void {
    if (state === 'replaced') {
      const sentence = 'another connection with this identity took over; this one ends.'
      this.#ended.reject(new CommandError('closed', sentence))
      return
    }
    if (state === 'online') this.#wasOnline = true
    if (state === 'online') this.#show({ offline: false })
    else if (state === 'offline' && this.#wasOnline) this.#show({ offline: true })
  }

  #onWarning(warning: Warning): void {
    const { kind, contact } = warning
    if (kind === 'number-changed' && contact.formerPhone === this.#state.peer) {
      this.#follow(warning).catch(this.#ended.reject)
    } else if (warning.kind === 'key-changed' && warning.contact.phone === this.#state.peer) {
      this.#show({ isKeyNew: true })
    } else {
      this.#show({ notice: capitalized(warningSentence(this.#context, warning)) })
    }
    void this.#refresh()
  }

  /** The same conversation under the contact's new number; what was typed stays. */
  async #follow(warning: Warning): Promise<void> {
    const { editor } = this.#state
    await this.#open(warning.contact.phone)
    this.#show({ editor, notice: capitalized(warningSentence(this.#context, warning)) })
  }

  /** One try is enough: the SDK goes on trying by itself. */
  async #connect(): Promise<void> {
    try {
      await this.#couplet.connect()
    } catch (error) {
      if (!UNREACHABLE.has(codeOf(error))) throw error
      this.#show({ offline: true })
    }
  }

  #show(change: Partial<ScreenState>): void {
    this.#state = { ...this.#state, ...change }
    this.#draw()
  }

  #draw(): void {
    const { terminal } = this.#context
    this.#drawn = drawChat(
      this.#state,
      this.#painter.size,
      (style, text) => terminal.paint(style, text),
      Date.now(),
    )
    this.#painter.draw(this.#drawn.frame)
  }
}

function draftName(peer: string): string {
  return `draft ${peer}`
}

/** Messages that are read from the home at once. */
const HISTORY_PAGE = 200
