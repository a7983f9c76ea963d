/** This home's own identity: making one, storing it, taking it up again. */
import {
  createIdentity,
  createPrekeys,
  importIdentity,
  type OwnIdentity,
  type Primitives,
} from '@couplet/protocol'
import type { PhoneNumber } from '@couplet/wire'
import type { Platform } from './platform.ts'
import type { RequestSigner } from './ports.ts'
import type { AccountRecord, PrekeysRecord } from './records.ts'

/** Fresh keys for a number at a server. Takes about a second: RSA-3072. */
export async function newAccount(
  platform: Platform,
  phone: PhoneNumber,
  server: string,
): Promise<{ account: AccountRecord; self: OwnIdentity }> {
  const { primitives, random, clock } = platform
  const pair = await primitives.generateExchangeKey()
  const self = createIdentity(primitives, {
    phone,
    createdAt: clock.now(),
    exchangePublicKey: pair.publicKey,
    exchangeKey: pair.privateKey,
    signingSeed: random(32),
    identitySecret: random(32),
  })
  const account: AccountRecord = {
    phone,
    server,
    identity: self.signed,
    signingSeed: self.signingSeed,
    identitySecret: self.identitySecret,
    exchangeKey: platform.exportExchangeKey(pair.privateKey),
    nextPosition: 1,
    nextContact: 1,
  }
  return { account, self }
}

/** The stored identity, with its private halves ready for use. */
export async function ownIdentity(
  platform: Platform,
  account: AccountRecord,
): Promise<OwnIdentity> {
  return {
    ...importIdentity(platform.primitives, account.identity, account.identity),
    exchangeKey: await platform.importExchangeKey(account.exchangeKey),
    signingSeed: account.signingSeed,
    identitySecret: account.identitySecret,
  }
}

/** The first generation of prekeys. */
export function firstPrekeys(
  { primitives, random, clock }: Platform,
  owner: OwnIdentity,
): PrekeysRecord {
  const now = clock.now()
  const prekeys = createPrekeys(primitives, {
    owner,
    id: 1,
    now,
    secret: random(32),
    kemSeed: random(64),
  })
  return { ...prekeys, createdAt: now, published: false }
}

export function signerOf(primitives: Primitives, self: OwnIdentity): RequestSigner {
  return {
    identityId: self.id,
    sign: (message) => primitives.ed25519Sign(self.signingSeed, message),
  }
}
