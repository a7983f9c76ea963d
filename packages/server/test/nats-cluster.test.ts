/**
 * Three servers of NATS, three nodes of Couplet, and what can befall them while messages are sent:
 * nothing that was acknowledged is lost. How long nothing could be sent is printed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect as connectNats } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { streamHealth } from '../src/nats/layout.ts'
import { initNats, type NatsEngine, natsEngine, openNats } from '../src/nats/nats-engine.ts'
import { type NatsCluster, type NatsServer, startNats } from './nats-server.ts'
import { canMakeNets, makeNet, type Net, type NetHost } from './net-hosts.ts'
import {
  connect,
  envelope,
  idOf,
  register,
  type TestIdentity,
  type TestServer,
  type TestSocket,
} from './support.ts'

const clusterKey = randomBytes(32)
const NAME = 'chat.example'
const RECIPIENTS = 16
/** Messages before the fault, while it lasts, and after it. */
const SOME = 100
/** A client that hears nothing for so long tries another node. */
const PUT_PATIENCE_MS = 4000
const STUCK_MS = 90_000
/** For each fault, also on a machine that has much else to do. */
const PATIENCE_MS = 300_000

let net: Net | undefined
let nats: NatsCluster
/** To look into mailboxes. */
let reader: NatsEngine | undefined
let nodes: Node[] = []
const people: TestIdentity[] = []
let ana: TestIdentity

/** One process that serves, on a machine of its own if there are some. */
class Node {
  readonly child: ChildProcess
  readonly codes = new Map<string, string[]>()
  readonly #address: string
  server: TestServer | undefined

  constructor(host: NetHost | undefined) {
    this.#address = host?.address ?? '127.0.0.1'
    const script = join(import.meta.dirname, 'nats-node.child.ts')
    const args = [nats.url, clusterKey.toString('hex'), `http://${NAME}`, this.#address]
    const [program, ...rest] = [...(host?.within ?? []), process.execPath]
    this.child = spawn(program, [...rest, '--conditions=source', script, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }

  async ready(): Promise<this> {
    const port = Promise.withResolvers<number>()
    this.child.on('exit', () => port.reject(new Error('the node ended')))
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) {
        const [word, first, code] = line.split(' ')
        if (word === 'port') port.resolve(Number(first))
        if (word === 'code') this.codes.set(first!, [...(this.codes.get(first!) ?? []), code!])
      }
    })
    const url = `http://${this.#address}:${await port.promise}`
    this.server = { url, port: 0, name: NAME, codes: this.codes } as unknown as TestServer
    return this
  }
}

beforeAll(async () => {
  net = canMakeNets ? makeNet(3) : undefined
  nats = await startNats(3, net?.hosts)
  await settled()
  await initNats({ url: nats.url, clusterKey, partitions: 2, replicas: 1 })
  nodes = await Promise.all(Array.from({ length: 3 }, (_, i) => new Node(net?.hosts[i]).ready()))
  reader = await natsEngine({ url: nats.url, clusterKey, capacity: 2 })
  ana = await register(nodes[0]!.server!, phone(999))
  for (let index = 0; index < RECIPIENTS; index++) {
    people.push(await register(nodes[index % 3]!.server!, phone(index)))
  }
}, 120_000)

afterAll(async () => {
  await reader?.bus?.close()
  for (const { child } of nodes) child.kill('SIGKILL')
  await nats.end()
  net?.end()
})

const phone = (index: number): string => `+1202555${String(1000 + index)}`

/** Every server of the cluster knows a leader. */
async function settled(): Promise<void> {
  const until = Date.now() + 60_000
  for (;;) {
    try {
      const connection = await connectNats({
        servers: nats.url.replaceAll('nats://', '').split(','),
      })
      await (await jetstreamManager(connection, { timeout: 2000 })).getAccountInfo()
      await connection.close()
      return
    } catch (error) {
      if (Date.now() > until) throw error
      await sleep(200)
    }
  }
}

/** Who leads the stream of the first mailboxes. */
async function currentLeader(): Promise<NatsServer> {
  const connection = await connectNats({ servers: nats.url.replaceAll('nats://', '').split(',') })
  const info = await (await jetstreamManager(connection)).streams.info('COUPLET_MAILBOX_0')
  await connection.close()
  return nats.servers[Number(info.cluster!.leader!.slice(1))]!
}

/** Lets so many more messages be acknowledged. */
type More = (count?: number) => Promise<void>

/**
 * Sends to absent people, over any node that answers and again until it is acknowledged, while
 * `fault` happens. Then nothing that was acknowledged may be missing.
 */
async function load(fault: (more: More) => Promise<void>): Promise<void> {
  const state = { stop: false, acknowledged: 0, last: performance.now(), longest: 0 }
  const line = new Line()
  const send = async (to: TestIdentity): Promise<readonly Uint8Array[]> => {
    const ids: Uint8Array[] = []
    while (!state.stop || ids.length < 2) {
      const bytes = envelope()
      while (!(await line.put(to, bytes))) await sleep(50)
      ids.push(idOf(bytes))
      state.acknowledged++
      state.longest = Math.max(state.longest, performance.now() - state.last)
      state.last = performance.now()
    }
    return ids
  }
  const sending = Promise.all(people.map(send))
  const more = async (count = SOME): Promise<void> => {
    const enough = state.acknowledged + count
    const until = performance.now() + STUCK_MS
    while (state.acknowledged < enough) {
      if (performance.now() > until) throw new Error(`nothing goes on: ${await health()}`)
      await sleep(50)
    }
  }
  await more()
  // One fault at a time: two of three must be up to date when the third goes.
  await whole()
  state.longest = 0
  await fault(more)
  await more()
  state.stop = true
  const sent = await sending
  line.end()
  process.stdout.write(
    `    ${state.acknowledged} acknowledged; longest time without: ${(state.longest / 1000).toFixed(1)} s\n`,
  )
  for (const [index, to] of people.entries()) await holdsWhatWasSent(to, sent[index]!)
}

/**
 * The two that were acknowledged last are there. Only a repetition of an older one may have come
 * after them, from a node that was cut off in the middle of it; then the mailbox knows what left for it.
 */
async function holdsWhatWasSent(to: TestIdentity, ids: readonly Uint8Array[]): Promise<void> {
  const { mailboxes } = reader!.store
  const waiting = (await mailboxes.fetch(to.identityId, 10, [])).map(({ id }) => hex(id))
  const all = new Set(ids.map(hex))
  expect(waiting.filter((id) => all.has(id))).toHaveLength(2)
  for (const id of ids.slice(-2).filter((one) => !waiting.includes(hex(one)))) {
    const again = { id, sender: ana.identityId, storedAt: 1, envelope: new Uint8Array(1) }
    const { outcome } = await mailboxes.put(to.identityId, again, 'if-room')
    expect(outcome).toEqual({ kind: 'evicted' })
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Every stream has a leader, and replicas that are up to date. */
async function whole(wanted?: number): Promise<void> {
  const isWhole = async (): Promise<boolean> => {
    // Just after a fault there may be nobody to ask.
    const parts = await openNats(nats).catch(() => undefined)
    const all = parts && (await streamHealth(parts.manager).catch(() => undefined))
    await parts?.connection.close()
    const well = all?.every(
      ({ replicas, leader, behind }) =>
        (wanted ?? replicas) === replicas && leader !== undefined && behind === 0,
    )
    return well ?? false
  }
  await expect.poll(isWhole, { timeout: STUCK_MS, interval: 200 }).toBe(true)
}

/** For whoever reads that a test failed. */
async function health(): Promise<string> {
  try {
    const { connection, manager } = await openNats(nats)
    const all = await streamHealth(manager)
    await connection.close()
    return all.map(({ name, leader, behind }) => `${name} ${leader} -${behind}`).join(', ')
  } catch (error) {
    return String(error)
  }
}

/** One person's connection, to one node after the other. */
class Line {
  #socket: Promise<TestSocket> | undefined
  #next = 0

  /** Answers whether it was acknowledged. */
  async put(to: TestIdentity, bytes: Uint8Array): Promise<boolean> {
    this.#socket ??= connect(nodes[this.#next % 3]!.server!, ana)
    const connecting = this.#socket
    const outcome = await Promise.race([
      // No connection, or an answer that says to come again.
      connecting.then((socket) => socket.put(to, bytes)).catch(() => undefined),
      sleep(PUT_PATIENCE_MS).then(() => undefined),
    ])
    if (outcome) {
      expect(['stored', 'duplicate']).toContain(outcome.kind)
      return true
    }
    if (this.#socket === connecting) {
      this.end()
      this.#next++
    }
    return false
  }

  end(): void {
    this.#socket?.then((socket) => socket.cut()).catch(() => {})
    this.#socket = undefined
  }
}

function under(name: string, fault: (more: More) => Promise<void>): void {
  it(name, () => load(fault), PATIENCE_MS)
}

describe('while messages are sent', () => {
  under('replicas are raised from one to three', async () => {
    await initNats({ url: nats.url, clusterKey, replicas: 3 })
    await whole(3)
  })

  under('the leader of a stream is killed', async (more) => {
    const victim = await currentLeader()
    await victim.stop('SIGKILL')
    await more()
    await victim.start()
  })

  under('the leader of a stream hangs, and goes on when there is another', async (more) => {
    const victim = await currentLeader()
    victim.pause()
    await more(2 * SOME)
    victim.resume()
  })

  under('the leader of a stream is as slow as with a bad disk', async () => {
    const victim = await currentLeader()
    for (let pulse = 0; pulse < 12; pulse++) {
      victim.pause()
      await sleep(250)
      victim.resume()
      await sleep(50)
    }
  })

  under('a follower is killed', async (more) => {
    const leading = await currentLeader()
    const victim = nats.servers.find((server) => server !== leading)!
    await victim.stop('SIGKILL')
    await more()
    await victim.start()
  })

  under('a node of Couplet is killed, and comes back', async (more) => {
    nodes[0]!.child.kill('SIGKILL')
    await more()
    nodes[0] = await new Node(net?.hosts[0]).ready()
  })

  under('a machine is cut off, with its NATS and its Couplet', async (more) => {
    if (!net) throw new Error('needs root and Linux: it makes network namespaces')
    const host = net.hosts[nats.servers.indexOf(await currentLeader())]!
    host.cut()
    await more(2 * SOME)
    host.mend()
  })

  // What is older than the raise must be as safe as what is newer. (docs/cluster.md)
  under('all servers of NATS are killed at once, and start again', async () => {
    await Promise.all(nats.servers.map((server) => server.stop('SIGKILL')))
    await Promise.all(nats.servers.map((server) => server.start()))
  })
})
