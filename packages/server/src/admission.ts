/**
 * Who may register: everybody, those with an invitation, or those on a list; and nobody whom the
 * operator has blocked.
 *
 * A code of an invitation is kept only as its hash, so that nobody who reads the store can use it.
 */
import { hash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type PhoneNumber, type RegistrationPolicy, WireError } from '@couplet/wire'
import type { RecordStore } from './ports.ts'

export interface AdmissionOptions {
  readonly policy: RegistrationPolicy
  readonly records: RecordStore
  /** Of `allowlist`: a file with a number on each line. Read anew each time. */
  readonly allowlist?: string | undefined
}

export interface Admission {
  readonly policy: RegistrationPolicy
  /** Whether the operator has blocked this number. */
  isBlocked(phone: PhoneNumber): Promise<boolean>
  /**
   * Whether a code may be sent to this number.
   *
   * @returns the name of the record of the invitation that is used up when the code is typed in.
   * @throws {WireError} `registration-closed`.
   */
  admit(
    phone: PhoneNumber,
    invitation: string | undefined,
    now: number,
  ): Promise<string | undefined>
  /** Whether it still may register, now that its code was typed in. @throws {WireError} `registration-closed`. */
  confirm(phone: PhoneNumber): Promise<void>
  /** @throws {WireError} `registration-closed` when the invitation was used up or revoked meanwhile. */
  useUp(invitation: string | undefined, now: number): Promise<void>
}

export function createAdmission({ policy, records, allowlist }: AdmissionOptions): Admission {
  const isBlocked = async (phone: PhoneNumber): Promise<boolean> =>
    (await records.get(blockName(phone))) !== undefined
  const confirm = async (phone: PhoneNumber): Promise<void> => {
    if (await isBlocked(phone)) throw closed('this number may not register here')
    if (policy === 'allowlist' && !(await isListed(allowlist, phone))) {
      throw closed('this server only takes numbers that its operator has listed')
    }
  }
  return {
    policy,
    isBlocked,
    confirm,
    async admit(phone, invitation, now) {
      await confirm(phone)
      if (policy !== 'invite') return undefined
      const name = invitationName(invitation ?? '')
      const record = await records.get(name)
      if (record && record.level >= 1 && record.expiresAt > now) return name
      throw closed('this server asks for an invitation that is still good')
    },
    async useUp(invitation, now) {
      if (invitation === undefined) {
        // It began when none was asked for.
        if (policy === 'invite') throw closed('this server asks for an invitation')
        return
      }
      for (;;) {
        const record = await records.get(invitation)
        if (!record || record.level < 1 || record.expiresAt <= now) {
          throw closed('the invitation was used up meanwhile')
        }
        const { level, revision } = record
        const after = { ...record, level: level - 1, revision: revision + 1 }
        if (await records.compareAndSet(after, revision)) return
      }
    },
  }
}

/** A new invitation, good for `uses` registrations. Its code is told once and kept nowhere. */
export async function createInvitation(
  records: RecordStore,
  options: { readonly uses: number; readonly expiresAt: number; readonly now: number },
): Promise<string> {
  const letters = Array.from(randomBytes(INVITATION_LETTERS), (byte) => ALPHABET[byte % 32])
  const code = letters.join('').replaceAll(/(.{4})(?=.)/g, '$1-')
  const { uses: level, expiresAt, now: at } = options
  await records.compareAndSet({ name: invitationName(code), level, at, expiresAt, revision: 1 }, 0)
  return code
}

export function blockName(phone: PhoneNumber): string {
  return `block:${phone}`
}

/** Name of an invitation's record. Typed by people: case, blanks and hyphens do not matter. */
export function invitationName(code: string): string {
  const plain = code.replaceAll(/[\s-]/g, '').toUpperCase()
  return `${INVITATION_PREFIX}${hash('sha256', `couplet/invitation\0${plain}`, 'base64url')}`
}

async function isListed(file: string | undefined, phone: PhoneNumber): Promise<boolean> {
  if (file === undefined) return false
  const lines = (await readFile(file, 'utf8')).split('\n')
  return lines.some((line) => line.replace(/#.*/, '').replaceAll(/\s/g, '') === phone)
}

function closed(message: string): WireError {
  return new WireError('registration-closed', message)
}

export const INVITATION_PREFIX = 'invitation:'
/** 80 bits: nobody guesses one. */
const INVITATION_LETTERS = 16
/** Crockford's base 32: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
