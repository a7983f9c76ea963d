/** Mailboxes in JetStream: a record for each, a record for each sender's lane. (mailbox.ts decides) */
import { randomBytes } from 'node:crypto'
import { type EnvelopeStatus, equalBytes, type PutMode } from '@couplet/wire'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { Hearing } from '../bus.ts'
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
import { findInLane } from '../receipt-lane.ts'
import { LANE, MAILBOX, stepEnded, stepSent } from './codecs.ts'
import {
  hex,
  identityOf,
  type Layout,
  laneStream,
  laneSubject,
  mailboxStream,
  mailboxSubject,
  WRITTEN,
} from './layout.ts'
import type { NatsBus } from './nats-bus.ts'
import { Records, WRITER_HEADER } from './records.ts'
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
  /** Of this process, so that it knows its own writes again. */
  readonly #writer: string = randomBytes(WRITER_BYTES).toString('base64url')
  readonly #mailboxes: Records<Mailbox>
  readonly #lanes: Records<ReturnType<typeof LANE.decode>>

  constructor(options: NatsMailboxesOptions) {
    this.#options = options
    this.#mailboxes = new Records(options.client, options.manager, MAILBOX, this.#writer)
    this.#lanes = new Records(options.client, options.manager, LANE)
  }

  async put(recipient: Uint8Array, envelope: StoredEnvelope, mode: PutMode): Promise<PutResult> {
    const { capacity } = this.#options
    const own = withOwnBytes(envelope)
    const step = await this.#mailboxes.change(this.#mailbox(recipient), (record) => {
      const done = stepPut(record, own, mode, capacity)
      return { record: done.record, result: done }
    })
    if (step.outcome.kind === 'stored') this.#sent(own, recipient)
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
    const lane = await this.#lanes.read(this.#lane(sender))
    return Promise.all(
      ids.map(async (id): Promise<EnvelopeStatus> => {
        const sent = lane.sent.findLast((one) => equalBytes(one.id, id))
        if (sent && (await this.#waits(sent.recipient, sender, id))) return { kind: 'waiting' }
        return findInLane(lane.ended, id) ?? { kind: 'unknown' }
      }),
    )
  }

  async expire(before: number, at: number): Promise<readonly Eviction[]> {
    const { manager, client, layout } = this.#options
    const evictions: Eviction[] = []
    for (let part = 0; part < layout.partitions; part++) {
      for (const subject of await scanOldest(client, manager, mailboxStream(part), before)) {
        const recipient = identityOf(subject)
        const step = await this.#mailboxes.change(subject, (record) => {
          const done = stepExpire(record, before, at)
          return { record: done.record, result: done }
        })
        evictions.push(...(await Promise.all(this.#evictions(recipient, step))))
      }
    }
    for (let part = 0; part < layout.partitions; part++) {
      for (const subject of await scanOldest(client, manager, laneStream(part), before)) {
        await this.#lanes.change(subject, (lane) => {
          const ended = lane.ended.filter(({ endedAt }) => endedAt > before)
          const record = ended.length === lane.ended.length ? lane : { ...lane, ended }
          return { record, result: undefined }
        })
      }
    }
    return evictions
  }

  async drop(identityId: Uint8Array): Promise<void> {
    await Promise.all([
      this.#mailboxes.remove(this.#mailbox(identityId)),
      this.#lanes.remove(this.#lane(identityId)),
    ])
  }

  watch(recipient: Uint8Array, written: () => void): Hearing {
    // What this process has read since, for an acknowledgement say, its user may not have seen.
    return this.#options.bus.hearRaw(`${WRITTEN}.${hex(recipient)}`, (headers) => {
      if (headers?.get(WRITER_HEADER) !== this.#writer) written()
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

  importLane(sender: Uint8Array, lane: ReturnType<typeof LANE.decode>): Promise<boolean> {
    return this.#lanes.change(this.#lane(sender), (record) => {
      if (record.sent.length + record.ended.length > 0) return { record, result: false }
      return { record: lane, result: true }
    })
  }

  async #waits(recipient: Uint8Array, sender: Uint8Array, id: Uint8Array): Promise<boolean> {
    const { waiting } = await this.#mailboxes.read(this.#mailbox(recipient))
    return waiting.some((one) => equalBytes(one.id, id) && equalBytes(one.sender, sender))
  }

  /** Soft state: nobody waits for it, and without it a put that is repeated says `duplicate`. */
  #sent({ id, sender }: StoredEnvelope, recipient: Uint8Array): void {
    const ownRecipient = Uint8Array.from(recipient)
    this.#lanes
      .change(this.#lane(sender), (lane) => ({
        record: stepSent(lane, id, ownRecipient),
        result: undefined,
      }))
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

  async #tell(ended: Ended): Promise<void> {
    await this.#lanes.change(this.#lane(ended.sender), (lane) => ({
      record: stepEnded(lane, ended),
      result: undefined,
    }))
  }

  #mailbox(recipient: Uint8Array): string {
    return mailboxSubject(this.#options.layout, recipient)
  }

  #lane(sender: Uint8Array): string {
    return laneSubject(this.#options.layout, sender)
  }
}

const WRITER_BYTES = 6

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
