/**
 * Error codes that cross the wire, one union for HTTP and socket alike. (spec/errors.md)
 *
 * A code exists when a caller would act differently on it. HTTP answers carry it as
 * `application/problem+json` (RFC 9457).
 */

/** What can go wrong between a client and a server, with the HTTP status of each. */
export const ERROR_STATUS: Record<ErrorCode, number> = {
  malformed: 400,
  'invalid-phone-number': 400,
  'invalid-identity': 400,
  unauthenticated: 401,
  'wrong-code': 403,
  'not-found': 404,
  'unknown-recipient': 404,
  'stale-prekeys': 409,
  'registration-expired': 410,
  'too-large': 413,
  'too-many-attempts': 429,
  'rate-limited': 429,
  internal: 500,
  'code-not-sent': 502,
  unavailable: 503,
  'registration-closed': 403,
  'registration-locked': 423,
  'client-too-old': 426,
}

export type ErrorCode =
  /** The input is not of the form that the specification gives. */
  | 'malformed'
  /** Not a phone number in E.164 form that can exist. */
  | 'invalid-phone-number'
  /** The identity record or the prekeys do not verify, or belong to somebody else. */
  | 'invalid-identity'
  /** No signature, a wrong one, or one of an identity that is not registered (any more). */
  | 'unauthenticated'
  /** The code is not the one that was sent; `triesLeft` says how many tries remain. */
  | 'wrong-code'
  /** There is nothing at this address. */
  | 'not-found'
  /** Nobody is registered under this number or identity. */
  | 'unknown-recipient'
  /** The prekey set is not newer than the one that the server has. */
  | 'stale-prekeys'
  /** The registration is unknown, finished or older than its ten minutes. */
  | 'registration-expired'
  /** More bytes than the limit that the specification gives. */
  | 'too-large'
  /** All tries for this registration are used up: ask for a new code. */
  | 'too-many-attempts'
  /** Too often; `retryAfter` says how many seconds to wait. */
  | 'rate-limited'
  /** A defect of the server. */
  | 'internal'
  /** The code could not be handed to the network that delivers it; try again. */
  | 'code-not-sent'
  /** The server is starting, stopping or cannot write. */
  | 'unavailable'
  /** This number may not register here: no invitation, not on the list, or blocked. */
  | 'registration-closed'
  /** The number has a PIN, and it was not given or is not the one; `triesLeft`, `retryAfter`. */
  | 'registration-locked'
  /** The server speaks no longer with so old a client: update it. */
  | 'client-too-old'

/** Every code, for schemas and tests. Its place is its number in frames: only ever appended to. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERROR_STATUS) as ErrorCode[]

/** An error with a code that both sides know. Its message never holds numbers, keys or ids. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** What some codes add. */
export interface ErrorDetails {
  /** Seconds until it makes sense to try again. */
  readonly retryAfter?: number
  /** Tries that remain for this code, or for this PIN. */
  readonly triesLeft?: number
}
