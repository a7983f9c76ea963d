/** Registrations that wait for their code, in JetStream; the stream forgets them by itself, too. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { PendingRegistration, RegistrationStore } from '../ports.ts'
import { REGISTRATION } from './codecs.ts'
import { registrationSubject, streamOf } from './layout.ts'
import { Records } from './records.ts'
import { scanOldest } from './scan.ts'

export class NatsRegistrations implements RegistrationStore {
  readonly #client: JetStreamClient
  readonly #manager: JetStreamManager
  readonly #pending: Records<PendingRegistration | undefined>

  constructor(client: JetStreamClient, manager: JetStreamManager) {
    this.#client = client
    this.#manager = manager
    this.#pending = new Records(client, manager, REGISTRATION)
  }

  async open(registration: PendingRegistration): Promise<void> {
    await this.#pending.change(registrationSubject(registration.id), () => ({
      record: registration,
      result: undefined,
    }))
  }

  find(id: string): Promise<PendingRegistration | undefined> {
    return this.#pending.read(registrationSubject(id))
  }

  takeTry(id: string): Promise<number | undefined> {
    return this.#pending.change(registrationSubject(id), (pending) => {
      if (!pending || pending.triesLeft === 0) return { record: pending, result: undefined }
      const triesLeft = pending.triesLeft - 1
      return { record: { ...pending, triesLeft }, result: triesLeft }
    })
  }

  finish(id: string): Promise<boolean> {
    return this.#pending.change(registrationSubject(id), (pending) => ({
      record: undefined,
      result: pending !== undefined,
    }))
  }

  async expire(now: number): Promise<void> {
    const stream = streamOf(registrationSubject(''))
    for (const subject of await scanOldest(this.#client, this.#manager, stream, now)) {
      await this.#pending.remove(subject)
    }
  }
}
