/** Errors of the command line itself, and how to look into those of the SDK without loading it. */

/** The command line is wrong: exit code 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'usage'
}

/** A failure with a code from `exit-codes.ts`; the message is a whole sentence for the user. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}

/** The user or the system asked the program to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: string

  constructor(signal: string) {
    super(`stopped by ${signal}`)
    this.signal = signal
  }
}

/** Whoever read our output has gone away: nothing more to say to them. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

/** The stable code of any error. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'internal'
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return 'internal'
  if (FILE_SYSTEM_CODES.has(code)) return 'cannot-write'
  // Codes of the platform (ERR_…) are no codes of ours.
  return /^[a-z-]+$/.test(code) ? code : 'internal'
}

/** `retryAfter` and `triesLeft`, where the error has them. */
export function detailsOf(error: unknown): { retryAfter?: number; triesLeft?: number } {
  return (error as { details?: { retryAfter?: number; triesLeft?: number } } | null)?.details ?? {}
}

const FILE_SYSTEM_CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'EDQUOT',
  'EEXIST',
  'EISDIR',
  'EMFILE',
  'ENOENT',
  'ENOSPC',
  'ENOTDIR',
  'EPERM',
  'EROFS',
])
