/** Numbers that people had before. (spec/delivery.md, "Changed numbers") */
import type { Couplet } from '@couplet/client'
import { CommandError, codeOf } from './errors.ts'

/** The error, in better words when nobody has the number any more because a contact has another one. */
export async function explained(couplet: Couplet, phone: string, error: unknown): Promise<unknown> {
  if (codeOf(error) !== 'unknown-recipient') return error
  const moved = (await couplet.contacts()).find(({ formerPhone }) => formerPhone === phone)
  if (!moved) return error
  const sentence = `nobody has ${phone} any more: it is ${moved.phone} now, the same person.`
  return new CommandError('unknown-recipient', sentence, { cause: error })
}
