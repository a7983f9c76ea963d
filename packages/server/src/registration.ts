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
import { checkIdentity, checkPrekeys } from './identity-checks.ts'
import type { RegistrationLimits } from './limits.ts'
import { possiblePhoneNumber } from './phone-numbers.ts'
import type {
  Clock,
  CodeSender,
  DirectoryStore,
  PendingRegistration,
  RegistrationStore,
} from './ports.ts'
import { verifies } from './signatures.ts'

/** How long a code is good for: 10 minutes. */
export const CODE_LIFETIME_MS: number = 10 * 60 * 1000
/** Codes that may be tried for one registration. */
export const CODE_TRIES = 5

const CHALLENGE_BYTES = 32
const REGISTRATION_ID_BYTES = 16

export interface RegistrationServices {
  readonly directory: DirectoryStore
  readonly registrations: RegistrationStore
  readonly codeSender: CodeSender
  readonly limits: RegistrationLimits
  readonly clock: Clock
  /** Keys the hashes of codes, 32 bytes. */
  readonly codeKey: Uint8Array
  /** Another identity took the number of this one. */
  readonly forget: (identityId: Uint8Array) => Promise<void>
}

/**
 * Sends a code, and remembers what it is for.
 *
 * @param address - where the request comes from, for its limit.
 * @throws {WireError} `malformed`, `invalid-phone-number`, `invalid-identity`, `rate-limited`,
 *   `code-not-sent`; nothing is kept then.
 */
export async function openRegistration(
  services: RegistrationServices,
  request: RegistrationRequest,
  address: string,
): Promise<RegistrationResponse> {
  const now = services.clock.now()
  services.limits.takeForAddress(address, now)
  const phone = possiblePhoneNumber(request.phone)
  const owner = checkIdentity(request.identity)
  if (owner.record.phone !== phone) {
    throw new WireError('invalid-identity', 'the identity record has another phone number')
  }
  const prekeys = checkPrekeys(request.prekeys, owner, now)
  services.limits.takeForPhone(phone, now)

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
  }
  const registration = { ...unhashed, codeHash: hashCode(services.codeKey, unhashed, code) }
  await services.registrations.open(registration)
  try {
    await services.codeSender.send(phone, code)
  } catch (error) {
    await services.registrations.finish(registration.id)
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
 *   with the registered key cannot guess at all), `wrong-code`, `too-many-attempts`.
 */
export async function verifyRegistration(
  services: RegistrationServices,
  id: string,
  request: VerificationRequest,
  serverNames: readonly ServerName[],
): Promise<VerificationResponse> {
  const registration = await services.registrations.find(id)
  if (!registration || registration.expiresAt <= services.clock.now()) throw expired()
  if (!provesPossession(registration, request.proof, serverNames)) {
    throw new WireError('unauthenticated', 'the proof is not signed by the key being registered')
  }
  const triesLeft = await services.registrations.takeTry(id)
  if (triesLeft === undefined) {
    throw new WireError('too-many-attempts', 'all tries for this code are used up: ask for another')
  }
  const expected = hashCode(services.codeKey, registration, request.code)
  if (!equalBytes(expected, registration.codeHash)) {
    throw new WireError('wrong-code', 'this is not the code that was sent', { triesLeft })
  }
  // Of two that know the code, one registers.
  if (!(await services.registrations.finish(id))) throw expired()
  const replaced = await publish(services, registration)
  return { identityId: Uint8Array.from(registration.identityId), replaced }
}

/** Puts the identity into the directory. Answers whether the number had another one. */
async function publish(
  services: RegistrationServices,
  registration: PendingRegistration,
): Promise<boolean> {
  const { phone, identityId, identity, prekeys, prekeysId } = registration
  for (;;) {
    const old = await services.directory.byPhone(phone)
    const same = old !== undefined && equalBytes(old.identityId, identityId)
    // Registering the same identity again never brings older prekeys back.
    const published = same && old.prekeysId >= prekeysId ? old : { prekeys, prekeysId }
    const user = {
      phone,
      identityId,
      identity,
      prekeys: published.prekeys,
      prekeysId: published.prekeysId,
      registeredAt: services.clock.now(),
      revision: (old?.revision ?? 0) + 1,
    }
    if (!(await services.directory.compareAndSet(user, old?.revision ?? 0))) continue
    if (!old || same) return false
    await services.forget(old.identityId)
    return true
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
