/**
 * The ceiling: relays that do nothing but pass bytes on. A bare `ws` server on Node, and a C program
 * with epoll. A frame is the other's number in four bytes, then the payload; the first frame of a
 * connection says whose it is, and comes back when the relay knows.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { dial, freePort, ServerProcess } from './processes.ts'
import { type Client, type ClientEvents, PAYLOAD_BYTES, type ServerSubject } from './subject.ts'

export const wsRelay: ServerSubject = {
  remark: 'a WebSocket relay on the same Node and the same library, that knows nothing',
  stores: false,
  async start() {
    const port = await freePort()
    const program = join(import.meta.dirname, 'ws-relay.ts')
    const server = await ServerProcess.start(
      // The same flag of V8 that our server sets for itself.
      {
        command: process.execPath,
        args: ['--no-concurrent-array-buffer-sweeping', program, `${port}`],
      },
      port,
    )
    return {
      process: server,
      connect: (user, events) => connectWebSocket(port, user, events),
    }
  },
}

export const cRelay: ServerSubject = {
  remark: 'a TCP relay of a hundred lines of C with epoll, on one core',
  stores: false,
  async start(folder) {
    const port = await freePort()
    const binary = join(folder, 'relay')
    execFileSync('cc', ['-O2', '-o', binary, join(import.meta.dirname, 'relay.c')])
    const server = await ServerProcess.start({ command: binary, args: [`${port}`] }, port)
    return {
      process: server,
      connect: (user, events) => connectTcp(port, user, events),
    }
  },
}

function connectWebSocket(port: number, user: number, events: ClientEvents): Promise<Client> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
  const client: Client = {
    send: (to) => webSocket.send(frameFor(to)),
    close: () =>
      new Promise((resolve) => {
        webSocket.once('close', () => resolve())
        webSocket.close()
      }),
  }
  return new Promise((resolve, reject) => {
    webSocket.on('error', reject)
    webSocket.on('open', () => webSocket.send(number(user)))
    webSocket.once('message', () => {
      webSocket.on('message', () => events.onMessage())
      resolve(client)
    })
  })
}

async function connectTcp(port: number, user: number, events: ClientEvents): Promise<Client> {
  const socket = await dial(port)
  socket.write(number(user))
  await once(socket, 'data')
  let waiting = 0
  socket.on('data', (data) => {
    for (waiting += data.length; waiting >= FRAME_BYTES; waiting -= FRAME_BYTES) events.onMessage()
  })
  return {
    send: (to) => socket.write(frameFor(to)),
    close: () =>
      new Promise((resolve) => {
        socket.once('close', () => resolve())
        socket.destroy()
      }),
  }
}

function frameFor(to: number): Uint8Array {
  const frame = Uint8Array.from(TEMPLATE)
  new DataView(frame.buffer).setUint32(0, to)
  return frame
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

const NUMBER_BYTES = 4
const FRAME_BYTES = NUMBER_BYTES + PAYLOAD_BYTES
const TEMPLATE = randomBytes(FRAME_BYTES)
