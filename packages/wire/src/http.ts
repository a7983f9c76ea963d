/**
 * Shapes of the HTTP API: what each request and answer holds, checked with one schema on both
 * sides. (spec/http-api.md) Bytes travel as base64url without padding.
 */
import * as v from 'valibot'
import { type Bytes, fromBase64Url } from './bytes.ts'
import { ERROR_CODES, type ErrorCode, WireError } from './errors.ts'
import { SIGNATURE_BYTES, SIGNED_IDENTITY_BYTES, SIGNED_PREKEYS_BYTES } from './identity.ts'
import {
  CODE_DIGITS,
  MAX_INVITATION_CHARACTERS,
  MAX_PIN_CHARACTERS,
  MIN_PIN_CHARACTERS,
} from './limits.ts'

export const PATHS = {
  registrations: '/v1/registrations',
  directory: '/v1/directory',
  prekeys: '/v1/prekeys',
  server: '/v1/server',
  account: '/v1/account',
  registrationLock: '/v1/registration-lock',
  description: '/openapi.json',
  push: '/v1/push',
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
  /** Where the server asks for one. */
  readonly invitation?: string | undefined
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
  /** Where the number is locked by one. */
  readonly pin?: string | undefined
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

/** Body of `PUT /v1/registration-lock`: 204. A signed request. */
export interface RegistrationLockRequest {
  /** 4 to 64 characters, of any kind. */
  readonly pin: string
}

/** Answer of `GET /v1/account`: 200. A signed request. */
export interface AccountInfo {
  /** Milliseconds since 1970. */
  readonly registeredAt: number
  /** Messages in the mailbox. */
  readonly waiting?: number | undefined
  /** Where the user is told of messages while away, and since when. */
  readonly push?: { readonly service: string; readonly since: number } | undefined
  readonly lock?: LockInfo | undefined
}

export interface LockInfo {
  readonly triesLeft: number
  /** Tries with a wrong PIN since it was set: somebody else has the code of this number. */
  readonly failures: number
  /** Of the last of them, milliseconds since 1970. */
  readonly failedAt?: number | undefined
}

/** Who may register. */
export type RegistrationPolicy = 'open' | 'invite' | 'allowlist'

/** Answer of `GET /v1/server`: 200. */
export interface ServerInfo {
  readonly name: 'couplet'
  readonly version: string
  /** Messages that a mailbox holds. */
  readonly capacity: number
  /** Whether codes are printed where the server runs, instead of being sent to the phone. */
  readonly development: boolean
  /** Older servers do not say: `open`. */
  readonly registration?: RegistrationPolicy | undefined
  /** The oldest client that this server works with; older servers do not say. */
  readonly minimumClient?: string | undefined
}

/** Answer of `GET /v1/push`: 200. */
export interface PushKey {
  /** Point on P-256, 65 bytes. */
  readonly key: Bytes
}

/** Body of `PUT /v1/push`: 204. A signed request. */
export interface PushSubscription {
  readonly endpoint: string
  /** Point on P-256, 65 bytes. */
  readonly p256dh: Bytes
  readonly auth: Bytes
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

/** Header in which a client says its version. */
export const CLIENT_VERSION_HEADER = 'couplet-client'

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

/** A shape that untrusted JSON is checked against. */
export type Shape<T> = v.GenericSchema<unknown, T>

const CHALLENGE = bytes(32)

export const registrationRequest: Shape<RegistrationRequest> = v.strictObject({
  phone: v.pipe(v.string(), v.maxLength(32)),
  identity: bytes(SIGNED_IDENTITY_BYTES),
  prekeys: bytes(SIGNED_PREKEYS_BYTES),
  invitation: v.optional(v.pipe(v.string(), v.maxLength(MAX_INVITATION_CHARACTERS))),
})

export const registrationResponse: Shape<RegistrationResponse> = v.object({
  id: v.string(),
  challenge: CHALLENGE,
  expiresAt: v.number(),
})

export const verificationRequest: Shape<VerificationRequest> = v.strictObject({
  code: v.pipe(v.string(), v.regex(new RegExp(`^[0-9]{${CODE_DIGITS}}$`))),
  proof: bytes(SIGNATURE_BYTES),
  pin: v.optional(pin()),
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

export const registrationLockRequest: Shape<RegistrationLockRequest> = v.strictObject({
  pin: pin(),
})

export const accountInfo: Shape<AccountInfo> = v.object({
  registeredAt: v.number(),
  waiting: v.optional(v.number()),
  push: v.optional(v.object({ service: v.string(), since: v.number() })),
  lock: v.optional(
    v.object({
      triesLeft: v.number(),
      failures: v.number(),
      failedAt: v.optional(v.number()),
    }),
  ),
})

export const serverInfo: Shape<ServerInfo> = v.object({
  name: v.literal('couplet'),
  version: v.string(),
  capacity: v.number(),
  development: v.boolean(),
  registration: v.optional(v.picklist(['open', 'invite', 'allowlist'])),
  minimumClient: v.optional(v.string()),
})

export const pushKey: Shape<PushKey> = v.object({ key: bytes(65) })

export const pushSubscription: Shape<PushSubscription> = v.strictObject({
  endpoint: v.pipe(v.string(), v.maxLength(1024)),
  p256dh: bytes(65),
  auth: bytes(16),
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

function pin() {
  return v.pipe(v.string(), v.minLength(MIN_PIN_CHARACTERS), v.maxLength(MAX_PIN_CHARACTERS))
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
