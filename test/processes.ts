/**
 * Real processes for tests: a server, and the command line with homes of its own. Everything lives
 * in a temporary folder, and nothing outlives the test.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginRegistration, completeRegistration } from '@couplet/client/node'

const ROOT = join(import.meta.dirname, '..')
/** What Node is given to run `couplet`. */
export const COUPLET: readonly string[] = [
  '--conditions=source',
  join(ROOT, 'apps/cli/src/main.ts'),
]

export interface Result {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that is running: its output so far, and ways to wait for more. */
export class Running {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly ended: Promise<Result>

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  /** Waits until the output matches; answers the match. */
  async saw(pattern: RegExp, timeoutMs = 40_000): Promise<RegExpMatchArray> {
    const until = Date.now() + timeoutMs
    for (;;) {
      const match = `${this.stdout}\n${this.stderr}`.match(pattern)
      if (match) return match
      if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > until) {
        throw new Error(`never saw ${pattern} in:\n${this.stdout}\n${this.stderr}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  type(line: string): void {
    this.child.stdin?.write(`${line}\n`)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Result> {
    this.child.kill(signal)
    return this.ended
  }
}

/** One test's world: a folder, a server that may come and go, and people. */
export class World {
  readonly folder: string
  /** What the server gets besides. */
  serverEnvironment: Readonly<Record<string, string>> = {}
  readonly #running = new Set<Running>()
  #server: Running | undefined
  #url = ''
  #serverArgs: readonly string[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<World> {
    return new World(await mkdtemp(join(tmpdir(), 'couplet-world-')))
  }

  get url(): string {
    return this.#url
  }

  get serverPid(): number | undefined {
    return this.#server?.child.pid
  }

  get server(): Running | undefined {
    return this.#server
  }

  /** What commands run with besides their arguments. */
  get environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.folder,
      COUPLET_NO_PASSPHRASE: '1',
      NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/couplet'),
    }
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Starts a server with the embedded store; again on the same port and data after a stop. */
  async startServer(...args: string[]): Promise<string> {
    if (args.length > 0) this.#serverArgs = args
    const port = this.#url ? new URL(this.#url).port : '0'
    const codes = `file:${this.path('codes.jsonl')}`
    const data = this.path('server')
    this.#server = this.spawn(
      ['serve', '--port', port, '--data', data, '--code-sender', codes, ...this.#serverArgs],
      this.serverEnvironment,
    )
    const [, url] = await this.#server.saw(/listening on (http:\/\/\S+)/)
    this.#url = url!
    return this.#url
  }

  /** Waits until the server has said so. */
  serverSaw(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#server!.saw(pattern)
  }

  async stopServer(signal: NodeJS.Signals = 'SIGTERM'): Promise<Result> {
    if (!this.#server) throw new Error('test: no server is running')
    const result = await this.#server.stop(signal)
    this.#server = undefined
    return result
  }

  /**
   * Starts `couplet` with these arguments.
   *
   * @param within - a command that runs another one somewhere else: in another network, say.
   */
  spawn(
    args: readonly string[],
    environment: Record<string, string> = {},
    within: readonly string[] = [],
  ): Running {
    const [program, ...rest] = [...within, process.execPath, ...COUPLET, ...args]
    const child = spawn(program!, rest, {
      cwd: this.folder,
      env: { ...this.environment, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const running = new Running(child)
    this.#running.add(running)
    void running.ended.then(() => this.#running.delete(running))
    return running
  }

  /** Runs `couplet` to its end, with nothing on standard input. */
  async couplet(...args: string[]): Promise<Result> {
    const running = this.spawn(args)
    running.child.stdin?.end()
    return running.ended
  }

  /** The newest code that the server sent to a number. */
  async code(phone: string): Promise<string> {
    const lines = (await readFile(this.path('codes.jsonl'), 'utf8')).trim().split('\n')
    const codes = lines
      .map((line) => JSON.parse(line) as { phone: string; code: string })
      .filter((entry) => entry.phone === phone)
    const code = codes.at(-1)?.code
    if (!code) throw new Error('test: no code was sent')
    return code
  }

  /** A person with a home and a registered number: by the SDK, which costs no start of a process. */
  async person(name: string, phone: string): Promise<Person> {
    const person = new Person(this, name, phone)
    const { home } = person
    await beginRegistration({ home, phone, server: this.url })
    await completeRegistration({ home, code: await this.code(phone) })
    return person
  }

  /** Ends every process and removes the folder. */
  async end(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop('SIGKILL')))
    await rm(this.folder, { recursive: true, force: true })
  }
}

export class Person {
  readonly world: World
  readonly home: string
  readonly phone: string

  constructor(world: World, name: string, phone: string) {
    this.world = world
    this.home = world.path(name)
    this.phone = phone
  }

  couplet(...args: string[]): Promise<Result> {
    return this.world.couplet('--home', this.home, ...args)
  }

  spawn(...args: string[]): Running {
    return this.world.spawn(['--home', this.home, ...args])
  }

  /** Runs a command with `--json` and answers its objects, one for each line. */
  async json(...args: string[]): Promise<readonly Record<string, unknown>[]> {
    const { stdout } = succeeded(await this.couplet(...args, '--json'))
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** Receives once; answers the texts in the order in which they were shown. */
  async receive(): Promise<readonly unknown[]> {
    const lines = await this.json('receive')
    return lines.filter(({ type }) => type === 'message').map(({ text }) => text)
  }

  /** State of every message that is not delivered yet, by text. */
  async outbox(): Promise<Record<string, unknown>> {
    const lines = await this.json('outbox')
    return Object.fromEntries(lines.map((line) => [line.text, line.state]))
  }
}

/** The result of a command that must have exited with 0. */
export function succeeded(result: Result): Result {
  if (result.code !== 0) {
    throw new Error(`exit ${result.code ?? result.signal}:\n${result.stdout}\n${result.stderr}`)
  }
  return result
}
