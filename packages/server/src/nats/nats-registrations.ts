/** Registrations that wait for their code, in JetStream; the stream forgets them by itself, too. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { stepTry, type TryOutcome } from '../code-tries.ts'
import type { PendingRegistration, RegistrationStore } from '../ports.ts'
import { REGISTRATION } from './codecs.ts'
import { registrationSubject, streamOf } from './layout.ts'
import { Records } from './records.ts'
import { scanOldest } from './scan.ts'

export class NatsRegistrations implements RegistrationStore {
  readonly #client: JetStreamClient
  readonly #pending: Records<PendingRegistration | undefined>

  constructor(client: JetStreamClient, manager: JetStreamManager) {
    this.#client = client
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

  takeTry(id: string, now: number): Promise<TryOutcome> {
    return this.#pending.change<TryOutcome>(registrationSubject(id), (pending) => {
      if (!pending) return { record: pending, result: { kind: 'none' } }
      const { after, outcome } = stepTry(pending, now)
      const record = outcome.kind === 'taken' ? { ...pending, ...after } : pending
      return { record, result: outcome }
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
    for (const subject of await scanOldest(this.#client, stream, now)) {
      await this.#pending.remove(subject)
    }
  }
}
