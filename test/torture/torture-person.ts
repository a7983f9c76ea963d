/** One person under torture: a home, a line that may fail, and a process that comes and goes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { FaultProxy } from './fault-proxy.ts'
import type { Oracle } from './oracle.ts'
import type { Order, Report } from './reports.ts'

export interface PersonOptions {
  readonly phone: string
  readonly home: string
  readonly proxy: FaultProxy
  readonly environment: Readonly<Record<string, string>>
  readonly oracle: Oracle
}

export class TorturePerson {
  kills = 0
  /** Outgoing messages that are not delivered, when last counted. */
  outbox = 0
  readonly phone: string
  readonly home: string
  readonly proxy: FaultProxy
  readonly #options: PersonOptions
  #child: ChildProcess | undefined
  #over: Promise<string | undefined> = Promise.resolve(undefined)
  #counted = Promise.withResolvers<void>()

  constructor(options: PersonOptions) {
    this.#options = options
    this.phone = options.phone
    this.home = options.home
    this.proxy = options.proxy
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** Starts the program; resolves when its home is open, or it is over. */
  async start(failpoint?: string): Promise<void> {
    const child = this.#spawn(failpoint)
    this.#child = child
    const opened = Promise.withResolvers<void>()
    this.#over = this.#listen(child, (report) => {
      if (report.kind === 'open') opened.resolve()
      if (report.kind === 'closed' && report.fault && !failpoint) {
        this.#options.oracle.violated(`${this.phone}: gave up with ${report.fault}`)
      }
    })
    void this.#over.finally(() => {
      this.#child = undefined
      this.#counted.resolve()
      opened.resolve()
    })
    await opened.promise
  }

  order(order: Order): void {
    this.#child?.stdin?.write(`${JSON.stringify(order)}\n`)
  }

  /** Counts its outbox, if it runs. */
  async count(): Promise<void> {
    if (!this.isRunning) return
    this.#counted = Promise.withResolvers()
    this.order({ kind: 'count' })
    await this.#counted.promise
  }

  /** Resolves when the process is over. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child?.kill(signal)
    await this.#over
  }

  /** A second process on the same home: it must be refused while the first one has it. */
  async intrude(): Promise<void> {
    const first = this.#child
    const second = this.#spawn()
    let hasShown = false
    const fault = await this.#listen(second, ({ kind }) => {
      if (kind === 'shown') hasShown = true
      if (kind !== 'open') return
      if (first !== undefined && this.#child === first) {
        this.#options.oracle.violated(`${this.phone}: two processes have one home open`)
      }
      // The first is gone meanwhile: this one may have the home, and gives it back.
      second.kill('SIGTERM')
    })
    // It was ended at once, so what it showed last may not be noted as seen. (docs/sdk.md)
    if (hasShown) this.#options.oracle.crashed(this.phone)
    if (fault !== undefined && fault !== 'home-locked') {
      this.#options.oracle.violated(`${this.phone}: a second process was refused with ${fault}`)
    }
  }

  setClock(offsetMs: number): void {
    writeFileSync(this.#clockFile, String(offsetMs))
  }

  get #clockFile(): string {
    return join(this.home, '..', `${this.phone}.clock`)
  }

  #spawn(failpoint?: string): ChildProcess {
    const program = join(import.meta.dirname, 'person.ts')
    return spawn(process.execPath, ['--conditions=source', program, this.home], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        ...this.#options.environment,
        COUPLET_CLOCK_FILE: this.#clockFile,
        ...(failpoint && { COUPLET_FAILPOINT: failpoint }),
      },
    })
  }

  /** Hears a process to its end, however it ends. Answers the fault that it closed with. */
  async #listen(
    child: ChildProcess,
    onReport: (report: Report) => void,
  ): Promise<string | undefined> {
    let fault: string | undefined
    child.stdin?.on('error', () => {})
    const lines = createInterface({ input: child.stdout! })
    lines.on('line', (line) => {
      const report = JSON.parse(line) as Report
      this.#options.oracle.heard(this.phone, report)
      if (report.kind === 'closed') fault = report.fault
      if (report.kind === 'counted') {
        this.outbox = report.outbox
        this.#counted.resolve()
      }
      onReport(report)
    })
    await new Promise((resolve) => child.once('close', resolve))
    const isClean = child.exitCode === 0 && fault === undefined
    if (!isClean) this.#options.oracle.crashed(this.phone)
    if (child.signalCode === 'SIGKILL') this.kills++
    else if (child.signalCode !== 'SIGTERM' && child.exitCode !== 0) {
      this.#options.oracle.violated(`${this.phone}: ended by itself with ${child.exitCode}`)
    }
    return fault
  }
}
