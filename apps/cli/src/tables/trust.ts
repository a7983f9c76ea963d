/** Whom to trust, and how things stand. */
import { COMMON, type Command, NUMBER } from '../command.ts'

export const TRUST: readonly Command[] = [
  {
    name: 'verify',
    group: 'Trust',
    summary: 'Show the safety number with somebody',
    operands: [NUMBER],
    options: ['compare', 'mark', 'unmark', 'timeout', ...COMMON],
    description: [
      'Sixty digits that are the same at both ends, unless somebody is in between. Compare them face to face or on a call, then run it again with --mark. At a terminal there is a QR code too, for the other device to scan.',
      'With --compare, the digits that the other device shows are compared here, and the contact is marked as verified if they match.',
    ],
    examples: [
      { command: 'couplet verify +12025550102', says: 'show' },
      { command: 'couplet verify +12025550102 --mark', says: 'we compared: they match' },
      {
        command:
          'couplet verify +12025550102 --compare "69594 16814 34868 86587 88626 14897 29840 79303 10536 05118 88054 66987"',
        says: 'compare what was pasted',
      },
    ],
    load: () => import('../commands/verify.ts'),
  },
  {
    name: 'contacts',
    group: 'Trust',
    summary: 'List the people you have keys of; accept a changed key; block',
    operands: [
      { name: 'ACTION', optional: true, values: ['accept', 'block', 'unblock'] },
      { name: 'NUMBER', optional: true },
    ],
    options: COMMON,
    description: [
      'When somebody registers again (a new phone, or somebody in between) their key changes, and nothing is sent to them until you decide. “contacts accept” is that decision: from now on the number is the new key. Verify the safety number first.',
      'Nothing of a blocked contact is shown, and no receipt goes there.',
    ],
    examples: [
      { command: 'couplet contacts', says: 'everybody' },
      { command: 'couplet contacts accept +12025550102', says: 'go on with the new key' },
      { command: 'couplet contacts block +12025550102', says: 'hear no more from there' },
    ],
    load: () => import('../commands/contacts.ts'),
  },
  {
    name: 'requests',
    group: 'Trust',
    summary: 'Strangers who wrote: accept or block them',
    operands: [
      { name: 'ACTION', optional: true, values: ['accept', 'block'] },
      { name: 'NUMBER', optional: true },
    ],
    options: ['timeout', ...COMMON],
    description: [
      'With “couplet settings strangers ask”, a first message from somebody unknown waits here. Its sender sees no receipt before you accept.',
    ],
    examples: [
      { command: 'couplet requests', says: 'who waits; at a terminal it asks what to do' },
      { command: 'couplet requests accept +12025550102', says: 'read what was written' },
      { command: 'couplet requests block +12025550102', says: 'hear no more from there' },
    ],
    load: () => import('../commands/requests.ts'),
  },
  {
    name: 'outbox',
    group: 'Look',
    summary: 'List messages that are not delivered yet',
    operands: [],
    options: ['flush', 'timeout', ...COMMON],
    description: [
      'A message stays in your outbox until the recipient’s device has proven that it has it. With --flush the command connects, sends what can be sent now, and says what happened.',
    ],
    examples: [
      { command: 'couplet outbox', says: 'look, without connecting' },
      { command: 'couplet outbox --flush', says: 'for a timer: every few minutes' },
    ],
    load: () => import('../commands/outbox.ts'),
  },
  {
    name: 'status',
    group: 'Look',
    summary: 'Who you are here, and whether the server answers',
    operands: [],
    options: ['timeout', ...COMMON],
    description: ['Shows your number, your server and what is in your home. Sends nothing.'],
    examples: [{ command: 'couplet status', says: '' }],
    load: () => import('../commands/status.ts'),
  },
]
