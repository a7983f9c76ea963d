/**
 * Two networks with a line between them that loses packets, or is cut: nobody is told.
 * Real processes in network namespaces of their own, so this needs Linux and root.
 * (delivery.md, "What must hold", 2: whatever happened, it arrives when both are there again)
 */
import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needPrograms } from './debian.ts'
import { type Result, type Running, succeeded, World } from './processes.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const PORT = 8080
const unique = `couplet${process.pid}`

/** A network namespace, and how to run a command in it. */
interface Host {
  readonly name: string
  readonly address: string
  /** Its end of the line. */
  readonly device: string
  readonly within: readonly string[]
}

const SERVER = host('s', '10.203.17.1')
const FAR = host('c', '10.203.17.2')
const URL = `http://${SERVER.address}:${PORT}`

let world: World

beforeEach(async () => {
  needPrograms({ ip: 'iproute2', nft: 'nftables' })
  if (process.getuid?.() !== 0) throw new Error('needs root: it makes network namespaces')
  for (const { name } of [SERVER, FAR]) ip('netns', 'add', name)
  const pair = ['type', 'veth', 'peer', 'name', FAR.device, 'netns', FAR.name]
  ip('link', 'add', SERVER.device, 'netns', SERVER.name, ...pair)
  for (const { name, address, device } of [SERVER, FAR]) {
    ip('-n', name, 'address', 'add', `${address}/30`, 'dev', device)
    ip('-n', name, 'link', 'set', 'lo', 'up')
    ip('-n', name, 'link', 'set', device, 'up')
  }
  world = await World.create()
})

afterEach(async () => {
  await world.end()
  for (const { name } of [SERVER, FAR]) ip('netns', 'del', name)
})

test('a line that is cut without a word costs time, never a message', async () => {
  const reader = await follow()
  line('down')
  // The server has heard of no end: it pushes into a line that leads nowhere.
  await send('one', 'two', 'three', 'four')
  expect(reader.stdout).not.toContain('"one"')
  line('up')
  await arrived(reader, 'before', 'one', 'two', 'three', 'four')
})

test('a line that loses every fifth packet costs time, never a message', async () => {
  const reader = await follow()
  for (const { name } of [SERVER, FAR]) loseEveryFifthPacket(name)
  await send('one', 'two', 'three', 'four')
  await arrived(reader, 'before', 'one', 'two', 'three', 'four')
  for (const { name } of [SERVER, FAR]) expect(packetsLost(name)).toBeGreaterThan(0)
})

/** A server and Ana on one side, and Ben on the other, who reads and has read "before". */
async function follow(): Promise<Running> {
  const serve = ['serve', '--host', SERVER.address, '--port', String(PORT), '--public-url', URL]
  const codes = `file:${world.path('codes.jsonl')}`
  const data = world.path('server')
  const server = at(SERVER, [...serve, '--data', data, '--code-sender', codes])
  await server.saw(/listening on/)
  await register('ana', ANA, SERVER)
  await register('ben', BEN, FAR)
  const reader = at(FAR, ['--home', 'ben', 'receive', '--follow', '--json'])
  succeeded(await run(SERVER, 'ana', 'send', BEN, 'before', '--wait', 'delivered'))
  await reader.saw(/"before"/)
  return reader
}

async function send(...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    succeeded(await run(SERVER, 'ana', 'send', BEN, text, '--wait', 'sent', '--timeout', '60'))
  }
}

/**
 * Whoever comes back asks for what is missing, and Ana's outbox has what two places did not hold:
 * in the end everything is there, once and in order.
 */
async function arrived(reader: Running, ...texts: readonly string[]): Promise<void> {
  const end = Date.now() + RECOVERY_MS
  while ((await run(SERVER, 'ana', 'outbox', '--json')).stdout !== '') {
    if (Date.now() > end) throw new Error('the outbox never became empty')
    succeeded(await run(SERVER, 'ana', 'receive'))
  }
  await reader.stop()
  const shown = reader.stdout.match(/"text":"[a-z]+"/g)
  expect(shown).toEqual(texts.map((text) => `"text":"${text}"`))
}

/** Pings every 30 seconds find a line that is dead, and a reconnect waits for a while. */
const RECOVERY_MS = 110_000

function host(letter: string, address: string): Host {
  const name = `${unique}${letter}`
  return { name, address, device: `cpl${letter}`, within: ['ip', 'netns', 'exec', name] }
}

function line(state: 'up' | 'down'): void {
  ip('-n', SERVER.name, 'link', 'set', SERVER.device, state)
}

/** Of what reaches this host. */
function loseEveryFifthPacket(name: string): void {
  const within = (...args: string[]) => execFileSync('ip', ['netns', 'exec', name, 'nft', ...args])
  within('add table inet loss')
  within('add chain inet loss input { type filter hook input priority 0; }')
  within('add rule inet loss input iifname != "lo" numgen random mod 5 == 0 counter drop')
}

function packetsLost(name: string): number {
  const list = ['netns', 'exec', name, 'nft', 'list', 'table', 'inet', 'loss']
  const rules = execFileSync('ip', list, { encoding: 'utf8' })
  return Number(/counter packets (\d+)/.exec(rules)?.[1])
}

async function register(home: string, phone: string, where: Host): Promise<void> {
  succeeded(await run(where, home, 'register', phone, '--server', URL))
  succeeded(await run(where, home, 'register', phone, '--code', await world.code(phone)))
}

function run(where: Host, home: string, ...args: string[]): Promise<Result> {
  const running = at(where, ['--home', home, ...args])
  running.child.stdin?.end()
  return running.ended
}

function at(where: Host, args: readonly string[]): Running {
  return world.spawn(args, {}, where.within)
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
