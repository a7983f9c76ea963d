/**
 * One exit code for each kind of failure, after sysexits where it has a fitting one. The table in
 * docs/command-line.md and `couplet help exit-codes` say the same; a test compares them.
 */
import type { ClientErrorCode, Failure } from '@couplet/client'

export interface ExitCode {
  readonly exit: number
  /** The code that `--json` shows. */
  readonly code: string
  readonly meaning: string
}

export const EXIT_CODES: readonly ExitCode[] = [
  { exit: 0, code: 'ok', meaning: 'Everything was done.' },
  { exit: 64, code: 'usage', meaning: 'The command line is wrong.' },
  { exit: 65, code: 'invalid-phone-number', meaning: 'That is not a phone number that can exist.' },
  { exit: 66, code: 'not-registered', meaning: 'This home has no registered identity.' },
  { exit: 67, code: 'unknown-recipient', meaning: 'Nobody is registered under that number.' },
  { exit: 69, code: 'unreachable', meaning: 'The server does not answer. Nothing is lost.' },
  { exit: 70, code: 'internal', meaning: 'A defect, of this program or of the server.' },
  { exit: 73, code: 'cannot-write', meaning: 'A file or folder cannot be read or written.' },
  { exit: 74, code: 'unreadable-home', meaning: 'The home is damaged or from a newer version.' },
  { exit: 75, code: 'rate-limited', meaning: 'Too often. Try again after the time that is given.' },
  { exit: 76, code: 'unexpected-answer', meaning: 'The server breaks the protocol.' },
  {
    exit: 77,
    code: 'unauthenticated',
    meaning: 'The server does not know this identity any more.',
  },
  { exit: 78, code: 'passphrase-required', meaning: 'The home has a passphrase; none was given.' },
  { exit: 79, code: 'wrong-passphrase', meaning: 'The passphrase does not open the home.' },
  { exit: 80, code: 'wrong-code', meaning: 'The code is not the one that was sent.' },
  { exit: 81, code: 'registration-expired', meaning: 'The code is too old: ask for a new one.' },
  { exit: 82, code: 'too-many-attempts', meaning: 'All tries are used up: ask for a new code.' },
  { exit: 83, code: 'no-registration', meaning: 'No registration waits for its code.' },
  { exit: 84, code: 'already-registered', meaning: 'This home has an identity already.' },
  { exit: 85, code: 'home-locked', meaning: 'Another process has this home open.' },
  { exit: 86, code: 'message-too-long', meaning: 'The text is longer than a message can be.' },
  { exit: 87, code: 'key-changed', meaning: 'The contact has a new key; you have to decide.' },
  { exit: 88, code: 'timed-out', meaning: 'It took longer than `--timeout`. Nothing is lost.' },
  { exit: 89, code: 'untrusted-answer', meaning: "The server's answer about somebody is forged." },
  { exit: 90, code: 'code-not-sent', meaning: 'The server could not send the code.' },
  { exit: 91, code: 'closed', meaning: 'Another connection of this identity took over.' },
  { exit: 92, code: 'mismatch', meaning: 'The compared digits are not those of the contact.' },
  { exit: 93, code: 'no-request', meaning: 'Nobody waits for a decision under that number.' },
  { exit: 94, code: 'registration-closed', meaning: 'This number may not register there.' },
  { exit: 95, code: 'registration-locked', meaning: 'The number has a PIN: none, or a wrong one.' },
  { exit: 96, code: 'client-too-old', meaning: 'The server asks for a newer Couplet.' },
  { exit: 97, code: 'home-moved', meaning: 'This home was exported and is elsewhere now.' },
  { exit: 98, code: 'export-unfinished', meaning: 'An export was interrupted: repeat it.' },
  { exit: 99, code: 'unreadable-export', meaning: 'The file to import is damaged or no export.' },
  { exit: 100, code: 'busy', meaning: 'Another program reads the messages of this daemon.' },
  { exit: 101, code: 'no-keyring', meaning: 'The keyring of this machine cannot be used.' },
]

/** The exit code for an error's code; 70 for one that nobody foresaw. */
export function exitCodeFor(code: string): number {
  const name = ALIASES[code as ClientErrorCode | Failure] ?? code
  return EXIT_CODES.find((entry) => entry.code === name)?.exit ?? INTERNAL
}

/** After a signal, as shells have it: 128 and the signal's number. */
export const INTERRUPTED: Readonly<Record<string, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
}

const INTERNAL = 70

/** Codes of the server whose difference means nothing to somebody at a command line. */
const ALIASES: { readonly [code in ClientErrorCode | Failure]?: string } = {
  expired: 'timed-out',
  unavailable: 'unreachable',
  'too-large': 'message-too-long',
  malformed: 'unexpected-answer',
  'not-found': 'unexpected-answer',
  'stale-prekeys': 'unexpected-answer',
  'invalid-identity': 'unexpected-answer',
}
