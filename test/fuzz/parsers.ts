/**
 * Every parser that reads what others have written, with samples that it takes and the error by
 * which it refuses. Anything else that it does is a bug.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  decodeSession,
  encodeSession,
  openMessage,
  ProtocolError,
  parseEnvelope,
} from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import { ConfigError, readConfig } from '@couplet/server-app'
import {
  decodeClientFrame,
  decodeIdentityRecord,
  decodePrekeySet,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
  parsePhoneNumber,
  parseShape,
  prekeysRequest,
  pushSubscription,
  registrationLockRequest,
  registrationRequest,
  splitSignedIdentity,
  splitSignedPrekeys,
  toBase64Url,
  verificationRequest,
  WireError,
} from '@couplet/wire'
import type * as fc from 'fast-check'
import { type Content, decodeContent, encodeContent } from '../../packages/protocol/src/content.ts'
import { Conversation, cast } from '../../packages/protocol/test/conversation.ts'
import { clientAddress, trustedProxies } from '../../packages/server/src/addresses.ts'
import { parseVersion } from '../../packages/server/src/client-version.ts'
import { checkIdentity, checkPrekeys } from '../../packages/server/src/identity-checks.ts'
import { memoryStore } from '../../packages/server/src/memory-store.ts'
import { possiblePhoneNumber } from '../../packages/server/src/phone-numbers.ts'
import { decodeAnswer, decodeRoute, encodeRoute } from '../../packages/server/src/route-codec.ts'
import { authenticate } from '../../packages/server/src/signed-requests.ts'
import { freshBytes, makeIdentity, signedHeaders } from '../../packages/server/test/support.ts'
import { damaged, damagedText } from './mutations.ts'

export interface Parser {
  readonly name: string
  readonly inputs: fc.Arbitrary<unknown>
  /** What it is given before and after; must not throw by itself. */
  readonly samples: readonly unknown[]
  readonly parse: (input: never) => unknown
  readonly refuses: (error: unknown) => boolean
  /** Answers with a promise. */
  readonly async?: boolean
}

const PHONE = '+12025550101'
const NOW = Date.now()

/** @returns with `close`, which removes what configuration files needed. */
export async function parsers(): Promise<{
  readonly all: readonly Parser[]
  readonly close: () => void
}> {
  const folder = mkdtempSync(join(tmpdir(), 'couplet-fuzz-'))
  return {
    all: [...frames(), ...identities(), ...(await messages()), ...http(), ...configuration(folder)],
    close: () => rmSync(folder, { recursive: true }),
  }
}

function frames(): Parser[] {
  const [id, receipt] = [freshBytes(32), freshBytes(32)]
  const envelope = freshBytes(1024)
  const client = [
    encodeClientFrame({ type: 'login', identityId: id, signature: freshBytes(64) }),
    encodeClientFrame({ type: 'put', ref: 7, mode: 'evict', recipient: id, envelope }),
    encodeClientFrame({ type: 'ack', id, receipt }),
    encodeClientFrame({ type: 'nack', id, reason: 'late' }),
    encodeClientFrame({ type: 'status', ref: 7, ids: [id, receipt] }),
  ]
  const notice = encodeServerFrame({ type: 'notice', id, status: { kind: 'delivered', receipt } })
  const server = [
    encodeServerFrame({ type: 'challenge', challenge: id }),
    encodeServerFrame({ type: 'welcome', capacity: 2, window: 64, now: NOW }),
    encodeServerFrame({ type: 'deliver', sender: id, storedAt: NOW, envelope }),
    encodeServerFrame({ type: 'status-result', ref: 7, statuses: [{ kind: 'waiting' }] }),
    encodeServerFrame({ type: 'put-result', ref: 7, outcome: { kind: 'stored' } }),
    encodeServerFrame({ type: 'error', ref: 7, code: 'malformed', retryAfter: 0 }),
    notice,
  ]
  const routes = [
    encodeRoute({
      kind: 'put',
      sender: id,
      recipient: id,
      mode: 'evict',
      isFriend: false,
      bytes: envelope,
    }),
    encodeRoute({ kind: 'here', nonce: freshBytes(8) }),
    encodeRoute({ kind: 'ended', recipient: id, id, end: { kind: 'evicted' } }),
  ]
  return [
    ofBytes('frames of clients', client, decodeClientFrame),
    ofBytes('frames of servers', server, decodeServerFrame),
    ofBytes('messages between processes', routes, decodeRoute),
    ofBytes('answers between processes', [new Uint8Array(0), server[4]!], decodeAnswer),
  ]
}

function identities(): Parser[] {
  const ana = makeIdentity(PHONE)
  const signed = ana.signedIdentity
  const prekeys = ana.prekeys(1)
  const owner = checkIdentity(signed)
  return [
    ofBytes('signed identity records', [signed], splitSignedIdentity),
    ofBytes('identity records', [splitSignedIdentity(signed).encoded], decodeIdentityRecord),
    ofBytes('checked identities', [signed], checkIdentity),
    ofBytes('signed prekeys', [prekeys], splitSignedPrekeys),
    ofBytes('prekeys', [splitSignedPrekeys(prekeys).encoded], decodePrekeySet),
    ofBytes('checked prekeys', [prekeys], (bytes) => checkPrekeys(bytes, owner, NOW)),
  ]
}

async function messages(): Promise<Parser[]> {
  const { ana, ben } = await cast('node:crypto')
  const chat = await Conversation.begin(ana, ben)
  const first = chat.say('a')
  chat.tell('b')
  const later = chat.say('a')
  const session = chat.sessions.b
  const { now } = chat
  const before = encodeSession(session)
  const content: Content = {
    messageId: freshBytes(16),
    sequence: 7,
    oldestPending: 3,
    sentAt: NOW,
    expiresAfter: 3_600_000,
    body: { kind: 'text', text: 'héllo' },
  }
  return [
    ofBytes('envelopes', [first.envelope, later.envelope], parseEnvelope, ProtocolError),
    ofBytes('contents', [encodeContent(content)], decodeContent, ProtocolError),
    ofBytes('stored sessions', [before], decodeSession, ProtocolError),
    ofBytes(
      'envelopes in a session',
      [later.envelope],
      (envelope) => {
        // A failed decrypt changes nothing, and one that holds gives a new state.
        const result = attempt(() => openMessage(nodePrimitives, session, envelope, { now }))
        if (Buffer.compare(encodeSession(session), before) !== 0) throw new Error('state changed')
        return result()
      },
      ProtocolError,
    ),
  ]
}

function http(): Parser[] {
  const ana = makeIdentity(PHONE)
  const server = { name: 'chat.example' }
  const identity = toBase64Url(ana.signedIdentity)
  const prekeys = toBase64Url(ana.prekeys(1))
  const proof = toBase64Url(freshBytes(64))
  const point = toBase64Url(Uint8Array.of(4, ...freshBytes(64)))
  const auth = toBase64Url(freshBytes(16))
  const subscription = { endpoint: 'https://push.example/x', p256dh: point, auth }
  const { authorization } = signedHeaders(server, ana, 'GET', '/v1/account')
  const { directory } = memoryStore({ capacity: 2 })
  const admission = { isBlocked: () => Promise.resolve(false) }
  const clock = { now: () => NOW }
  const proxies = trustedProxies(['loopback', '10.0.0.0/8', '2001:db8::/32'])
  return [
    ofText(
      'bodies of registrations',
      [JSON.stringify({ phone: PHONE, identity, prekeys })],
      body(registrationRequest),
    ),
    ofText(
      'bodies of verifications',
      [JSON.stringify({ code: '123456', proof, pin: 'four' })],
      body(verificationRequest),
    ),
    ofText('bodies of prekeys', [JSON.stringify({ prekeys })], body(prekeysRequest)),
    ofText('bodies of locks', [JSON.stringify({ pin: 'four' })], body(registrationLockRequest)),
    ofText('bodies of subscriptions', [JSON.stringify(subscription)], body(pushSubscription)),
    ofText('phone numbers', [PHONE, '+44 7700 900123'], parsePhoneNumber),
    ofText('possible phone numbers', [PHONE], possiblePhoneNumber),
    ofText('versions of clients', ['0.1.0', '1.2.3-rc.1'], parseVersion),
    promising('signed requests', [authorization!], (text) =>
      authenticate(
        { directory, clock, admission },
        {
          authorization: text,
          method: 'GET',
          path: '/v1/account',
          body: new Uint8Array(0),
          serverNames: [],
        },
      ),
    ),
    ofText('forwarded addresses', ['203.0.113.7, 10.0.0.1', '[2001:db8::1]:443'], (text) =>
      clientAddress(
        { socket: { remoteAddress: '127.0.0.1' }, headers: { 'x-forwarded-for': text } } as never,
        proxies,
      ),
    ),
  ]
}

/** As the server reads a body. */
function body(shape: Parameters<typeof parseShape>[0]): (text: string) => unknown {
  return (text) => {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      throw new WireError('malformed', 'not JSON')
    }
    return parseShape(shape, json)
  }
}

function configuration(folder: string): Parser[] {
  const path = join(folder, 'couplet.toml')
  const file = [
    'port = 8080\nlimit-sends = "5/10s"\ncors-origins = ["https://a.example", "*"]\n',
    'code-sender = "file:a"\npublic-url = "https://a.example"\ntrusted-proxies = ["loopback", "10.0.0.0/8"]\n',
    'code-sender = "smtp"\n[smtp]\nhost = "a"\nfrom = "b"\nto = "{number}@c"\n[metrics]\nlisten = "a:1"\n',
  ]
  const values = ['8080', '60/1m', 'loopback,10.0.0.0/8', 'nats://a:1,b:2', '[::1]:9464', 'off']
  const names = [
    'PORT',
    'LIMIT_SENDS',
    'TRUSTED_PROXIES',
    'STORE',
    'METRICS_LISTEN',
    'PUBLIC_URL',
    'CORS_ORIGINS',
    'MINIMUM_CLIENT',
  ]
  return [
    ofText(
      'configuration files',
      file,
      (text) => {
        writeFileSync(path, text)
        readConfig(['--config', path], {})
      },
      ConfigError,
    ),
    ofText(
      'variables',
      values,
      (text) => {
        for (const name of names) {
          try {
            readConfig([], { [`COUPLET_${name}`]: text })
          } catch (error) {
            if (!(error instanceof ConfigError)) throw error
          }
        }
      },
      ConfigError,
    ),
    ofText(
      'options',
      ['--port=8080', '--limit-sends=5/10s'],
      (text) => readConfig([text], {}),
      ConfigError,
    ),
  ]
}

/** What a function did: called again, it answers or throws the same. */
function attempt<T>(work: () => T): () => T {
  try {
    const result = work()
    return () => result
  } catch (error) {
    return () => {
      throw error
    }
  }
}

type Refusal = abstract new (...args: never[]) => Error

function ofBytes(
  name: string,
  samples: readonly Uint8Array[],
  parse: (input: Uint8Array) => unknown,
  refusal: Refusal = WireError,
): Parser {
  const refuses = (error: unknown): boolean => error instanceof refusal
  return { name, inputs: damaged(samples), samples, parse, refuses }
}

function promising(...args: Parameters<typeof ofText>): Parser {
  return { ...ofText(...args), async: true }
}

function ofText(
  name: string,
  samples: readonly string[],
  parse: (input: string) => unknown,
  refusal: Refusal = WireError,
): Parser {
  const refuses = (error: unknown): boolean => error instanceof refusal
  return { name, inputs: damagedText(samples), samples, parse, refuses }
}
