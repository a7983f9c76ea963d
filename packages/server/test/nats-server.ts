/** Real `nats-server` processes for tests: one, or a cluster. Installed by apt when that is possible. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NetHost } from './net-hosts.ts'

/** A process that can be killed and started again on the same ports and data. */
export class NatsServer {
  readonly url: string
  readonly port: number
  readonly #command: readonly string[]
  readonly #config: string
  #process: ChildProcess | undefined
  #log = ''

  constructor(port: number, config: string, host: NetHost | undefined) {
    this.port = port
    this.url = `nats://${addressOf(host)}:${port}`
    this.#config = config
    this.#command = [...(host?.within ?? []), natsServerProgram(), '-c', config]
  }

  /** From the next start on. */
  configure(line: string): void {
    appendFileSync(this.#config, `${line}\n`)
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Resolves when clients can connect. */
  async start(): Promise<void> {
    const [program, ...args] = this.#command
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    this.#log = ''
    const ready = Promise.withResolvers<void>()
    const hear = (text: string): void => {
      this.#log = (this.#log + text).slice(-20_000)
      if (this.#log.includes('Server is ready')) ready.resolve()
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.on('exit', () => ready.reject(new Error(`nats-server ended:\n${this.#log}`)))
    await ready.promise
  }

  /** As if it hung, or nobody could reach it: connections stay, answers do not come. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await exited
  }
}

export interface NatsCluster {
  readonly servers: readonly NatsServer[]
  /** All of them, for a client. */
  readonly url: string
  /** Ends the processes and removes their data. */
  end(): Promise<void>
}

/** One server by itself, or several as a cluster; on these machines, or all on this one. */
export async function startNats(size = 1, hosts: readonly NetHost[] = []): Promise<NatsCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'couplet-nats-'))
  const ports = await freePorts(2 * size)
  const routes = ports.slice(size).map((port, index) => `nats://${addressOf(hosts[index])}:${port}`)
  const servers = Array.from({ length: size }, (_, index) => {
    const config = join(folder, `${index}.conf`)
    const address = addressOf(hosts[index])
    writeFileSync(config, configuration({ folder, index, address, ports, routes }))
    return new NatsServer(ports[index]!, config, hosts[index])
  })
  await Promise.all(servers.map((server) => server.start()))
  return {
    servers,
    url: servers.map(({ url }) => url).join(','),
    end: async () => {
      await Promise.all(servers.map((server) => server.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function addressOf(host: NetHost | undefined): string {
  return host?.address ?? '127.0.0.1'
}

function configuration(options: {
  readonly folder: string
  readonly index: number
  readonly address: string
  readonly ports: readonly number[]
  readonly routes: readonly string[]
}): string {
  const { folder, index, address, ports, routes } = options
  const size = routes.length
  const lines = [
    `server_name: n${index}`,
    `listen: "${address}:${ports[index]}"`,
    // As docs/cluster.md advises: who was cut off is given up after seconds.
    'ping_interval: "5s"',
    'ping_max: 2',
    `jetstream { store_dir: "${join(folder, String(index))}", max_file: 1G, max_mem: 64M }`,
  ]
  if (size > 1) {
    const others = routes.filter((_, other) => other !== index)
    lines.push(
      `cluster { name: couplet, listen: "${address}:${ports[size + index]}", routes: [${others
        .map((route) => `"${route}"`)
        .join(', ')}] }`,
    )
  }
  return `${lines.join('\n')}\n`
}

let program: string | undefined

/** @throws with the words that say what to install. */
export function natsServerProgram(): string {
  program ??= find() ?? install()
  return program
}

function find(): string | undefined {
  return [process.env.NATS_SERVER_PATH, 'nats-server', '/usr/sbin/nats-server'].find(
    (candidate) => candidate && spawnSync(candidate, ['--version']).status === 0,
  )
}

function install(): string {
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    const wait = ['-o', 'DPkg::Lock::Timeout=300']
    execFileSync('apt-get', [...wait, 'update'], { stdio: 'ignore' })
    execFileSync('apt-get', [...wait, 'install', '-y', 'nats-server'], { stdio: 'ignore' })
    const found = find()
    if (found) return found
  }
  throw new Error(
    'tests of the NATS engine need nats-server: apt-get install nats-server, or set NATS_SERVER_PATH',
  )
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer()
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
