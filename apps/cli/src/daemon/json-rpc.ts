/** JSON-RPC 2.0 without a transport: from a text to an answer. (https://www.jsonrpc.org/specification) */
import { codeOf, detailsOf } from '../errors.ts'
import { exitCodeFor } from '../exit-codes.ts'
import { safeJson } from '../sanitize.ts'

export type Params = Readonly<Record<string, unknown>>

/** Does what a method is for; what it gives back is the result. */
export type Method = (params: Params, caller: Caller) => unknown

/** Whoever called, for methods that send something later. */
export interface Caller {
  /** Sends a notification; false when nobody is there any more. */
  notify(method: string, params: Params): boolean
  /** Called when the caller has gone. */
  onGone(listener: () => void): void
}

/** A failure of the call itself, with a code of JSON-RPC. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly rpcCode: number

  constructor(rpcCode: number, message: string) {
    super(message)
    this.rpcCode = rpcCode
  }
}

/**
 * Answers one text: a request, or a batch of them. Nothing for notifications.
 *
 * @param sentenceFor - what a failure is called for people.
 */
export async function answer(
  asked: string,
  methods: Readonly<Record<string, Method>>,
  caller: Caller,
  sentenceFor: (error: unknown) => string,
): Promise<string | undefined> {
  let parsed: unknown
  try {
    parsed = JSON.parse(asked)
  } catch {
    return failure(null, PARSE_ERROR, 'this is not JSON')
  }
  const one = (request: unknown): Promise<string | undefined> =>
    call(request, methods, caller, sentenceFor)
  if (!Array.isArray(parsed)) return one(parsed)
  if (parsed.length === 0 || parsed.length > MAX_BATCH) {
    return failure(null, INVALID_REQUEST, `a batch has 1 to ${MAX_BATCH} requests`)
  }
  const answers: string[] = []
  // One after the other, as they stand.
  for (const request of parsed) {
    const each = await one(request)
    if (each !== undefined) answers.push(each)
  }
  return answers.length === 0 ? undefined : `[${answers.join(',')}]`
}

export function notification(method: string, params: Params): string {
  return safeJson({ jsonrpc: '2.0', method, params })
}

async function call(
  request: unknown,
  methods: Readonly<Record<string, Method>>,
  caller: Caller,
  sentenceFor: (error: unknown) => string,
): Promise<string | undefined> {
  if (!isRequest(request)) return failure(null, INVALID_REQUEST, 'this is not a request')
  const { id, method, params = {} } = request
  const isNotification = id === undefined
  try {
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!run) throw new RpcError(METHOD_NOT_FOUND, `there is no method “${method}”`)
    if (!isParams(params)) throw new RpcError(INVALID_PARAMS, 'params are given by name')
    const result = (await run(params, caller)) ?? null
    return isNotification ? undefined : safeJson({ jsonrpc: '2.0', id, result })
  } catch (error) {
    if (isNotification) return undefined
    if (error instanceof RpcError) return failure(id, error.rpcCode, error.message)
    const code = codeOf(error)
    return failure(id, exitCodeFor(code), sentenceFor(error), { code, ...detailsOf(error) })
  }
}

function failure(id: unknown, code: number, message: string, data?: Params): string {
  return safeJson({ jsonrpc: '2.0', id, error: { code, message, ...(data && { data }) } })
}

interface Request {
  readonly id?: string | number | null
  readonly method: string
  readonly params?: unknown
}

function isRequest(value: unknown): value is Request {
  if (!isParams(value) || value.jsonrpc !== '2.0' || typeof value.method !== 'string') return false
  return (
    value.id === undefined || value.id === null || ['string', 'number'].includes(typeof value.id)
  )
}

function isParams(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A parameter that has to be text. */
export function text(params: Params, name: string): string {
  const value = params[name]
  if (typeof value === 'string') return value
  throw new RpcError(INVALID_PARAMS, `“${name}” is text`)
}

/** A parameter that is one of these, or left out. */
export function choice<T>(params: Params, name: string, choices: readonly T[]): T | undefined {
  const value = params[name]
  if (value === undefined) return undefined
  const found = choices.find((each) => each === value)
  if (found !== undefined) return found
  throw new RpcError(INVALID_PARAMS, `“${name}” is one of ${JSON.stringify(choices)}`)
}

/** A parameter that is a whole number from 0, or left out. */
export function count(params: Params, name: string): number | undefined {
  const value = params[name]
  if (value === undefined) return undefined
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new RpcError(INVALID_PARAMS, `“${name}” is a whole number`)
}

const PARSE_ERROR = -32700
const INVALID_REQUEST = -32600
const METHOD_NOT_FOUND = -32601
const INVALID_PARAMS = -32602
const MAX_BATCH = 100
