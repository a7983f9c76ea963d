/**
 * The stage of the demo: real processes in a temporary folder, each shown as it would be typed, with
 * its output below.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from './context.ts'
import { quoted } from './context.ts'
import { CommandError } from './errors.ts'
import { sanitize } from './sanitize.ts'
import type { Terminal } from './terminal.ts'

export interface StageOptions {
  readonly terminal: Terminal
  readonly environment: Environment
  readonly paced: boolean
}

/** A process that has ended: everything that it printed. */
export interface Played {
  readonly exit: number
  readonly output: string
}

/** A process that goes on in the background. */
export interface Background {
  /** Resolves when it has printed that. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  stop(): Promise<void>
}

export class Stage {
  readonly folder: string
  readonly #options: StageOptions
  readonly #children = new Set<ChildProcess>()
  #started = 0
  #closed = false

  private constructor(folder: string, options: StageOptions) {
    this.folder = folder
    this.#options = options
  }

  static async open(options: StageOptions): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'couplet-demo-')), options)
  }

  /** Ends every process and removes the folder. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#children].map(stop))
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }

  /** A heading, and what is about to happen. */
  async scene(title: string, ...sentences: string[]): Promise<void> {
    await this.#print(`\n${this.#options.terminal.paint('bold', title)}`)
    for (const sentence of sentences) await this.#print(sentence)
    await this.#pause(2)
  }

  async tell(sentence: string): Promise<void> {
    await this.#print(`\n${sentence}`)
    await this.#pause(1)
  }

  /** Runs `couplet` to its end. @throws {CommandError} when it does not end with 0. */
  async couplet(...args: string[]): Promise<Played> {
    await this.#command(args)
    const { child, output } = await this.#start(args)
    const [exit, signal] = (await once(child, 'close')) as [number | null, string | null]
    const text = await output()
    await this.output(text)
    await this.#pause(1)
    if (exit !== 0) throw notAsTold(`couplet ${args.join(' ')} ended with ${exit ?? signal}`)
    return { exit, output: text }
  }

  /** Starts `couplet` and goes on. What it prints is shown until `until` has seen what it waits for. */
  async background(...args: string[]): Promise<Background> {
    await this.#command(args, ' &')
    const { child, output } = await this.#start(args)
    return {
      until: async (pattern) => {
        const match = await this.#match(child, output, pattern)
        // Whole lines that come at once.
        await new Promise((resolve) => setTimeout(resolve, GLANCE_MS))
        await this.output(await output())
        return match
      },
      stop: () => stop(child),
    }
  }

  /** Shows a command of another program whose output comes from elsewhere. */
  async other(command: string, output: string): Promise<void> {
    await this.#print(`\n${this.#options.terminal.paint('cyan', `$ ${command}`)}`)
    await this.output(output)
    await this.#pause(1)
  }

  async output(text: string): Promise<void> {
    const { terminal } = this.#options
    const lines = sanitize(text).trimEnd().split('\n')
    for (const line of lines) await this.#print(`  ${terminal.paint('dim', '│')} ${line}`)
  }

  async #command(args: readonly string[], after = ''): Promise<void> {
    const line = `$ couplet ${args.map(quoted).join(' ')}${after}`
    await this.#print(`\n${this.#options.terminal.paint('cyan', line)}`)
    await this.#pause(1)
  }

  async #start(args: readonly string[]): Promise<Started> {
    if (this.#closed) throw notAsTold('it was stopped')
    // A file, because both streams can end in it in the order in which they were written.
    const path = join(this.folder, `.output-${this.#started++}`)
    const file = await open(path, 'a')
    // The same program on the same Node, with nothing of our own settings.
    const program = [...process.execArgv, process.argv[1]!]
    const child = spawn(process.execPath, [...program, ...args], {
      cwd: this.folder,
      env: { ...foreign(this.#options.environment), COUPLET_NO_PASSPHRASE: '1', NO_COLOR: '1' },
      stdio: ['ignore', file.fd, file.fd],
    })
    await file.close()
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    return { child, output: () => readFile(path, 'utf8') }
  }

  async #match(
    child: ChildProcess,
    output: Started['output'],
    pattern: RegExp,
  ): Promise<RegExpExecArray> {
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += GLANCE_MS) {
      const match = pattern.exec(await output())
      if (match) return match
      if (child.exitCode !== null || child.signalCode !== null) break
      await new Promise((resolve) => setTimeout(resolve, GLANCE_MS))
    }
    throw notAsTold(`a process never said “${pattern.source}”; it said: ${await output()}`)
  }

  async #print(line: string): Promise<void> {
    const { terminal } = this.#options
    if (!terminal.json && !terminal.quiet) await terminal.print(line)
  }

  async #pause(beats: number): Promise<void> {
    if (!this.#options.paced) return
    await new Promise((resolve) => setTimeout(resolve, beats * BEAT_MS))
  }
}

export function notAsTold(what: string): CommandError {
  return new CommandError('internal', `the demo did not go as told: ${what}.`)
}

interface Started {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly output: () => Promise<string>
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  await ended
  clearTimeout(late)
}

/** The environment without our settings and npm's. */
function foreign(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(COUPLET|npm)_|^FORCE_COLOR$/.test(entry[0]),
    ),
  )
}

const BEAT_MS = 450
const GLANCE_MS = 50
/** How long a process may take to say that it is ready, also on a busy machine. */
const PATIENCE_MS = 60_000
const GRACE_MS = 10_000
