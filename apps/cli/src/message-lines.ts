/** Messages as lines, for people and for programs. */
import type { IncomingMessage, Message, OutgoingMessage } from '@couplet/client'
import { sanitize, sanitizeLine } from './sanitize.ts'
import { stateWords } from './states.ts'
import type { Terminal } from './terminal.ts'
import { clockTime, isoTime } from './time.ts'

/** `--json`: a received message. The fields are documented in docs/command-line.md. */
export function incomingJson(message: IncomingMessage): Record<string, unknown> {
  return {
    type: 'message',
    id: message.id,
    from: message.from,
    text: message.text,
    sentAt: isoTime(message.sentAt),
    receivedAt: isoTime(message.receivedAt),
    ...expiresJson(message),
    sequence: message.sequence,
    missingBefore: message.missingBefore,
  }
}

/** `--json`: a message of ours and where it is. */
export function outgoingJson(message: OutgoingMessage): Record<string, unknown> {
  return {
    type: 'outgoing',
    id: message.id,
    to: message.to,
    text: message.text,
    state: message.state,
    ...(message.failure && { failure: message.failure }),
    sentAt: isoTime(message.sentAt),
    stateAt: isoTime(message.stateAt),
    ...expiresJson(message),
  }
}

function expiresJson({ expiresAt }: Message): { readonly expiresAt?: string } {
  return expiresAt === undefined ? {} : { expiresAt: isoTime(expiresAt) }
}

/** `+12025550101  18:00  Dinner at eight?`; further lines of the text are indented. */
export function incomingLine(terminal: Terminal, message: IncomingMessage, now: number): string {
  const time = terminal.outputIsTerminal ? clockTime(message.sentAt, now) : isoTime(message.sentAt)
  const head = `${terminal.paint('bold', message.from)}  ${terminal.paint('dim', time)}  `
  return head + indented(message.text)
}

/** `2 earlier messages are still on +12025550101’s device.` */
export function gapSentence(message: IncomingMessage): string {
  const count = message.missingBefore
  const device = `${message.from}’s device`
  return count === 1
    ? `1 earlier message is still on ${device}.`
    : `${count} earlier messages are still on ${device}.`
}

/** `your message to +12025550102 (“Dinner at eight?”) is not delivered: …`. */
export function failureSentence(message: OutgoingMessage): string {
  return `your message to ${message.to} (“${excerpt(message.text)}”) is ${stateWords(message)}.`
}

/** Text that may have several lines, so that none of them looks like one of ours. */
export function indented(text: string): string {
  return sanitize(text).replaceAll('\n', '\n    ')
}

/** The beginning of a text on one line. */
export function excerpt(text: string, length = 40): string {
  const characters = Array.from(sanitizeLine(text))
  return characters.length <= length
    ? characters.join('')
    : `${characters.slice(0, length - 1).join('')}…`
}
