/** Messages that we frame ourselves, as a WebSocket by others reads them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeServerFrame, frameLength, type ServerFrame, toHex } from '@couplet/wire'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
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
      for (const frame of frames) socket.write(messageOf(frame))
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
