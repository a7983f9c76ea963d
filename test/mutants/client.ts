/** Of the client: what it remembers, whom it believes, and who gets what. */
import { type Edit, type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

/** A second look, when a message is sealed, that it is for whom it was written for. */
const SEALED_FOR_ANYBODY: Edit = {
  file: SOURCE.sealer,
  find: 'if (message && !isWrittenFor(contact, message.value)) {',
  replace: 'if (message && !isWrittenFor(contact, message.value) && !contact.identity) {',
}

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
  {
    name: 'client: what was under way to the old key is sent again to the new one',
    edits: [
      {
        file: SOURCE.held,
        find: "if (phase === 'held') continue",
        replace: "if (phase === 'held' || phase === 'out') continue",
      },
      SEALED_FOR_ANYBODY,
    ],
    killedBy: [TEST.clientAttacks, 'though the server says that it was evicted'],
  },
  {
    name: 'client: what was written for the old key and not yet sent goes to the new one',
    edits: [
      {
        file: SOURCE.held,
        find: "if (phase === 'held') continue",
        replace: "if (phase === 'held' || phase === 'fresh') continue",
      },
      SEALED_FOR_ANYBODY,
    ],
    killedBy: [TEST.clientAttacks, 'not sent before the change was seen'],
  },
  mutant(
    'client: a verified contact’s new key is taken at once',
    [
      SOURCE.directory,
      'contact.verified || (await isBlockedPerson(tables, identity))',
      'await isBlockedPerson(tables, identity)',
    ],
    [TEST.hostile, 'sending stops until the user decides'],
  ),
  mutant(
    'client: a changed key is not shown',
    [SOURCE.directory, "if (noted.changed) tell.warning('key-changed', noted.changed)", ''],
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
      'const isNew = !(await isSeen(tables, contact, messageId))',
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
      'return contact.accepted && !contact.blocked && !awaitsUser(contact)',
      'return (contact.accepted || !contact.blocked) && !awaitsUser(contact)',
    ],
    [TEST.people, 'no receipt goes out before it is accepted'],
  ),
  mutant(
    'client: who is blocked gets receipts',
    [
      SOURCE.inbox,
      'return contact.accepted && !contact.blocked && !awaitsUser(contact)',
      'return contact.accepted && !awaitsUser(contact)',
    ],
    [TEST.people, 'is shown no receipt'],
  ),

  // Changed numbers
  mutant(
    'numbers: of a session under a new number no proof is expected',
    [SOURCE.choice, 'former.length > 0 && !former.some(continues)', 'former === sessions'],
    [TEST.numberTrust, 'gets nothing after the contact has moved'],
  ),
  mutant(
    'numbers: what continues a session without proof has one',
    [SOURCE.choice, 'continued.every(({ unproven }) => unproven)', 'false'],
    [TEST.choice, 'what continues one without proof'],
  ),
  mutant(
    'numbers: after this home has moved no proof is expected',
    [SOURCE.continuity, '  if (continuity) return [{ continuity }]\n', ''],
    [TEST.numberTrust, 'does not pass for the contact, after this home has moved'],
  ),
  mutant(
    'numbers: whoever writes without proof needs to be told nothing any more',
    [
      SOURCE.inbox,
      'announce: isPinned && !unproven ? undefined : contact.announce',
      'announce: undefined',
    ],
    [TEST.numberTrust, 'does not pass for the contact, after this home has moved'],
  ),
  mutant(
    'numbers: old reset keys prove for ever',
    [
      SOURCE.continuity,
      'for (const id of formerIds) {',
      'for (const id of formerIds.toReversed()) {',
    ],
    [TEST.numberTrust, 'proves nothing with the reset keys of before the last move'],
  ),
  mutant(
    'numbers: sessions from before a move live on',
    [SOURCE.inbox, '    await supersedeFormer(tables, after, opened.session)\n', ''],
    [TEST.numberTrust, 'proves nothing with the reset keys of before the last move'],
  ),
  mutant(
    'numbers: one who is blocked writes from another number',
    [
      SOURCE.inbox,
      '!known?.blocked && (await isBlockedPerson(tables, accepted.peer))',
      'known?.blocked === null',
    ],
    [TEST.numberTrust, 'is not told a new number that it writes to the old one for'],
  ),
  mutant(
    'numbers: one who is blocked is pinned to another contact’s number',
    [
      SOURCE.directory,
      'contact.verified || (await isBlockedPerson(tables, identity))',
      'contact.verified',
    ],
    [TEST.numberTrust, 'is not pinned to the number of another contact'],
  ),
  mutant(
    'numbers: whoever has a contact’s number now is told',
    [SOURCE.directory, '    announce: undefined,\n', ''],
    [TEST.numberTrust, 'who has a contact’s number now is not told'],
  ),
  mutant(
    'numbers: warnings of a change of number are lost',
    [
      SOURCE.numberChange,
      '    await inTransaction(store, (tables) => keepWarnings(tables, warnings))\n',
      '',
    ],
    [TEST.numberTrust, 'the user is warned of it afterwards'],
  ),
  mutant(
    'numbers: who has the old number is asked before the mailbox is read',
    [SOURCE.outbox, '      await caughtUp\n', ''],
    [TEST.numberTrust, 'a new number that waits in the mailbox counts'],
  ),
  mutant(
    'numbers: what is sent again tells the new number',
    [SOURCE.sealer, 'isResend ? announce : announce &&', 'announce &&'],
    [TEST.numberTrust, 'a full mailbox does not keep a contact from being told'],
  ),
  mutant(
    'numbers: a session with a former identity proves nothing',
    [
      SOURCE.continuity,
      '    lastUsed(former.filter(isEstablished)) ??\n    // Here nobody has answered yet, but the contact has what was said in it.\n    lastUsed(former)\n',
      '    undefined\n',
    ],
    [TEST.numberTrust, 'two verified ones prove themselves'],
  ),
  mutant(
    'numbers: who has only answered cannot prove itself',
    [
      SOURCE.continuity,
      'continuityOf(contact, entries) ?? lastUsed(entriesWith(entries, identity && toHex(identity.id)))',
      'continuityOf(contact, entries) ?? (identity ? undefined : lastUsed(entries))',
    ],
    [TEST.numberTrust, 'a contact that has only answered proves itself'],
  ),
  mutant(
    'numbers: receipts go to who has moved, before the decision',
    [
      SOURCE.inbox,
      'return contact.accepted && !contact.blocked && !awaitsUser(contact)',
      'return contact.accepted && !contact.blocked && !contact.changed',
    ],
    [TEST.numberTrust, 'gets no receipt under another number'],
  ),
  mutant(
    'numbers: receipts that were held go to who has moved, before the decision',
    [
      SOURCE.link,
      'if (!accepted || blocked || awaitsUser(contact)) continue',
      'if (!accepted || blocked || contact.changed) continue',
    ],
    [TEST.numberTrust, 'gets no receipt under another number'],
  ),
  mutant(
    'numbers: a decision about who has moved releases everything',
    [
      SOURCE.contactBook,
      'before.undecided && !before.changed ? before.formerIds : undefined',
      'undefined',
    ],
    [TEST.numberTrust, 'only what was written for whoever has moved'],
  ),
  mutant(
    'numbers: prekeys of a number that cannot be given back are kept',
    [SOURCE.housekeeping, '    await forgetFormerPrekeys(tables, now)\n', ''],
    [TEST.numberTrust, 'are destroyed after 48 hours'],
  ),
  mutant(
    'numbers: what has arrived is shown again under another name',
    [
      SOURCE.inbox,
      'const sameAs = await othersWithKeys(tables, before, accepted.peer)',
      'const sameAs = (await othersWithKeys(tables, before, accepted.peer)) && undefined',
    ],
    [TEST.numberTrust, 'is not shown again under another name'],
  ),
  mutant(
    'numbers: a session without proof stops those that have one',
    [
      SOURCE.reactions,
      'sessionToSendIn(proven) ?? sessionToSendIn(sessions)',
      'sessionToSendIn(sessions)',
    ],
    [TEST.numberTrust, 'gets nothing after the contact has moved'],
  ),
  mutant(
    'numbers: one to whom nothing was ever said is told',
    [
      SOURCE.numberChange,
      'const knowsUs = isKnown ||',
      'const knowsUs = isKnown || entries.length > 0 ||',
    ],
    [TEST.numberTrust, 'nobody is told to whom nothing was ever said'],
  ),
  mutant(
    'numbers: whoever writes with other keys needs to be told nothing any more',
    [SOURCE.inbox, 'announce: isPinned && !unproven ?', 'announce: !unproven ?'],
    [TEST.numberTrust, 'what others write from a contact’s number'],
  ),
  mutant(
    'numbers: a contact goes along with one who is blocked',
    [
      SOURCE.followed,
      '!before.contact.blocked && (await isBlockedPerson(tables, peer))',
      'before.createdAt < 0',
    ],
    [TEST.numberTrust, 'takes no contact along whose keys were taken for another’s'],
  ),
]
