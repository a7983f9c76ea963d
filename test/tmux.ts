/** A real terminal for tests: tmux, with a server of its own that ends with the test. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needPrograms } from './debian.ts'

export class Tmux {
  readonly #folder: string
  readonly #socket: string
  #panes = 0

  private constructor(folder: string) {
    this.#folder = folder
    this.#socket = join(folder, 'tmux')
  }

  static create(): Tmux {
    needPrograms({ tmux: 'tmux' })
    return new Tmux(mkdtempSync(join(tmpdir(), 'couplet-tmux-')))
  }

  /** Starts a program in a terminal of this size; the terminal stays when the program ends. */
  start(
    command: readonly string[],
    options: { size?: readonly [number, number]; env?: Readonly<Record<string, string>> } = {},
  ): Pane {
    const { size: [columns, rows] = [80, 24], env = {} } = options
    const name = `pane${this.#panes++}`
    const variables = Object.entries({ LANG: 'C.UTF-8', ...env }).flatMap(([key, value]) => [
      '-e',
      `${key}=${value}`,
    ])
    const size = ['-x', String(columns), '-y', String(rows)]
    this.#run([
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-s',
      name,
      ...size,
      ...variables,
      // tmux may see the terminal closed long before it hears how the program ended: a shell says it,
      // below the lines that the terminal scrolls away at its end.
      'sh',
      '-c',
      '"$@"; printf "\\n\\n\\nended with %s\\n" $?',
      'sh',
      ...command,
    ])
    this.#run(['set-option', '-t', name, 'window-size', 'manual'])
    this.#run(['set-option', '-t', name, 'remain-on-exit', 'on'])
    return new Pane((args) => this.#run(args), name)
  }

  end(): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #run(args: readonly string[]): string {
    const env = {
      PATH: process.env.PATH,
      HOME: this.#folder,
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
    }
    return execFileSync('tmux', ['-u', '-S', this.#socket, ...args], { encoding: 'utf8', env })
  }
}

export class Pane {
  readonly #run: (args: readonly string[]) => string
  readonly #name: string

  constructor(run: (args: readonly string[]) => string, name: string) {
    this.#run = run
    this.#name = name
  }

  /** Keys by tmux's names: `Enter`, `PPage`, `C-n`, `BTab`. */
  press(...keys: readonly string[]): void {
    this.#run(['send-keys', '-t', this.#name, ...keys])
  }

  type(text: string): void {
    this.#run(['send-keys', '-t', this.#name, '-l', text])
  }

  /** As a terminal pastes: bracketed, if the program asked for that. */
  paste(text: string): void {
    this.#run(['set-buffer', '-b', this.#name, text])
    this.#run(['paste-buffer', '-p', '-d', '-b', this.#name, '-t', this.#name])
  }

  resize(columns: number, rows: number): void {
    this.#run(['resize-window', '-t', this.#name, '-x', String(columns), '-y', String(rows)])
  }

  /** What is on the screen, with or without its escape sequences. */
  screen(options: { readonly escapes?: boolean } = {}): string {
    const escapes = options.escapes ? ['-e'] : []
    return this.#run(['capture-pane', '-p', ...escapes, '-t', this.#name])
  }

  /** Waits until the program has ended; answers its exit status. */
  async ended(): Promise<number> {
    const screen = await this.shows(ENDED)
    return Number(ENDED.exec(screen)![1])
  }

  /** Something that tmux knows of the pane: `cursor_x`, `alternate_on`. */
  fact(name: string): string {
    return this.#run(['display-message', '-p', '-t', this.#name, `#{${name}}`]).trim()
  }

  /** Waits until the screen fits; answers it. */
  async shows(pattern: RegExp | string, timeoutMs = 30_000): Promise<string> {
    return this.until(
      (screen) => (typeof pattern === 'string' ? screen.includes(pattern) : pattern.test(screen)),
      `shows ${pattern}`,
      timeoutMs,
    )
  }

  async until(
    condition: (screen: string) => boolean,
    what: string,
    timeoutMs = 30_000,
  ): Promise<string> {
    for (const end = Date.now() + timeoutMs; ; ) {
      const screen = this.screen()
      if (condition(screen)) return screen
      if (Date.now() > end) throw new Error(`test: the screen never ${what}:\n${screen}`)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
}

const ENDED = /^ended with (\d+)$/m
