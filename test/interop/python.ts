/**
 * The client in Python that was written from `spec/` alone, as a process that a test tells what to
 * do. It needs Python 3.9 or newer with the package `cryptography` (Debian: python3-cryptography),
 * which is installed when this is root on Debian. Never silently none.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

/** Runs one of the scripts in this folder; what it printed, or an error with what it complained of. */
export async function runPython(script: string, args: string[], input = ''): Promise<string> {
  const path = join(import.meta.dirname, script)
  // Not synchronously: a server in this process has to go on meanwhile.
  const running = promisify(execFile)(pythonPath(), [path, ...args], {
    env: ENVIRONMENT,
    maxBuffer: MAX_OUTPUT_BYTES,
  })
  // A script that ends before it has read everything says itself why.
  running.child.stdin!.on('error', () => {}).end(input)
  return (await running).stdout
}

type Answer = Readonly<Record<string, unknown>>

/** A user of a server, run by `talk.py`. */
export class PythonPerson {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  #complaints = ''

  constructor(url: string) {
    const script = join(import.meta.dirname, 'talk.py')
    this.#child = spawn(pythonPath(), [script, url], { env: ENVIRONMENT })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints += text
    })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async register(phone: string, code: () => string): Promise<void> {
    await this.do({ do: 'register', phone })
    await this.do({ code: code() })
  }

  /** Gives an order and waits for its answer. */
  async do(order: Answer): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    const line = await this.#lines.next()
    if (line.done) throw new Error(`talk.py ended: ${this.#complaints}`)
    return JSON.parse(line.value) as Answer
  }

  async texts(order: 'receive' | 'delivered', count: number): Promise<unknown> {
    return (await this.do({ do: order, count })).texts
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.stdin.end()
    await once(this.#child, 'exit')
  }
}

function pythonPath(): string {
  known ??= findPython()
  return known
}

function findPython(): string {
  const found = NAMES.find(isUsable)
  if (found) return found
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    apt('update', '-q')
    apt('install', '-y', '-q', '--no-install-recommends', 'python3-cryptography')
    if (isUsable('/usr/bin/python3')) return '/usr/bin/python3'
  }
  throw new Error(
    'needs Python 3.9 or newer with the package cryptography: install python3-cryptography',
  )
}

function isUsable(path: string): boolean {
  const check = 'import sys, cryptography; sys.exit(sys.version_info < (3, 9))'
  return spawnSync(path, ['-c', check]).status === 0
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env })
}

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024
let known: string | undefined
const NAMES = ['python3', '/usr/bin/python3']
const ENVIRONMENT = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }
