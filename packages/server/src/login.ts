/** Login on the socket: a fresh challenge, signed by the identity's key. (spec/socket.md, "Login") */
import { equalBytes, loginSignedBytes, type ServerName } from '@couplet/wire'
import type { DirectoryStore, User } from './ports.ts'
import { verifies } from './signatures.ts'
import { signingKeyOf } from './signed-requests.ts'

/** The user, if a registered identity signed this connection's challenge for this server. */
export async function checkLogin(
  directory: DirectoryStore,
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
  return signed ? user : undefined
}
