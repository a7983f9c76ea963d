/** Who counts as the same person under another number. (spec/delivery.md, "Changed numbers") */
import { createIdentity, type Identity } from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import { parsePhoneNumber } from '@couplet/wire'
import { beforeAll, expect, test } from 'vitest'
import { followNumber } from '../src/followed-number.ts'
import { memoryStore } from '../src/memory-store.ts'
import { inTransaction } from '../src/tables.ts'

const OLD = parsePhoneNumber('+12025550102')
const NEW = parsePhoneNumber('+12025550152')
const AT = 1_767_225_600_000
type ExchangePair = Awaited<ReturnType<typeof nodePrimitives.generateExchangeKey>>

let pair: ExchangePair
let other: ExchangePair

beforeAll(async () => {
  pair = await nodePrimitives.generateExchangeKey()
  other = await nodePrimitives.generateExchangeKey()
})

interface Keys {
  readonly exchange?: ExchangePair
  readonly signing?: number
  readonly secret?: number
}

function identity(phone: typeof OLD, createdAt: number, keys: Keys = {}): Identity {
  const { exchange = pair, signing = 1, secret = 2 } = keys
  return createIdentity(nodePrimitives, {
    phone,
    createdAt,
    exchangePublicKey: exchange.publicKey,
    exchangeKey: exchange.privateKey,
    signingSeed: new Uint8Array(32).fill(signing),
    identitySecret: new Uint8Array(32).fill(secret),
  })
}

/** Whether somebody who is pinned under the old number is followed to this identity. */
function isFollowed(peer: Identity, taken = false): Promise<boolean> {
  const pinned = identity(OLD, AT)
  return inTransaction(memoryStore(), async (tables) => {
    await tables.putAccount({
      phone: parsePhoneNumber('+12025550101'),
      server: '',
      identity: pinned.signed,
      signingSeed: pinned.id,
      identitySecret: pinned.id,
      exchangeKey: pinned.id,
      nextPosition: 1,
      nextContact: 1,
    })
    const contact = await tables.addContact(OLD, true)
    await tables.putContact({
      ...contact,
      verified: true,
      identity: { id: pinned.id, signed: pinned.signed },
    })
    if (taken) await tables.addContact(NEW, true)
    const followed = await followNumber(tables, peer, AT)
    const known = await tables.contactByPhone(peer.record.phone)
    const isMoved = followed !== undefined
    expect(followed?.contact.verified ?? true).toBe(true)
    expect(known?.no === contact.no).toBe(isMoved)
    return isMoved
  })
}

test('the same three keys, later, under a number that nobody has', async () => {
  expect(await isFollowed(identity(NEW, AT + 1))).toBe(true)
})

test('not with a date that lies far ahead: no later record could follow it', async () => {
  expect(await isFollowed(identity(NEW, AT + 20 * 3_600_000))).toBe(true)
  expect(await isFollowed(identity(NEW, AT + 30 * 3_600_000))).toBe(false)
})

test('not with another exchange, signing or identity key', async () => {
  for (const keys of [{ exchange: other }, { signing: 9 }, { secret: 9 }]) {
    expect(await isFollowed(identity(NEW, AT + 1, keys))).toBe(false)
  }
})

test('not with a record that is not later: nobody is taken back', async () => {
  expect(await isFollowed(identity(NEW, AT))).toBe(false)
  expect(await isFollowed(identity(NEW, AT - 1))).toBe(false)
})

test('not to a number that is somebody else’s here', async () => {
  expect(await isFollowed(identity(NEW, AT + 1), true)).toBe(false)
})
