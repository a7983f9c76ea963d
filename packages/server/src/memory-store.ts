/**
 * A store in memory: for tests, and the plainest reading of what a store must do. Loses everything
 * when the process ends.
 */
import { type EnvelopeStatus, equalBytes, type PhoneNumber, type PutMode } from '@couplet/wire'
import { stepTry, type TryOutcome } from './code-tries.ts'
import { keyOf } from './keys.ts'
import {
  type Answer,
  EMPTY_MAILBOX,
  type Ended,
  hasRoom,
  type MailboxRecord,
  stepAck,
  stepExpire,
  stepPut,
} from './mailbox.ts'
import type {
  AckResult,
  DirectoryStore,
  Eviction,
  MailboxStore,
  PendingRegistration,
  PutResult,
  RecordStore,
  RegistrationStore,
  RowVersion,
  SmallRecord,
  Store,
  StoredEnvelope,
  User,
} from './ports.ts'
import { findInLane, stepLane } from './receipt-lane.ts'
import { isSameRow } from './row-version.ts'

export function memoryStore(options: { readonly capacity: number }): Store {
  const mailboxes = new MemoryMailboxes(options.capacity)
  return {
    mailboxes,
    directory: new MemoryDirectory(mailboxes),
    registrations: new MemoryRegistrations(),
    records: new MemoryRecords(),
    probe: async () => {},
    failed: new Promise(() => {}),
    close: async () => {},
  }
}

class MemoryMailboxes implements MailboxStore {
  readonly #capacity: number
  readonly #records = new Map<string, MailboxRecord<StoredEnvelope>>()
  readonly #lanes = new Map<string, readonly Ended[]>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  async put(recipient: Uint8Array, envelope: StoredEnvelope, mode: PutMode): Promise<PutResult> {
    const step = stepPut(this.#record(recipient), envelope, mode, this.#capacity)
    this.#records.set(keyOf(recipient), step.record)
    return {
      outcome: step.outcome,
      evicted: this.#evicted(recipient, step.evicted, envelope.storedAt),
    }
  }

  async fetch(
    recipient: Uint8Array,
    limit: number,
    except: readonly Uint8Array[],
  ): Promise<readonly StoredEnvelope[]> {
    return this.#record(recipient)
      .waiting.filter(({ id }) => !except.some((other) => equalBytes(other, id)))
      .slice(0, limit)
  }

  async count(recipient: Uint8Array): Promise<number> {
    return this.#record(recipient).waiting.length
  }

  async ack(
    recipient: Uint8Array,
    id: Uint8Array,
    answer: Answer,
    at: number,
    pushedFor?: Uint8Array,
  ): Promise<AckResult> {
    const { record, ended } = stepAck(this.#record(recipient), id, answer, at, pushedFor)
    this.#records.set(keyOf(recipient), record)
    const room = hasRoom(record, this.#capacity)
    if (!ended) return { room }
    this.#tell(ended)
    return { ended, room }
  }

  async hasRoom(recipient: Uint8Array): Promise<boolean> {
    return hasRoom(this.#record(recipient), this.#capacity)
  }

  async status(sender: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly EnvelopeStatus[]> {
    return ids.map((id): EnvelopeStatus => {
      const mine = (one: { id: Uint8Array; sender: Uint8Array }) =>
        equalBytes(one.id, id) && equalBytes(one.sender, sender)
      for (const record of this.#records.values()) {
        if (record.waiting.some(mine)) return { kind: 'waiting' }
      }
      return findInLane(this.#lanes.get(keyOf(sender)) ?? [], id) ?? { kind: 'unknown' }
    })
  }

  async expire(before: number, at: number): Promise<readonly Eviction[]> {
    const evictions: Eviction[] = []
    for (const [key, old] of this.#records) {
      const { record, evicted } = stepExpire(old, before, at)
      this.#records.set(key, record)
      evictions.push(...this.#evicted(Uint8Array.from(Buffer.from(key, 'latin1')), evicted, at))
    }
    for (const [key, lane] of this.#lanes) {
      this.#lanes.set(
        key,
        lane.filter(({ endedAt }) => endedAt > before),
      )
    }
    return evictions
  }

  async drop(identityId: Uint8Array): Promise<void> {
    this.#records.delete(keyOf(identityId))
    this.#lanes.delete(keyOf(identityId))
  }

  #record(recipient: Uint8Array): MailboxRecord<StoredEnvelope> {
    return this.#records.get(keyOf(recipient)) ?? EMPTY_MAILBOX
  }

  #evicted(recipient: Uint8Array, envelopes: readonly StoredEnvelope[], at: number): Eviction[] {
    return envelopes.map(({ id, sender }) => {
      this.#tell({ id, sender, end: { kind: 'evicted' }, endedAt: at })
      return { recipient, id, sender }
    })
  }

  #tell(ended: Ended): void {
    const key = keyOf(ended.sender)
    this.#lanes.set(key, stepLane(this.#lanes.get(key) ?? [], ended))
  }
}

class MemoryDirectory implements DirectoryStore {
  readonly #users = new Map<PhoneNumber, User>()
  readonly #mailboxes: MailboxStore

  constructor(mailboxes: MailboxStore) {
    this.#mailboxes = mailboxes
  }

  async byPhone(phone: PhoneNumber): Promise<User | undefined> {
    return this.#users.get(phone)
  }

  async byIdentity(identityId: Uint8Array): Promise<User | undefined> {
    return [...this.#users.values()].find((user) => equalBytes(user.identityId, identityId))
  }

  async compareAndSet(user: User, expected: RowVersion | undefined): Promise<boolean> {
    const old = this.#users.get(user.phone)
    if (!isSameRow(old, expected)) return false
    this.#users.set(user.phone, user)
    if (old && !equalBytes(old.identityId, user.identityId)) {
      await this.#mailboxes.drop(old.identityId)
    }
    return true
  }

  async remove(phone: PhoneNumber, expected: RowVersion): Promise<boolean> {
    const old = this.#users.get(phone)
    if (!old || !isSameRow(old, expected)) return false
    this.#users.delete(phone)
    await this.#mailboxes.drop(old.identityId)
    return true
  }

  async list(after: string, limit: number): Promise<readonly User[]> {
    return [...this.#users.values()]
      .filter(({ phone }) => phone > after)
      .toSorted((a, b) => (a.phone < b.phone ? -1 : 1))
      .slice(0, limit)
  }
}

class MemoryRegistrations implements RegistrationStore {
  readonly #pending = new Map<string, PendingRegistration>()

  async open(registration: PendingRegistration): Promise<void> {
    this.#pending.set(registration.id, registration)
  }

  async find(id: string): Promise<PendingRegistration | undefined> {
    return this.#pending.get(id)
  }

  async takeTry(id: string, now: number): Promise<TryOutcome> {
    const registration = this.#pending.get(id)
    if (!registration) return { kind: 'none' }
    const { after, outcome } = stepTry(registration, now)
    this.#pending.set(id, { ...registration, ...after })
    return outcome
  }

  async finish(id: string): Promise<boolean> {
    return this.#pending.delete(id)
  }

  async expire(now: number): Promise<void> {
    for (const [id, { expiresAt }] of this.#pending) {
      if (expiresAt <= now) this.#pending.delete(id)
    }
  }
}

class MemoryRecords implements RecordStore {
  readonly #records = new Map<string, SmallRecord>()

  async get(name: string): Promise<SmallRecord | undefined> {
    return this.#records.get(name)
  }

  async compareAndSet(record: SmallRecord, expected: number): Promise<boolean> {
    if ((this.#records.get(record.name)?.revision ?? 0) !== expected) return false
    this.#records.set(record.name, record)
    return true
  }

  async remove(name: string): Promise<void> {
    this.#records.delete(name)
  }

  async list(prefix: string): Promise<readonly SmallRecord[]> {
    return [...this.#records.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async expire(now: number): Promise<void> {
    for (const [name, { expiresAt }] of this.#records) {
      if (expiresAt <= now) this.#records.delete(name)
    }
  }
}
