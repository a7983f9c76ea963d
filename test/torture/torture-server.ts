/** The server under torture: a command that is started, killed and started again on the same data. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Oracle } from './oracle.ts'
import type { Random } from './random.ts'

export interface ServerOptions {
  /** Program and arguments. */
  readonly command: readonly string[]
  readonly port: number
  /** Data folder, if the engine is the embedded one: what is in it is looked at between two servers. */
  readonly data: string
  readonly capacity: number
  readonly environment: Readonly<Record<string, string>>
  readonly oracle: Oracle
  /** It may end by itself while it starts: when what it needs is away. */
  readonly mayFailToStart: boolean
}

export class TortureServer {
  kills = 0
  readonly #options: ServerOptions
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #expectsEnd = false

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /**
   * Starts it, and waits until it answers. With a failpoint it may be dead before.
   *
   * @throws {Error} when it neither answers nor dies.
   */
  async start(failpoint?: string): Promise<void> {
    this.#checkCapacity()
    const { command, environment } = this.#options
    const [program, ...args] = command
    this.#expectsEnd = failpoint !== undefined || this.#options.mayFailToStart
    const child = spawn(program!, args, {
      // A group of its own, so that a kill reaches every worker of it.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        ...environment,
        ...(failpoint && { COUPLET_FAILPOINT: failpoint }),
      },
    })
    const killGroup = () => process.kill(-child.pid!, 'SIGKILL')
    process.once('exit', killGroup)
    child.once('exit', () => process.off('exit', killGroup))
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('exit', () => this.#ended(child, resolve)))
    await this.#answers(child)
    if (failpoint === undefined) this.#expectsEnd = false
  }

  get port(): number {
    return this.#options.port
  }

  /** One of its workers dies, if it has any; the others go on. */
  killWorker(random: Random): boolean {
    const pid = this.#child?.pid
    const workers = pid === undefined ? [] : workersOf(pid)
    if (workers.length < 2) return false
    process.kill(random.pick(workers), 'SIGKILL')
    this.kills++
    return true
  }

  get isAlive(): boolean {
    return this.#child !== undefined
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#expectsEnd = true
    process.kill(-child.pid!, 'SIGKILL')
    await this.#exited
  }

  async stop(): Promise<void> {
    this.#expectsEnd = true
    this.#child?.kill('SIGTERM')
    await this.#exited
    this.#checkCapacity()
  }

  #ended(child: ChildProcess, resolve: () => void): void {
    const { signalCode, exitCode } = child
    if (signalCode === 'SIGKILL') this.kills++
    if (!this.#expectsEnd) {
      this.#options.oracle.violated(`the server ended by itself: ${signalCode ?? exitCode}`)
    }
    this.#child = undefined
    resolve()
  }

  async #answers(child: ChildProcess): Promise<void> {
    const until = Date.now() + START_LIMIT_MS
    while (this.#child === child) {
      try {
        // A server that dies while it is asked has once left the question open for ever.
        await fetch(`http://localhost:${this.#options.port}/`, {
          signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
        })
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      if (Date.now() > until) throw new Error('the server does not answer')
    }
  }

  /** No user has more than so many messages in what a server leaves behind, however it ended. */
  #checkCapacity(): void {
    const { data, capacity, oracle } = this.#options
    const file = join(data, 'couplet.db')
    if (!existsSync(file)) return
    // A copy: the next server shall find its files as the last one left them.
    const folder = mkdtempSync(join(data, '..', 'look-'))
    for (const ending of ['', '-wal']) {
      if (existsSync(file + ending))
        copyFileSync(file + ending, join(folder, `couplet.db${ending}`))
    }
    const database = new DatabaseSync(join(folder, 'couplet.db'))
    try {
      const { most } = database
        .prepare(
          'SELECT max(n) AS most FROM (SELECT count(*) AS n FROM messages GROUP BY recipient)',
        )
        .get() as { most: number | null }
      if (most !== null && most > capacity) {
        oracle.violated(`the server holds ${most} messages of one user`)
      }
    } finally {
      database.close()
      rmSync(folder, { recursive: true })
    }
  }
}

function workersOf(pid: number): readonly number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  const children = existsSync(file)
    ? readFileSync(file, 'utf8')
    : spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout
  return children.split(/\s+/).map(Number).filter(Boolean)
}

const START_LIMIT_MS = 60_000
const ANSWER_LIMIT_MS = 5000
