// biome-ignore-all lint/correctness/noUndeclaredDependencies: the workspace's own packages, of the folder above.
/**
 * `npm run bench -- client`: how long short commands and `npm start` take, whole processes from their
 * start to their end, and what the SDK holds in memory with a long past.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { importHomeFromFile } from '@couplet/client/node'
import { NO_LIMITS } from '@couplet/server'
import { bundleCommandLine } from '../scripts/bundle.ts'
import { TestPerson, TestServer } from '../test/people.ts'
import { BARE, type ClientResults, type Memory } from './client/report.ts'
import {
  type Contestant,
  compete,
  conditions,
  figure,
  type Plan,
  type Sample,
  withLoadAfter,
} from './harness.ts'
import { homeWithPast, type Past } from './web/home.ts'

export async function benchClient(
  quick: boolean,
  tell: (text: string) => void,
): Promise<ClientResults> {
  const before = conditions()
  const folder = mkdtempSync(join(tmpdir(), 'couplet-bench-'))
  const server = await new TestServer({ limits: NO_LIMITS }).start()
  try {
    const past = quick
      ? { conversations: 100, long: 500, short: 5 }
      : { conversations: 1000, long: 5000, short: 5 }
    tell('making homes')
    const empty = await makeHome(server, folder, '+12025550101', NO_PAST)
    const full = await makeHome(server, folder, '+12025550102', past)
    const peer = '+12025550103'
    await TestPerson.register(server, peer)
    const couplet = await installCommandLine(join(folder, 'cli'))
    const contestants = [
      new Program(BARE, ['-e', '0']),
      new Program('couplet --version', [couplet, '--version']),
      new Program('couplet contacts', [couplet, '--home', empty, 'contacts']),
      new Program('couplet send', [couplet, '--home', empty, 'send', peer, 'hello']),
    ]
    const plan: Plan = quick ? QUICK : FULL
    const samples = (await compete(contestants, [MEASURE], plan, tell))[MEASURE]!
    tell('npm start')
    // The first one builds the web client, if its sources have changed.
    await timeUntilReady(join(folder, 'server'))
    const startMs = await timeUntilReady(join(folder, 'server'))
    tell('memory')
    return {
      benchmark: 'client',
      ...withLoadAfter(before),
      past,
      commands: Object.fromEntries(
        contestants.map(({ name }) => [name, figure(samples[name]!)] as const),
      ),
      startMs,
      memory: { empty: await memoryOf(empty), withPast: await memoryOf(full) },
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

/** A command that is run to its end, time after time. */
class Program implements Contestant {
  readonly name: string
  readonly #args: readonly string[]

  constructor(name: string, args: readonly string[]) {
    this.name = name
    this.#args = args
  }

  async run(_measure: string, operations: number): Promise<Sample> {
    const cpuBefore = cpuOfChildrenMs()
    const begun = performance.now()
    for (let i = 0; i < operations; i++) await runNode(this.#args)
    const wallMs = performance.now() - begun
    return { operations, wallMs, cpuMs: cpuOfChildrenMs() - cpuBefore }
  }
}

/** As it is published. @returns the program. */
async function installCommandLine(folder: string): Promise<string> {
  await bundleCommandLine(join(folder, 'dist'))
  cpSync(join(ROOT, 'apps/cli/package.json'), join(folder, 'package.json'))
  return join(folder, 'dist', 'main.js')
}

/** A home without passphrase, registered at the server, with a past. */
async function makeHome(
  server: TestServer,
  folder: string,
  phone: string,
  past: Past,
): Promise<string> {
  const { file, passphrase } = await homeWithPast(server, phone, past)
  const path = join(folder, `${phone}.couplet`)
  writeFileSync(path, file)
  const imported = join(folder, phone)
  await importHomeFromFile({ home: imported, file: path, filePassphrase: passphrase })
  return imported
}

function runNode(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${args.join(' ')}: exit code ${code}`))
    })
  })
}

/** User and system time of all children that have ended: fields 16 and 17 of proc(5)'s `stat`. */
function cpuOfChildrenMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[13]) + Number(fields[14])) * MS_PER_TICK
}

async function memoryOf(home: string): Promise<Memory> {
  const script = join(import.meta.dirname, 'client', 'memory.ts')
  const output = await runNode(['--expose-gc', '--conditions=source', script, home])
  return JSON.parse(output) as Memory
}

async function timeUntilReady(data: string): Promise<number> {
  const begun = performance.now()
  const args = [join(ROOT, 'scripts/run.mjs'), 'serve', '--port', '0', '--data', data]
  const child = spawn(process.execPath, args, {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    return await new Promise((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('listening on')) resolve(performance.now() - begun)
      })
      child.once('close', () => reject(new Error('npm start ended')))
    })
  } finally {
    child.removeAllListeners('close')
    child.kill('SIGTERM')
  }
}

const ROOT = join(import.meta.dirname, '..')
const MEASURE = 'commands'
const NO_PAST: Past = { conversations: 0, long: 0, short: 0 }
const QUICK: Plan = { rounds: 5, turnMs: 500, warmUpMs: 500 }
const FULL: Plan = { rounds: 15, turnMs: 1000, warmUpMs: 1000 }
const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: tmpdir(),
  COUPLET_NO_PASSPHRASE: '1',
  NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/couplet'),
}
const MS_PER_TICK: number =
  1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
