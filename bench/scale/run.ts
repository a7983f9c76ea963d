/**
 * `node --conditions=source bench/scale/run.ts [--users N] [--connections N] [--workers N]
 * [--seconds N] [--nats URL --key HEX] [--folder PATH]`
 *
 * Registers many people, connects some of them, lets them write to each other and to absent ones,
 * and says what that took: time, CPU, memory and bytes on disk. Server and load have processes of
 * their own. The last line is one object.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { makePool } from './people.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: {
    users: text,
    connections: text,
    workers: text,
    seconds: text,
    nats: text,
    key: text,
    folder: text,
  },
})
const users = Number(values.users ?? 100_000)
const connections = Number(values.connections ?? 10_000)
const workers = Number(values.workers ?? 1)
const seconds = Number(values.seconds ?? 8)
const DRIVERS = 2
/** Of each driver's people, those who write in the live measure. */
const ACTIVE = 100
const TICKS_PER_SECOND = 100

/** A child that is told lines and answers lines. */
class Talker {
  readonly child: ChildProcess
  readonly #lines: string[] = []
  #wake: (() => void) | undefined

  constructor(args: readonly string[], environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, ['--conditions=source', ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake?.()
    })
    this.child.on('exit', () => {
      this.#lines.push('ended')
      this.#wake?.()
    })
  }

  tell(line: string): void {
    this.child.stdin!.write(`${line}\n`)
  }

  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const line = this.#lines.shift()!
    if (line === 'ended') throw new Error('a process ended')
    return line
  }

  async json(): Promise<Record<string, number>> {
    return JSON.parse(await this.line()) as Record<string, number>
  }
}

const folder = mkdtempSync(join(values.folder ?? tmpdir(), 'couplet-scale-'))
const children: Talker[] = []
try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`)
} finally {
  for (const { child } of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

async function measure(): Promise<object> {
  const port = await freePort()
  const nats = values.nats ? [values.nats, values.key!] : []
  const server = new Talker([script('server.ts'), join(folder, 'data'), String(workers), ...nats], {
    BENCH_PORT: String(port),
  })
  children.push(server)
  const pids = (await server.line()).split(' ').slice(1).map(Number)
  const pool = Buffer.from(makePool()).toString('base64')

  const seedMs = await timed(async () => {
    server.tell(`seed ${users} ${pool}`)
    await server.line()
  })
  tell(`registered ${users} people, ${Math.round((1000 * users) / seedMs)} a second`)
  const diskOfUsers = disk()
  const before = memory(pids)

  const each = connections / DRIVERS
  const loginCpu = cpu(pids)
  const drivers = Array.from({ length: DRIVERS }, (_, index) => {
    const driver = new Talker([
      script('driver.ts'),
      String(port),
      String(index * each),
      String(each),
      pool,
    ])
    children.push(driver)
    return driver
  })
  const logins = await Promise.all(drivers.map((driver) => driver.json()))
  const loginsPerSecond = sum(logins, 'loginsPerSecond')
  const loginMicros = (1e6 * (cpu(pids) - loginCpu)) / connections
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const idle = memory(pids)
  tell(`connected ${connections}, ${loginsPerSecond} a second, ${loginMicros.toFixed(0)} µs each`)
  tell(
    `memory: ${mib(before)} → ${mib(idle)}, ${((idle - before) / connections / 1024).toFixed(1)} KiB each`,
  )

  const liveCpu = cpu(pids)
  for (const driver of drivers) driver.tell(`live ${seconds} ${ACTIVE}`)
  const lives = await Promise.all(drivers.map((driver) => driver.json()))
  const liveMessages = sum(lives, 'messages')
  const liveMicros = (1e6 * (cpu(pids) - liveCpu)) / liveMessages
  tell(`live: ${sum(lives, 'perSecond')} a second, ${liveMicros.toFixed(0)} µs of server CPU each`)

  const absent = Math.floor((users - connections) / DRIVERS)
  const storeCpu = cpu(pids)
  for (const [index, driver] of drivers.entries()) {
    driver.tell(`store ${connections + index * absent} ${absent}`)
  }
  const stores = await Promise.all(drivers.map((driver) => driver.json()))
  const stored = sum(stores, 'messages')
  const storeMicros = (1e6 * (cpu(pids) - storeCpu)) / stored
  const mailboxes = stored / 2
  const diskPerMailbox = (disk() - diskOfUsers) / mailboxes
  tell(`stored: ${sum(stores, 'perSecond')} a second, ${storeMicros.toFixed(0)} µs each`)
  tell(
    `disk: ${(diskOfUsers / users).toFixed(0)} B a user, ${diskPerMailbox.toFixed(0)} B a full mailbox`,
  )
  for (const driver of drivers) driver.tell('quit')
  return {
    users,
    connections,
    workers,
    engine: values.nats ? 'nats' : 'embedded',
    seedPerSecond: Math.round((1000 * users) / seedMs),
    loginsPerSecond,
    loginMicros: Math.round(loginMicros),
    bytesPerConnection: Math.round((idle - before) / connections),
    livePerSecond: sum(lives, 'perSecond'),
    liveMicros: Math.round(liveMicros),
    storePerSecond: sum(stores, 'perSecond'),
    storeMicros: Math.round(storeMicros),
    bytesPerUser: Math.round(diskOfUsers / users),
    bytesPerMailbox: Math.round(diskPerMailbox),
    residentMiB: Math.round(memory(pids) / 2 ** 20),
  }
}

function script(name: string): string {
  return join(import.meta.dirname, name)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** Resident bytes of the server's processes. */
function memory(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return total + 1024 * Number(kib)
  }, 0)
}

/** Seconds of CPU of the server's processes, user and system, all threads. */
function cpu(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return total + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }, 0)
}

function disk(): number {
  const data = join(folder, 'data')
  if (values.nats) return 0
  return readdirSync(data).reduce((total, name) => total + statSync(join(data, name)).size, 0)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function sum(all: readonly Record<string, number>[], name: string): number {
  return all.reduce((total, one) => total + one[name]!, 0)
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

function tell(line: string): void {
  process.stderr.write(`scale: ${line}\n`)
}
