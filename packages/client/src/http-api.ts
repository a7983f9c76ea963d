/**
 * The HTTP side of a server, over `fetch`: the same in Node and in browsers. (spec/http-api.md)
 *
 * A server is a stranger: its answers have a limit of size and time, are checked against their
 * shape, and whatever else comes becomes one `ClientError`.
 */
import {
  type AccountInfo,
  AUTHORIZATION_SCHEME,
  accountInfo,
  type Bytes,
  CLIENT_VERSION_HEADER,
  type DirectoryEntry,
  directoryEntry,
  type ErrorDetails,
  fromUtf8,
  PATHS,
  type PhoneNumber,
  PROBLEM_CONTENT_TYPE,
  type Problem,
  type PushSubscription,
  parseShape,
  problem as problemShape,
  pushKey,
  REQUEST_CLOCK_SKEW_MS,
  type RegistrationRequest,
  type RegistrationResponse,
  registrationResponse,
  requestSignedBytes,
  type ServerInfo,
  type ServerName,
  type Shape,
  SOCKET_PATH,
  serverInfo,
  toBase64Url,
  utf8,
  type VerificationRequest,
  type VerificationResponse,
  verificationResponse,
} from '@couplet/wire'
import { ClientError } from './errors.ts'
import type { Clock, RequestSigner, ServerApi } from './ports.ts'
import { CLIENT_VERSION } from './version.ts'

export interface HttpApiOptions {
  /** Like `http://localhost:8080` or `https://chat.example`. */
  readonly url: string
  readonly clock: Clock
  readonly sha256: (data: Uint8Array) => Bytes | Promise<Bytes>
  /** How long one answer may take; 15 s unless given. */
  readonly timeoutMs?: number
}

/** @throws {ClientError} `malformed` when the URL is not one of a server. */
export function createHttpApi(options: HttpApiOptions): ServerApi {
  return new HttpApi(options)
}

/** Where a server is. */
export interface ServerAddress {
  /** Without a slash at the end. */
  readonly origin: string
  readonly socketUrl: string
  /** What signatures name: the `Host` that requests to this address carry. */
  readonly serverName: ServerName
}

/** @throws {ClientError} `malformed` for anything but `http(s)://host[:port]`. */
export function parseServerAddress(url: string): ServerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new ClientError(
      'malformed',
      'the address of a server begins with http:// or https://, like http://localhost:8080',
    )
  }
  // A path would be signed by us and not seen by a server behind it.
  if (parsed.href !== `${parsed.origin}/`) {
    throw new ClientError(
      'malformed',
      'the address of a server is a host and a port, like http://localhost:8080, and nothing more',
    )
  }
  const { origin, host: serverName } = parsed
  return { origin, serverName, socketUrl: origin.replace(/^http/, 'ws') + SOCKET_PATH }
}

class HttpApi implements ServerApi {
  readonly serverName: ServerName
  readonly #origin: string
  readonly #clock: Clock
  readonly #sha256: HttpApiOptions['sha256']
  readonly #timeoutMs: number
  /** Server's clock minus ours, once a request was refused because of it. */
  #clockOffset = 0

  constructor(options: HttpApiOptions) {
    const { origin, serverName } = parseServerAddress(options.url)
    this.serverName = serverName
    this.#origin = origin
    this.#clock = options.clock
    this.#sha256 = options.sha256
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  }

  async info(): Promise<ServerInfo> {
    const answer = await this.#exchange({ method: 'GET', path: PATHS.server })
    return this.#read(answer, 200, serverInfo)
  }

  async register(request: RegistrationRequest): Promise<RegistrationResponse> {
    const answer = await this.#exchange({
      method: 'POST',
      path: PATHS.registrations,
      body: {
        phone: request.phone,
        identity: toBase64Url(request.identity),
        prekeys: toBase64Url(request.prekeys),
        ...(request.invitation !== undefined && { invitation: request.invitation }),
      },
    })
    return this.#read(answer, 201, registrationResponse)
  }

  async verify(
    registrationId: string,
    request: VerificationRequest,
  ): Promise<VerificationResponse> {
    const answer = await this.#exchange({
      method: 'POST',
      path: `${PATHS.registrations}/${encodeURIComponent(registrationId)}/verify`,
      body: {
        code: request.code,
        proof: toBase64Url(request.proof),
        ...(request.pin !== undefined && { pin: request.pin }),
      },
    })
    return this.#read(answer, 200, verificationResponse)
  }

  async lookup(phone: PhoneNumber, signer: RequestSigner): Promise<DirectoryEntry | undefined> {
    const path = `${PATHS.directory}/${encodeURIComponent(phone)}`
    const answer = await this.#signedExchange({ method: 'GET', path }, signer)
    try {
      return this.#read(answer, 200, directoryEntry)
    } catch (error) {
      if (error instanceof ClientError && error.code === 'unknown-recipient') return undefined
      throw error
    }
  }

  async publishPrekeys(signedPrekeys: Bytes, signer: RequestSigner): Promise<void> {
    const body = { prekeys: toBase64Url(signedPrekeys) }
    const request: Request = { method: 'PUT', path: PATHS.prekeys, body }
    this.#expect(await this.#signedExchange(request, signer), 204)
  }

  async account(signer: RequestSigner): Promise<AccountInfo> {
    const answer = await this.#signedExchange({ method: 'GET', path: PATHS.account }, signer)
    return this.#read(answer, 200, accountInfo)
  }

  async lockRegistration(pin: string | undefined, signer: RequestSigner): Promise<void> {
    const path = PATHS.registrationLock
    const request: Request =
      pin === undefined ? { method: 'DELETE', path } : { method: 'PUT', path, body: { pin } }
    this.#expect(await this.#signedExchange(request, signer), 204)
  }

  async pushKey(): Promise<Bytes | undefined> {
    const answer = await this.#exchange({ method: 'GET', path: PATHS.push })
    try {
      return this.#read(answer, 200, pushKey).key
    } catch (error) {
      if (error instanceof ClientError && error.code === 'not-found') return undefined
      throw error
    }
  }

  async subscribeToPush(
    { endpoint, p256dh, auth }: PushSubscription,
    signer: RequestSigner,
  ): Promise<void> {
    const body = { endpoint, p256dh: toBase64Url(p256dh), auth: toBase64Url(auth) }
    const request: Request = { method: 'PUT', path: PATHS.push, body }
    this.#expect(await this.#signedExchange(request, signer), 204)
  }

  async unsubscribeFromPush(signer: RequestSigner): Promise<void> {
    const request: Request = { method: 'DELETE', path: PATHS.push }
    this.#expect(await this.#signedExchange(request, signer), 204)
  }

  async deleteAccount(signer: RequestSigner): Promise<void> {
    const request: Request = { method: 'DELETE', path: PATHS.account }
    this.#expect(await this.#signedExchange(request, signer), 204)
  }

  /** Signs with our time, or with the server's when that is what the server refused. */
  async #signedExchange(request: Request, signer: RequestSigner): Promise<Answer> {
    const answer = await this.#signAndExchange(request, signer, this.#clockOffset)
    const offset = answer.status === 401 ? this.#offsetOf(answer) : undefined
    if (offset === undefined) return answer
    const second = await this.#signAndExchange(request, signer, offset)
    if (second.status !== 401) this.#clockOffset = offset
    return second
  }

  async #signAndExchange(
    request: Request,
    signer: RequestSigner,
    clockOffset: number,
  ): Promise<Answer> {
    const { method, path } = request
    const at = Math.max(0, Math.round(this.#clock.now() + clockOffset))
    const message = requestSignedBytes({
      serverName: this.serverName,
      identityId: signer.identityId,
      at,
      method,
      path,
      bodyHash: await this.#sha256(bodyBytes(request) ?? new Uint8Array()),
    })
    const authorization = [
      AUTHORIZATION_SCHEME,
      toBase64Url(signer.identityId),
      at,
      toBase64Url(signer.sign(message)),
    ].join(' ')
    return this.#exchange(request, { authorization })
  }

  /** The server's clock minus ours, if it is so far from what we assumed that this explains a 401. */
  #offsetOf(answer: Answer): number | undefined {
    const offset = Date.parse(answer.date ?? '') - this.#clock.now()
    const surprise = Math.abs(offset - this.#clockOffset)
    return surprise > REQUEST_CLOCK_SKEW_MS / 2 ? offset : undefined
  }

  async #exchange(request: Request, headers: Record<string, string> = {}): Promise<Answer> {
    const { method, path } = request
    const url = new URL(path, this.#origin)
    // What is signed is what is sent: no dot segments that the URL would resolve.
    if (url.pathname !== path) throw new ClientError('malformed', 'not a path of the server')
    const body = bodyBytes(request)
    const signal = AbortSignal.timeout(this.#timeoutMs)
    try {
      const response = await fetch(url, {
        method,
        headers: {
          ...headers,
          [CLIENT_VERSION_HEADER]: CLIENT_VERSION,
          ...(body && { 'content-type': 'application/json' }),
        },
        body: body ?? null,
        signal,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'manual',
      })
      return {
        status: response.status,
        type: response.headers.get('content-type')?.toLowerCase() ?? '',
        date: response.headers.get('date'),
        body: await readBounded(response),
      }
    } catch (error) {
      if (error instanceof ClientError) throw error
      if (signal.aborted) {
        throw new ClientError(
          'timed-out',
          `the server at ${this.#origin} does not answer in time`,
          {
            cause: error,
          },
        )
      }
      throw this.#unreachable(error)
    }
  }

  /** @throws {ClientError} unless the answer has this status and this shape. */
  #read<T>(answer: Answer, status: number, shape: Shape<T>): T {
    this.#expect(answer, status)
    const value = parseJson(answer.body, shape)
    if (value === undefined) throw this.#unexpected(answer)
    return value
  }

  #expect(answer: Answer, status: number): void {
    if (answer.status === status) return
    if (answer.type.startsWith(PROBLEM_CONTENT_TYPE)) {
      const problem = parseJson(answer.body, problemShape)
      if (problem) throw errorOf(problem)
    }
    if (GATEWAY_STATUSES.includes(answer.status)) throw this.#unreachable()
    throw this.#unexpected(answer)
  }

  #unreachable(cause?: unknown): ClientError {
    return new ClientError('unreachable', `the server at ${this.#origin} does not answer`, {
      cause,
    })
  }

  #unexpected(answer: Answer): ClientError {
    return new ClientError(
      'unexpected-answer',
      `${this.#origin} does not answer like a Couplet server (HTTP status ${answer.status})`,
    )
  }
}

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly date: string | null
  readonly body: Bytes
}

function bodyBytes(request: Request): Bytes | undefined {
  return request.body && utf8(JSON.stringify(request.body))
}

/** `undefined` for what is not JSON of this shape. */
function parseJson<T>(body: Uint8Array, shape: Shape<T>): T | undefined {
  try {
    return parseShape(shape, JSON.parse(fromUtf8(body)))
  } catch {
    return undefined
  }
}

async function readBounded(response: Response): Promise<Bytes> {
  const body = new Uint8Array(MAX_ANSWER_BYTES)
  let length = 0
  const reader = response.body?.getReader()
  for (;;) {
    const part = await reader?.read()
    if (!part || part.done) return body.slice(0, length)
    if (length + part.value.length > MAX_ANSWER_BYTES) {
      await reader?.cancel()
      throw new ClientError('unexpected-answer', 'the server answers more than it should')
    }
    body.set(part.value, length)
    length += part.value.length
  }
}

function errorOf(problem: Problem): ClientError {
  const details: ErrorDetails = {
    ...(problem.retryAfter !== undefined && { retryAfter: problem.retryAfter }),
    ...(problem.triesLeft !== undefined && { triesLeft: problem.triesLeft }),
  }
  // It ends up on terminals: no control characters, no novels.
  const detail = problem.detail.replace(/\p{C}/gu, ' ').slice(0, MAX_DETAIL_CHARACTERS)
  return new ClientError(problem.code, detail, { details })
}

const TIMEOUT_MS = 15_000
/** The longest answer, a directory entry, has about 2.6 KB. */
const MAX_ANSWER_BYTES = 16_384
const MAX_DETAIL_CHARACTERS = 500
/** What a proxy says of itself when the server behind it does not answer. */
const GATEWAY_STATUSES: readonly number[] = [502, 503, 504]
