/** What a stop waits for, what it cuts, and that it does so wherever `localhost` listens. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type CodeSender, listenForOperator, NO_LIMITS, type Operator } from '../src/index.ts'
import {
  dataFolder,
  makeIdentity,
  openRegistration,
  startServer,
  type TestServer,
} from './support.ts'

const ANA = '+12025550101'
let server: TestServer
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

/** A stranger on TCP: what came so far, and whether it has ended. */
async function stranger(address: string, text: string): Promise<{ heard: string; ended: boolean }> {
  const socket = connectTcp(server.port, address)
  sockets.push(socket)
  const state = { heard: '', ended: false }
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    state.heard += chunk
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    state.ended = true
  })
  await once(socket, 'connect')
  socket.write(text)
  return state
}

/** A sender that is slow, and when it has been asked. */
function slow(): { sender: CodeSender; asked: Promise<void>; end: PromiseWithResolvers<void> } {
  const [asked, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const send = (): Promise<void> => {
    asked.resolve()
    return end.promise
  }
  return { sender: { development: false, send }, asked: asked.promise, end }
}

describe.each(['127.0.0.1', '::1'])('localhost at %s', (address) => {
  it('counts its connections before they say a word', async () => {
    server = await startServer({ limits: { ...NO_LIMITS, connectionsPerAddress: 1 } })
    const all: { readonly ended: boolean }[] = []
    for (let time = 0; time < 3; time++) all.push(await stranger(address, 'GET'))
    await expect.poll(() => all.map(({ ended }) => ended)).toEqual([false, false, true])
  })

  it('says what is wrong with what is no HTTP', async () => {
    server = await startServer()
    const state = await stranger(address, 'EHLO\r\n\r\n')
    await expect.poll(() => state.heard).toMatch(/^HTTP\/1\.1 400 .*"code":"malformed"/s)
  })

  it('cuts who holds on to it when the server stops, and lets nobody in', async () => {
    server = await startServer({ httpTiming: { stopMs: 100 } })
    const state = await stranger(address, 'GET / HTTP/1.1\r\n')
    await server.close()
    await expect.poll(() => state.ended).toBe(true)
    await expect(stranger(address, '')).rejects.toThrow(/ECONNREFUSED/)
  })
})

it('a port of localhost that another program has at one of its addresses is not taken', async () => {
  server = await startServer()
  const other = createTcpServer()
  await new Promise<void>((resolve) => other.listen(0, '::1', resolve))
  const { port } = other.address() as { port: number }
  try {
    await expect(startServer({ port })).rejects.toThrow(/EADDRINUSE/)
    // Nothing of it stays at the address that was free.
    await expect(once(connectTcp(port, '127.0.0.1'), 'connect')).rejects.toThrow(/ECONNREFUSED/)
  } finally {
    other.close()
  }
})

describe('a code that is being sent when the server stops', () => {
  const timing = { stopMs: 50, codesMs: 60_000 }

  it.each([
    ['arrives', 201],
    ['fails', 502],
  ])('%s, and who asked is told', async (how, status) => {
    const { sender, asked, end } = slow()
    server = await startServer({ codeSender: sender, httpTiming: timing })
    const answer = openRegistration(server, makeIdentity(ANA))
    await asked
    const closed = server.close()
    // Whatever else is under way has been cut, had it to be.
    await new Promise((resolve) => setTimeout(resolve, 4 * timing.stopMs))
    if (how === 'arrives') end.resolve()
    else end.reject(new Error('refused'))
    expect((await answer).status).toBe(status)
    await closed
  })

  it('is waited for no longer than a sender may take', async () => {
    const { sender, asked } = slow()
    server = await startServer({ codeSender: sender, httpTiming: { ...timing, codesMs: 100 } })
    const answer = openRegistration(server, makeIdentity(ANA))
    await asked
    await Promise.all([server.close(), expect(answer).rejects.toThrow()])
  })
})

it('who has an answer is let go at once: a stop does not wait for the connection to idle', async () => {
  const { sender, asked, end } = slow()
  const httpTiming = { stopMs: 3_600_000, codesMs: 3_600_000, keepAliveMs: 3_600_000 }
  server = await startServer({ codeSender: sender, httpTiming })
  const answer = openRegistration(server, makeIdentity(ANA))
  await asked
  const closed = server.close()
  end.resolve()
  expect((await answer).status).toBe(201)
  await closed
})

it('an operator who has asked is answered before the socket ends', async () => {
  server = await startServer()
  const folder = dataFolder()
  try {
    const [users, seen] = [Promise.withResolvers<never[]>(), Promise.withResolvers<void>()]
    const operator = {
      users: () => {
        seen.resolve()
        return users.promise
      },
    } as unknown as Operator
    const close = await listenForOperator(folder, operator)
    const asker = connectTcp(join(folder, 'operator.sock'))
    const idler = connectTcp(join(folder, 'operator.sock'))
    sockets.push(asker, idler)
    await Promise.all([once(asker, 'connect'), once(idler, 'connect')])
    let heard = ''
    asker.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk
    })
    asker.write('{"method":"users","args":["",1]}\n')
    await seen.promise
    const closed = close()
    users.resolve([])
    await closed
    await expect.poll(() => heard).toBe('{"value":[]}\n')
    await expect.poll(() => idler.closed).toBe(true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
