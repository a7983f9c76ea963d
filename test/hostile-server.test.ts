/**
 * A server that lies: it serves wrong keys, forges receipts and refusals, and plays back what it has
 * seen. What it can cost is named in spec/threat-model.md; here is what it cannot do.
 */
import { randomBytes } from 'node:crypto'
import {
  type Connection,
  type ConnectionEvents,
  createHttpApi,
  createSocketConnector,
  type Warning,
} from '@couplet/client'
import {
  createIdentity,
  createPrekeys,
  type Identity,
  importIdentity,
  importPrekeys,
  initiateSession,
  type OwnIdentity,
  type OwnPrekeys,
  type PrekeyBundle,
  type Primitives,
  sealMessage,
} from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import {
  type Bytes,
  type DirectoryEntry,
  type NackReason,
  parsePhoneNumber,
  registrationSignedBytes,
} from '@couplet/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type PersonOptions, TestClock, TestPerson, TestServer, until } from './people.ts'
import { tampered, withApi } from './tampering.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const CLEO = '+12025550103'

let server: TestServer
let people: TestPerson[]

beforeEach(async () => {
  server = await new TestServer().start()
  people = []
})

afterEach(async () => {
  for (const person of people) await person.offline()
  await server.stop()
})

async function register(phone: string, options: PersonOptions = {}): Promise<TestPerson> {
  const person = await TestPerson.register(server, phone, options)
  people.push(person)
  return person
}

describe('a server that swaps a public key (row 12: no man in the middle)', () => {
  test('at first contact: the two see different safety numbers', async () => {
    const lie: Lie = { entry: await forgedEntry(BEN) }
    const ana = await register(ANA, { ports: lyingDirectory(lie) })
    const ben = await register(BEN)
    const seenByAna = await (await ana.online()).verify(BEN)
    const seenByBen = await (await ben.online()).verify(ANA)
    expect(seenByAna.digits).not.toBe(seenByBen.digits)
  })

  test('one scan of the other device says so, and the truth as well', async () => {
    const lie: Lie = { entry: await forgedEntry(BEN) }
    const ana = await register(ANA, { ports: lyingDirectory(lie) })
    const ben = await register(BEN)
    const cleo = await register(CLEO)
    const shown = (await (await ben.online()).verify(ANA)).code
    const couplet = await ana.online()
    expect(await couplet.verifyCode(BEN, shown)).toBe(false)
    expect(await couplet.verify(BEN)).toMatchObject({ verified: false })

    lie.entry = undefined
    const honest = (await (await cleo.online()).verify(ANA)).code
    expect(await couplet.verifyCode(CLEO, honest)).toBe(true)
    expect(await couplet.verify(CLEO)).toMatchObject({ verified: true })
    const damaged = couplet.verifyCode(CLEO, honest.subarray(1))
    await expect(damaged).rejects.toMatchObject({ code: 'malformed' })
  })

  test('later, to somebody never verified: a warning, and what was written for the old key waits', async () => {
    const lie: Lie = { entry: undefined }
    const ana = await register(ANA, { ports: lyingDirectory(lie) })
    const ben = await register(BEN)
    await ana.send(ben, 'one', 'two', 'three')
    const couplet = await ana.online()
    const warnings: Warning[] = []
    couplet.on('warning', (warning) => warnings.push(warning))
    lie.entry = await forgedEntry(BEN)
    await couplet.verify(BEN)

    expect(warnings).toMatchObject([{ kind: 'key-changed', contact: { phone: BEN } }])
    const states = (await couplet.outbox()).map(({ state, failure }) => [state, failure])
    expect(states).toEqual(Array.from({ length: 3 }, () => ['failed', 'key-changed']))
    // The true Ben gets what waits for him, and nothing goes to the new key by itself.
    expect((await ben.receive()).map(({ text }) => text)).toEqual(['two', 'three'])
  })

  test('later, to a verified contact: sending stops until the user decides', async () => {
    const lie: Lie = { entry: undefined }
    const ana = await register(ANA, { ports: lyingDirectory(lie) })
    const ben = await register(BEN)
    const couplet = await ana.online()
    const before = await couplet.verify(BEN)
    await couplet.markVerified(before)
    lie.entry = await forgedEntry(BEN)
    const changed = await couplet.verify(BEN)
    expect(changed).toMatchObject({ verified: false, keyChanged: true })
    expect(changed.digits).not.toBe(before.digits)
    await expect(couplet.send(BEN, 'secret')).rejects.toMatchObject({ code: 'key-changed' })
    for (const compared of [before, changed]) {
      await expect(couplet.markVerified(compared)).rejects.toMatchObject({ code: 'key-changed' })
    }

    lie.entry = undefined
    await couplet.verify(BEN)
    await (await couplet.send(BEN, 'to the true Ben')).sent
    expect((await ben.receive()).map(({ text }) => text)).toEqual(['to the true Ben'])
  })

  test('an honest change: the new device gets what the user sends on, and only that', async () => {
    const ana = await register(ANA)
    const ben = await register(BEN)
    await ana.send(ben, 'for the old phone')
    const again = await register(BEN)
    const couplet = await ana.online()
    await couplet.verify(BEN)
    expect(await couplet.outbox()).toMatchObject([{ state: 'failed', failure: 'key-changed' }])
    expect(await again.receive()).toEqual([])
    await (await couplet.send(BEN, 'for the new phone')).sent
    expect((await again.receive()).map(({ text }) => text)).toEqual(['for the new phone'])
    const { identityId } = await couplet.verify(BEN)
    await expect(couplet.acceptKey(BEN, 'another')).rejects.toMatchObject({ code: 'key-changed' })
    await couplet.acceptKey(BEN, identityId)
    await couplet.settled()
    expect((await again.receive()).map(({ text }) => text)).toEqual(['for the old phone'])
  })

  test('somebody who claims another number in his own record is not believed', async () => {
    const ana = await register(ANA)
    await register(BEN)
    const { connection, lookup } = await registerByHand('+12025550103')
    const victim = await lookup(ANA)
    // A good handshake, signed by keys of Mallory's own, in a record that says: I am Ben's number.
    const { own } = await newIdentity(BEN)
    const session = await initiateSession(nodePrimitives, {
      self: own,
      peer: victim.identity,
      prekeys: victim.prekeys,
      entropy: {
        ephemeralSeed: random(32),
        sessionSecret: random(32),
        identityBlockIv: random(16),
      },
      now: Date.now(),
    })
    const { envelope, id } = sealMessage(
      nodePrimitives,
      session,
      {
        messageId: random(16),
        sequence: 1,
        oldestPending: 1,
        sentAt: Date.now(),
        expiresAfter: 0,
        body: { kind: 'text', text: 'It is me, Ben.' },
      },
      {
        entropy: {
          headerIv: random(16),
          contentIv: random(16),
          ratchetSeed: random(32),
          kemSeed: random(64),
        },
        now: Date.now(),
      },
    )
    await connection.put(victim.identity.id, envelope, 'evict')
    expect(await ana.receive()).toEqual([])
    expect(await connection.status([id])).toEqual([{ kind: 'refused', reason: 'invalid' }])
    await connection.close()
  })
})

describe('a server that forges what it says about messages', () => {
  test('`delivered` with a made-up receipt is not believed: the message is sent again', async () => {
    let forged = 0
    const ana = await register(ANA, {
      ports: tampered({
        put: async (connection, ...put) => {
          await connection.put(...put)
          if (forged++ > 0) return { kind: 'full' }
          return { kind: 'delivered', receipt: new Uint8Array(randomBytes(32)) }
        },
      }),
    })
    const ben = await register(BEN)
    await ana.online()
    const { message } = await ana.couplet.send(ben.phone, 'really?')
    await until(() => forged > 1)
    const [shown] = await ana.couplet.outbox()
    expect(shown).toMatchObject({ id: message.id, state: 'waiting-for-room' })
    // Both envelopes arrive, with one content: it is shown once.
    expect((await ben.receive()).map(({ text }) => text)).toEqual(['really?'])
  })

  test.each<NackReason>(['late', 'unknown-session', 'retired-prekey', 'invalid'])(
    'an invented nack `%s` costs at most resends: the message arrives once, in one conversation',
    async (reason) => {
      let lies = 2
      const ana = await register(ANA, {
        ports: tampered({
          put: async (connection, ...put) => {
            const outcome = await connection.put(...put)
            return lies-- > 0 ? { kind: 'refused', reason } : outcome
          },
        }),
      })
      const ben = await register(BEN)
      await ben.online()
      await ana.online()
      await (await ana.couplet.send(ben.phone, 'hello')).delivered
      await (await ben.couplet.send(ana.phone, 'hello yourself')).delivered
      await (await ana.couplet.send(ben.phone, 'good')).delivered
      const texts = (await ben.couplet.history(ana.phone)).map(({ text }) => text)
      expect(texts).toEqual(['hello', 'hello yourself', 'good'])
    },
  )

  test('an acknowledgement that gets lost: the message comes again and is shown once', async () => {
    let lost = 0
    const ana = await register(ANA)
    const ben = await register(BEN, {
      ports: tampered({
        ack: async (connection, ...ack) => {
          if (lost++ > 0) await connection.ack(...ack)
        },
      }),
    })
    await ana.send(ben, 'once')
    expect((await ben.receive()).map(({ text }) => text)).toEqual(['once'])
    expect(await ben.receive()).toEqual([])
    expect(lost).toBe(2)
    expect(await (await ana.online()).outbox()).toEqual([])
  })

  test('envelopes played back, now and after the session has moved on, show nothing twice', async () => {
    const seen: Parameters<ConnectionEvents['deliver']>[0][] = []
    let events: ConnectionEvents | undefined
    const ana = await register(ANA)
    const ben = await register(BEN, {
      ports: tampered(
        {},
        {
          deliver: (told, delivery) => {
            events = told
            seen.push({ ...delivery, envelope: delivery.envelope.slice() })
            told.deliver(delivery)
          },
        },
      ),
    })
    await ana.online()
    await ben.online()
    for (let i = 0; i < 4; i++) {
      await (await ana.couplet.send(BEN, `ana ${i}`)).delivered
      await (await ben.couplet.send(ANA, `ben ${i}`)).delivered
    }
    for (const delivery of [...seen, ...seen.toReversed()]) {
      events?.deliver({ ...delivery, envelope: delivery.envelope.slice() })
    }
    await (await ana.couplet.send(BEN, 'last')).delivered
    const incoming = (await ben.couplet.history(ANA)).filter((m) => m.direction === 'incoming')
    expect(incoming.map(({ text }) => text)).toEqual(['ana 0', 'ana 1', 'ana 2', 'ana 3', 'last'])
  })
})

describe('RSA is used for key exchange only (rows 1, 5, 6)', () => {
  test('one private operation for each new session, at its first message', async () => {
    let operations = 0
    const primitives: Primitives = {
      ...nodePrimitives,
      rsaOaepDecrypt: (...args) => {
        operations++
        return nodePrimitives.rsaOaepDecrypt(...args)
      },
    }
    const ana = await register(ANA)
    const ben = await register(BEN, { primitives })
    const cleo = await register('+12025550104')
    await ana.send(ben, 'first')
    expect(operations).toBe(0)
    await ben.receive()
    expect(operations).toBe(1)
    await ben.online()
    await ana.online()
    for (let i = 0; i < 10; i++) {
      await (await ana.couplet.send(BEN, `${i}`)).delivered
      await (await ben.couplet.send(ANA, `${i}`)).delivered
    }
    expect(operations).toBe(1)
    await cleo.send(ben, 'from somebody else')
    await until(() => operations === 2)
  })
})

// -------------------------------------------------------------------------------------------------

interface Lie {
  /** What the directory answers instead of the truth. */
  entry: DirectoryEntry | undefined
}

function lyingDirectory(lie: Lie): NonNullable<PersonOptions['ports']> {
  return withApi((honest) => ({
    lookup: async (phone, signer) => lie.entry ?? honest.lookup(phone, signer),
  }))
}

/** Keys of the server's own making under somebody's number, all signatures in order. */
async function forgedEntry(phone: string): Promise<DirectoryEntry> {
  const { own, prekeys } = await newIdentity(phone)
  return { identity: own.signed, prekeys: prekeys.signed }
}

async function newIdentity(phone: string): Promise<{ own: OwnIdentity; prekeys: OwnPrekeys }> {
  const pair = await nodePrimitives.generateExchangeKey()
  const own = createIdentity(nodePrimitives, {
    phone: parsePhoneNumber(phone),
    createdAt: Date.now(),
    exchangePublicKey: pair.publicKey,
    exchangeKey: pair.privateKey,
    signingSeed: random(32),
    identitySecret: random(32),
  })
  const prekeys = createPrekeys(nodePrimitives, {
    owner: own,
    id: 1,
    now: Date.now(),
    secret: random(32),
    kemSeed: random(64),
  })
  return { own, prekeys }
}

/** Somebody registered who writes his own client. */
async function registerByHand(phone: string): Promise<{
  connection: Connection
  lookup: (phone: string) => Promise<{ identity: Identity; prekeys: PrekeyBundle }>
}> {
  const { own, prekeys } = await newIdentity(phone)
  const clock = new TestClock()
  const api = createHttpApi({
    url: server.url,
    clock,
    sha256: (data) => nodePrimitives.sha256(data),
  })
  const signer = {
    identityId: own.id,
    sign: (message: Uint8Array) => nodePrimitives.ed25519Sign(own.signingSeed, message),
  }
  const request = { phone, identity: own.signed, prekeys: prekeys.signed }
  const { id, challenge } = await api.register(request)
  const { serverName } = api
  const proof = signer.sign(
    registrationSignedBytes({ serverName, registrationId: id, challenge, identityId: own.id }),
  )
  await api.verify(id, { code: server.codes.get(phone)!, proof })
  const connection = await createSocketConnector({ url: server.url, clock }).connect(signer, {
    deliver: () => {},
    caughtUp: () => {},
    notice: () => {},
    room: () => {},
    closed: () => {},
  })
  return {
    connection,
    lookup: async (other) => {
      const entry = await api.lookup(parsePhoneNumber(other), signer)
      const identity = importIdentity(nodePrimitives, entry!.identity)
      const bundle = importPrekeys(nodePrimitives, {
        owner: identity,
        signed: entry!.prekeys,
        now: Date.now(),
        highestSeenId: 0,
      })
      return { identity, prekeys: bundle }
    },
  }
}

function random(length: number): Bytes {
  return new Uint8Array(randomBytes(length))
}
