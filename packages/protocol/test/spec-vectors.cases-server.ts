/** Vectors of http-api.md and socket.md: what is signed, and frames. */

import { RESULT, type Suite } from './spec-vectors.bytes.ts'
import { type Cast, NOW, seeded } from './spec-vectors.people.ts'
import {
  cat,
  ed25519Sign,
  label,
  sha256,
  text16,
  u8,
  u16,
  u32,
  u64,
} from './spec-vectors.reference.ts'
import type { Plain } from './spec-vectors.story.ts'

export function signatures(cast: Cast): Suite {
  const { ana } = cast
  const challenge = seeded('signatures/challenge', 32)
  const signed = (name: string, fields: Plain, preimage: Buffer, more: Plain = {}) => ({
    name,
    signer: 'ana',
    ...fields,
    preimage,
    signature: ed25519Sign(ana.signingSeed, preimage),
    ...more,
  })
  const registration = {
    serverName: 'chat.example',
    registrationId: 'qX5vJm3T0hYc1Zr8Kd2uWg',
    challenge,
  }
  const login = (serverName: string) =>
    cat(label('sign/login'), text16(serverName), challenge, ana.id)
  const request = (
    name: string,
    fields: { serverName: string; at: number; method: string; path: string; body: string },
  ) => {
    const bodyHash = sha256(Buffer.from(fields.body))
    const preimage = cat(
      label('sign/request'),
      text16(fields.serverName),
      ana.id,
      u64(fields.at),
      text16(fields.method),
      text16(fields.path),
      bodyHash,
    )
    const signature = ed25519Sign(ana.signingSeed, preimage)
    const authorization = `Couplet ${ana.id.toString('base64url')} ${fields.at} ${signature.toString('base64url')}`
    return signed(name, { purpose: 'request', ...fields, bodyHash }, preimage, { authorization })
  }
  const body = JSON.stringify({ prekeys: cast.prekeys['ana/1'].signed.toString('base64url') })
  return {
    description:
      'What an identity signs toward its server, and the Authorization header of requests.',
    fields: {
      signer: 'a person of people.json',
      purpose: '`registration`, `login` or `request`',
      serverName: 'host and port as in the URL, lower-case',
      registrationId: 'registration: as the server gave it',
      challenge: 'registration and login: 32 bytes from the server',
      at: 'request: milliseconds since 1970',
      method: 'request: upper-case',
      path: 'request: path and query exactly as sent',
      body: 'request: as UTF-8 text; empty for none',
      bodyHash: 'request: SHA-256(body)',
      preimage: 'what is signed',
      signature: 'Ed25519 over the preimage',
      authorization: 'request: value of the header',
    },
    vectors: [
      signed(
        'registration',
        { purpose: 'registration', ...registration },
        cat(
          label('sign/registration'),
          text16(registration.serverName),
          text16(registration.registrationId),
          challenge,
          ana.id,
        ),
      ),
      signed(
        'login',
        { purpose: 'login', serverName: 'localhost:8080', challenge },
        login('localhost:8080'),
      ),
      signed(
        'login at an IPv6 address',
        { purpose: 'login', serverName: '[::1]:8080', challenge },
        login('[::1]:8080'),
      ),
      request('directory', {
        serverName: 'chat.example',
        at: NOW,
        method: 'GET',
        path: '/v1/directory/%2B12025550102',
        body: '',
      }),
      request('prekeys', {
        serverName: 'localhost:8080',
        at: NOW + 1,
        method: 'PUT',
        path: '/v1/prekeys',
        body,
      }),
    ],
  }
}

const ERROR_ORDER = [
  'malformed',
  'invalid-phone-number',
  'invalid-identity',
  'unauthenticated',
  'wrong-code',
  'not-found',
  'unknown-recipient',
  'stale-prekeys',
  'registration-expired',
  'too-large',
  'too-many-attempts',
  'rate-limited',
  'internal',
  'code-not-sent',
  'unavailable',
]
/** `put, evict`, `notice, refused, late`, … */
function nameOf(type: string, fields: Plain): string {
  const words = (value: unknown): string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && !(value instanceof Uint8Array) && !Array.isArray(value)
        ? Object.values(value ?? {}).flatMap(words)
        : []
  return [type, ...words(fields)].join(', ')
}

const REASONS = ['late', 'unknown-session', 'retired-prekey', 'invalid']

export function frames(cast: Cast): Suite {
  const id = seeded('frames/id', 32)
  const receipt = seeded('frames/receipt', 32)
  const envelope = seeded('frames/envelope', 1024)
  const { ana, ben } = cast
  const statuses: readonly (readonly [Plain, Buffer])[] = [
    [{ kind: 'waiting' }, u8(0)],
    [{ kind: 'delivered', receipt }, cat(u8(1), receipt)],
    [{ kind: 'settled' }, u8(2)],
    ...REASONS.map((reason, i) => [{ kind: 'refused', reason }, cat(u8(3), u8(i))] as const),
    [{ kind: 'evicted' }, u8(4)],
    [{ kind: 'unknown' }, u8(5)],
  ]
  const outcomes: readonly (readonly [Plain, Buffer])[] = [
    ...statuses.slice(1, -1),
    [{ kind: 'stored' }, u8(6)],
    [{ kind: 'duplicate' }, u8(7)],
    [{ kind: 'full' }, u8(8)],
  ]
  const put = (mode: number, payload: Buffer) => cat(u8(2), u32(7), u8(mode), ben.id, payload)
  const challenge = seeded('signatures/challenge', 32)
  const loginPreimage = cat(label('sign/login'), text16('localhost:8080'), challenge, ana.id)
  const signature = ed25519Sign(ana.signingSeed, loginPreimage)
  return {
    description: 'Frames of the socket: fields and bytes, and what is refused.',
    fields: {
      from: '`client` or `server`',
      frame: 'its fields by name, bytes in hex',
      bytes: 'the binary message',
      result: RESULT,
    },
    vectors: [
      good('client', 'login', { identityId: ana.id, signature }, cat(u8(1), ana.id, signature)),
      good(
        'client',
        'put',
        { ref: 7, mode: 'evict', recipient: ben.id, envelope },
        put(0, envelope),
      ),
      good(
        'client',
        'put',
        { ref: 7, mode: 'if-room', recipient: ben.id, envelope },
        put(1, envelope),
      ),
      good('client', 'ack', { id, receipt }, cat(u8(3), id, u8(1), receipt)),
      good('client', 'ack', { id }, cat(u8(3), id, u8(0))),
      ...REASONS.map((reason, i) => good('client', 'nack', { id, reason }, cat(u8(4), id, u8(i)))),
      good(
        'client',
        'status',
        { ref: 8, ids: [id, ana.id] },
        cat(u8(5), u32(8), u16(2), id, ana.id),
      ),
      good('client', 'status', { ref: 9, ids: [] as Buffer[] }, cat(u8(5), u32(9), u16(0))),
      good('server', 'challenge', { challenge }, cat(u8(0x81), challenge)),
      good(
        'server',
        'welcome',
        { capacity: 2, window: 64, now: NOW },
        cat(u8(0x82), u16(2), u16(64), u64(NOW)),
      ),
      good(
        'server',
        'deliver',
        { sender: ana.id, storedAt: NOW, envelope },
        cat(u8(0x83), ana.id, u64(NOW), envelope),
      ),
      good('server', 'caught-up', {}, u8(0x84)),
      ...outcomes.map(([outcome, bytes]) =>
        good('server', 'put-result', { ref: 7, outcome }, cat(u8(0x85), u32(7), bytes)),
      ),
      good(
        'server',
        'status-result',
        { ref: 8, statuses: statuses.map(([status]) => status) },
        cat(u8(0x86), u32(8), u16(statuses.length), ...statuses.map(([, bytes]) => bytes)),
      ),
      good('server', 'acked', { id }, cat(u8(0x87), id)),
      ...statuses.map(([status, bytes]) =>
        good('server', 'notice', { id, status }, cat(u8(0x88), id, bytes)),
      ),
      good('server', 'room', { recipient: ben.id }, cat(u8(0x89), ben.id)),
      ...ERROR_ORDER.map((code, i) =>
        good(
          'server',
          'error',
          { ref: i, code, retryAfter: 10 * i },
          cat(u8(0x8f), u32(i), u8(i), u32(10 * i)),
        ),
      ),
      bad('client', 'nothing', Buffer.alloc(0)),
      bad('client', 'unknown type', u8(0x06)),
      bad('client', "a server's frame", u8(0x84)),
      bad('client', 'login cut short', cat(u8(1), ana.id, signature.subarray(1))),
      bad('client', 'login with a byte behind it', cat(u8(1), ana.id, signature, u8(0))),
      bad('client', 'put in mode 2', put(2, envelope)),
      bad('client', 'envelope of 1023 bytes', put(0, envelope.subarray(1))),
      bad('client', 'envelope of 1025 bytes', put(0, cat(envelope, u8(0)))),
      bad('client', 'envelope of 512 bytes', put(0, envelope.subarray(512))),
      bad('client', 'envelope of 65,537 bytes', put(0, Buffer.alloc(65_537)), 'too-large'),
      bad('client', 'frame of 65,793 bytes', Buffer.alloc(65_793), 'too-large'),
      bad('client', 'ack with the flag 2', cat(u8(3), id, u8(2), receipt)),
      bad('client', 'ack with a receipt of 31 bytes', cat(u8(3), id, u8(1), receipt.subarray(1))),
      bad('client', 'ack without its receipt flag', cat(u8(3), id)),
      bad('client', 'nack with the reason 4', cat(u8(4), id, u8(4))),
      bad('client', 'status with fewer ids than it says', cat(u8(5), u32(8), u16(2), id)),
      bad('client', 'status with more ids than it says', cat(u8(5), u32(8), u16(1), id, id)),
      bad(
        'client',
        'status of 257 ids',
        cat(u8(5), u32(8), u16(257), Buffer.alloc(257 * 32)),
        'too-large',
      ),
      bad('server', "a client's frame", cat(u8(1), ana.id, signature)),
      bad('server', 'put-result that says waiting', cat(u8(0x85), u32(7), u8(0))),
      bad('server', 'put-result that says unknown', cat(u8(0x85), u32(7), u8(5))),
      bad('server', 'put-result of kind 9', cat(u8(0x85), u32(7), u8(9))),
      bad('server', 'notice that says stored', cat(u8(0x88), id, u8(6))),
      bad('server', 'status-result that says full', cat(u8(0x86), u32(8), u16(1), u8(8))),
      bad(
        'server',
        'welcome with a time over 2^53 - 1',
        cat(u8(0x82), u16(2), u16(64), u64(2n ** 53n)),
      ),
      bad('server', 'error of an unknown code', cat(u8(0x8f), u32(0), u8(18), u32(0))),
      bad('server', 'deliver without an envelope', cat(u8(0x83), ana.id, u64(NOW))),
    ],
  }
}
const good = (from: 'client' | 'server', type: string, fields: Plain, bytes: Buffer) => ({
  from,
  name: nameOf(type, fields),
  frame: { type, ...fields },
  bytes,
  result: 'valid',
})

const bad = (from: 'client' | 'server', name: string, bytes: Buffer, result = 'malformed') => ({
  from,
  name,
  bytes,
  result,
})
