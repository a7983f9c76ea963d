/** Who counts as the same person under another number. (spec/delivery.md, "Changed numbers") */
import { createIdentity, type Identity, type Session } from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import { parsePhoneNumber } from '@couplet/wire'
import { beforeAll, expect, test } from 'vitest'
import { followNumber } from '../src/followed-number.ts'
import { memoryStore } from '../src/memory-store.ts'
import { inTransaction, type Tables } from '../src/tables.ts'

const OLD = parsePhoneNumber('+12025550102')
const NEW = parsePhoneNumber('+12025550152')
const NEWER = parsePhoneNumber('+12025550162')
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

async function occupy(tables: Tables, { id, signed, record }: Identity): Promise<void> {
  const contact = await tables.addContact(record.phone, true)
  await tables.putContact({ ...contact, identity: { id, signed } })
}

/** Whether somebody who is pinned under the old number is followed to this identity. */
function isFollowed(peer: Identity, taken?: Identity): Promise<boolean> {
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
    if (taken) await occupy(tables, taken)
    const followed = await followNumber(tables, peer, AT)
    const known = await tables.contactByPhone(peer.record.phone)
    const isMoved = followed?.contact.no === contact.no
    if (isMoved) expect(followed.contact).toMatchObject({ verified: true, undecided: true })
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
  const somebody = identity(NEW, AT, { exchange: other, signing: 3, secret: 4 })
  expect(await isFollowed(identity(NEW, AT + 1), somebody)).toBe(false)
})

test('of two contacts with the same keys the one that had them last, and to nothing before that', async () => {
  const later = identity(NEW, AT + 5)
  expect(await isFollowed(identity(NEWER, AT + 3), later)).toBe(false)
  expect(await isFollowed(identity(NEWER, AT + 7), later)).toBe(false)
})

test('a session never has the number of one that was deleted', async () => {
  await inTransaction(memoryStore(), async (tables) => {
    const first = await tables.addSession(1, SESSION, AT)
    const second = await tables.addSession(1, SESSION, AT)
    await tables.deleteSession(1, second.no)
    const third = await tables.addSession(1, SESSION, AT)
    expect([first.no, second.no, third.no]).toEqual([1, 2, 3])
  })
})

const KEY = new Uint8Array(32)
const SESSION: Session = {
  id: KEY.slice(0, 8),
  handshakeHash: KEY,
  role: 'responder',
  self: KEY,
  peer: KEY,
  createdAt: AT,
  standing: 'live',
  established: false,
  unproven: false,
  successor: false,
  handshake: undefined,
  rootKey: KEY,
  sending: undefined,
  nextSendingHeaderKey: new Uint8Array(64),
  remote: undefined,
  receiving: undefined,
  nextReceivingHeaderKey: new Uint8Array(64),
  pastHeaderKeys: [],
  stepDue: false,
  stepsSinceKem: 0,
  kemMixedAt: AT,
  continuity: { proving: KEY, accepted: [KEY] },
}
