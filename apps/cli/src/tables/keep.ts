/** What this home is, does by itself, and becomes. */
import { COMMON, type Command } from '../command.ts'

export const KEEP: readonly Command[] = [
  {
    name: 'settings',
    group: 'Keep',
    summary: 'Receipts, strangers, and the timer of your messages',
    operands: [
      { name: 'NAME', optional: true, values: ['receipts', 'strangers', 'timer'] },
      { name: 'VALUE', optional: true, values: ['on', 'off', 'accept', 'ask', '1h', '1d', '1w'] },
    ],
    options: ['timeout', ...COMMON],
    description: [
      'receipts on|off: whether people see when their messages have arrived here. strangers accept|ask: whether a first message from somebody unknown is shown at once or waits in “couplet requests”. timer TIME|off: how long after it was sent or read both devices delete what you send.',
    ],
    examples: [
      { command: 'couplet settings', says: 'as they are' },
      { command: 'couplet settings strangers ask', says: '' },
      { command: 'couplet settings timer 1w', says: '' },
    ],
    load: () => import('../commands/settings.ts'),
  },
  {
    name: 'export',
    group: 'Keep',
    summary: 'Move this home into one encrypted file',
    operands: [{ name: 'FILE', optional: true }],
    options: ['yes', 'take-back', 'file-passphrase-file', ...COMMON],
    description: [
      'Your keys, people and messages go into a file with a passphrase of its own, and this home is emptied: moved, never copied, since two devices with the same keys would break both. If the file cannot be written, nothing has changed.',
    ],
    examples: [
      {
        command: 'couplet export couplet.export',
        says: 'then bring the file to the other machine',
      },
      { command: 'couplet export --take-back', says: 'it was interrupted, and shall not happen' },
    ],
    load: () => import('../commands/export.ts'),
  },
  {
    name: 'import',
    group: 'Keep',
    summary: 'Make a home from an exported file',
    operands: [{ name: 'FILE', question: 'File: ' }],
    options: ['file-passphrase-file', ...COMMON],
    description: ['Everything is as it was. Delete the file then: a home is imported once.'],
    examples: [{ command: 'couplet import couplet.export', says: '' }],
    load: () => import('../commands/import.ts'),
  },
  {
    name: 'change-number',
    group: 'Keep',
    summary: 'Go on under another number',
    operands: [{ name: 'NUMBER', question: 'Your new number, like +12025550151: ' }],
    options: ['code', 'tell', 'invitation', 'pin-file', 'timeout', ...COMMON],
    description: [
      'Your keys, people and messages stay; the old number is free. People learn the new one with your next message to them and go on with the same conversation, verified as before; until then what they send waits on their device. With --tell a short message tells everybody now.',
      'As with register, a code is sent to the new number; without a terminal it takes two steps. A PIN was one of the old number: set it anew.',
    ],
    examples: [
      { command: 'couplet change-number +12025550151', says: 'asks for the code' },
      {
        command: 'couplet change-number +12025550151 --code 123456 --tell',
        says: 'in a script, second step',
      },
    ],
    load: () => import('../commands/change-number.ts'),
  },
  {
    name: 'pin',
    group: 'Keep',
    summary: 'Guard your number with a PIN',
    operands: [{ name: 'ACTION', optional: true, values: ['set', 'remove'] }],
    options: ['pin-file', 'timeout', ...COMMON],
    description: [
      'A code sent to your number is enough to register it anew, unless it has a PIN. Whoever has ten wrong tries waits a day for the next. It ends when you have not connected for a week: a number that changed hands is not lost.',
    ],
    examples: [
      { command: 'couplet pin', says: 'whether there is one, and whether somebody tried' },
      { command: 'couplet pin set', says: 'asks for it twice' },
      { command: 'couplet pin set --pin-file ./pin', says: 'in a script' },
    ],
    load: () => import('../commands/pin.ts'),
  },
  {
    name: 'keyring',
    group: 'Keep',
    summary: 'Keep the passphrase of this home in the system’s keyring',
    operands: [{ name: 'ACTION', optional: true, values: ['store', 'forget'] }],
    options: COMMON,
    description: [
      'What is there opens this home without a question, for you and for programs that run as you. Needs secret-tool (package libsecret-tools) on Linux; on macOS it is the keychain.',
    ],
    examples: [
      { command: 'couplet keyring store', says: 'asks for the passphrase once more' },
      { command: 'couplet keyring forget', says: '' },
    ],
    load: () => import('../commands/keyring.ts'),
  },
  {
    name: 'delete-account',
    group: 'Keep',
    summary: 'Delete your account at the server',
    operands: [],
    options: ['yes', 'timeout', ...COMMON],
    description: [
      'The number is free, and what waits for you is gone. Your messages stay in this home until you delete its folder.',
    ],
    examples: [{ command: 'couplet delete-account', says: 'asks first' }],
    load: () => import('../commands/delete-account.ts'),
  },
]
