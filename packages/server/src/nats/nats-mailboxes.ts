/** Mailboxes in JetStream: a record for each, a record for each sender's lane. (mailbox.ts decides) */
import { type EnvelopeStatus, equalBytes, type PutMode } from '@couplet/wire'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { Hearing } from '../bus.ts'
import type { LaneEntry } from '../ended-codec.ts'
import {
  type Answer,
  type Ended,
  hasRoom,
  type MailboxRecord,
  stepAck,
  stepExpire,
  stepPut,
  stepShrink,
} from '../mailbox.ts'
import type { AckResult, Eviction, MailboxStore, PutResult, StoredEnvelope } from '../ports.ts'
import { findInLane, stepLane } from '../receipt-lane.ts'
import { LANE, MAILBOX, SENT, type Sent, stepSent } from './codecs.ts'
import {
  hex,
  identityOf,
  isLane,
  type Layout,
  laneStream,
  laneSubject,
  mailboxStream,
  mailboxSubject,
  sentSubject,
  WRITTEN,
} from './layout.ts'
import type { NatsBus } from './nats-bus.ts'
import { Records } from './records.ts'
import { scanOldest } from './scan.ts'

type Mailbox = MailboxRecord<StoredEnvelope>

export interface NatsMailboxesOptions {
  readonly client: JetStreamClient
  readonly manager: JetStreamManager
  readonly bus: NatsBus
  readonly layout: Layout
  readonly capacity: number
}

export class NatsMailboxes implements MailboxStore {
  readonly #options: NatsMailboxesOptions
  readonly #mailboxes: Records<Mailbox>
  readonly #lanes: Records<readonly LaneEntry[]>
  readonly #sent: Records<readonly Sent[]>

  constructor(options: NatsMailboxesOptions) {
    this.#options = options
    this.#mailboxes = new Records(options.client, options.manager, MAILBOX)
    this.#lanes = new Records(options.client, options.manager, LANE)
    this.#sent = new Records(options.client, options.manager, SENT)
  }

  async put(recipient: Uint8Array, envelope: StoredEnvelope, mode: PutMode): Promise<PutResult> {
    const { capacity } = this.#options
    const own = withOwnBytes(envelope)
    const step = await this.#mailboxes.change(this.#mailbox(recipient), (record) => {
      const done = stepPut(record, own, mode, capacity)
      return { record: done.record, result: done }
    })
    if (step.outcome.kind === 'stored') this.#remember(own, recipient)
    return { outcome: step.outcome, evicted: this.#evicted(recipient, step) }
  }

  async fetch(
    recipient: Uint8Array,
    limit: number,
    except: readonly Uint8Array[],
  ): Promise<readonly StoredEnvelope[]> {
    const { waiting } = await this.#mailboxes.read(this.#mailbox(recipient))
    return waiting
      .filter(({ id }) => !except.some((other) => equalBytes(other, id)))
      .slice(0, limit)
  }

  async count(recipient: Uint8Array): Promise<number> {
    return (await this.#mailboxes.read(this.#mailbox(recipient))).waiting.length
  }

  async ack(
    recipient: Uint8Array,
    id: Uint8Array,
    answer: Answer,
    at: number,
    pushedFor?: Uint8Array,
  ): Promise<AckResult> {
    const { capacity } = this.#options
    const [ownId, own, ownSender] = [Uint8Array.from(id), withOwnReceipt(answer), pushedFor]
    const { ended, room } = await this.#mailboxes.change(this.#mailbox(recipient), (record) => {
      const done = stepAck(record, ownId, own, at, ownSender)
      const free = hasRoom(done.record, capacity)
      return { record: done.record, result: { ended: done.ended, room: free } }
    })
    if (!ended) return { room }
    await this.#tell(ended)
    return { ended, room }
  }

  async hasRoom(recipient: Uint8Array): Promise<boolean> {
    return hasRoom(await this.#mailboxes.read(this.#mailbox(recipient)), this.#options.capacity)
  }

  async status(sender: Uint8Array, ids: readonly Uint8Array[]): Promise<readonly EnvelopeStatus[]> {
    const [lane, sent] = await Promise.all([
      this.#lanes.read(this.#lane(sender)),
      this.#sent.read(this.#sentBy(sender)),
    ])
    return Promise.all(
      ids.map(async (id): Promise<EnvelopeStatus> => {
        const one = sent.findLast((other) => equalBytes(other.id, id))
        if (one && (await this.#waits(one.recipient, sender, id))) return { kind: 'waiting' }
        return findInLane(lane, id) ?? { kind: 'unknown' }
      }),
    )
  }

  async expire(before: number, at: number): Promise<readonly Eviction[]> {
    const { client, layout } = this.#options
    const evictions: Eviction[] = []
    for (let part = 0; part < layout.partitions; part++) {
      for (const subject of await scanOldest(client, mailboxStream(part), before)) {
        const recipient = identityOf(subject)
        const step = await this.#mailboxes.change(subject, (record) => {
          const done = stepExpire(record, before, at)
          return { record: done.record, result: done }
        })
        evictions.push(...(await Promise.all(this.#evictions(recipient, step))))
      }
    }
    for (let part = 0; part < layout.partitions; part++) {
      for (const subject of await scanOldest(client, laneStream(part), before)) {
        if (isLane(subject)) await forget(this.#lanes, subject, (one) => one.endedAt > before)
        else await forget(this.#sent, subject, (one) => one.storedAt > before)
      }
    }
    return evictions
  }

  async drop(identityId: Uint8Array): Promise<void> {
    await Promise.all([
      this.#mailboxes.remove(this.#mailbox(identityId)),
      this.#lanes.remove(this.#lane(identityId)),
      this.#sent.remove(this.#sentBy(identityId)),
    ])
  }

  watch(recipient: Uint8Array, written: () => void): Hearing {
    // What this process has read since, for an acknowledgement say, its user may not have seen.
    return this.#options.bus.hearRaw(`${WRITTEN}.${hex(recipient)}`, (headers) => {
      if (!this.#mailboxes.isOwnWrite(headers)) written()
    })
  }

  /** A whole mailbox from another store, unless there is one already. Answers whether it was taken. */
  import(recipient: Uint8Array, mailbox: Mailbox): Promise<boolean> {
    const { capacity } = this.#options
    return this.#mailboxes.change(this.#mailbox(recipient), (record) => {
      if (record.waiting.length + record.ended.length > 0) return { record, result: false }
      return { record: stepShrink(mailbox, capacity, 0).record, result: true }
    })
  }

  /** The same for what is kept for a sender. */
  async importLane(
    sender: Uint8Array,
    lane: { readonly sent: readonly Sent[]; readonly ended: readonly LaneEntry[] },
  ): Promise<boolean> {
    const [ended, sent] = await Promise.all([
      fill(this.#lanes, this.#lane(sender), lane.ended),
      fill(this.#sent, this.#sentBy(sender), lane.sent),
    ])
    return ended || sent
  }

  async #waits(recipient: Uint8Array, sender: Uint8Array, id: Uint8Array): Promise<boolean> {
    const { waiting } = await this.#mailboxes.read(this.#mailbox(recipient))
    return waiting.some((one) => equalBytes(one.id, id) && equalBytes(one.sender, sender))
  }

  /** Soft state: nobody waits for it, and without it a put that is repeated says `duplicate`. */
  #remember({ id, sender, storedAt }: StoredEnvelope, recipient: Uint8Array): void {
    const one = { id, recipient: Uint8Array.from(recipient), storedAt }
    this.#sent
      .change(this.#sentBy(sender), (sent) => ({ record: stepSent(sent, one), result: undefined }))
      .catch(() => {})
  }

  #evicted(
    recipient: Uint8Array,
    step: { readonly record: Mailbox; readonly evicted: readonly StoredEnvelope[] },
  ): readonly Eviction[] {
    for (const told of this.#evictions(recipient, step)) told.catch(() => {})
    return step.evicted.map(({ id, sender }) => ({ recipient, id, sender }))
  }

  /** The senders' lanes hear of all: the record itself remembers only the last ends. */
  #evictions(
    recipient: Uint8Array,
    step: { readonly record: Mailbox; readonly evicted: readonly StoredEnvelope[] },
  ): Promise<Eviction>[] {
    const last = step.record.ended.at(-1)
    const ended = last ? step.evicted.map(({ id, sender }) => ({ ...last, id, sender })) : []
    return ended.map(async (one) => {
      await this.#tell(one)
      return { recipient, id: one.id, sender: one.sender }
    })
  }

  async #tell({ sender, ...entry }: Ended): Promise<void> {
    await this.#lanes.change(this.#lane(sender), (lane) => ({
      record: stepLane(lane, entry),
      result: undefined,
    }))
  }

  #mailbox(recipient: Uint8Array): string {
    return mailboxSubject(this.#options.layout, recipient)
  }

  #lane(sender: Uint8Array): string {
    return laneSubject(this.#options.layout, sender)
  }

  #sentBy(sender: Uint8Array): string {
    return sentSubject(this.#options.layout, sender)
  }
}

/** Keeps what `keeps` says. */
async function forget<T>(
  records: Records<readonly T[]>,
  subject: string,
  keeps: (one: T) => boolean,
): Promise<void> {
  await records.change(subject, (old) => {
    const left = old.filter(keeps)
    return { record: left.length === old.length ? old : left, result: undefined }
  })
}

/** Unless there is something. Answers whether it was taken. */
function fill<T>(
  records: Records<readonly T[]>,
  subject: string,
  entries: readonly T[],
): Promise<boolean> {
  return records.change(subject, (old) =>
    old.length > 0 || entries.length === 0
      ? { record: old, result: false }
      : { record: entries, result: true },
  )
}

/** Records outlive the frames that envelopes came in. */
function withOwnBytes({ id, sender, storedAt, envelope }: StoredEnvelope): StoredEnvelope {
  return {
    id: Uint8Array.from(id),
    sender: Uint8Array.from(sender),
    storedAt,
    envelope: Uint8Array.from(envelope),
  }
}

function withOwnReceipt(answer: Answer): Answer {
  return answer.kind === 'delivered'
    ? { kind: 'delivered', receipt: Uint8Array.from(answer.receipt) }
    : answer
}
