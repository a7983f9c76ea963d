/** `couplet daemon`: this home for programs in any language, by JSON-RPC. (docs/daemon.md) */
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import type { Couplet } from '@couplet/client'
import type { Context } from '../context.ts'
import { answer } from '../daemon/json-rpc.ts'
import { type Answerer, type Listening, listenOnSocket, serveLines } from '../daemon/lines.ts'
import { MessageStream } from '../daemon/message-stream.ts'
import { methodsOf } from '../daemon/methods.ts'
import { CommandError, codeOf, Interrupted, UsageError } from '../errors.ts'
import { homeFolder, UNREACHABLE, withCouplet } from '../home.ts'
import { sentenceFor } from '../sentences.ts'
import { onWarnings } from '../warnings.ts'

export async function run(context: Context): Promise<number> {
  // Most of a message is short-lived buffers; freed on another thread, they cost a third more CPU.
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  try {
    return await withCouplet(context, async (couplet) => {
      onWarnings(context, couplet)
      const methods = methodsOf(couplet, new MessageStream(couplet))
      const answerer: Answerer = (text, caller) =>
        answer(text, methods, caller, (error) => sentenceFor(error, context))
      const listening = await listen(context, answerer)
      try {
        await Promise.race([untilItEnds(context, listening, answerer), connected(couplet)])
        return 0
      } finally {
        for (const each of listening) await each.close()
      }
    })
  } catch (error) {
    // Being stopped is how a daemon ends.
    if (error instanceof Interrupted) return 0
    throw error
  }
}

async function listen(context: Context, answerer: Answerer): Promise<readonly Listening[]> {
  const { options, terminal } = context
  const listening: Listening[] = []
  if (options.socket !== undefined) listening.push(await listenOnSocket(options.socket, answerer))
  if (options.http !== undefined) {
    const { listenOnHttp, tokenIn } = await import('../daemon/http.ts')
    const path = options['token-file'] ?? join(await homeFolder(context), 'daemon.token')
    listening.push(await listenOnHttp(portOf(options.http), await tokenIn(path), answerer))
    terminal.say(`The token for HTTP is in ${path}.`)
  }
  for (const { where } of listening) terminal.say(`Listening on ${where}.`)
  return listening
}

/** On standard streams, the end of input is the end; otherwise only a signal is. */
function untilItEnds(
  { terminal }: Context,
  listening: readonly Listening[],
  answerer: Answerer,
): Promise<void> {
  if (listening.length > 0) return new Promise(() => {})
  return serveLines(terminal.streams.input, terminal.streams.output, answerer)
}

/** Connects, and stays so: never resolves, rejects when that is over for good. */
async function connected(couplet: Couplet): Promise<never> {
  const replaced = new Promise<never>((_, reject) => {
    couplet.on('connection', (state) => {
      if (state !== 'replaced') return
      const sentence = 'another connection with this identity took over; this one ends.'
      reject(new CommandError('closed', sentence))
    })
  })
  // The SDK goes on trying by itself.
  const connecting = couplet.connect().catch((error: unknown) => {
    if (!UNREACHABLE.has(codeOf(error))) throw error
  })
  return Promise.race([replaced, connecting.then(() => replaced)])
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new UsageError(`--http is a port from 0 to 65535, not “${text}”.`)
}
