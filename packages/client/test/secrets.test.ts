/** What a client leaves of secrets in memory. */
import { createIdentity } from '@couplet/protocol'
import { exportExchangeKey, importExchangeKey, nodePrimitives } from '@couplet/protocol/node'
import { type Bytes, parsePhoneNumber } from '@couplet/wire'
import { expect, test, vi } from 'vitest'
import { isBlank } from '../../wire/test/arrays.ts'
import { newAccount } from '../src/account.ts'
import { openClient } from '../src/client.ts'
import type { Context } from '../src/context.ts'
import { memoryStore } from '../src/memory-store.ts'
import { systemClock, systemRandom } from '../src/node/system.ts'
import type { PeerDirectory } from '../src/peer-directory.ts'
import type { Platform } from '../src/platform.ts'
import { SessionOpener } from '../src/session-opener.ts'
import { inTransaction } from '../src/tables.ts'

const OWN = parsePhoneNumber('+12025550101')

test('a client that closes lets go of the keys that wait for their next use', async () => {
  const forgetKeys = vi.fn<() => void>()
  const store = memoryStore()
  const platform: Platform = {
    primitives: nodePrimitives,
    random: systemRandom,
    clock: systemClock,
    exportExchangeKey,
    importExchangeKey: async (exported) => importExchangeKey(exported),
    forgetKeys,
  }
  const { account } = await newAccount(platform, OWN, 'http://localhost:8080')
  await inTransaction(store, (tables) => tables.putAccount(account))
  const nobody = () => ({}) as never
  const client = await openClient({
    store,
    platform,
    createApi: nobody,
    createConnector: nobody,
  })
  expect(forgetKeys).not.toHaveBeenCalled()
  await client.close()
  expect(forgetKeys).toHaveBeenCalledOnce()
})

test('the secrets of a handshake are wiped, whatever becomes of it', async () => {
  const drawn: Bytes[] = []
  const wrapped: Uint8Array[] = []
  const store = memoryStore()
  const pair = await nodePrimitives.generateExchangeKey()
  const identity = createIdentity(nodePrimitives, {
    phone: parsePhoneNumber('+12025550102'),
    createdAt: Date.now(),
    exchangePublicKey: pair.publicKey,
    exchangeKey: pair.privateKey,
    signingSeed: systemRandom(32),
    identitySecret: systemRandom(32),
  })
  const contact = await inTransaction(store, async (tables) => {
    await tables.putAccount({
      phone: OWN,
      server: '',
      identity: identity.signed,
      signingSeed: identity.id,
      identitySecret: identity.id,
      exchangeKey: identity.id,
      nextPosition: 1,
      nextContact: 1,
    })
    const added = await tables.addContact(identity.record.phone, true)
    const pinned = { ...added, identity: { id: identity.id, signed: identity.signed } }
    await tables.putContact(pinned)
    return pinned
  })
  const context = {
    store,
    self: identity,
    platform: {
      clock: systemClock,
      random: (length: number) => {
        const bytes = systemRandom(length)
        drawn.push(bytes)
        return bytes
      },
      primitives: {
        ...nodePrimitives,
        rsaOaepEncrypt: async (_key: Uint8Array, secret: Uint8Array) => {
          wrapped.push(secret.slice())
          throw new Error('this far')
        },
      },
    },
  } as unknown as Context
  const directory = {
    refresh: async () => ({ identity }),
    prekeys: () => ({}),
  } as unknown as PeerDirectory
  const opening = new SessionOpener(context, directory).open(contact)
  await expect(opening).rejects.toThrow('this far')
  expect(wrapped).toHaveLength(1)
  expect(isBlank(wrapped[0]!)).toBe(false)
  expect(drawn.filter(({ length }) => length === 32)).toHaveLength(2)
  expect(drawn.filter(({ length }) => length === 32).every(isBlank)).toBe(true)
})
