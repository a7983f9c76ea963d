/** Small records in JetStream: counters of limits, invitations, blocks. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { RecordStore, SmallRecord } from '../ports.ts'
import { SMALL_RECORD } from './codecs.ts'
import { RECORD_STREAM, smallRecordSubject, smallRecordSubjects } from './layout.ts'
import { Records } from './records.ts'
import { readAll, scanOldest } from './scan.ts'

export class NatsSmallRecords implements RecordStore {
  readonly #client: JetStreamClient
  readonly #records: Records<SmallRecord | undefined>

  constructor(client: JetStreamClient, manager: JetStreamManager) {
    this.#client = client
    this.#records = new Records(client, manager, SMALL_RECORD)
  }

  get(name: string): Promise<SmallRecord | undefined> {
    return this.#records.read(smallRecordSubject(name))
  }

  compareAndSet(record: SmallRecord, expected: number): Promise<boolean> {
    return this.#records.change(smallRecordSubject(record.name), (old) =>
      (old?.revision ?? 0) === expected ? { record, result: true } : { record: old, result: false },
    )
  }

  async remove(name: string): Promise<void> {
    await this.#records.remove(smallRecordSubject(name))
  }

  async list(prefix: string): Promise<readonly SmallRecord[]> {
    const filter = smallRecordSubjects(prefix)
    const all = await readAll(this.#client, filter, (bytes) => SMALL_RECORD.decode(bytes))
    return (all as SmallRecord[])
      .filter(({ name }) => name.startsWith(prefix))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async expire(now: number): Promise<void> {
    for (const subject of await scanOldest(this.#client, RECORD_STREAM, now)) {
      await this.#records.remove(subject)
    }
  }
}
