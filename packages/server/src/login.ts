/** Login on the socket: a fresh challenge, signed by the identity's key. (spec/socket.md, "Login") */
import { equalBytes, loginSignedBytes, type PhoneNumber, type ServerName } from '@couplet/wire'
import type { LoginQueue } from './login-queue.ts'
import type { DirectoryStore, User } from './ports.ts'
import { verifies } from './signatures.ts'
import { signingKeyOf } from './signed-requests.ts'

export interface LoginServices {
  readonly directory: DirectoryStore
  readonly logins: LoginQueue
  /** Whether the operator has blocked this number. */
  readonly isBlocked: (phone: PhoneNumber) => Promise<boolean>
}

export interface Login {
  readonly identityId: Uint8Array
  readonly signature: Uint8Array
  readonly challenge: Uint8Array
  /** Names by which the client may have called this server. */
  readonly serverNames: readonly ServerName[]
  /** Whether somebody still waits for the answer. */
  readonly isWaited: () => boolean
}

/**
 * The user, if a registered identity signed this connection's challenge for this server.
 *
 * @throws {WireError} `unavailable` with a time to wait, when there are too many logins.
 */
export function checkLogin(services: LoginServices, login: Login): Promise<User | undefined> {
  return services.logins.run(async () => (login.isWaited() ? check(services, login) : undefined))
}

async function check(
  { directory, isBlocked }: LoginServices,
  { identityId, signature, challenge, serverNames }: Login,
): Promise<User | undefined> {
  const user = await directory.byIdentity(identityId)
  if (!user || !equalBytes(user.identityId, identityId)) return undefined
  const signingKey = signingKeyOf(user)
  const signed = serverNames.some((serverName) =>
    verifies(signingKey, loginSignedBytes({ serverName, challenge, identityId }), signature),
  )
  return signed && !(await isBlocked(user.phone)) ? user : undefined
}
