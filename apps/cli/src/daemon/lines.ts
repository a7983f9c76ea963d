/** One JSON text a line: standard streams, and a Unix socket that only its owner can open. */
import { once } from 'node:events'
import { rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { CommandError } from '../errors.ts'
import { type Caller, notification } from './json-rpc.ts'

export type Answerer = (text: string, caller: Caller) => Promise<string | undefined>

export interface Listening {
  /** For people: where it listens. */
  readonly where: string
  close(): Promise<void>
}

/** Resolves when the input has ended and everything asked is answered. */
export async function serveLines(
  input: Readable,
  output: Writable,
  answer: Answerer,
): Promise<void> {
  const gone: (() => void)[] = []
  let isOpen = true
  const write = (line: string): boolean => {
    if (!isOpen || output.destroyed || output.writableLength > MAX_BACKLOG_BYTES) return false
    output.write(`${line}\n`)
    return true
  }
  const caller: Caller = {
    notify: (method, params) => write(notification(method, params)),
    onGone: (listener) => void gone.push(listener),
  }
  const asked = new Set<Promise<void>>()
  try {
    for await (const line of linesOf(input)) {
      if (line.trim() === '') continue
      const work = answer(line, caller).then((reply) => void (reply === undefined || write(reply)))
      asked.add(work)
      void work.finally(() => asked.delete(work))
      // Whoever asks faster than is answered waits.
      if (asked.size >= MAX_ASKED) await Promise.race(asked)
    }
    await Promise.allSettled(asked)
  } finally {
    isOpen = false
    for (const listener of gone) listener()
  }
}

/** @throws {CommandError} `cannot-write` when the path is taken. */
export async function listenOnSocket(path: string, answer: Answerer): Promise<Listening> {
  await removeStale(path)
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    serveLines(socket, socket, answer).then(
      () => socket.end(),
      () => socket.destroy(),
    )
  })
  // Made with these permissions, rather than given them a moment later.
  const before = process.umask(0o177)
  try {
    server.listen(path)
    await once(server, 'listening')
  } catch (cause) {
    throw new CommandError('cannot-write', `the socket ${path} cannot be made.`, { cause })
  } finally {
    process.umask(before)
  }
  return {
    where: path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}

/** A socket that nobody listens on is what a killed daemon has left behind. */
async function removeStale(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => resolve(true))
    probe.once('error', () => resolve(false))
    probe.once('connect', () => probe.destroy())
  })
  if (isAlive || !found.isSocket()) {
    throw new CommandError('cannot-write', `${path} is in use by another program.`)
  }
  await rm(path)
}

async function* linesOf(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of input) {
    rest += decoder.decode(chunk as Uint8Array, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE) throw new CommandError('usage', 'a line is too long.')
    yield* lines
  }
  if (rest !== '') yield rest
}

/** A message is at most 60,000 bytes; a batch of some fits. */
const MAX_LINE = 1_048_576
/** Requests of one caller that are being answered at the same time. */
const MAX_ASKED = 64
/** Of answers that a caller does not read. */
const MAX_BACKLOG_BYTES = 16 * 1_048_576
