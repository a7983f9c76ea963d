/** `couplet send`: one message, kept until it is proven to have arrived. */
import type { Couplet, OutgoingMessage, SentMessage } from '@couplet/client'
import { parsePhoneNumber } from '@couplet/wire'
import { type Context, pasteable } from '../context.ts'
import type { Deadline } from '../deadline.ts'
import { CommandError, codeOf, UsageError } from '../errors.ts'
import { explained } from '../former-number.ts'
import { tryOnline, withCouplet } from '../home.ts'
import { outgoingJson } from '../message-lines.ts'
import type { Streams } from '../terminal.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const to = parsePhoneNumber(context.operands[0]!)
  // Before the home is opened: whoever types must not keep other commands out.
  const text = context.operands[1] ?? (await textFromInput(context))
  if (text === '') throw new UsageError('the message is empty.')

  return withCouplet(context, async (couplet, deadline) => {
    const online = await tryOnline(context, couplet, deadline)
    const { expires } = context.options
    const options = expires === undefined ? {} : { expiresAfterMs: expires }
    const sending = await couplet.send(to, text, options).catch(async (error: unknown) => {
      throw await explained(couplet, to, error)
    })
    // Both fail when the client is closed, and nobody may be listening to them then.
    sending.sent.catch(() => {})
    sending.delivered.catch(() => {})
    try {
      if (!online) throw keptPending(context)
      const message = await terminal.during('Sending …', arrival(context, sending, deadline))
      await terminal.printJson(outgoingJson(message))
      await terminal.answer(
        message.state === 'delivered' ? `Delivered to ${to}.` : `Sent to ${to}.`,
      )
      return 0
    } catch (error) {
      if (terminal.json) await terminal.printJson(outgoingJson(await latest(couplet, sending)))
      throw error
    }
  })
}

/** The message when it got as far as was asked for. */
async function arrival(
  context: Context,
  sending: SentMessage,
  deadline: Deadline,
): Promise<OutgoingMessage> {
  const sent = await deadline.race(sending.sent, () => late(context, 'sent'))
  if (context.options.wait !== 'delivered') return sent
  return deadline.race(sending.delivered, () => late(context, 'delivered'))
}

function late(context: Context, missing: 'sent' | 'delivered'): CommandError {
  const seconds = context.options.timeout ?? 30
  const sentence =
    missing === 'sent'
      ? `the server has not taken the message within ${seconds} seconds. It stays in your outbox and goes out with the next command that connects; see: ${pasteable(context, 'outbox')}`
      : `the message is sent, but the other device has not proven within ${seconds} seconds that it has it. It stays in your outbox until then; see: ${pasteable(context, 'outbox')}`
  return new CommandError('timed-out', sentence)
}

function keptPending(context: Context): CommandError {
  return new CommandError(
    'unreachable',
    `the server does not answer. Your message is kept (pending) and goes out with the next command that connects, for example: ${pasteable(context, 'outbox --flush')}`,
  )
}

/** The message as it is now. */
async function latest(couplet: Couplet, sending: SentMessage): Promise<OutgoingMessage> {
  const { id } = sending.message
  return (await couplet.outbox()).find((message) => message.id === id) ?? sending.message
}

async function textFromInput({ terminal }: Context): Promise<string> {
  const { input } = terminal.streams
  if (input.isTTY) terminal.say('Type your message; Ctrl-D on an empty line ends it.')
  const bytes = await readAll(input)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.replace(/\r?\n$/, '')
  } catch (cause) {
    throw new UsageError(`standard input is not text in UTF-8 (${codeOf(cause)}).`)
  }
}

/** @throws {CommandError} `message-too-long` as soon as it is clear. */
async function readAll(input: Streams['input']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of input) {
    const bytes =
      typeof chunk === 'string' ? new TextEncoder().encode(chunk) : (chunk as Uint8Array)
    chunks.push(bytes)
    length += bytes.length
    if (length > MAX_INPUT_BYTES) {
      throw new CommandError(
        'message-too-long',
        'the text is longer than a message can be (60,000 bytes). Nothing was sent; divide it.',
      )
    }
  }
  const all = new Uint8Array(length)
  let offset = 0
  for (const bytes of chunks) {
    all.set(bytes, offset)
    offset += bytes.length
  }
  return all
}

/** The largest envelope; what fits exactly is for the SDK to say. */
const MAX_INPUT_BYTES = 65_536
