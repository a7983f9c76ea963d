/** Of the client: what it remembers, whom it believes, and who gets what. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const CLIENT_MUTANTS: readonly Mutant[] = [
  mutant(
    'client: handshakes are not remembered',
    [SOURCE.inbox, '      await tables.rememberHandshake(session.handshakeHash, prekeys.id)\n', ''],
    [TEST.clientAttacks, 'after its session was archived'],
  ),
  mutant(
    'client: a handshake that is known begins a session all the same',
    [SOURCE.inbox, "    if (isReplay) return nack('late')\n", ''],
    [TEST.clientAttacks, 'after its session was archived'],
  ),
  mutant(
    'client: handshakes are remembered until the end of the process',
    [
      SOURCE.tables,
      "return (await this.#tx.get('handshakes', toHex(hash))) !== undefined",
      'const all = ((globalThis as { known?: Set<string> }).known ??= new Set())\n' +
        '    return all.has(toHex(hash))',
    ],
    [TEST.clientAttacks, 'after its session was archived'],
  ),
  mutant(
    'client: what was received is not known again',
    [SOURCE.inbox, 'if (known) {', 'if (known && known.contact < 0) {'],
    [TEST.clientAttacks, 'acknowledged again after a restart'],
  ),
  mutant(
    'client: private prekeys are kept for ever',
    [SOURCE.rotation, 'now - retiredAt >= PREKEY_RETENTION_MS', 'now < retiredAt'],
    [TEST.clientAttacks, 'when its prekeys are destroyed'],
  ),
  mutant(
    'client: a session without proof is sent in, though the contact is verified',
    [SOURCE.reactions, ' || (session.unproven && verified)', ''],
    [TEST.clientAttacks, 'with a verified contact waits'],
  ),
  mutant(
    'client: an empty message goes out in a session without proof',
    [
      SOURCE.sealer,
      'if (!entry || mustWait(entry, contact)) return undefined',
      'if (!entry) return undefined',
    ],
    [TEST.clientAttacks, 'with a verified contact waits'],
  ),
  mutant(
    'client: a session without proof waits for unverified contacts, too',
    [SOURCE.reactions, 'session.unproven && verified', 'session.unproven || (verified && false)'],
    [TEST.clientAttacks, 'with a contact who was never verified'],
  ),
  mutant(
    'client: a replaced session is not shown',
    [
      SOURCE.inbox,
      "    if (result.replaced) tell.warning('session-replaced', result.contact)\n",
      '',
    ],
    [TEST.clientAttacks, 'with a contact who was never verified'],
  ),
  mutant(
    'client: any key that is there now is accepted',
    [
      SOURCE.contactBook,
      'if (!isNamed(before.changed ?? before.identity, shown)) throw keyChanged(phone)',
      '',
    ],
    [TEST.clientAttacks, 'with a verified contact waits'],
  ),
  mutant(
    'client: what was under way to the old key is sent again to the new one',
    [
      SOURCE.directory,
      "if (phase === 'held') continue",
      "if (phase === 'held' || phase === 'out') continue",
    ],
    [TEST.clientAttacks, 'though the server says that it was evicted'],
  ),
  mutant(
    'client: what was written for the old key and not yet sent goes to the new one',
    [
      SOURCE.directory,
      "if (phase === 'held') continue",
      "if (phase === 'held' || phase === 'fresh') continue",
    ],
    [TEST.clientAttacks, 'not sent before the change was seen'],
  ),
  mutant(
    'client: a verified contact’s new key is taken at once',
    [
      SOURCE.directory,
      'if (contact.verified) await tables.putContact(changed)',
      'if (contact.no < 0) await tables.putContact(changed)',
    ],
    [TEST.hostile, 'sending stops until the user decides'],
  ),
  mutant(
    'client: a changed key is not shown',
    [SOURCE.directory, "if (changed) tell.warning('key-changed', changed)", ''],
    [TEST.hostile, 'to somebody never verified'],
  ),
  mutant(
    'client: the server may answer for another number',
    [
      SOURCE.directory,
      'if (identity.record.phone !== phone) {',
      'if (identity.record.phone === undefined) {',
    ],
    [TEST.clientAttacks, 'with somebody else'],
  ),
  mutant(
    'client: the number in a caller’s record is believed',
    [
      SOURCE.inbox,
      'if (!(await this.#isRegistered(accepted)))',
      'if (accepted.content.sequence < 0)',
    ],
    [TEST.hostile, 'claims another number'],
  ),
  mutant(
    'client: any receipt is believed',
    [
      SOURCE.reactions,
      'equalBytes(word.receipt, sent.receipt)',
      'word.receipt.length === sent.receipt.length',
    ],
    [TEST.hostile, 'made-up receipt is not believed'],
  ),
  mutant(
    'client: a message is shown as often as it comes',
    [
      SOURCE.inbox,
      'const isNew = !(await tables.isSeenMessage(contact.no, messageId))',
      'const isNew = true',
    ],
    [TEST.hostile, 'made-up receipt is not believed'],
  ),
  mutant(
    'client: a session is replaced as often as the server likes',
    [
      SOURCE.opener,
      'return within(HOUR_MS) === 0 && within(DAY_MS) < REPLACEMENTS_PER_DAY',
      'return within(HOUR_MS) >= 0 && within(DAY_MS) >= 0 && REPLACEMENTS_PER_DAY > 0',
    ],
    [TEST.deliveryRules, 'a session is replaced at most'],
  ),
  mutant(
    'client: which prekeys were seen is forgotten',
    [
      SOURCE.opener,
      'Math.max(contact.highestPrekeyId, session.handshake?.prekeyId ?? 0)',
      'contact.highestPrekeyId',
    ],
    [TEST.deliveryRules, 'prekeys with a lower number'],
  ),
  mutant(
    'client: strangers get receipts',
    [
      SOURCE.inbox,
      'return accepted && !blocked && !changed',
      'return (accepted || !blocked) && !changed',
    ],
    [TEST.people, 'no receipt goes out before it is accepted'],
  ),
  mutant(
    'client: who is blocked gets receipts',
    [SOURCE.inbox, 'return accepted && !blocked && !changed', 'return accepted && !changed'],
    [TEST.people, 'is shown no receipt'],
  ),
]
