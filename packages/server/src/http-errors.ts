/** Errors as HTTP answers: `application/problem+json`, one code for each. (spec/errors.md; RFC 9457) */
import {
  ERROR_STATUS,
  type ErrorCode,
  PROBLEM_CONTENT_TYPE,
  type Problem,
  WireError,
} from '@couplet/wire'
import type { FastifyError, FastifyReply } from 'fastify'

/** Answers with a problem. `status` differs from the code's own only for a wrong method. */
export function sendProblem(reply: FastifyReply, error: WireError, status?: number): FastifyReply {
  const problem = problemOf(error, status)
  if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter))
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Couplet')
  return reply
    .code(problem.status)
    .type(PROBLEM_CONTENT_TYPE)
    .send(Buffer.from(JSON.stringify(problem)))
}

export function problemOf(error: WireError, status: number = ERROR_STATUS[error.code]): Problem {
  return {
    type: `urn:couplet:error:${error.code}`,
    title: TITLES[error.code],
    status,
    code: error.code,
    detail: error.message,
    ...error.details,
  }
}

/** Whatever was thrown, as something that may be told. `undefined`: a defect, to be logged. */
export function asWireError(error: unknown): WireError | undefined {
  if (error instanceof WireError) return error
  const { code, statusCode = 500 } = error as Partial<FastifyError>
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new WireError('too-large', 'the body is larger than any request needs')
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new WireError('malformed', 'the content type must be application/json')
  }
  if (statusCode >= 400 && statusCode < 500) {
    return new WireError('malformed', 'the request is not well-formed')
  }
  return undefined
}

const TITLES: Record<ErrorCode, string> = {
  malformed: 'Malformed request',
  'invalid-phone-number': 'Not a phone number',
  'invalid-identity': 'Identity does not verify',
  unauthenticated: 'Not authenticated',
  'wrong-code': 'Wrong code',
  'not-found': 'Nothing here',
  'unknown-recipient': 'Nobody is registered here',
  'stale-prekeys': 'Prekeys are not newer',
  'registration-expired': 'Registration is over',
  'too-large': 'Too large',
  'too-many-attempts': 'Too many attempts',
  'rate-limited': 'Too often',
  internal: 'Defect of the server',
  'code-not-sent': 'Code could not be sent',
  unavailable: 'Not available now',
  'registration-closed': 'Registration is not open to this number',
  'registration-locked': 'The number is locked by a PIN',
  'client-too-old': 'Client too old',
}
