/** What the server under torture is made of: one process or several, and where its data is. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type NatsCluster, startNats } from '../../packages/server/test/nats-server.ts'

export const ENGINES = ['memory', 'embedded', 'workers', 'nats', 'nats-cluster'] as const
export type EngineName = (typeof ENGINES)[number]

export interface TortureEngine {
  /** Program and arguments of one node; `{port}`, `{data}`, `{codes}`, `{capacity}` are filled in. */
  readonly command: readonly string[]
  /** Servers that people may connect to, all the same. */
  readonly nodes: number
  /** Whether a server that is killed finds its data again. */
  readonly remembers: boolean
  /** Servers of NATS, which can be killed, too. */
  readonly nats: NatsCluster | undefined
}

/**
 * Starts what the servers need.
 *
 * @param data - the servers' folder.
 */
export async function openEngine(name: EngineName, data: string): Promise<TortureEngine> {
  switch (name) {
    case 'memory':
      return one([...NODE, join(import.meta.dirname, 'memory-server.ts'), ...VALUES], false)
    case 'embedded':
      return one([...SERVE, '--workers=1'], true)
    case 'workers':
      return one([...SERVE, '--workers=2'], true)
    case 'nats':
      return overNats(1, data)
    case 'nats-cluster':
      return overNats(3, data)
  }
}

/** A command that somebody else thought of. */
export function engineOf(command: readonly string[]): TortureEngine {
  return one(command, true)
}

function one(command: readonly string[], remembers: boolean): TortureEngine {
  return { command, nodes: 1, remembers, nats: undefined }
}

async function overNats(size: 1 | 3, data: string): Promise<TortureEngine> {
  const nats = await startNats(size)
  const store = ['--store', nats.url]
  const init = ['store', 'init', ...store, '--data', data]
  const streams = ['--replicas', String(size), '--partitions', '2']
  const { status, stderr } = await untilReady([...NODE, COUPLET, ...init, ...streams])
  if (status !== 0) throw new Error(`no streams: ${stderr}`)
  return { command: [...SERVE, ...store], nodes: size, remembers: true, nats }
}

/** A cluster that has just started has no leader yet. */
async function untilReady(
  command: readonly string[],
): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const [program, ...args] = command
  for (let tries = 0; ; tries++) {
    const { status, stderr } = spawnSync(program!, args, { encoding: 'utf8' })
    if (status === 0 || tries === INIT_TRIES) return { status, stderr }
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

const INIT_TRIES = 20
const COUPLET = join(import.meta.dirname, '../../apps/cli/src/main.ts')
const NODE = [process.execPath, '--conditions=source']
const VALUES = ['--port={port}', '--mailbox-capacity={capacity}', '--code-sender=file:{codes}']
const SERVE = [
  ...NODE,
  COUPLET,
  'serve',
  '--data={data}',
  ...VALUES,
  '--log-level=error',
  // People here write faster than any person: what is limited would arrive in hours.
  '--no-limits',
]
