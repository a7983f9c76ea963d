/** Programs under test: starting them, and what they cost. Linux only: it reads /proc. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Whether this machine has a program; Debian keeps those of servers in /usr/sbin. */
export function hasProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin']
  return folders.some((folder) => existsSync(join(folder, name)))
}

/** A server that can be ended in more than one way, and started again on what it left. */
export class ServerProcess {
  readonly #program: Program
  readonly #port: number
  #child: ChildProcess

  private constructor(program: Program, port: number, child: ChildProcess) {
    this.#program = program
    this.#port = port
    this.#child = child
  }

  /** Resolves when it takes connections at `port`. */
  static async start(program: Program, port: number): Promise<ServerProcess> {
    return new ServerProcess(program, port, await startProgram(program, port))
  }

  /** Its children count, too. */
  get pid(): number {
    return this.#child.pid!
  }

  async restart(): Promise<void> {
    this.#child = await startProgram(this.#program, this.#port)
  }

  /** In good order. */
  stop(): Promise<void> {
    return stopProgram(this.#child)
  }

  /** `kill -9`, of everything that it started, too. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    for (const pid of tree(this.pid)) process.kill(pid, 'SIGKILL')
    await ended
  }
}

async function startProgram(program: Program, port: number): Promise<ChildProcess> {
  const { command, args, env, cwd } = program
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, ...env },
  })
  let said = ''
  const listen = (text: Buffer): void => {
    said = (said + text.toString()).slice(-4000)
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`${command} ended with ${code}:\n${said}`)))
  })
  failed.catch(() => {})
  await Promise.race([answers(port), failed])
  return child
}

async function stopProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  await ended
  clearTimeout(patience)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A connected TCP socket to this machine that sends at once. */
export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => {
      socket.off('error', reject)
      // A server that is stopped while it talks is no news here.
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** Milliseconds of CPU, user and system, that a process and its descendants have used. */
export function cpuMs(pid: number): number {
  let ticks = 0
  for (const one of tree(pid)) {
    const fields = statOf(one)
    // utime and stime, the 14th and 15th field; the first two are cut off.
    if (fields) ticks += Number(fields[11]) + Number(fields[12])
  }
  return (ticks * 1000) / TICKS_PER_SECOND
}

/** Bytes of resident memory of a process and its descendants. */
export function residentBytes(pid: number): number {
  let pages = 0
  for (const one of tree(pid)) {
    const path = `/proc/${one}/statm`
    if (existsSync(path)) pages += Number(readFileSync(path, 'utf8').split(' ')[1])
  }
  return pages * PAGE_BYTES
}

/** Waits until a process has used no CPU worth speaking of for a while, or has been given enough time. */
export async function untilIdle(pid: number): Promise<void> {
  let before = cpuMs(pid)
  for (let waited = 0; waited < MAX_IDLE_WAIT_MS; waited += IDLE_MS) {
    await delay(IDLE_MS)
    const now = cpuMs(pid)
    if (now - before <= IDLE_MS * IDLE_SHARE) return
    before = now
  }
}

async function answers(port: number): Promise<void> {
  for (;;) {
    try {
      const socket = await dial(port)
      socket.destroy()
      return
    } catch {
      await delay(50)
    }
  }
}

function tree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const fields = Number.isInteger(pid) ? statOf(pid) : undefined
    if (!fields) continue
    const parent = Number(fields[1])
    children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found = [root]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

/** The fields of /proc/pid/stat behind the name, which may contain anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function system(name: string): number {
  return Number(execFileSync('getconf', [name], { encoding: 'utf8' }))
}

const TICKS_PER_SECOND = system('CLK_TCK')
const PAGE_BYTES = system('PAGESIZE')
const PATIENCE_MS = 10_000
const IDLE_MS = 250
const MAX_IDLE_WAIT_MS = 20_000
/** A server has timers. */
const IDLE_SHARE = 0.05
