/** Comparing keys: what a scanned code or a pasted number says, and what follows from it. */
import type { SafetyNumber } from '@couplet/client'
import { codeMatches, type ScannedCode } from './codes.ts'
import { refreshPerson, requireCouplet } from './messenger.ts'

/** Marks a contact as verified, of the key that was compared; a new key that was compared is accepted. */
export async function markCompared(compared: SafetyNumber): Promise<void> {
  const couplet = requireCouplet()
  if (compared.keyChanged) await couplet.acceptKey(compared.phone, compared.identityId)
  await couplet.markVerified(compared)
  await refreshPerson(compared.phone)
}

export async function unmark(phone: string): Promise<void> {
  await requireCouplet().unmarkVerified(phone)
  await refreshPerson(phone)
}

/** A match marks; anything else leaves everything as it is. */
export async function judgeScan(
  compared: SafetyNumber,
  code: ScannedCode,
): Promise<'match' | 'mismatch' | 'not-a-code'> {
  if (code.kind === 'unknown') return 'not-a-code'
  const isMatch =
    code.kind === 'verification'
      ? codeMatches(requireCouplet(), compared, code.bytes)
      : code.phone === compared.phone && code.identityId === compared.identityId
  if (!isMatch) return 'mismatch'
  await markCompared(compared)
  return 'match'
}

/**
 * Adds whoever showed a code, and marks as verified: the key in the code came from their screen.
 *
 * @returns `mismatch` when the server has another key under this number; nothing is marked then.
 */
export async function addScanned(
  code: Extract<ScannedCode, { kind: 'contact' }>,
): Promise<'match' | 'mismatch'> {
  const number = await requireCouplet().verify(code.phone)
  if (number.identityId !== code.identityId) {
    await refreshPerson(code.phone)
    return 'mismatch'
  }
  await markCompared(number)
  return 'match'
}
