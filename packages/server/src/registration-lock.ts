/**
 * The registration lock: a PIN that guards a number against whoever intercepts its codes.
 * (spec/http-api.md, "Registration lock")
 *
 * Ten tries, then one a day. It ends when its owner has not been seen for a week, so that a number
 * that changed hands can be registered again.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { type LockInfo, WireError } from '@couplet/wire'
import type { DirectoryStore, RegistrationLock, User } from './ports.ts'

export const LOCK_TRIES = 10
const DAY_MS: number = 24 * 60 * 60 * 1000
/** `seenAt` is kept to the day, so it is between seven and eight days. */
const LOCK_LIFETIME_MS: number = 8 * DAY_MS

export async function makeLock(pin: string): Promise<RegistrationLock> {
  const salt = Uint8Array.from(randomBytes(16))
  const hash = await hashPin(pin, salt)
  return { salt, hash, triesLeft: LOCK_TRIES, nextTryAt: 0, failures: 0 }
}

/** The lock of a number, unless its owner has been away for so long that it has ended. */
export function activeLock({ lock, seenAt }: User, now: number): RegistrationLock | undefined {
  return now < seenAt + LOCK_LIFETIME_MS ? lock : undefined
}

export function lockInfo({ triesLeft, failures, failedAt }: RegistrationLock): LockInfo {
  return { triesLeft, failures, ...(failedAt !== undefined && { failedAt }) }
}

/**
 * Lets pass who knows the PIN of the number, or whom no lock holds. Uses a try up before it looks.
 *
 * @throws {WireError} `registration-locked` with `triesLeft`, and `retryAfter` when it is early.
 */
export async function passLock(
  directory: DirectoryStore,
  user: User,
  pin: string | undefined,
  now: number,
): Promise<void> {
  for (let row: User | undefined = user; row; row = await directory.byPhone(user.phone)) {
    const lock = activeLock(row, now)
    if (!lock) return
    if (pin === undefined) throw locked('this number is locked: its PIN is needed', lock, now)
    const after = stepLock(lock, now)
    if (!after) throw locked('too many wrong PINs for this number', lock, now)
    const tried = { ...row, lock: after, revision: row.revision + 1 }
    if (!(await directory.compareAndSet(tried, row))) continue
    if (!timingSafeEqual(await hashPin(pin, lock.salt), lock.hash)) {
      throw locked('this is not the PIN of this number', after, now)
    }
    return
  }
}

/** As after the right PIN: all tries, and nothing that its owner need be told. */
export function refreshed(lock: RegistrationLock): RegistrationLock {
  const { salt, hash } = lock
  return { salt, hash, triesLeft: LOCK_TRIES, nextTryAt: 0, failures: 0 }
}

/** Takes a try, as if it will fail; nothing when it is too early for one. */
function stepLock(lock: RegistrationLock, now: number): RegistrationLock | undefined {
  if (lock.triesLeft === 0 && lock.nextTryAt > now) return undefined
  const triesLeft = Math.max(0, lock.triesLeft - 1)
  const nextTryAt = triesLeft === 0 ? now + DAY_MS : 0
  return { ...lock, triesLeft, nextTryAt, failures: lock.failures + 1, failedAt: now }
}

function locked(
  message: string,
  { triesLeft, nextTryAt }: RegistrationLock,
  now: number,
): WireError {
  const waitMs = triesLeft === 0 ? nextTryAt - now : 0
  const wait = waitMs > 0 && { retryAfter: Math.ceil(waitMs / 1000) }
  return new WireError('registration-locked', message, { triesLeft, ...wait })
}

/**
 * Does what needs a PIN hashed, if there is a place in the queue for that: asked for before anything
 * is used up, so that whoever is turned away has lost no try.
 *
 * @throws {WireError} `unavailable`, and nothing was done.
 */
export async function placed<T>(work: () => Promise<T>): Promise<T> {
  if (places >= HASH_PLACES) {
    const retryAfter = PLACE_RETRY_SECONDS
    throw new WireError('unavailable', 'too many PINs at once', { retryAfter })
  }
  places++
  try {
    return await work()
  } finally {
    places--
  }
}

/** Taken of `HASH_PLACES`. */
let places = 0

/** One at a time: each needs memory, and it is cheap to ask for many. */
let hashing: Promise<unknown> = Promise.resolve()

function hashPin(pin: string, salt: Uint8Array): Promise<Uint8Array> {
  const next = hashing.then(async () => {
    const message = Buffer.from(pin.normalize('NFKC'), 'utf8')
    return Uint8Array.from(await argon2Async('argon2id', { ...ARGON2, message, nonce: salt }))
  })
  hashing = next.catch(() => {})
  return next
}

/** That may wait for a hash in this process: some seconds of one core. */
export const HASH_PLACES = 32
const PLACE_RETRY_SECONDS = 5

const argon2Async = promisify(argon2)
/** The second recommended option of RFC 9106: 64 MiB, three passes. */
const ARGON2 = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 } as const
