/**
 * Where the client's records lie. One typed view over a transaction, so that nothing else in this
 * package names a collection.
 */
import { decodeSession, encodeSession, type Session } from '@couplet/protocol'
import { type Bytes, equalBytes, type PhoneNumber, toHex } from '@couplet/wire'
import type { Warning } from './api.ts'
import { ClientError } from './errors.ts'
import type { Plain, Range, Store, Transaction } from './ports.ts'
import {
  type AccountRecord,
  type ContactRecord,
  DEFAULT_SETTINGS,
  type FormerRecord,
  type IncomingRecord,
  type MovedRecord,
  OUTBOX_PHASES,
  type OutboxPhase,
  type OutgoingRecord,
  type Placed,
  type PrekeysRecord,
  type ReceivedEnvelopeRecord,
  type RegistrationRecord,
  type SentEnvelopeRecord,
  type SessionEntry,
  type SessionRecord,
  type SettingsRecord,
} from './records.ts'
import { NO_SEQUENCES } from './sequence-tracker.ts'

/** Where the record of a move lies; it is the one that does not move. */
export const MOVED = { collection: 'account', partition: 'moved' } as const

/** The account's data in one transaction. */
export class Tables {
  readonly #tx: Transaction

  constructor(transaction: Transaction) {
    this.#tx = transaction
  }

  // ----- account

  account(): Promise<AccountRecord | undefined> {
    return this.#tx.get<AccountRecord>('account', 'own')
  }

  /** @throws {ClientError} `not-registered`. */
  async requireAccount(): Promise<AccountRecord> {
    const account = await this.account()
    if (!account) throw new ClientError('not-registered', 'this home has no registered number')
    return account
  }

  putAccount(account: AccountRecord): Promise<void> {
    return this.#tx.put('account', 'own', 0, account)
  }

  registration(): Promise<RegistrationRecord | undefined> {
    return this.#tx.get<RegistrationRecord>('account', 'registration')
  }

  putRegistration(registration: RegistrationRecord): Promise<void> {
    return this.#tx.put('account', 'registration', 0, registration)
  }

  deleteRegistration(): Promise<void> {
    return this.#tx.delete('account', 'registration')
  }

  /** A new number for this identity that waits for its code. */
  numberChange(): Promise<RegistrationRecord | undefined> {
    return this.#tx.get<RegistrationRecord>('account', 'number-change')
  }

  putNumberChange(pending: RegistrationRecord): Promise<void> {
    return this.#tx.put('account', 'number-change', 0, pending)
  }

  deleteNumberChange(): Promise<void> {
    return this.#tx.delete('account', 'number-change')
  }

  /** A number that this home has left, and that is to be given back. */
  formerNumber(): Promise<FormerRecord | undefined> {
    return this.#tx.get<FormerRecord>('account', 'former-number')
  }

  putFormerNumber(former: FormerRecord): Promise<void> {
    return this.#tx.put('account', 'former-number', 0, former)
  }

  /** @param id - which one: another may have been left meanwhile. */
  async deleteFormerNumber(id: Bytes): Promise<void> {
    const former = await this.formerNumber()
    if (former && equalBytes(former.id, id)) await this.#tx.delete('account', 'former-number')
  }

  /** What the user is to be warned of as soon as somebody listens. */
  async keepWarning(contactNo: number, kind: Warning['kind']): Promise<void> {
    const kept = await this.#tx.get<KeptWarnings>('account', 'warnings', contactNo)
    const kinds = [...new Set([...(kept ?? []), kind])]
    await this.#tx.put('account', 'warnings', contactNo, kinds)
  }

  /** They are not kept any more. */
  async takeWarnings(): Promise<readonly (readonly [ContactRecord, Warning['kind']])[]> {
    const taken: (readonly [ContactRecord, Warning['kind']])[] = []
    for (const { position, value } of await this.#tx.list<KeptWarnings>('account', 'warnings')) {
      const contact = await this.contact(position)
      for (const kind of contact ? value : []) taken.push([contact!, kind])
      await this.#tx.delete('account', 'warnings', position)
    }
    return taken
  }

  moved(): Promise<MovedRecord | undefined> {
    return this.#tx.get<MovedRecord>(MOVED.collection, MOVED.partition)
  }

  putMoved(moved: MovedRecord): Promise<void> {
    return this.#tx.put(MOVED.collection, MOVED.partition, 0, moved)
  }

  deleteMoved(): Promise<void> {
    return this.#tx.delete(MOVED.collection, MOVED.partition)
  }

  async settings(): Promise<SettingsRecord> {
    const stored = await this.#tx.get<SettingsRecord>('account', 'settings')
    // A home of an earlier version may lack the newer ones.
    return { ...DEFAULT_SETTINGS, ...stored }
  }

  putSettings(settings: SettingsRecord): Promise<void> {
    return this.#tx.put('account', 'settings', 0, settings)
  }

  // ----- own prekeys, and the handshakes that used them

  async prekeys(): Promise<readonly PrekeysRecord[]> {
    return values(await this.#tx.list<PrekeysRecord>('prekeys', 'own'))
  }

  prekeysById(id: number): Promise<PrekeysRecord | undefined> {
    return this.#tx.get<PrekeysRecord>('prekeys', 'own', id)
  }

  putPrekeys(prekeys: PrekeysRecord): Promise<void> {
    return this.#tx.put('prekeys', 'own', prekeys.id, prekeys)
  }

  async isKnownHandshake(hash: Bytes): Promise<boolean> {
    return (await this.#tx.get('handshakes', toHex(hash))) !== undefined
  }

  /** Remembers a handshake for as long as the prekeys that it used. */
  async rememberHandshake(hash: Bytes, prekeyId: number): Promise<void> {
    const of = `of ${prekeyId}`
    const [last] = await this.#tx.list('handshakes', of, NEWEST)
    await this.#tx.put('handshakes', of, (last?.position ?? 0) + 1, hash)
    await this.#tx.put('handshakes', toHex(hash), 0, prekeyId)
  }

  /** Destroys one generation of private prekeys and forgets its handshakes: no replay can open. */
  async deletePrekeys(id: number): Promise<void> {
    const of = `of ${id}`
    for (const { position, value } of await this.#tx.list<Bytes>('handshakes', of)) {
      await this.#tx.delete('handshakes', toHex(value))
      await this.#tx.delete('handshakes', of, position)
    }
    await this.#tx.delete('prekeys', 'own', id)
  }

  // ----- contacts

  contact(no: number): Promise<ContactRecord | undefined> {
    return this.#tx.get<ContactRecord>('contacts', 'all', no)
  }

  async requireContact(no: number): Promise<ContactRecord> {
    const contact = await this.contact(no)
    if (!contact) throw new ClientError('unreadable-home', 'a contact is missing from this home')
    return contact
  }

  async contacts(): Promise<readonly ContactRecord[]> {
    return values(await this.#tx.list<ContactRecord>('contacts', 'all'))
  }

  async contactByPhone(phone: PhoneNumber): Promise<ContactRecord | undefined> {
    const no = await this.#tx.get<number>('contacts', `phone ${phone}`)
    return no === undefined ? undefined : this.contact(no)
  }

  /** By any identity that this contact has or had. */
  async contactByIdentity(identityId: Uint8Array): Promise<ContactRecord | undefined> {
    const no = await this.#tx.get<number>('contacts', `identity ${toHex(identityId)}`)
    return no === undefined ? undefined : this.contact(no)
  }

  async addContact(phone: PhoneNumber, accepted: boolean): Promise<ContactRecord> {
    const account = await this.requireAccount()
    const contact: ContactRecord = {
      no: account.nextContact,
      phone,
      verified: false,
      blocked: false,
      accepted,
      highestPrekeyId: 0,
      nextSequence: 1,
      incoming: NO_SEQUENCES,
      highestSeen: 0,
      unanswered: 0,
      unansweredSince: 0,
      replacements: [],
    }
    await this.putAccount({ ...account, nextContact: account.nextContact + 1 })
    await this.#tx.put('contacts', `phone ${phone}`, 0, contact.no)
    await this.putContact(contact)
    return contact
  }

  putContact(contact: ContactRecord): Promise<void> {
    return this.#tx.put('contacts', 'all', contact.no, contact)
  }

  /** The contact under another number, which nobody here has yet. */
  async renumberContact(contact: ContactRecord, phone: PhoneNumber): Promise<ContactRecord> {
    const renumbered = { ...contact, phone, formerPhone: contact.phone }
    await this.#tx.delete('contacts', `phone ${contact.phone}`)
    await this.#tx.put('contacts', `phone ${phone}`, 0, contact.no)
    await this.putContact(renumbered)
    return renumbered
  }

  /**
   * The messages of a contact to whom nothing was ever sent become another's, behind its own; the
   * contact is no more.
   *
   * @returns the other one, not stored yet.
   */
  async absorbContact(from: ContactRecord, into: ContactRecord): Promise<ContactRecord> {
    let { nextSequence } = into
    const messages = String(from.no)
    for (const { position, value } of await this.#tx.list<IncomingRecord | OutgoingRecord>(
      'messages',
      messages,
    )) {
      if (value.direction === 'incoming') continue
      if (value.phase.kind !== 'done') {
        await this.#tx.delete('outbox', outboxList(value.phase.kind, from.no), value.sequence)
      }
      await this.#tx.delete('messages', messages, position)
      await this.putOutgoing(into.no, position, { ...value, sequence: nextSequence++ })
      const place = await this.placeOfMessage(value.id)
      if (place?.[0] === from.no) {
        await this.#tx.put('message-places', value.id, 0, [into.no, position])
      }
    }
    const expiring = await this.#tx.list<readonly [number, number]>('expiring', 'all')
    for (const { position: place, value } of expiring) {
      if (value[0] === from.no) await this.#tx.put('expiring', 'all', place, [into.no, value[1]])
    }
    await this.#tx.delete('contacts', `phone ${from.phone}`)
    await this.#tx.delete('contacts', 'all', from.no)
    return { ...into, nextSequence, accepted: into.accepted || from.accepted }
  }

  nameIdentity(identityId: Uint8Array, contactNo: number): Promise<void> {
    return this.#tx.put('contacts', `identity ${toHex(identityId)}`, 0, contactNo)
  }

  // ----- sessions

  async sessions(contactNo: number): Promise<readonly SessionEntry[]> {
    const records = await this.#tx.list<SessionRecord>('sessions', String(contactNo))
    return records.map(({ position, value }) => ({
      no: position,
      session: decodeSession(value.state),
      usedAt: value.usedAt,
      receiptedChain: value.receiptedChain,
    }))
  }

  putSession(contactNo: number, entry: SessionEntry): Promise<void> {
    const record: SessionRecord = {
      state: encodeSession(entry.session),
      usedAt: entry.usedAt,
      receiptedChain: entry.receiptedChain,
    }
    return this.#tx.put('sessions', String(contactNo), entry.no, record)
  }

  async addSession(contactNo: number, session: Session, now: number): Promise<SessionEntry> {
    const [last] = await this.#tx.list('sessions', String(contactNo), NEWEST)
    // Never the number of one that was deleted: envelopes of that may be under way.
    const counter = `last ${contactNo}`
    const highest = (await this.#tx.get<number>('sessions', counter)) ?? 0
    const no = Math.max(last?.position ?? 0, highest) + 1
    await this.#tx.put('sessions', counter, 0, no)
    const entry = { no, session, usedAt: now, receiptedChain: -1 }
    await this.putSession(contactNo, entry)
    return entry
  }

  deleteSession(contactNo: number, sessionNo: number): Promise<void> {
    return this.#tx.delete('sessions', String(contactNo), sessionNo)
  }

  // ----- messages

  /** Puts a message at the end of a conversation; answers its place. */
  async appendMessage(
    contactNo: number,
    message: IncomingRecord | OutgoingRecord,
  ): Promise<number> {
    const account = await this.requireAccount()
    await this.putAccount({ ...account, nextPosition: account.nextPosition + 1 })
    await this.putMessage(contactNo, account.nextPosition, message)
    // A peer chooses the ids of its messages: it must not take over the name of another one.
    if (!(await this.placeOfMessage(message.id))) {
      await this.#tx.put('message-places', message.id, 0, [contactNo, account.nextPosition])
    }
    return account.nextPosition
  }

  /** Where a message of either direction is. */
  placeOfMessage(id: string): Promise<readonly [contactNo: number, position: number] | undefined> {
    return this.#tx.get<readonly [number, number]>('message-places', id)
  }

  /** Removes a message from every list but that of seen ids, which outlives it. */
  async deleteMessage(contactNo: number, position: number): Promise<void> {
    const message = await this.message(contactNo, position)
    if (!message) return
    if (message.direction === 'outgoing' && message.phase.kind !== 'done') {
      await this.#tx.delete('outbox', outboxList(message.phase.kind, contactNo), message.sequence)
    }
    await this.removeUnread(position)
    await this.#tx.delete('message-places', message.id)
    await this.#tx.delete('messages', String(contactNo), position)
  }

  putMessage(
    contactNo: number,
    position: number,
    message: IncomingRecord | OutgoingRecord,
  ): Promise<void> {
    return this.#tx.put('messages', String(contactNo), position, message)
  }

  message(
    contactNo: number,
    position: number,
  ): Promise<IncomingRecord | OutgoingRecord | undefined> {
    return this.#tx.get<IncomingRecord | OutgoingRecord>('messages', String(contactNo), position)
  }

  async outgoing(contactNo: number, position: number): Promise<OutgoingRecord | undefined> {
    const record = await this.message(contactNo, position)
    return record?.direction === 'outgoing' ? record : undefined
  }

  async incoming(contactNo: number, position: number): Promise<IncomingRecord | undefined> {
    const record = await this.message(contactNo, position)
    return record?.direction === 'incoming' ? record : undefined
  }

  /** The last `limit` messages of a conversation, or of what came before a place; oldest first. */
  async messages(
    contactNo: number,
    limit: number,
    before: number = Number.POSITIVE_INFINITY,
  ): Promise<readonly Placed<IncomingRecord | OutgoingRecord>[]> {
    const newestFirst = await this.#tx.list<IncomingRecord | OutgoingRecord>(
      'messages',
      String(contactNo),
      { reverse: true, limit, to: before - 1 },
    )
    return newestFirst.toReversed()
  }

  // ----- outbox: places of outgoing messages that are not done, one list for each phase

  /** Stores an outgoing message and files it under its phase. */
  async putOutgoing(
    contactNo: number,
    position: number,
    message: OutgoingRecord,
    before?: OutgoingRecord,
  ): Promise<void> {
    await this.putMessage(contactNo, position, message)
    if (before && before.phase.kind !== message.phase.kind && before.phase.kind !== 'done') {
      await this.#tx.delete('outbox', outboxList(before.phase.kind, contactNo), message.sequence)
    }
    if (message.phase.kind !== 'done') {
      const list = outboxList(message.phase.kind, contactNo)
      await this.#tx.put('outbox', list, message.sequence, position)
    }
  }

  /** Messages of one phase, lowest sequence first. */
  async outbox(
    contactNo: number,
    phase: OutboxPhase,
    limit?: number,
  ): Promise<readonly Placed<OutgoingRecord>[]> {
    const range = limit === undefined ? {} : { limit }
    const list = outboxList(phase, contactNo)
    const placed: Placed<OutgoingRecord>[] = []
    for (const { value: position } of await this.#tx.list<number>('outbox', list, range)) {
      const value = await this.outgoing(contactNo, position)
      if (value) placed.push({ position, value })
    }
    return placed
  }

  /** The lowest sequence that may still be sent to this contact. */
  async oldestPending(contact: ContactRecord): Promise<number> {
    let oldest = contact.nextSequence
    for (const phase of OUTBOX_PHASES) {
      const list = outboxList(phase, contact.no)
      const [first] = await this.#tx.list('outbox', list, { limit: 1 })
      if (first) oldest = Math.min(oldest, first.position)
    }
    return oldest
  }

  /**
   * Where the envelopes of this contact were going is gone: their messages go out again.
   *
   * @returns the messages whose state that changes.
   */
  async sendAgain(contactNo: number, now: number): Promise<readonly OutgoingRecord[]> {
    for (const { id } of await this.sentEnvelopes(contactNo)) await this.deleteSentEnvelope(id)
    const changed: OutgoingRecord[] = []
    for (const { position, value } of await this.outbox(contactNo, 'out')) {
      const again: OutgoingRecord = {
        ...value,
        state: 'pending',
        stateAt: now,
        phase: { kind: 'resend', notBefore: 0, attempts: 0 },
      }
      await this.putOutgoing(contactNo, position, again, value)
      changed.push(again)
    }
    return changed
  }

  // ----- envelopes

  sentEnvelope(id: string): Promise<SentEnvelopeRecord | undefined> {
    return this.#tx.get<SentEnvelopeRecord>('sent-envelopes', id)
  }

  /** Also into its contact's list, so that all of them can be asked about. */
  async putSentEnvelope(id: string, record: SentEnvelopeRecord): Promise<void> {
    const of = `of ${record.contact}`
    if (!(await this.sentEnvelope(id))) {
      const [last] = await this.#tx.list('sent-envelopes', of, NEWEST)
      await this.#tx.put('sent-envelopes', of, (last?.position ?? 0) + 1, id)
    }
    await this.#tx.put('sent-envelopes', id, 0, record)
  }

  /** Every envelope to this contact that has no receipt yet, in the order in which they were made. */
  async sentEnvelopes(
    contactNo: number,
  ): Promise<readonly { readonly id: string; readonly record: SentEnvelopeRecord }[]> {
    const of = `of ${contactNo}`
    const found: { id: string; record: SentEnvelopeRecord }[] = []
    for (const { position, value: id } of await this.#tx.list<string>('sent-envelopes', of)) {
      const record = await this.sentEnvelope(id)
      if (record) found.push({ id, record })
      else await this.#tx.delete('sent-envelopes', of, position)
    }
    return found
  }

  deleteSentEnvelope(id: string): Promise<void> {
    return this.#tx.delete('sent-envelopes', id)
  }

  receivedEnvelope(id: string): Promise<ReceivedEnvelopeRecord | undefined> {
    return this.#tx.get<ReceivedEnvelopeRecord>('received-envelopes', id)
  }

  /** Remembers how an envelope is acknowledged, filed under its day so that it can be forgotten. */
  async putReceivedEnvelope(
    id: string,
    record: ReceivedEnvelopeRecord,
    day: number,
  ): Promise<void> {
    const of = `day ${day}`
    const [last] = await this.#tx.list('received-envelopes', of, NEWEST)
    await this.#tx.put('received-envelopes', of, (last?.position ?? 0) + 1, id)
    if (!last) await this.#tx.put('received-envelopes', 'days', day, null)
    await this.#tx.put('received-envelopes', id, 0, record)
  }

  /** Forgets envelopes received on days before this one: the server has long forgotten them too. */
  async forgetReceivedEnvelopesBefore(day: number): Promise<void> {
    for (const days of await this.#tx.list('received-envelopes', 'days', { to: day - 1 })) {
      const of = `day ${days.position}`
      for (const { position, value: id } of await this.#tx.list<string>('received-envelopes', of)) {
        await this.#tx.delete('received-envelopes', id)
        await this.#tx.delete('received-envelopes', of, position)
      }
      await this.#tx.delete('received-envelopes', 'days', days.position)
    }
  }

  // ----- receipts held back until their sender is accepted

  /** A stranger may write for ever: the newest are held, of the others the sender keeps `sent`. */
  async holdReceipt(contactNo: number, envelopeId: string): Promise<void> {
    const of = String(contactNo)
    const [last] = await this.#tx.list('held-receipts', of, NEWEST)
    const position = (last?.position ?? 0) + 1
    await this.#tx.put('held-receipts', of, position, envelopeId)
    await this.#tx.delete('held-receipts', of, position - MAX_HELD_RECEIPTS)
  }

  heldReceipts(contactNo: number): Promise<readonly Placed<string>[]> {
    return this.#tx.list<string>('held-receipts', String(contactNo))
  }

  releaseReceipt(contactNo: number, position: number): Promise<void> {
    return this.#tx.delete('held-receipts', String(contactNo), position)
  }

  // ----- expiry: places of messages in the order of their ends

  async addExpiring(expiresAt: number, contactNo: number, position: number): Promise<void> {
    // Several may end in the same millisecond: each takes the next free place.
    let place = expiresAt * EXPIRY_PLACES_PER_MS
    while (await this.#tx.get('expiring', 'all', place)) place++
    await this.#tx.put('expiring', 'all', place, [contactNo, position])
  }

  /** Messages whose time is over, at most `limit`. */
  async expired(
    now: number,
    limit: number,
  ): Promise<
    readonly { readonly place: number; readonly contact: number; readonly position: number }[]
  > {
    const to = (now + 1) * EXPIRY_PLACES_PER_MS - 1
    const records = await this.#tx.list<readonly [number, number]>('expiring', 'all', { to, limit })
    return records.map(({ position: place, value: [contact, position] }) => ({
      place,
      contact,
      position,
    }))
  }

  /** When the next message ends, in milliseconds since 1970. */
  async nextExpiry(): Promise<number | undefined> {
    const [first] = await this.#tx.list('expiring', 'all', { limit: 1 })
    return first && Math.floor(first.position / EXPIRY_PLACES_PER_MS)
  }

  removeExpiring(place: number): Promise<void> {
    return this.#tx.delete('expiring', 'all', place)
  }

  // ----- memos: what the program keeps, by its own names

  memo<T extends Plain>(name: string): Promise<T | undefined> {
    return this.#tx.get<T>('memos', name)
  }

  putMemo(name: string, value: Plain | undefined): Promise<void> {
    return value === undefined
      ? this.#tx.delete('memos', name)
      : this.#tx.put('memos', name, 0, value)
  }

  // ----- messages that were shown, by id

  async isSeenMessage(contactNo: number, messageId: string): Promise<boolean> {
    return (await this.#tx.get('seen-messages', `${contactNo} ${messageId}`)) !== undefined
  }

  markSeenMessage(contactNo: number, messageId: string): Promise<void> {
    return this.#tx.put('seen-messages', `${contactNo} ${messageId}`, 0, null)
  }

  // ----- unread: places of incoming messages that nobody has seen

  unread(range: Range): Promise<readonly Placed<{ readonly contact: number }>[]> {
    return this.#tx.list<{ readonly contact: number }>('unread', 'all', range)
  }

  addUnread(position: number, contactNo: number): Promise<void> {
    return this.#tx.put('unread', 'all', position, { contact: contactNo })
  }

  removeUnread(position: number): Promise<void> {
    return this.#tx.delete('unread', 'all', position)
  }
}

/** In the order in which they came. */
type KeptWarnings = readonly Warning['kind'][]

const NEWEST = { reverse: true, limit: 1 }
const EXPIRY_PLACES_PER_MS = 1000
/** Receipts that wait for the user's word about one contact. */
export const MAX_HELD_RECEIPTS = 1000

/** Runs work on the tables in one transaction. */
export function inTransaction<T>(store: Store, work: (tables: Tables) => Promise<T>): Promise<T> {
  return store.transaction((transaction) => work(new Tables(transaction)))
}

function outboxList(phase: OutboxPhase, contactNo: number): string {
  return `${phase} ${contactNo}`
}

function values<T extends Plain>(records: readonly { readonly value: T }[]): readonly T[] {
  return records.map(({ value }) => value)
}
