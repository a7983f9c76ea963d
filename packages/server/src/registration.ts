/**
 * Registration: a code to the phone, a proof of the keys, and a row in the directory.
 * (spec/http-api.md, "Registration")
 *
 * The code is bound to the number, the identity and this registration, and is kept only as a keyed
 * hash. A try is used up before the code is compared, so that guesses at the same time are counted
 * like guesses one after another.
 */
import { createHmac, randomBytes, randomInt } from 'node:crypto'
import {
  CODE_DIGITS,
  decodeIdentityRecord,
  equalBytes,
  type RegistrationRequest,
  type RegistrationResponse,
  registrationSignedBytes,
  type ServerName,
  splitSignedIdentity,
  toBase64Url,
  utf8,
  type VerificationRequest,
  type VerificationResponse,
  WireError,
  Writer,
} from '@couplet/wire'
import { dayOf } from './accounts.ts'
import type { Admission } from './admission.ts'
import { nothingSent } from './code-transport.ts'
import { CODE_TRIES } from './code-tries.ts'
import { checkIdentity, checkPrekeys } from './identity-checks.ts'
import { tooOften } from './limits.ts'
import { possiblePhoneNumber } from './phone-numbers.ts'
import type {
  Clock,
  CodeSender,
  DirectoryStore,
  PendingRegistration,
  RegistrationStore,
  User,
} from './ports.ts'
import type { RegistrationLimits } from './registration-limits.ts'
import { activeLock, passLock, placed, refreshed } from './registration-lock.ts'
import { verifies } from './signatures.ts'

/** How long a code is good for: 10 minutes. */
export const CODE_LIFETIME_MS: number = 10 * 60 * 1000

const CHALLENGE_BYTES = 32
const REGISTRATION_ID_BYTES = 16

export interface RegistrationServices {
  readonly directory: DirectoryStore
  readonly registrations: RegistrationStore
  readonly codeSender: CodeSender
  readonly limits: RegistrationLimits
  readonly admission: Admission
  readonly clock: Clock
  /** Keys the hashes of codes, 32 bytes. */
  readonly codeKey: Uint8Array
  /** Another identity took the number of this one: its connection ends. */
  readonly forget: (identityId: Uint8Array) => Promise<void>
}

/**
 * Sends a code, and remembers what it is for.
 *
 * @param block - of the address that the request comes from, for its limits.
 * @throws {WireError} `malformed`, `invalid-phone-number`, `invalid-identity`,
 *   `registration-closed`, `rate-limited`, `code-not-sent`; nothing is kept then.
 */
export async function openRegistration(
  services: RegistrationServices,
  request: RegistrationRequest,
  block: string,
): Promise<RegistrationResponse> {
  const now = services.clock.now()
  await services.limits.takeForAddress(block, now)
  const phone = possiblePhoneNumber(request.phone)
  const owner = checkIdentity(request.identity)
  if (owner.record.phone !== phone) {
    throw new WireError('invalid-identity', 'the identity record has another phone number')
  }
  const prekeys = checkPrekeys(request.prekeys, owner, now)
  const invitation = await services.admission.admit(phone, request.invitation, now)
  await services.limits.takeForCode({ phone, block }, now)

  const code = randomInt(10 ** CODE_DIGITS)
    .toString()
    .padStart(CODE_DIGITS, '0')
  const unhashed = {
    id: toBase64Url(randomBytes(REGISTRATION_ID_BYTES)),
    phone,
    identityId: owner.identityId,
    identity: request.identity,
    prekeys: request.prekeys,
    prekeysId: prekeys.id,
    challenge: Uint8Array.from(randomBytes(CHALLENGE_BYTES)),
    expiresAt: now + CODE_LIFETIME_MS,
    triesLeft: CODE_TRIES,
    nextTryAt: 0,
    invitation,
  }
  const registration = { ...unhashed, codeHash: hashCode(services.codeKey, unhashed, code) }
  await services.registrations.open(registration)
  try {
    await services.codeSender.send(phone, code)
  } catch (error) {
    await services.registrations.finish(registration.id)
    await services.limits.notSent(phone)
    if (nothingSent(error)) await services.limits.giveBack({ phone, block }, now)
    throw new WireError('code-not-sent', 'the code could not be sent', {}, { cause: error })
  }
  const { id, challenge, expiresAt } = registration
  return { id, challenge, expiresAt }
}

/**
 * Takes code and proof, and publishes the identity.
 *
 * @param serverNames - names by which the client may have called this server.
 * @throws {WireError} `registration-expired`, `unauthenticated` (no try is used up: who cannot sign
 *   with the registered key cannot guess at all), `rate-limited` (nor here), `wrong-code`,
 *   `too-many-attempts`, `registration-locked`, `registration-closed`; `unavailable` with a PIN while
 *   too many others wait (no try is used up).
 */
export async function verifyRegistration(
  services: RegistrationServices,
  id: string,
  request: VerificationRequest,
  serverNames: readonly ServerName[],
): Promise<VerificationResponse> {
  const now = services.clock.now()
  const registration = await services.registrations.find(id)
  if (!registration || registration.expiresAt <= now) throw expired()
  if (!provesPossession(registration, request.proof, serverNames)) {
    throw new WireError('unauthenticated', 'the proof is not signed by the key being registered')
  }
  const attempt = (): Promise<VerificationResponse> => tryCode(services, registration, request)
  return request.pin === undefined ? attempt() : placed(attempt)
}

/** Uses a try up, then compares. */
async function tryCode(
  services: RegistrationServices,
  registration: PendingRegistration,
  request: VerificationRequest,
): Promise<VerificationResponse> {
  const taken = await services.registrations.takeTry(registration.id, services.clock.now())
  if (taken.kind === 'none') {
    throw new WireError('too-many-attempts', 'all tries for this code are used up: ask for another')
  }
  if (taken.kind === 'early') throw tooOften(taken.waitMs)
  const expected = hashCode(services.codeKey, registration, request.code)
  if (!equalBytes(expected, registration.codeHash)) {
    const { triesLeft, waitMs } = taken
    const wait = waitMs > 0 && { retryAfter: Math.ceil(waitMs / 1000) }
    throw new WireError('wrong-code', 'this is not the code that was sent', { triesLeft, ...wait })
  }
  return finish(services, registration, request.pin)
}

/** The code is right. What else guards the number comes first; then, of two, one registers. */
async function finish(
  services: RegistrationServices,
  registration: PendingRegistration,
  pin: string | undefined,
): Promise<VerificationResponse> {
  const { id, phone, identityId } = registration
  const now = services.clock.now()
  const old = await services.directory.byPhone(phone)
  if (old && !equalBytes(old.identityId, identityId)) {
    await passLock(services.directory, old, pin, now)
  }
  await services.admission.confirm(phone)
  if (!(await services.registrations.finish(id))) throw expired()
  await services.admission.useUp(registration.invitation, now)
  const replaced = await publish(services, registration)
  await services.limits.verified(phone)
  return { identityId: Uint8Array.from(identityId), replaced }
}

/** Puts the identity into the directory. Answers whether the number had another one. */
async function publish(
  services: RegistrationServices,
  registration: PendingRegistration,
): Promise<boolean> {
  const { directory, clock, forget } = services
  for (;;) {
    const old = await directory.byPhone(registration.phone)
    const same = old !== undefined && equalBytes(old.identityId, registration.identityId)
    const user = rowOf(registration, old, same, clock.now())
    if (!(await directory.compareAndSet(user, old))) continue
    if (!old || same) return false
    await forget(old.identityId)
    return true
  }
}

function rowOf(
  registration: PendingRegistration,
  old: User | undefined,
  same: boolean,
  now: number,
): User {
  const { phone, identityId, identity, prekeys, prekeysId } = registration
  // Registering the same identity again never brings older prekeys back.
  const published = same && old && old.prekeysId >= prekeysId ? old : { prekeys, prekeysId }
  const lock = old && (same ? old.lock : activeLock(old, now))
  return {
    phone,
    identityId,
    identity,
    prekeys: published.prekeys,
    prekeysId: published.prekeysId,
    registeredAt: now,
    seenAt: dayOf(now),
    ...(lock && { lock: same ? lock : refreshed(lock) }),
    revision: (old?.revision ?? 0) + 1,
  }
}

function provesPossession(
  registration: PendingRegistration,
  proof: Uint8Array,
  serverNames: readonly ServerName[],
): boolean {
  const { id: registrationId, challenge, identityId } = registration
  const { signingKey } = decodeIdentityRecord(splitSignedIdentity(registration.identity).encoded)
  return serverNames.some((serverName) => {
    const message = registrationSignedBytes({ serverName, registrationId, challenge, identityId })
    return verifies(signingKey, message, proof)
  })
}

/** HMAC-SHA-256(codeKey, registrationId ‖ identityId ‖ phone ‖ code), with lengths. */
function hashCode(
  codeKey: Uint8Array,
  registration: Pick<PendingRegistration, 'id' | 'identityId' | 'phone'>,
  code: string,
): Uint8Array {
  const bound = new Writer()
    .bytes16(utf8(registration.id))
    .bytes(registration.identityId)
    .bytes16(utf8(registration.phone))
    .bytes16(utf8(code))
    .finish()
  return createHmac('sha256', codeKey).update(bound).digest()
}

function expired(): WireError {
  return new WireError('registration-expired', 'this registration is over: begin again')
}
