/**
 * One process of the load: `driver.ts PORT FIRST COUNT POOL`. Logs COUNT people in, then obeys:
 * `live SECONDS` (neighbours write to each other, one message each under way), `store FIRST COUNT`
 * (two messages to each of these absent people), `quit`. Answers with one line of JSON each.
 */
import { createHash, randomBytes, sign } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeServerFrame, encodeClientFrame, loginSignedBytes } from '@couplet/wire'
import { WebSocket } from 'ws'
import { type BenchPerson, person, readPool } from './people.ts'

const SERVER_NAME = 'bench.example'
const IN_FLIGHT = 64
const LOGINS_AT_ONCE = 64
const ENVELOPE_BYTES = 1024

const [port, firstText, countText, poolText] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
]
const pool = await readPool(Buffer.from(poolText, 'base64').toString())
const [first, count] = [Number(firstText), Number(countText)]

interface Client {
  readonly self: BenchPerson
  readonly socket: WebSocket
  peer: BenchPerson
  onResult: () => void
  onEnd: () => void
  delivered: number
}

const clients: Client[] = []
let live = false
let results = 0

function envelope(): Uint8Array {
  const bytes = new Uint8Array(ENVELOPE_BYTES)
  bytes.set(randomBytes(32))
  return bytes
}

function logIn(self: BenchPerson, peer: BenchPerson): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, ['couplet.v1'], {
      perMessageDeflate: false,
    })
    const client: Client = { self, socket, peer, onResult: () => {}, onEnd: () => {}, delivered: 0 }
    socket.on('error', reject)
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)))
    socket.on('message', (data) => {
      const frame = decodeServerFrame(data as Buffer)
      switch (frame.type) {
        case 'challenge': {
          const { challenge } = frame
          const { identityId } = self
          const message = loginSignedBytes({ serverName: SERVER_NAME, challenge, identityId })
          const signature = sign(null, message, self.key)
          socket.send(encodeClientFrame({ type: 'login', identityId, signature }))
          break
        }
        case 'caught-up':
          resolve(client)
          break
        case 'deliver': {
          client.delivered++
          const id = createHash('sha256').update(frame.envelope).digest()
          socket.send(encodeClientFrame({ type: 'ack', id, receipt: id }))
          break
        }
        case 'put-result':
          results++
          client.onResult()
          break
        case 'welcome':
        case 'acked':
        case 'notice':
        case 'room':
        case 'status-result':
          break
        case 'error':
          reject(new Error(frame.code))
          break
      }
    })
  })
}

function put(client: Client, recipient: Uint8Array): void {
  client.socket.send(
    encodeClientFrame({
      type: 'put',
      ref: 1 + (results % 1e9),
      mode: 'evict',
      recipient,
      envelope: envelope(),
    }),
  )
}

async function runLive(seconds: number, active: number): Promise<object> {
  live = true
  results = 0
  const begun = performance.now()
  for (const client of clients.slice(0, active)) {
    client.onResult = () => {
      if (live) put(client, client.peer.identityId)
    }
    put(client, client.peer.identityId)
  }
  await sleep(seconds * 1000)
  live = false
  const done = results
  const wallMs = performance.now() - begun
  await sleep(500)
  return { messages: done, perSecond: Math.round((1000 * done) / wallMs) }
}

async function runStore(from: number, people: number): Promise<object> {
  results = 0
  const targets = Array.from({ length: 2 * people }, (_, index) => from + (index % people))
  const begun = performance.now()
  let next = 0
  const client = clients[0]!
  const more = (): void => {
    if (results === targets.length) client.onEnd()
    const target = targets[next++]
    if (target !== undefined) put(client, person(pool, target).identityId)
  }
  client.onResult = more
  for (let index = 0; index < IN_FLIGHT; index++) more()
  await new Promise<void>((resolve) => {
    client.onEnd = resolve
  })
  const wallMs = performance.now() - begun
  return { messages: results, perSecond: Math.round((1000 * results) / wallMs) }
}

const begun = performance.now()
let next = 0
await Promise.all(
  Array.from({ length: LOGINS_AT_ONCE }, async () => {
    while (next < count) {
      const index = next++
      // The peer of an even one is the next, and the other way round; in the other half of drivers
      // they may be connected to another worker.
      clients.push(await logIn(person(pool, first + index), person(pool, first + (index ^ 1))))
    }
  }),
)
const loginMs = performance.now() - begun
say({ connected: clients.length, loginsPerSecond: Math.round((1000 * count) / loginMs) })

for await (const line of createInterface({ input: process.stdin })) {
  const [word, a, b] = line.split(' ')
  if (word === 'live') say(await runLive(Number(a), Number(b)))
  if (word === 'store') say(await runStore(Number(a), Number(b)))
  if (word === 'quit') break
}
process.exit()

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
