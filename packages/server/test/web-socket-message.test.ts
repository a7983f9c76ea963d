/** Messages that we frame ourselves, as a WebSocket by others reads them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { encodeServerFrame, frameLength, type ServerFrame, toHex } from '@couplet/wire'
import { expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type FrameHearer, FrameSocket } from '../src/frame-socket.ts'
import { messageOf } from '../src/web-socket-message.ts'
import { freshBytes } from './support.ts'

/** A frame of so many bytes, seven or more. */
function frameOf(length: number): ServerFrame {
  const statuses = Array.from({ length: length - 7 }, () => ({ kind: 'waiting' as const }))
  return { type: 'status-result', ref: 1, statuses }
}

test('are read as the frames they are, at every length where the header changes', async () => {
  const frames: ServerFrame[] = [
    { type: 'caught-up' },
    { type: 'acked', id: freshBytes(32) },
    ...[124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537].map(frameOf),
    { type: 'deliver', sender: freshBytes(32), storedAt: 1, envelope: freshBytes(65_536) },
  ]
  const server = createServer()
  const handshakes = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    handshakes.handleUpgrade(request, socket, head, () => {
      for (const frame of frames) socket.write(messageOf(frame, socket.writableLength))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The runtime's own, which is not of the library that the server uses.
  const client = new globalThis.WebSocket(
    `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
  )
  client.binaryType = 'arraybuffer'
  const received: Uint8Array[] = []
  await new Promise<void>((resolve, reject) => {
    client.addEventListener('error', () => reject(new Error(`after ${received.length} frames`)))
    client.addEventListener('message', ({ data }) => {
      received.push(new Uint8Array(data as ArrayBuffer))
      if (received.length === frames.length) resolve()
    })
  })
  for (const [index, frame] of frames.entries()) {
    expect(received[index]).toHaveLength(frameLength(frame))
    expect(toHex(received[index]!) === toHex(encodeServerFrame(frame))).toBe(true)
  }
  client.close()
  server.closeAllConnections()
  server.close()
})

test('keep no memory but their own where they wait behind others', () => {
  for (const frame of [frameOf(35), frameOf(1065)]) {
    const waiting = messageOf(frame, 2000)
    expect(waiting.buffer.byteLength).toBe(waiting.length)
    expect(messageOf(frame, 0)).toEqual(waiting)
  }
})

test('are not sent any more when the peer has said goodbye', async () => {
  const server = createServer()
  const handshakes = new WebSocketServer({ noServer: true })
  const opened = new Promise<{ webSocket: WebSocket; socket: Socket }>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      handshakes.handleUpgrade(request, socket, head, (webSocket) =>
        resolve({ webSocket, socket: socket as Socket }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true })
  let heard = Buffer.alloc(0)
  peer.on('data', (data: Buffer) => {
    heard = Buffer.concat([heard, data])
  })
  peer.write(HANDSHAKE)
  const { webSocket, socket } = await opened
  const frames = new FrameSocket(webSocket, socket, DEAF, 1000)
  expect(frames.send({ type: 'caught-up' })).toBe(true)
  // A goodbye without a reason, and the connection kept.
  peer.write(Uint8Array.of(0x88, 0x80, 1, 2, 3, 4))
  while (webSocket.readyState === webSocket.OPEN) await setImmediate()

  expect(frames.send({ type: 'caught-up' })).toBe(false)
  await once(peer, 'end')
  // What was sent before, the server's own goodbye, and nothing behind it.
  const head = heard.indexOf('\r\n\r\n') + 4
  expect([...heard.subarray(head)]).toEqual([0x82, 1, 0x84, 0x88, 0])
  peer.destroy()
  server.close()
})

const DEAF: FrameHearer = { message() {}, drained() {}, slow() {}, gone() {} }
const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '',
  '',
].join('\r\n')
