/** What the tests of the server share: real servers, and a small client made of wire's codecs. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeIdentityRecord,
  encodePrekeySet,
  fromBase64Url,
  identityIdPreimage,
  identitySignedBytes,
  joinSigned,
  loginSignedBytes,
  type PhoneNumber,
  type Problem,
  type PutMode,
  type PutOutcome,
  prekeysSignedBytes,
  registrationSignedBytes,
  requestSignedBytes,
  type ServerFrame,
  SOCKET_PATH,
  SOCKET_PROTOCOL,
  toBase64Url,
} from '@couplet/wire'
import { WebSocket } from 'ws'
import { createServer, type Server, type ServerOptions } from '../src/index.ts'
import { sha256 } from '../src/signatures.ts'

export interface TestServer extends Omit<Server, 'metrics' | 'gone' | 'operator'> {
  /** Host and port, as clients sign them. */
  readonly name: string
  /** Codes by phone number, the newest last. */
  readonly codes: Map<string, string[]>
}

export async function startServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const codes = new Map<string, string[]>()
  const server = await createServer({
    port: 0,
    codeSender: {
      development: true,
      send: async (phone, code) => {
        codes.set(phone, [...(codes.get(phone) ?? []), code])
      },
    },
    ...options,
  })
  return { ...server, name: new URL(server.url).host, codes }
}

export interface TestIdentity {
  readonly phone: string
  readonly identityId: Uint8Array
  readonly signedIdentity: Uint8Array
  sign(message: Uint8Array): Uint8Array
  prekeys(id: number, notAfter?: number): Uint8Array
}

const DAY_MS = 24 * 60 * 60 * 1000

/** The server looks at signatures only, so the other keys are random bytes. */
export function makeIdentity(phone: string): TestIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const encoded = encodeIdentityRecord({
    phone: phone as PhoneNumber,
    exchangeKey: randomBytes(422),
    signingKey: rawPublicKey(publicKey),
    identityKey: randomBytes(32),
    createdAt: Date.now(),
  })
  const identityId = Uint8Array.from(sha256(identityIdPreimage(encoded)))
  const signWith = (message: Uint8Array): Uint8Array => sign(null, message, privateKey)
  return {
    phone,
    identityId,
    signedIdentity: joinSigned({ encoded, signature: signWith(identitySignedBytes(encoded)) }),
    sign: signWith,
    prekeys(id, notAfter = Date.now() + 30 * DAY_MS) {
      const prekeys = encodePrekeySet({
        identityId,
        id,
        signedPrekey: randomBytes(32),
        kemPrekey: randomBytes(1184),
        notAfter,
      })
      return joinSigned({ encoded: prekeys, signature: signWith(prekeysSignedBytes(prekeys)) })
    },
  }
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return fromBase64Url(key.export({ format: 'jwk' }).x!)
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Whatever JSON the server sends; the text when it is none. */
  readonly body: Record<string, never>
}

export async function request(
  server: { readonly url: string },
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const json = response.headers.get('content-type')?.includes('json')
  return {
    status: response.status,
    headers: response.headers,
    body: json ? JSON.parse(text) : text,
  }
}

/** Asserts the whole form of a problem, and gives it. */
export function problemOf(answer: Answer): Problem {
  const problem = answer.body as unknown as Problem
  if (answer.headers.get('content-type') !== 'application/problem+json') {
    throw new Error(`not a problem: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  if (problem.type !== `urn:couplet:error:${problem.code}` || problem.status !== answer.status) {
    throw new Error(`a problem at odds with itself: ${JSON.stringify(problem)}`)
  }
  return problem
}

/** Headers of a signed request. */
export function signedHeaders(
  server: { readonly name: string },
  identity: TestIdentity,
  method: string,
  path: string,
  body = '',
  at: number = Date.now(),
): Record<string, string> {
  const signature = identity.sign(
    requestSignedBytes({
      serverName: server.name,
      identityId: identity.identityId,
      at,
      method,
      path,
      bodyHash: sha256(Buffer.from(body)),
    }),
  )
  const parts = ['Couplet', toBase64Url(identity.identityId), at, toBase64Url(signature)]
  return { authorization: parts.join(' ') }
}

export function openRegistration(
  server: { readonly url: string },
  identity: TestIdentity,
  change: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = {
    phone: identity.phone,
    identity: toBase64Url(identity.signedIdentity),
    prekeys: toBase64Url(identity.prekeys(1)),
    ...change,
  }
  return request(server, 'POST', '/v1/registrations', body, headers)
}

export function proofOf(server: { readonly name: string }, identity: TestIdentity, opened: Answer) {
  return toBase64Url(
    identity.sign(
      registrationSignedBytes({
        serverName: server.name,
        registrationId: String(opened.body.id),
        challenge: fromBase64Url(String(opened.body.challenge)),
        identityId: identity.identityId,
      }),
    ),
  )
}

export function verifyCode(
  server: { readonly url: string; readonly name: string },
  identity: TestIdentity,
  opened: Answer,
  code: string,
): Promise<Answer> {
  const proof = proofOf(server, identity, opened)
  return request(server, 'POST', `/v1/registrations/${opened.body.id}/verify`, { code, proof })
}

export async function register(
  server: Pick<TestServer, 'url' | 'name' | 'codes'>,
  phone: string,
  identity: TestIdentity = makeIdentity(phone),
  code: () => string | Promise<string> = () => server.codes.get(phone)!.at(-1)!,
): Promise<TestIdentity> {
  const opened = await openRegistration(server, identity)
  if (opened.status !== 201) throw new Error(`not opened: ${JSON.stringify(opened.body)}`)
  const verified = await verifyCode(server, identity, opened, await code())
  if (verified.status !== 200) throw new Error(`not verified: ${JSON.stringify(verified.body)}`)
  return identity
}

/** Random, and plain: a `Buffer` is not equal to the same bytes in tests. */
export function freshBytes(length: number): Uint8Array {
  return Uint8Array.from(randomBytes(length))
}

export function envelope(size = 1024): Uint8Array {
  return freshBytes(size)
}

export function idOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(sha256(bytes))
}

type FrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { readonly type: Type }>

/** A client's end of the socket. Frames are kept until somebody asks for them, in any order. */
export class TestSocket {
  readonly webSocket: WebSocket
  readonly frames: ServerFrame[] = []
  readonly closed: Promise<number>
  #waiting: (() => void)[] = []
  #nextRef = 1

  constructor(server: { readonly url: string }, protocols: string[] = [SOCKET_PROTOCOL]) {
    const url = server.url.replace('http', 'ws') + SOCKET_PATH
    this.webSocket = new WebSocket(url, protocols, { perMessageDeflate: false })
    this.webSocket.on('message', (data) => {
      this.frames.push(decodeServerFrame(Uint8Array.from(data as Buffer)))
      for (const wake of this.#waiting.splice(0)) wake()
    })
    this.webSocket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      this.webSocket.on('close', (code) => {
        resolve(code)
        for (const wake of this.#waiting.splice(0)) wake()
      })
    })
  }

  send(frame: ClientFrame): void {
    this.webSocket.send(encodeClientFrame(frame))
  }

  /** Takes the next frame of a type that satisfies the condition. */
  async take<Type extends ServerFrame['type']>(
    type: Type,
    condition: (frame: FrameOf<Type>) => boolean = () => true,
    timeoutMs = PATIENCE_MS,
  ): Promise<FrameOf<Type>> {
    const until = Date.now() + timeoutMs
    for (;;) {
      const at = this.frames.findIndex(
        (frame) => frame.type === type && condition(frame as FrameOf<Type>),
      )
      if (at >= 0) return this.frames.splice(at, 1)[0] as FrameOf<Type>
      if (Date.now() >= until || this.webSocket.readyState >= WebSocket.CLOSING) {
        throw new Error(`no ${type}; there are: ${this.frames.map((one) => one.type).join(', ')}`)
      }
      await Promise.race([new Promise<void>((wake) => this.#waiting.push(wake)), sleep(50)])
    }
  }

  /** Whether a frame of the type comes within a moment. */
  async comes(type: ServerFrame['type'], withinMs = 150): Promise<boolean> {
    await sleep(withinMs)
    return this.frames.some((frame) => frame.type === type)
  }

  /** Sends a put and gives its ref. */
  putting(recipient: TestIdentity, bytes: Uint8Array, mode: PutMode = 'evict'): number {
    const ref = this.#nextRef++
    this.send({ type: 'put', ref, mode, recipient: recipient.identityId, envelope: bytes })
    return ref
  }

  async outcome(ref: number): Promise<PutOutcome> {
    return (await this.take('put-result', (frame) => frame.ref === ref)).outcome
  }

  put(recipient: TestIdentity, bytes: Uint8Array, mode: PutMode = 'evict'): Promise<PutOutcome> {
    return this.outcome(this.putting(recipient, bytes, mode))
  }

  async status(ids: readonly Uint8Array[]) {
    const ref = this.#nextRef++
    this.send({ type: 'status', ref, ids })
    return (await this.take('status-result', (frame) => frame.ref === ref)).statuses
  }

  async ack(id: Uint8Array, receipt?: Uint8Array): Promise<void> {
    this.send({ type: 'ack', id, receipt })
    await this.take('acked', (frame) => Buffer.compare(frame.id, id) === 0)
  }

  async close(): Promise<void> {
    this.webSocket.close()
    await this.closed
  }

  /** Gone without a goodbye. */
  cut(): void {
    this.webSocket.terminate()
  }
}

/** Longer than one process waits for the answer of another that has lost a user meanwhile. */
const PATIENCE_MS = 20_000

/** Logged in; with `settled`, also past everything that was waiting. */
export async function connect(
  server: { readonly url: string; readonly name: string },
  identity: TestIdentity,
): Promise<TestSocket> {
  const socket = new TestSocket(server)
  await logIn(server, socket, identity)
  await socket.take('welcome')
  return socket
}

export async function logIn(
  server: { readonly name: string },
  socket: TestSocket,
  identity: TestIdentity,
): Promise<void> {
  const { challenge } = await socket.take('challenge')
  const { identityId } = identity
  const signed = loginSignedBytes({ serverName: server.name, challenge, identityId })
  socket.send({ type: 'login', identityId, signature: identity.sign(signed) })
}

/** A fresh folder for data; whoever asks removes it. */
export function dataFolder(): string {
  return mkdtempSync(join(tmpdir(), 'couplet-server-'))
}
