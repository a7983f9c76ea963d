/** The directory in JetStream: a record for each number, and for each identity the way to it. */
import { createHmac } from 'node:crypto'
import { equalBytes, type PhoneNumber, utf8 } from '@couplet/wire'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { DirectoryStore, RowVersion, User } from '../ports.ts'
import { isSameRow } from '../row-version.ts'
import { BYTES, USER } from './codecs.ts'
import { identitySubject, userSubject, userSubjects } from './layout.ts'
import { Records } from './records.ts'
import { readAll } from './scan.ts'

export class NatsDirectory implements DirectoryStore {
  readonly #users: Records<User | undefined>
  readonly #numbers: Records<Uint8Array | undefined>
  readonly #key: Uint8Array
  readonly #client: JetStreamClient
  #listed: { readonly at: number; readonly phones: readonly PhoneNumber[] } | undefined

  /** @param key - of the hash that stands for a number, 32 bytes. */
  constructor(client: JetStreamClient, manager: JetStreamManager, key: Uint8Array) {
    this.#users = new Records(client, manager, USER)
    this.#numbers = new Records(client, manager, BYTES)
    this.#key = key
    this.#client = client
  }

  byPhone(phone: PhoneNumber): Promise<User | undefined> {
    return this.#users.read(this.#subject(phone))
  }

  async byIdentity(identityId: Uint8Array): Promise<User | undefined> {
    const number = await this.#numbers.read(identitySubject(identityId))
    if (!number) return undefined
    const user = await this.byPhone(new TextDecoder().decode(number) as PhoneNumber)
    // A way that leads nowhere is left behind when two register one number at once.
    return user && equalBytes(user.identityId, identityId) ? user : undefined
  }

  async compareAndSet(user: User, expected: RowVersion | undefined): Promise<boolean> {
    await this.#leadTo(user)
    const replaced = await this.#users.change(this.#subject(user.phone), (old) =>
      isSameRow(old, expected)
        ? { record: user, result: { old } }
        : { record: old, result: undefined },
    )
    if (!replaced) return false
    if (replaced.old && !equalBytes(replaced.old.identityId, user.identityId)) {
      await this.#numbers.remove(identitySubject(replaced.old.identityId))
    }
    // Whoever replaced this identity a moment before may have removed the way to it since.
    await this.#leadTo(user)
    return true
  }

  async remove(phone: PhoneNumber, expected: RowVersion): Promise<boolean> {
    const removed = await this.#users.change(this.#subject(phone), (old) =>
      isSameRow(old, expected)
        ? { record: undefined, result: old }
        : { record: old, result: undefined },
    )
    if (removed) await this.#numbers.remove(identitySubject(removed.identityId))
    return removed !== undefined
  }

  /** The first page goes through everybody, for the operator; those after it soon do not. */
  async list(after: string, limit: number): Promise<readonly User[]> {
    const phones = await this.#allPhones(after === '')
    const page: User[] = []
    for (let next = phones.findIndex((phone) => phone > after); next >= 0; next += limit) {
      const some = phones.slice(next, next + limit)
      const users = await Promise.all(some.map((phone) => this.byPhone(phone)))
      page.push(...users.filter((user) => user !== undefined))
      if (page.length >= limit || some.length < limit) break
    }
    return page.slice(0, limit)
  }

  async #allPhones(anew: boolean): Promise<readonly PhoneNumber[]> {
    if (!anew && this.#listed && performance.now() - this.#listed.at < LISTED_FOR_MS) {
      return this.#listed.phones
    }
    const phones = await readAll(this.#client, userSubjects(), (bytes) => USER.decode(bytes)!.phone)
    this.#listed = { at: performance.now(), phones: phones.toSorted() }
    return this.#listed.phones
  }

  async #leadTo({ identityId, phone }: User): Promise<void> {
    const number = utf8(phone)
    await this.#numbers.change(identitySubject(identityId), (old) => ({
      record: old && equalBytes(old, number) ? old : number,
      result: undefined,
    }))
  }

  #subject(phone: PhoneNumber): string {
    return userSubject(createHmac('sha256', this.#key).update(phone).digest())
  }
}

/** Pages of one list come one after the other. */
const LISTED_FOR_MS = 60_000
