/**
 * The way from the operator's commands to the server that has the folder: a socket in that folder,
 * for whoever owns it. One line of JSON asks, one answers.
 */
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WireError } from '@couplet/wire'
import type { Operator } from './operator.ts'
import { privately } from './private-files.ts'

const METHODS: readonly (keyof Operator)[] = [
  'users',
  'blocked',
  'block',
  'unblock',
  'remove',
  'invite',
  'invitations',
  'revoke',
]

/** The operator's methods, wherever they run. */
export type OperatorCalls = { readonly [Name in keyof Operator]: Operator[Name] }

/**
 * Whoever may read the folder may ask.
 *
 * @returns ends it, after the answers to what was asked.
 * @throws the error of `listen`.
 */
export async function listenForOperator(
  folder: string,
  operator: Operator,
): Promise<() => Promise<void>> {
  const path = socketPath(folder)
  // Left behind by a server that was killed: nobody else has this folder now.
  rmSync(path, { force: true })
  const sockets = new Set<Socket>()
  const answers = new Set<Promise<void>>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    readLine(socket, (line) => {
      const answered = answer(operator, line).then((text) => ended(socket, `${text}\n`))
      answers.add(answered)
      void answered.finally(() => answers.delete(answered))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    privately(() => server.listen(path, resolve))
  })
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // Who has asked is told; a store that does not answer is not waited for.
    const late = sleep(ANSWER_PATIENCE_MS, undefined, { ref: false })
    await Promise.race([Promise.all(answers), late])
    for (const socket of sockets) socket.destroy()
    await closed
  }
}

/** Resolves when the text has left, or cannot. */
function ended(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
    socket.end(text, () => resolve())
  })
}

/** The operator of the server that has this folder; nothing, when none has. */
export async function reachOperator(folder: string): Promise<OperatorCalls | undefined> {
  const path = socketPath(folder)
  if (!(await isHeard(path))) return undefined
  const calls = METHODS.map((method) => [
    method,
    (...args: readonly unknown[]) => call(path, method, args),
  ])
  return Object.fromEntries(calls) as OperatorCalls
}

async function answer(operator: Operator, line: string): Promise<string> {
  try {
    const { method, args } = JSON.parse(line) as { method: string; args: readonly unknown[] }
    const known = METHODS.find((one) => one === method)
    if (!known || !Array.isArray(args)) throw new WireError('malformed', 'no such question')
    const run = operator[known].bind(operator) as (...args: readonly unknown[]) => Promise<unknown>
    return JSON.stringify({ value: await run(...(args as readonly unknown[])) })
  } catch (error) {
    const { message } = error as Error
    const code = error instanceof WireError ? error.code : 'internal'
    return JSON.stringify({ error: { code, message } })
  }
}

function call(path: string, method: string, args: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server ended before it answered')))
    socket.write(`${JSON.stringify({ method, args })}\n`)
    readLine(socket, (line) => {
      const { value, error } = JSON.parse(line) as {
        value?: unknown
        error?: { code: ConstructorParameters<typeof WireError>[0]; message: string }
      }
      if (error) reject(new WireError(error.code, error.message))
      else resolve(value)
    })
  })
}

function isHeard(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** The first line, if it is not too long. */
function readLine(socket: Socket, read: (line: string) => void): void {
  let text = ''
  const collect = (chunk: string): void => {
    text += chunk
    const end = text.indexOf('\n')
    if (end >= 0) {
      socket.off('data', collect)
      read(text.slice(0, end))
    } else if (text.length > MAX_LINE) socket.destroy()
  }
  socket.setEncoding('utf8').on('data', collect)
}

/** Windows has no sockets in the file system, but names for pipes. */
function socketPath(folder: string): string {
  const path = join(folder, 'operator.sock')
  return process.platform === 'win32' ? join('\\\\?\\pipe', path) : path
}

const ANSWER_PATIENCE_MS = 5000
/** Of a list of a thousand people, ten times over. */
const MAX_LINE = 2_000_000
