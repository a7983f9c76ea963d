/** The directory: who answers to a number, and the prekeys they publish. (spec/http-api.md) */
import { type DirectoryEntry, parsePhoneNumber, WireError } from '@couplet/wire'
import { checkIdentity, checkPrekeys } from './identity-checks.ts'
import type { Clock, DirectoryStore, User } from './ports.ts'

/** @throws {WireError} `invalid-phone-number`, `unknown-recipient`. */
export async function lookUp(directory: DirectoryStore, text: string): Promise<DirectoryEntry> {
  const phone = parsePhoneNumber(text)
  if (phone !== text) throw new WireError('invalid-phone-number', 'not in E.164 form')
  const user = await directory.byPhone(phone)
  if (!user) throw new WireError('unknown-recipient', 'nobody is registered under this number')
  return { identity: Uint8Array.from(user.identity), prekeys: Uint8Array.from(user.prekeys) }
}

/** @throws {WireError} `malformed`, `invalid-identity`, `stale-prekeys`, `unauthenticated`. */
export async function publishPrekeys(
  services: { readonly directory: DirectoryStore; readonly clock: Clock },
  owner: User,
  signedPrekeys: Uint8Array,
): Promise<void> {
  const prekeys = checkPrekeys(signedPrekeys, checkIdentity(owner.identity), services.clock.now())
  let user: User | undefined = owner
  while (user) {
    if (prekeys.id <= user.prekeysId) {
      throw new WireError('stale-prekeys', 'the server has these prekeys already, or newer ones')
    }
    const revision = user.revision + 1
    const next: User = { ...user, prekeys: signedPrekeys, prekeysId: prekeys.id, revision }
    if (await services.directory.compareAndSet(next, user)) return
    user = await services.directory.byIdentity(owner.identityId)
  }
  throw new WireError('unauthenticated', 'another identity took this number')
}
