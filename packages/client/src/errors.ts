/**
 * Errors of the SDK: one class, stable codes. A code exists when a caller would act differently.
 * The command line gives each its own exit code (docs/command-line.md).
 */
import { ERROR_CODES, type ErrorCode, type ErrorDetails } from '@couplet/wire'

export type ClientErrorCode =
  /** Codes of the server are passed on as they are. */
  | ErrorCode
  /** The server does not answer: nothing was lost, try again. */
  | 'unreachable'
  /** The server answers something that the protocol does not allow. */
  | 'unexpected-answer'
  | 'timed-out'
  /** This home has no registered identity. */
  | 'not-registered'
  /** This home has an identity already. */
  | 'already-registered'
  /** No registration is waiting for its code. */
  | 'no-registration'
  /** Another process has this home open. */
  | 'home-locked'
  /** The home's data cannot be opened with this passphrase. */
  | 'wrong-passphrase'
  | 'passphrase-required'
  /** The home's data is damaged or from a newer version. */
  | 'unreadable-home'
  /** This home was exported, and is not here any more. */
  | 'home-moved'
  /** An export of this home was begun and not finished: repeat it, or take it back. */
  | 'export-unfinished'
  /** A file that is to be imported is damaged, cut off, from a newer version, or no such file. */
  | 'unreadable-export'
  /** The contact's key changed, and the user has not decided yet. */
  | 'key-changed'
  /** The text is longer than a message can be. */
  | 'message-too-long'
  /** The server's answer about somebody does not verify. */
  | 'untrusted-answer'
  /** This client was closed, or another connection of this identity took over. */
  | 'closed'

export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  readonly details: ErrorDetails

  constructor(
    code: ClientErrorCode,
    message: string,
    options: ErrorOptions & { readonly details?: ErrorDetails } = {},
  ) {
    super(message, options)
    this.code = code
    this.details = options.details ?? {}
  }
}

/** Whether the server, or the way to it, is the cause; otherwise this device is. */
export function isFaultOfServer(error: unknown): error is ClientError {
  return error instanceof ClientError && !LOCAL_FAULTS.has(error.code)
}

const LOCAL_FAULTS: ReadonlySet<ClientErrorCode> = new Set([
  'unreadable-home',
  'home-locked',
  'home-moved',
  'export-unfinished',
  'unreadable-export',
])

/** Whether the code is one that the server gave. */
export function isServerCode(code: ClientErrorCode): code is ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(code)
}
