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
import { initNats } from '../src/nats/nats-engine.ts'
import { type NatsCluster, type NatsServer, startNats } from './nats-server.ts'
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
const RECIPIENTS = 24
/** Messages before the fault, and after it. */
const WARM_UP = 60
/** For each fault, also on a machine that has much else to do. */
const PATIENCE_MS = 300_000

let nats: NatsCluster
let nodes: Node[] = []
const people: TestIdentity[] = []
let ana: TestIdentity

/** One process that serves. */
class Node {
  readonly child: ChildProcess
  readonly codes = new Map<string, string[]>()
  server: TestServer | undefined

  constructor() {
    const script = join(import.meta.dirname, 'nats-node.child.ts')
    const args = [nats.url, clusterKey.toString('hex'), `http://${NAME}`]
    this.child = spawn(process.execPath, ['--conditions=source', script, ...args], {
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
    const url = `http://localhost:${await port.promise}`
    this.server = { url, port: 0, name: NAME, codes: this.codes } as unknown as TestServer
    return this
  }
}

beforeAll(async () => {
  nats = await startNats(3)
  await settled()
  await initNats({ url: nats.url, clusterKey, partitions: 2, replicas: 3 })
  nodes = await Promise.all(Array.from({ length: 3 }, () => new Node().ready()))
  ana = await register(nodes[0]!.server!, phone(999))
  for (let index = 0; index < RECIPIENTS; index++) {
    people.push(await register(nodes[index % 3]!.server!, phone(index)))
  }
}, 120_000)

afterAll(async () => {
  for (const { child } of nodes) child.kill('SIGKILL')
  await nats.end()
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
async function leader(): Promise<NatsServer> {
  const connection = await connectNats({ servers: nats.url.replaceAll('nats://', '').split(',') })
  const info = await (await jetstreamManager(connection)).streams.info('COUPLET_MAILBOX_0')
  await connection.close()
  return nats.servers[Number(info.cluster!.leader!.slice(1))]!
}

/**
 * Sends to absent people, over any node that answers and again until it is acknowledged, while
 * `fault` happens. Then each mailbox must hold the two that were acknowledged last.
 */
async function load(fault: () => Promise<void>): Promise<void> {
  let socket: TestSocket | undefined
  let next = 0
  const online = async (): Promise<TestSocket> => {
    for (;;) {
      if (socket && socket.webSocket.readyState === socket.webSocket.OPEN) return socket
      try {
        socket = await connect(nodes[next++ % nodes.length]!.server!, ana)
      } catch {
        await sleep(100)
      }
    }
  }
  const state = { stop: false, acknowledged: 0 }
  let last = performance.now()
  let longest = 0
  const sent = new Map<TestIdentity, Uint8Array[]>()
  const send = async (to: TestIdentity): Promise<void> => {
    const ids: Uint8Array[] = []
    sent.set(to, ids)
    while (!state.stop || ids.length < 2) {
      const bytes = envelope()
      for (;;) {
        try {
          const outcome = await (await online()).put(to, bytes)
          expect(['stored', 'duplicate']).toContain(outcome.kind)
          break
        } catch {
          await sleep(50)
        }
      }
      ids.push(idOf(bytes))
      state.acknowledged++
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }
  }
  const sending = Promise.all(people.map(send))
  const more = async (count: number): Promise<void> => {
    const enough = state.acknowledged + count
    await expect.poll(() => state.acknowledged, { timeout: 110_000 }).toBeGreaterThan(enough)
  }
  await more(WARM_UP)
  longest = 0
  await fault()
  await more(WARM_UP)
  state.stop = true
  await sending
  process.stdout.write(
    `    ${state.acknowledged} acknowledged; longest time without: ${(longest / 1000).toFixed(1)} s\n`,
  )
  for (const [to, ids] of sent) {
    const reader = await connect(nodes.at(-1)!.server!, to)
    const got = [await reader.take('deliver'), await reader.take('deliver')]
    expect(got.map((frame) => idOf(frame.envelope))).toEqual(ids.slice(-2))
    for (const frame of got) await reader.ack(idOf(frame.envelope))
    await reader.close()
  }
}

describe('while messages are sent', () => {
  it(
    'the leader of a stream is killed',
    async () => {
      await load(async () => {
        const victim = await leader()
        await victim.stop('SIGKILL')
        await sleep(6000)
        await victim.start()
      })
    },
    PATIENCE_MS,
  )

  it(
    'the leader of a stream hangs, and goes on when there is another',
    async () => {
      await load(async () => {
        const victim = await leader()
        victim.pause()
        await sleep(15_000)
        victim.resume()
      })
    },
    PATIENCE_MS,
  )

  it(
    'a follower is killed',
    async () => {
      await load(async () => {
        const leading = await leader()
        const victim = nats.servers.find((server) => server !== leading)!
        await victim.stop('SIGKILL')
        await sleep(3000)
        await victim.start()
      })
    },
    PATIENCE_MS,
  )

  it(
    'a node of Couplet is killed, and comes back',
    async () => {
      await load(async () => {
        nodes[0]!.child.kill('SIGKILL')
        await sleep(2000)
        nodes[0] = await new Node().ready()
      })
    },
    PATIENCE_MS,
  )

  it(
    'all servers of NATS are killed, and start again',
    async () => {
      await load(async () => {
        await Promise.all(nats.servers.map((server) => server.stop('SIGKILL')))
        await sleep(500)
        await Promise.all(nats.servers.map((server) => server.start()))
        await settled()
      })
    },
    PATIENCE_MS,
  )
})
