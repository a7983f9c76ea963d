/** Login on the socket: a fresh challenge, signed by the identity's key. (spec/socket.md, "Login") */
import { equalBytes, loginSignedBytes, type PhoneNumber, type ServerName } from '@couplet/wire'
import type { DirectoryStore, User } from './ports.ts'
import { verifies } from './signatures.ts'
import { signingKeyOf } from './signed-requests.ts'

export interface LoginServices {
  readonly directory: DirectoryStore
  /** Whether the operator has blocked this number. */
  readonly isBlocked: (phone: PhoneNumber) => Promise<boolean>
}

/** The user, if a registered identity signed this connection's challenge for this server. */
export async function checkLogin(
  { directory, isBlocked }: LoginServices,
  login: {
    readonly identityId: Uint8Array
    readonly signature: Uint8Array
    readonly challenge: Uint8Array
    /** Names by which the client may have called this server. */
    readonly serverNames: readonly ServerName[]
  },
): Promise<User | undefined> {
  const { identityId, signature, challenge, serverNames } = login
  const user = await directory.byIdentity(identityId)
  if (!user || !equalBytes(user.identityId, identityId)) return undefined
  const signingKey = signingKeyOf(user)
  const signed = serverNames.some((serverName) =>
    verifies(signingKey, loginSignedBytes({ serverName, challenge, identityId }), signature),
  )
  return signed && !(await isBlocked(user.phone)) ? user : undefined
}
