/**
 * Registration in two steps: ask for the code, then prove that it arrived. (spec/http-api.md)
 *
 * The keys are made and stored with the first step; the home counts as registered only when the
 * server has said so and that is stored.
 */
import {
  equalBytes,
  type PhoneNumber,
  parsePhoneNumber,
  registrationSignedBytes,
  toHex,
} from '@couplet/wire'
import { firstPrekeys, newAccount, ownIdentity, signerOf } from './account.ts'
import type { PendingRegistration, Registered } from './api.ts'
import { ClientError } from './errors.ts'
import { refuseMoved } from './moved.ts'
import type { Platform } from './platform.ts'
import type { ServerApi, Store } from './ports.ts'
import type { RegistrationRecord } from './records.ts'
import { inTransaction } from './tables.ts'

export interface RegistrationPorts {
  readonly platform: Platform
  readonly createApi: (server: string) => ServerApi
}

/** Where a registration is kept: a home that may not be there yet. */
export interface RegistrationHome {
  /** To read only; `undefined` when there is no home. The caller closes it. */
  read(): Promise<Store | undefined>
  /** Opened to write, and made when it is not there. The caller closes it. */
  create(): Promise<Store>
}

export interface RegistrationInput {
  readonly phone: string
  /** URL; left out, the one of the earlier try, or `usualServer`. */
  readonly server?: string | undefined
  readonly usualServer?: string | undefined
  /** Where the server asks for one. */
  readonly invitation?: string | undefined
}

/**
 * Asks the server to send a code to a phone number; the home remembers the server and the number.
 * A home is made only when the server has said yes.
 *
 * @throws {ClientError} of `pendingRegistration`, `requestCode` and `storeRegistration`.
 */
export async function beginRegistrationIn(
  ports: RegistrationPorts,
  home: RegistrationHome,
  { phone: text, server, usualServer, invitation }: RegistrationInput,
): Promise<PendingRegistration> {
  const phone = requirePhoneNumber(text)
  const before = await home.read()
  const earlier = before && (await closing(before, () => pendingRegistration(before)))
  const registration = await requestCode(ports, {
    phone,
    server: server ?? earlier?.account.server ?? usualServer,
    earlier,
    invitation,
  })
  const store = await home.create()
  await closing(store, () => storeRegistration(store, registration))
  const { account, expiresAt, development } = registration
  return { phone, server: account.server, expiresAt, development }
}

async function closing<T>(store: Store, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    await store.close()
  }
}

/**
 * What an earlier try has left in a home.
 *
 * @throws {ClientError} `already-registered`, `home-moved`, `export-unfinished`.
 */
export function pendingRegistration(store: Store): Promise<RegistrationRecord | undefined> {
  return inTransaction(store, async (tables) => {
    await refuseMoved(tables)
    if (await tables.account()) throw alreadyRegistered()
    return tables.registration()
  })
}

/**
 * Asks the server to send a code to the number. May be repeated: the newest code counts. Writes
 * nothing; the caller stores the answer with `storeRegistration`.
 *
 * @param input.server - URL; left out, the one of the earlier try, or DEFAULT_SERVER.
 * @throws {ClientError} `invalid-phone-number`, `registration-closed`, `unreachable`,
 *   `rate-limited`, `code-not-sent`, …
 */
export async function requestCode(
  { platform, createApi }: RegistrationPorts,
  input: {
    readonly phone: PhoneNumber
    readonly server?: string | undefined
    readonly earlier: RegistrationRecord | undefined
    /** Where the server asks for one. */
    readonly invitation?: string | undefined
  },
): Promise<RegistrationRecord> {
  const { phone, earlier } = input
  const server = input.server ?? earlier?.account.server ?? DEFAULT_SERVER
  const api = createApi(server)
  const info = await api.info()
  // Asked again: the keys made the first time serve.
  const again = earlier?.account.phone === phone && earlier.account.server === server
  const account = again ? earlier.account : (await newAccount(platform, phone, server)).account
  const self = await ownIdentity(platform, account)
  const prekeys = again ? earlier.prekeys : firstPrekeys(platform, self)
  const answer = await api.register({
    phone,
    identity: self.signed,
    prekeys: prekeys.signed,
    invitation: input.invitation,
  })
  return {
    account,
    prekeys,
    registrationId: answer.id,
    challenge: answer.challenge,
    expiresAt: answer.expiresAt,
    development: info.development,
  }
}

/** @throws {ClientError} `already-registered` when somebody else was quicker. */
export async function storeRegistration(
  store: Store,
  registration: RegistrationRecord,
): Promise<void> {
  await inTransaction(store, async (tables) => {
    await refuseMoved(tables)
    if (await tables.account()) throw alreadyRegistered()
    await tables.putRegistration(registration)
  })
}

function alreadyRegistered(): ClientError {
  return new ClientError('already-registered', 'this home has a registered number already')
}

/** @throws {ClientError} `invalid-phone-number`. */
export function requirePhoneNumber(text: string): PhoneNumber {
  try {
    return parsePhoneNumber(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'not a phone number'
    throw new ClientError('invalid-phone-number', message, { cause: error })
  }
}

/**
 * Finishes with the code.
 *
 * @param pin - of the registration lock, where the number has one.
 * @throws {ClientError} `no-registration`, `already-registered`, `wrong-code` (with `triesLeft`),
 *   `registration-locked` (the same), `too-many-attempts`, `registration-expired`, `unreachable`:
 *   nothing is changed.
 */
export async function submitCode(
  ports: RegistrationPorts,
  store: Store,
  code: string,
  pin?: string,
): Promise<Registered> {
  const pending = await pendingRegistration(store)
  if (!pending) {
    throw new ClientError('no-registration', 'no registration is waiting for a code in this home')
  }
  const registered = await proveCode(ports, pending, code, pin)
  await inTransaction(store, async (tables) => {
    await tables.putAccount(pending.account)
    await tables.putPrekeys({ ...pending.prekeys, published: true })
    await tables.deleteRegistration()
  })
  return registered
}

/**
 * Brings the code, with a proof that the keys are ours. Changes nothing here.
 *
 * @throws {ClientError} as `submitCode`.
 */
export async function proveCode(
  { platform, createApi }: RegistrationPorts,
  pending: RegistrationRecord,
  code: string,
  pin: string | undefined,
): Promise<Registered> {
  const self = await ownIdentity(platform, pending.account)
  const api = createApi(pending.account.server)
  const signer = signerOf(platform.primitives, self)
  const proof = signer.sign(
    registrationSignedBytes({
      serverName: api.serverName,
      registrationId: pending.registrationId,
      challenge: pending.challenge,
      identityId: self.id,
    }),
  )
  const { phone, server } = pending.account
  let replaced = false
  try {
    const answer = await api.verify(pending.registrationId, { code: code.trim(), proof, pin })
    replaced = answer.replaced
  } catch (error) {
    // The server may have said yes before, and the answer, or its storing here, was lost.
    const over = error instanceof ClientError && error.code === 'registration-expired'
    const entry = over ? await api.lookup(phone, signer).catch(() => undefined) : undefined
    if (!entry || !equalBytes(entry.identity, self.signed)) throw error
  }
  return { phone, server, identityId: toHex(self.id), replaced }
}

export const DEFAULT_SERVER = 'http://localhost:8080'
