/**
 * Who makes a request: `Authorization: Couplet <identityId> <at> <signature>`.
 * (spec/http-api.md, "Signed requests"; wire's authentication.ts)
 */
import {
  AUTHORIZATION_SCHEME,
  decodeIdentityRecord,
  fromBase64Url,
  IDENTITY_ID_BYTES,
  REQUEST_CLOCK_SKEW_MS,
  requestSignedBytes,
  type ServerName,
  SIGNATURE_BYTES,
  splitSignedIdentity,
  WireError,
} from '@couplet/wire'
import type { Admission } from './admission.ts'
import type { Clock, DirectoryStore, User } from './ports.ts'
import { sha256, verifies } from './signatures.ts'

export interface SignedRequest {
  readonly authorization: string | undefined
  readonly method: string
  /** Path and query exactly as sent. */
  readonly path: string
  readonly body: Uint8Array
  /** Names by which the client may have called this server. */
  readonly serverNames: readonly ServerName[]
}

/**
 * The registered user who signed the request. One answer for every failure.
 *
 * @throws {WireError} `unauthenticated`.
 */
export async function authenticate(
  services: {
    readonly directory: DirectoryStore
    readonly clock: Clock
    readonly admission: Pick<Admission, 'isBlocked'>
  },
  request: SignedRequest,
): Promise<User> {
  const { identityId, at, signature } = parseAuthorization(request.authorization)
  if (Math.abs(services.clock.now() - at) > REQUEST_CLOCK_SKEW_MS) {
    throw new WireError('unauthenticated', "the time of the request is too far from the server's")
  }
  const user = await services.directory.byIdentity(identityId)
  const { method, path } = request
  const bodyHash = sha256(request.body)
  const verified =
    user !== undefined &&
    request.serverNames.some((serverName) =>
      verifies(
        signingKeyOf(user),
        requestSignedBytes({ serverName, identityId, at, method, path, bodyHash }),
        signature,
      ),
    )
  if (!verified || (await services.admission.isBlocked(user.phone))) throw unauthenticated()
  return user
}

export function signingKeyOf(user: User): Uint8Array {
  return decodeIdentityRecord(splitSignedIdentity(user.identity).encoded).signingKey
}

function parseAuthorization(header: string | undefined): {
  readonly identityId: Uint8Array
  readonly at: number
  readonly signature: Uint8Array
} {
  const [scheme, identity, time, signed, ...more] = header?.split(' ') ?? []
  if (scheme !== AUTHORIZATION_SCHEME || !identity || !time || !signed || more.length > 0) {
    throw unauthenticated()
  }
  const at = /^[0-9]{1,15}$/.test(time) ? Number(time) : Number.NaN
  if (Number.isNaN(at)) throw unauthenticated()
  return {
    identityId: exactly(IDENTITY_ID_BYTES, identity),
    at,
    signature: exactly(SIGNATURE_BYTES, signed),
  }
}

function exactly(length: number, text: string): Uint8Array {
  try {
    const bytes = fromBase64Url(text)
    if (bytes.length === length) return bytes
  } catch {
    // Falls through: whatever is wrong with it, it authenticates nobody.
  }
  throw unauthenticated()
}

function unauthenticated(): WireError {
  return new WireError('unauthenticated', 'this needs the signature of a registered identity')
}
