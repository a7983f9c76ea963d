/** How records are kept: a version, then fixed fields, with the strict codec of the wire. */
import { type PhoneNumber, Reader, utf8, WireError, Writer } from '@couplet/wire'
import { decodeEnded, decodeLane, encodeEnded, encodeLane, type LaneEntry } from '../ended-codec.ts'
import { EMPTY_MAILBOX, type Ended, type MailboxRecord } from '../mailbox.ts'
import type {
  PendingRegistration,
  RegistrationLock,
  SmallRecord,
  StoredEnvelope,
  User,
} from '../ports.ts'
import type { RecordKind } from './records.ts'

const VERSION = 1
const HASH_BYTES = 32
/** Of a salt of a registration lock. */
const SALT_BYTES = 16

export const MAILBOX: RecordKind<MailboxRecord<StoredEnvelope>> = {
  empty: EMPTY_MAILBOX,
  encode({ waiting, ended }) {
    const writer = new Writer().u8(VERSION).u16(waiting.length)
    for (const { id, sender, storedAt, envelope } of waiting) {
      writer.bytes(id).bytes(sender).u64(storedAt).bytes32(envelope)
    }
    return writer.bytes(encodeEnded(ended)).finish()
  },
  decode(bytes) {
    const reader = new Reader(bytes).expect(VERSION, 'version of a mailbox')
    const waiting = Array.from({ length: reader.u16() }, () => ({
      id: reader.bytes(HASH_BYTES),
      sender: reader.bytes(HASH_BYTES),
      storedAt: reader.u64(),
      envelope: reader.bytes32(),
    }))
    return { waiting, ended: decodeEnded(reader.rest()) }
  },
  oldestAt: ({ waiting, ended }) =>
    oldest([...waiting.map((one) => one.storedAt), ...ended.map((one) => one.endedAt)]),
}

/** How the last envelopes of a sender ended. */
export const LANE: RecordKind<readonly LaneEntry[]> = {
  empty: [],
  encode: (ended) => new Writer().u8(LANE_VERSION).bytes(encodeLane(ended)).finish(),
  decode: (bytes) => decodeLane(new Reader(bytes).expect(LANE_VERSION, 'version of a lane').rest()),
  oldestAt: (ended) => oldest(ended.map((one) => one.endedAt)),
}

/** An envelope that was stored. It may have ended since: the mailbox knows. */
export interface Sent {
  readonly id: Uint8Array
  readonly recipient: Uint8Array
  /** Milliseconds since 1970. */
  readonly storedAt: number
}

/** Where the last envelopes of a sender went, the newest last. */
export const SENT: RecordKind<readonly Sent[]> = {
  empty: [],
  encode(sent) {
    const writer = new Writer().u8(VERSION).u16(sent.length)
    for (const { id, recipient, storedAt } of sent) writer.bytes(id).bytes(recipient).u64(storedAt)
    return writer.finish()
  },
  decode(bytes) {
    const reader = new Reader(bytes).expect(VERSION, 'version of what was sent')
    const sent = Array.from({ length: reader.u16() }, () => ({
      id: reader.bytes(HASH_BYTES),
      recipient: reader.bytes(HASH_BYTES),
      storedAt: reader.u64(),
    }))
    reader.finish()
    return sent
  },
  oldestAt: (sent) => oldest(sent.map((one) => one.storedAt)),
}

export function stepSent(sent: readonly Sent[], one: Sent): readonly Sent[] {
  return [...sent, one].slice(-SENT_LIMIT)
}

/** Lanes of layout 1: where envelopes went and how they ended, in one record. */
export function decodeFirstLane(bytes: Uint8Array): {
  readonly sent: readonly Omit<Sent, 'storedAt'>[]
  readonly ended: readonly Ended[]
} {
  const reader = new Reader(bytes).expect(VERSION, 'version of a lane')
  const sent = Array.from({ length: reader.u16() }, () => ({
    id: reader.bytes(HASH_BYTES),
    recipient: reader.bytes(HASH_BYTES),
  }))
  return { sent, ended: decodeEnded(reader.rest()) }
}

/** Envelopes of one sender whose mailboxes are remembered. */
const SENT_LIMIT = 128
/** 1 had the sender in every entry, and what was sent beside them. */
export const LANE_VERSION = 2

export const USER: RecordKind<User | undefined> = {
  empty: undefined,
  encode(user) {
    const { phone, identityId, identity, prekeys, prekeysId, registeredAt, revision } = user!
    const { seenAt, lock } = user!
    const writer = new Writer()
      .u8(VERSION)
      .bytes16(utf8(phone))
      .bytes(identityId)
      .bytes32(identity)
      .bytes32(prekeys)
      .u64(prekeysId)
      .u64(registeredAt)
      .u64(revision)
      .u64(seenAt)
      .u8(lock ? 1 : 0)
    if (lock) encodeLock(writer, lock)
    return writer.finish()
  },
  decode(bytes) {
    const reader = new Reader(bytes).expect(VERSION, 'version of a user')
    const user = {
      phone: text(reader) as PhoneNumber,
      identityId: reader.bytes(HASH_BYTES),
      identity: reader.bytes32(),
      prekeys: reader.bytes32(),
      prekeysId: reader.u64(),
      registeredAt: reader.u64(),
      revision: reader.u64(),
      seenAt: reader.u64(),
    }
    const lock = reader.u8() === 1 ? decodeLock(reader) : undefined
    reader.finish()
    return lock ? { ...user, lock } : user
  },
}

function encodeLock(writer: Writer, lock: RegistrationLock): void {
  const { salt, hash, triesLeft, nextTryAt, failures, failedAt = 0 } = lock
  writer.bytes(salt).bytes(hash).u8(triesLeft).u64(nextTryAt).u32(failures).u64(failedAt)
}

function decodeLock(reader: Reader): RegistrationLock {
  const lock = {
    salt: reader.bytes(SALT_BYTES),
    hash: reader.bytes(HASH_BYTES),
    triesLeft: reader.u8(),
    nextTryAt: reader.u64(),
    failures: reader.u32(),
  }
  const failedAt = reader.u64()
  return failedAt === 0 ? lock : { ...lock, failedAt }
}

/** As JSON: few fields, and a level that is a fraction. */
export const SMALL_RECORD: RecordKind<SmallRecord | undefined> = {
  empty: undefined,
  encode: (record) => utf8(JSON.stringify(record)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as SmallRecord,
  oldestAt: (record) => record?.expiresAt,
}

export const REGISTRATION: RecordKind<PendingRegistration | undefined> = {
  empty: undefined,
  encode(pending) {
    const { id, phone, identityId, identity, prekeys } = pending!
    const { prekeysId, challenge, codeHash, expiresAt, triesLeft, nextTryAt } = pending!
    return new Writer()
      .u8(VERSION)
      .bytes16(utf8(id))
      .bytes16(utf8(phone))
      .bytes(identityId)
      .bytes32(identity)
      .bytes32(prekeys)
      .u64(prekeysId)
      .bytes(challenge)
      .bytes(codeHash)
      .u64(expiresAt)
      .u8(triesLeft)
      .u64(nextTryAt)
      .bytes16(utf8(pending!.invitation ?? ''))
      .finish()
  },
  decode(bytes) {
    const reader = new Reader(bytes).expect(VERSION, 'version of a registration')
    const pending = {
      id: text(reader),
      phone: text(reader) as PhoneNumber,
      identityId: reader.bytes(HASH_BYTES),
      identity: reader.bytes32(),
      prekeys: reader.bytes32(),
      prekeysId: reader.u64(),
      challenge: reader.bytes(HASH_BYTES),
      codeHash: reader.bytes(HASH_BYTES),
      expiresAt: reader.u64(),
      triesLeft: reader.u8(),
      nextTryAt: reader.u64(),
      invitation: text(reader) || undefined,
    }
    reader.finish()
    return pending
  },
  oldestAt: (pending) => pending?.expiresAt,
}

/** A few bytes under a name: which number an identity has, which version a layout. */
export const BYTES: RecordKind<Uint8Array | undefined> = {
  empty: undefined,
  encode: (bytes) => bytes!,
  decode(bytes) {
    if (bytes.length === 0) throw new WireError('malformed', 'nothing there')
    return bytes
  },
}

function text(reader: Reader): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(reader.bytes16())
}

function oldest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times)
}
