/**
 * The same inputs at the doors of a real server: HTTP bodies, headers and frames, before and after
 * login. What is refused changes nothing that the store holds, and the server goes on serving.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { NO_LIMITS } from '@couplet/server'
import { decodeClientFrame, encodeClientFrame, SOCKET_PATH, SOCKET_PROTOCOL } from '@couplet/wire'
import * as fc from 'fast-check'
import { WebSocket } from 'ws'
import {
  connect,
  envelope,
  freshBytes,
  register,
  startServer,
  type TestIdentity,
  type TestServer,
} from '../../packages/server/test/support.ts'
import { damaged, damagedText } from './mutations.ts'

/** @throws with what differed, or the answer that should not have been. */
export async function fuzzServer(runs: number, seed: number): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'couplet-fuzz-server-'))
  const server = await startServer({ data, limits: NO_LIMITS })
  try {
    const [ana, ben] = [
      await register(server, '+12025550101'),
      await register(server, '+12025550102'),
    ]
    const anas = await connect(server, ana)
    await anas.put(ben, envelope())
    await anas.close()
    const before = contents(data)
    await fuzzRequests(server, ana, runs, seed)
    await fuzzFrames(server, ana, runs, seed)
    const after = contents(data)
    if (after !== before) throw new Error(`the store changed:\n${before}\n${after}`)
    // It still serves.
    await (await connect(server, ben)).take('deliver')
  } finally {
    await server.close()
    rmSync(data, { recursive: true })
  }
}

/** Nothing here is signed, so nothing of it may be taken. */
async function fuzzRequests(
  { url }: TestServer,
  ana: TestIdentity,
  runs: number,
  seed: number,
): Promise<void> {
  // Another number than in the record: however little is damaged, it stays wrong.
  const body = JSON.stringify({
    phone: '+12025550103',
    identity: Buffer.from(ana.signedIdentity).toString('base64url'),
    prekeys: Buffer.from(ana.prekeys(2)).toString('base64url'),
  })
  const verify = JSON.stringify({ code: '123456', proof: Buffer.alloc(64).toString('base64url') })
  const routes = [
    ['POST', '/v1/registrations'],
    ['POST', '/v1/registrations/abcdefgh/verify'],
    ['PUT', '/v1/prekeys'],
    ['PUT', '/v1/registration-lock'],
    ['PUT', '/v1/push'],
    ['DELETE', '/v1/account'],
  ] as const
  const input = fc.tuple(
    fc.constantFrom(...routes),
    damagedText([body, verify]),
    damagedText(['Couplet x 1 y']).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '')),
  )
  const property = fc.asyncProperty(input, async ([[method, path], text, authorization]) => {
    const headers = { 'content-type': 'application/json', authorization }
    const { status } = await fetch(url + path, { method, headers, body: text })
    if (status < 400 || status >= 500) throw new Error(`${method} ${path}: ${status}`)
  })
  await fc.assert(property, { numRuns: runs, seed })
}

/** Frames that the decoder refuses; each costs a connection. */
async function fuzzFrames(
  server: TestServer,
  ana: TestIdentity,
  runs: number,
  seed: number,
): Promise<void> {
  const id = freshBytes(32)
  const frames = damaged([
    encodeClientFrame({ type: 'put', ref: 7, mode: 'evict', recipient: id, envelope: envelope() }),
    encodeClientFrame({ type: 'ack', id, receipt: id }),
    encodeClientFrame({ type: 'status', ref: 7, ids: [id] }),
  ]).filter((bytes) => !isFrame(bytes))
  const property = fc.asyncProperty(frames, fc.boolean(), async (bytes, loggedIn) => {
    const socket = loggedIn ? (await connect(server, ana)).webSocket : await stranger(server)
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send(bytes)
    const code = await closed
    if (code !== MALFORMED && code !== TOO_BIG) throw new Error(`closed with ${code}`)
  })
  await fc.assert(property, { numRuns: runs, seed })
}

async function stranger({ url }: TestServer): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws') + SOCKET_PATH, [SOCKET_PROTOCOL])
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return socket
}

function isFrame(bytes: Uint8Array): boolean {
  try {
    decodeClientFrame(bytes)
    return true
  } catch {
    return false
  }
}

/** Everything that the store holds about people and messages. */
function contents(data: string): string {
  const db = new DatabaseSync(join(data, 'couplet.db'), { readOnly: true })
  try {
    const tables = ['users', 'messages', 'ended', 'receipts', 'registrations', 'records']
    const rows = tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all())
    return JSON.stringify(rows, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    )
  } finally {
    db.close()
  }
}

const MALFORMED = 4002
const TOO_BIG = 1009
