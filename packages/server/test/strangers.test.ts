/** Connections that hold on: nobody keeps a place, memory or a stop by doing nothing. */
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLOSE_CODE, SOCKET_PATH } from '@couplet/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { NO_LIMITS } from '../src/index.ts'
import {
  connect,
  makeIdentity,
  openRegistration,
  register,
  startServer,
  type TestServer,
  TestSocket,
} from './support.ts'

let server: TestServer
const held: Socket[] = []

afterEach(async () => {
  for (const socket of held.splice(0)) socket.destroy()
  await server.close()
})

/** A stranger who never ends the connection, and reads only if asked to. */
function hold(text: string, reads: boolean): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
    held.push(socket)
    socket.on('error', () => {})
    socket.once('connect', () => {
      if (reads) socket.resume()
      socket.write(text)
      resolve(socket)
    })
  })
}

/** Whether there is a place for one more connection. */
async function isServed(): Promise<boolean> {
  const socket = await hold('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n', false)
  const served = await new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true))
    for (const end of ['end', 'close']) socket.once(end, () => resolve(false))
  })
  socket.destroy()
  return served
}

const UPGRADE = `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n`
const FLOOD = 'GET /v1/server HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40_000)

describe('a place is free again after', () => {
  it.each([
    ['what is no HTTP', 'nonsense\r\n\r\n', true, {}],
    ['a refused upgrade', UPGRADE, true, {}],
    ['requests whose answers are not read', FLOOD, false, { idleMs: 500 }],
  ])('%s', async (_what, text, reads, httpTiming) => {
    const limits = { ...NO_LIMITS, connectionsPerAddress: 1 }
    server = await startServer({ limits, httpTiming })
    // Connections may be twice as many as sockets.
    await hold(text, reads)
    await hold(text, reads)
    await expect.poll(isServed, { timeout: 10_000 }).toBe(true)
  })
})

it('a request that is never answered holds up no stop', async () => {
  const asked = Promise.withResolvers<void>()
  const codeSender = {
    development: true,
    send: () => {
      asked.resolve()
      return new Promise<void>(() => {})
    },
  }
  server = await startServer({ codeSender, httpTiming: { stopMs: 200, codesMs: 200 } })
  const answer = openRegistration(server, makeIdentity('+12025550101')).catch(() => 'cut')
  await asked.promise
  await server.close()
  expect(await answer).toBe('cut')
})

describe('before its login a socket', () => {
  it('sends 4 KiB and no more, finished or not', async () => {
    server = await startServer()
    const socket = new TestSocket(server)
    await socket.take('challenge')
    socket.webSocket.send(new Uint8Array(5000), { fin: false })
    expect(await socket.closed).toBe(CLOSE_CODE.unauthenticated)
  })

  it('sends 16 fragments and no more', async () => {
    server = await startServer()
    const socket = new TestSocket(server)
    await socket.take('challenge')
    for (let sent = 0; sent < 17; sent++) socket.webSocket.send(new Uint8Array(1), { fin: false })
    expect(await socket.closed).toBe(1008)
  })
})

it('a socket that says nothing is not idle: it answers pings', async () => {
  server = await startServer({ httpTiming: { idleMs: 100 } })
  const ana = await register(server, '+12025550101')
  const socket = await connect(server, ana)
  expect(await Promise.race([socket.closed, sleep(500, 'open')])).toBe('open')
})
