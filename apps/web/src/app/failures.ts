/** What went wrong, in words for people. Every error of the SDK has a code; a code is no sentence. */
import type { Key, Words } from '../i18n/index.ts'
import { duration } from '../i18n/time.ts'

export interface Failure {
  readonly code: string
  readonly retryAfterMs?: number
  readonly triesLeft?: number
}

/** Takes apart whatever was thrown. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'unknown' }
  const { code, details } = error as Error & {
    code?: unknown
    details?: { readonly retryAfter?: number; readonly triesLeft?: number }
  }
  return {
    code: typeof code === 'string' ? code : error.name,
    ...(details?.retryAfter !== undefined && { retryAfterMs: details.retryAfter * 1000 }),
    ...(details?.triesLeft !== undefined && { triesLeft: details.triesLeft }),
  }
}

export function sentenceFor(words: Words, failure: Failure, language: string): string {
  const { code, retryAfterMs } = failure
  if (code === 'rate-limited') {
    return retryAfterMs === undefined
      ? words('error.rate-limited.later')
      : words('error.rate-limited', { time: duration(retryAfterMs, language) })
  }
  const key = SENTENCES[code]
  return key ? words(key as 'error.unreachable') : words('error.unknown', { code })
}

const SENTENCES: Readonly<Record<string, Key>> = {
  unreachable: 'error.unreachable',
  unavailable: 'error.unreachable',
  internal: 'error.unreachable',
  'timed-out': 'error.timed-out',
  'too-many-attempts': 'error.too-many-attempts',
  'registration-expired': 'error.registration-expired',
  'no-registration': 'error.registration-expired',
  'code-not-sent': 'error.code-not-sent',
  'invalid-phone-number': 'error.invalid-phone-number',
  'unknown-recipient': 'error.unknown-recipient',
  'untrusted-answer': 'error.untrusted-answer',
  'key-changed': 'error.key-changed',
  'message-too-long': 'error.message-too-long',
  unauthenticated: 'error.unauthenticated',
  'unreadable-export': 'error.unreadable-export',
  'already-registered': 'error.already-registered',
  'registration-closed': 'error.registration-closed',
  'client-too-old': 'error.client-too-old',
  'home-locked': 'error.home-locked',
  closed: 'error.home-locked',
  'unexpected-answer': 'error.unexpected-answer',
}
