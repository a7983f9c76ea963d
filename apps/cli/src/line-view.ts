/** A conversation at a terminal, line by line: a prompt below, everything else above it. */
import { createInterface, type Interface } from 'node:readline'
import type { Contact, OutgoingMessage, Warning } from '@couplet/client'
import type { PhoneNumber } from '@couplet/wire'
import type { ChatMessage, ChatView } from './chat-view.ts'
import type { Context } from './context.ts'
import { excerpt, gapSentence, indented } from './message-lines.ts'
import { STATE_MARKS, stateWords } from './states.ts'
import type { Terminal } from './terminal.ts'
import { clockTime } from './time.ts'
import { warningSentence } from './warnings.ts'
import { wrapped } from './wrap.ts'

export function createLineView(context: Context, peer: PhoneNumber): ChatView {
  const { terminal } = context
  const { input, output } = terminal.streams
  const lines = createInterface({
    input,
    output,
    prompt: terminal.paint('dim', '> '),
    historySize: 50,
  })
  // From now on: what is typed before somebody asks for it must not be missed.
  const entered = lines[Symbol.asyncIterator]()
  // Ctrl-C ends a conversation as Ctrl-D does.
  lines.on('SIGINT', () => lines.close())
  // What comes after the conversation begins on a line of its own.
  const endLine = (): void => void output.write('\n')
  lines.once('close', endLine)
  const above = (text: string): void => printAbove(lines, output, text)
  const inset = (text: string): string => {
    const width = Math.max(40, (output as { columns?: number }).columns ?? 80) - 4
    return text
      .split('\n')
      .flatMap((line) => wrapped(line, width).split('\n'))
      .map((line) => `  ${line}`)
      .join('\n')
  }
  const quiet = (text: string): void => above(terminal.paint('dim', text))
  const states = createStateTeller((message) => quiet(`  ${stateLine(message)}`))

  return {
    entries: entriesOf(lines, entered),
    async history(messages) {
      for (const message of messages) above(lineOf(terminal, message))
      const how = 'Type a message and press Enter; /help lists more, Ctrl-D ends.'
      quiet(messages.length === 0 ? `A new conversation with ${peer}. ${how}` : how)
      return new Set(messages.map(({ id }) => id))
    },
    async incoming(message) {
      if (message.peer === peer) above(lineOf(terminal, message))
      else
        above(terminal.paint('yellow', `  (to you from ${message.from}) ${indented(message.text)}`))
    },
    outgoing: states.tell,
    online(online) {
      if (online) quiet('  Connected again.')
      else
        above(
          terminal.paint(
            'yellow',
            '  Offline: what you write is kept and goes out when the server answers.',
          ),
        )
    },
    warning: (warning) =>
      above(terminal.paint(['bold', 'yellow'], inset(warningInChat(context, warning)))),
    refused(text, contact) {
      above(terminal.paint(['bold', 'yellow'], inset(refusal(peer, contact))))
      lines.write(text)
    },
    notice: (text) => quiet(inset(text)),
    close() {
      states.stop()
      lines.off('close', endLine)
      lines.close()
    },
  }
}

function printAbove(lines: Interface, output: NodeJS.WritableStream, text: string): void {
  // The prompt and what is being typed make room, and come back below. Drawing them again begins
  // with going up as many rows as readline believes that they had.
  const { rows } = lines.getCursorPos()
  const up = rows > 0 ? `\u001b[${rows}A` : ''
  output.write(`${up}\r\u001b[J${text}\n`)
  const { closed, prevRows = 0 } = lines as { closed?: boolean; prevRows?: number }
  if (closed) return
  output.write('\n'.repeat(prevRows))
  lines.prompt(true)
}

async function* entriesOf(
  lines: Interface,
  entered: AsyncIterable<string>,
): AsyncGenerator<string> {
  lines.prompt()
  for await (const line of entered) {
    yield line
    lines.prompt(true)
  }
}

function lineOf(terminal: Terminal, message: ChatMessage): string {
  const time = terminal.paint('dim', clockTime(message.sentAt, Date.now()))
  const text = indented(message.text)
  if (message.direction === 'outgoing') {
    return `${time} ${terminal.paint('cyan', 'you')}  ${text}  ${terminal.paint('dim', `${STATE_MARKS[message.state]} ${stateWords(message)}`)}`
  }
  const gap =
    message.missingBefore > 0 ? terminal.paint('dim', `  · ${gapSentence(message)}\n`) : ''
  return `${gap}${time} ${terminal.paint(['bold', 'green'], message.from)}  ${text}`
}

/** `✓✓ delivered: “Dinner at eight?”`. */
function stateLine(message: OutgoingMessage): string {
  return `${STATE_MARKS[message.state]} ${stateWords(message)}: “${excerpt(message.text, 24)}”`
}

/** Other commands cannot be run while this one has the home: the ways out are here. */
function warningInChat(context: Context, warning: Warning): string {
  return warning.kind === 'key-changed'
    ? `${warning.contact.phone} has a new key: a new phone, or somebody in between. Compare with /verify, then /accept. Until then nothing is sent.`
    : warningSentence(context, warning)
}

function refusal(peer: PhoneNumber, contact: Contact | undefined): string {
  const was = contact?.verified ? ' You had verified the old one.' : ''
  return `Not sent: ${peer} has a new key.${was} A new phone, or somebody in between. Compare with /verify, then /accept, then press Enter again.`
}

/** Tells states, but not those that last only a moment on the way to the next. */
function createStateTeller(tell: (message: OutgoingMessage) => void): {
  readonly tell: (message: OutgoingMessage) => void
  readonly stop: () => void
} {
  const latest = new Map<string, { state: string; timer?: NodeJS.Timeout }>()
  return {
    tell(message) {
      const known = latest.get(message.id)
      if (known?.state === message.state) return
      clearTimeout(known?.timer)
      const final = message.state === 'delivered' || message.state === 'failed'
      if (final) {
        latest.delete(message.id)
        return tell(message)
      }
      const timer = setTimeout(() => tell(message), MOMENT_MS)
      latest.set(message.id, { state: message.state, timer })
    },
    stop() {
      for (const { timer } of latest.values()) clearTimeout(timer)
    },
  }
}

const MOMENT_MS = 600
