/** What went wrong, in one sentence, and what to do next. */
import { type Context, pasteable } from './context.ts'
import { CommandError, codeOf, detailsOf, UsageError } from './errors.ts'

/** The whole sentence, without the name of the program. */
export function sentenceFor(error: unknown, context?: Context): string {
  if (error instanceof UsageError || error instanceof CommandError) return error.message
  const known = context && SENTENCES[codeOf(error)]
  if (known) return known(context, error)
  const message = error instanceof Error ? error.message : String(error)
  return `${message.replace(/\.$/, '')}.`
}

/** The same at the beginning of a line of its own. */
export function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}

type Sentence = (context: Context, error: unknown) => string

const SENTENCES: Readonly<Record<string, Sentence>> = {
  'invalid-phone-number': (context) =>
    `“${number(context)}” is not a phone number that can exist: it begins with + and the country code, like +12025550101.`,
  'not-registered': (context) =>
    `nobody is registered in this home yet. Begin with: ${pasteable(context, 'register NUMBER')}`,
  'already-registered': (context) =>
    `this home has an identity already. See it with: ${pasteable(context, 'status')} (or choose another home with --home).`,
  'no-registration': (context) =>
    `no registration waits for a code here. Ask for one with: ${pasteable(context, `register ${number(context)}`)}`,
  'wrong-code': (context, error) => {
    const { triesLeft } = detailsOf(error)
    if (triesLeft === undefined) return 'that is not the code that was sent.'
    if (triesLeft > 0) return `that is not the code that was sent; ${tries(triesLeft)} left.`
    return `that is not the code that was sent, and no tries are left. Ask for a new one with: ${pasteable(context, `register ${number(context)}`)}`
  },
  'registration-expired': (context) =>
    `this code is too old or was used already. Ask for a new one with: ${pasteable(context, `register ${number(context)}`)}`,
  'too-many-attempts': (context, error) =>
    `too many wrong codes; this registration is over.${later(error)} Ask for a new code with: ${pasteable(context, `register ${number(context)}`)}`,
  'code-not-sent': () => 'the server could not send the code. Try again in a moment.',
  'rate-limited': (_context, error) => `too often.${later(error) || ' Try again later.'}`,
  'registration-closed': () =>
    'this number may not register at this server: it asks for an invitation, or only takes numbers that it knows.',
  'registration-locked': (_context, error) =>
    `the number has a PIN, and it was not given or is not the one.${later(error)}`,
  'client-too-old': () => 'the server asks for a newer Couplet. Update it; nothing is lost.',
  'unknown-recipient': (context) => `nobody is registered under ${number(context)} at this server.`,
  unreachable: () =>
    'the server does not answer. Is it running, and is the address right? Nothing is lost.',
  unavailable: () => 'the server is not ready. Try again in a moment. Nothing is lost.',
  unauthenticated: (context) =>
    `the server does not know this identity any more: the number was registered again elsewhere. Register anew in another home: ${pasteable({ ...context, options: {} }, `--home FOLDER register NUMBER`)}`,
  'home-locked': () =>
    'another couplet has this home open (a chat, or receive --follow?). Close it first, or use another home with --home.',
  'wrong-passphrase': () => 'that is not the passphrase of this home.',
  'unreadable-home': (_context, error) =>
    `the data in this home cannot be read: it is damaged or from a newer version. (${messageOf(error)})`,
  'key-changed': (context) =>
    `${number(context)} has a new key: a new phone, or somebody in between. Nothing was sent. Compare ${pasteable(context, `verify ${number(context)}`)} with them, then decide with: ${pasteable(context, `contacts accept ${number(context)}`)}`,
  'message-too-long': () =>
    'the text is longer than a message can be (60,000 bytes). Nothing was sent; divide it.',
  'too-large': () => 'the text is longer than a message can be (60,000 bytes). Nothing was sent.',
  'untrusted-answer': () =>
    'the server’s answer about this number does not verify. Somebody may be in between; nothing was sent.',
  'unexpected-answer': (_context, error) =>
    `the server answers something that Couplet does not understand. Is the address right? (${messageOf(error)})`,
  closed: () => 'another connection with this identity took over; this one ends.',
  internal: (_context, error) =>
    `something went wrong that should not (${messageOf(error)}). Please report it; COUPLET_DEBUG=1 shows where.`,
  'cannot-write': (_context, error) => `the files cannot be read or written: ${messageOf(error)}`,
}

function number(context: Context): string {
  const { operands } = context
  return operands.find((operand) => /^\+?\d/.test(operand)) ?? operands.at(-1) ?? 'NUMBER'
}

function tries(count: number): string {
  return count === 1 ? 'one try is' : `${count} tries are`
}

function later(error: unknown): string {
  const { retryAfter } = detailsOf(error)
  if (retryAfter === undefined) return ''
  if (retryAfter < 120) return ` Try again in ${Math.ceil(retryAfter)} seconds.`
  return ` Try again in ${Math.ceil(retryAfter / 60)} minutes.`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
