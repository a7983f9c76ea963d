/** All of them. `npm run mutants` tries each out, `mutants.test.ts` holds the list to the code. */
import { CLIENT_MUTANTS } from './client.ts'
import { HANDSHAKE_MUTANTS } from './handshake.ts'
import { KEYS_MUTANTS } from './keys.ts'
import { MESSAGES_MUTANTS } from './messages.ts'
import type { Mutant } from './mutant.ts'
import { RATCHET_MUTANTS } from './ratchet.ts'
import { SERVER_MUTANTS } from './server.ts'
import { SESSIONS_MUTANTS } from './sessions.ts'
import { SIGNATURES_MUTANTS } from './signatures.ts'

export const MUTANTS: readonly Mutant[] = [
  ...MESSAGES_MUTANTS,
  ...KEYS_MUTANTS,
  ...HANDSHAKE_MUTANTS,
  ...RATCHET_MUTANTS,
  ...SESSIONS_MUTANTS,
  ...SIGNATURES_MUTANTS,
  ...CLIENT_MUTANTS,
  ...SERVER_MUTANTS,
]
