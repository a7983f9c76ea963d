/**
 * Shapes of the HTTP API: what each request and answer holds, checked with one schema on both
 * sides. (spec/http-api.md) Bytes travel as base64url without padding.
 */
import * as v from 'valibot'
import { type Bytes, fromBase64Url } from './bytes.ts'
import { ERROR_CODES, type ErrorCode, WireError } from './errors.ts'
import { SIGNATURE_BYTES, SIGNED_IDENTITY_BYTES, SIGNED_PREKEYS_BYTES } from './identity.ts'
import { CODE_DIGITS } from './limits.ts'

export const PATHS = {
  registrations: '/v1/registrations',
  directory: '/v1/directory',
  prekeys: '/v1/prekeys',
  server: '/v1/server',
  live: '/livez',
  ready: '/readyz',
} as const

/** Body of `POST /v1/registrations`. */
export interface RegistrationRequest {
  /** E.164; must be the one in the record. */
  readonly phone: string
  /** Signed identity record, 570 bytes. */
  readonly identity: Bytes
  /** Signed prekey set, 1327 bytes. */
  readonly prekeys: Bytes
}

/** Answer of `POST /v1/registrations`: 201. */
export interface RegistrationResponse {
  readonly id: string
  /** 32 bytes, to be signed together with the code. */
  readonly challenge: Bytes
  /** Milliseconds since 1970, after which the code is void. */
  readonly expiresAt: number
}

/** Body of `POST /v1/registrations/{id}/verify`. */
export interface VerificationRequest {
  /** Six digits. */
  readonly code: string
  /** Ed25519 over `registrationSignedBytes`. */
  readonly proof: Bytes
}

/** Answer of `POST /v1/registrations/{id}/verify`: 200. */
export interface VerificationResponse {
  readonly identityId: Bytes
  /** Whether the number had another identity before, which is now gone. */
  readonly replaced: boolean
}

/** Answer of `GET /v1/directory/{phone}`: 200. A signed request. */
export interface DirectoryEntry {
  readonly identity: Bytes
  readonly prekeys: Bytes
}

/** Body of `PUT /v1/prekeys`: 204. A signed request. */
export interface PrekeysRequest {
  readonly prekeys: Bytes
}

/** Answer of `GET /v1/server`: 200. */
export interface ServerInfo {
  readonly name: 'couplet'
  readonly version: string
  /** Messages that a mailbox holds. */
  readonly capacity: number
  /** Whether codes are printed where the server runs, instead of being sent to the phone. */
  readonly development: boolean
}

/** Body of every answer that is not a success: `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  readonly retryAfter?: number | undefined
  readonly triesLeft?: number | undefined
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

/** A shape that untrusted JSON is checked against. */
export type Shape<T> = v.GenericSchema<unknown, T>

const CHALLENGE = bytes(32)

export const registrationRequest: Shape<RegistrationRequest> = v.strictObject({
  phone: v.pipe(v.string(), v.maxLength(32)),
  identity: bytes(SIGNED_IDENTITY_BYTES),
  prekeys: bytes(SIGNED_PREKEYS_BYTES),
})

export const registrationResponse: Shape<RegistrationResponse> = v.object({
  id: v.string(),
  challenge: CHALLENGE,
  expiresAt: v.number(),
})

export const verificationRequest: Shape<VerificationRequest> = v.strictObject({
  code: v.pipe(v.string(), v.regex(new RegExp(`^[0-9]{${CODE_DIGITS}}$`))),
  proof: bytes(SIGNATURE_BYTES),
})

export const verificationResponse: Shape<VerificationResponse> = v.object({
  identityId: bytes(32),
  replaced: v.boolean(),
})

export const directoryEntry: Shape<DirectoryEntry> = v.object({
  identity: bytes(SIGNED_IDENTITY_BYTES),
  prekeys: bytes(SIGNED_PREKEYS_BYTES),
})

export const prekeysRequest: Shape<PrekeysRequest> = v.strictObject({
  prekeys: bytes(SIGNED_PREKEYS_BYTES),
})

export const serverInfo: Shape<ServerInfo> = v.object({
  name: v.literal('couplet'),
  version: v.string(),
  capacity: v.number(),
  development: v.boolean(),
})

export const problem: Shape<Problem> = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  code: v.picklist(ERROR_CODES),
  detail: v.string(),
  retryAfter: v.optional(v.number()),
  triesLeft: v.optional(v.number()),
})

/**
 * Untrusted JSON as a typed value.
 *
 * @throws {WireError} `malformed`, naming the field.
 */
export function parseShape<T>(shape: Shape<T>, json: unknown): T {
  const result = v.safeParse(shape, json)
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = v.getDotPath(issue)
  throw new WireError('malformed', path ? `${path}: ${issue.message}` : issue.message)
}

/** base64url in JSON, exactly so many bytes as a value. */
function bytes(length: number): v.GenericSchema<unknown, Bytes> {
  return v.pipe(
    v.string(),
    v.maxLength(Math.ceil((length * 4) / 3)),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        const value = fromBase64Url(dataset.value)
        if (value.length === length) return value
        addIssue({ message: `expected ${length} bytes` })
      } catch {
        addIssue({ message: 'expected base64url without padding' })
      }
      return NEVER
    }),
  )
}
