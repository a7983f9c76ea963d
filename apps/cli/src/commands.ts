/** Every command there is: what help says about it, what it takes, and where its code is. */
import type { Context } from './context.ts'
import type { OptionName } from './options.ts'

export interface Command {
  readonly name: string
  readonly group: 'Begin' | 'Talk' | 'Trust' | 'Look' | 'Keep' | 'Program' | 'Learn'
  readonly summary: string
  /** What stands after the options, as help shows it. */
  readonly operands: readonly Operand[]
  readonly options: readonly OptionName[]
  /** Paragraphs of `--help`. */
  readonly description: readonly string[]
  readonly examples: readonly Example[]
  /** The arguments go to another parser as they are. */
  readonly passThrough?: true
  /** Loads the code, which no other command pays for. */
  readonly load: () => Promise<{ run(context: Context): Promise<number> }>
}

export interface Operand {
  readonly name: string
  readonly optional?: true
  /** What it can be, for completion. */
  readonly values?: readonly string[]
  /** What somebody at a terminal is asked when it is missing. */
  readonly question?: string
}

export interface Example {
  readonly command: string
  readonly says: string
}

/** Options of every command that opens a home. */
const PASSPHRASE: readonly OptionName[] = ['passphrase-file', 'no-passphrase']
const COMMON: readonly OptionName[] = ['home', ...PASSPHRASE, 'json', 'quiet', 'help']
const NUMBER: Operand = { name: 'NUMBER', question: 'Number, like +12025550102: ' }

export const COMMANDS: readonly Command[] = [
  {
    name: 'register',
    group: 'Begin',
    summary: 'Make your keys and register your number',
    operands: [{ name: 'NUMBER', question: 'Your number, like +12025550101: ' }],
    options: ['server', 'code', 'invitation', 'pin-file', 'timeout', ...COMMON],
    description: [
      'Makes your keys on this machine, asks the server to send a six-digit code to your number, and finishes with it. A server in development mode prints the code in its own terminal.',
      'Without a terminal (in a script) it takes two steps: the first asks for the code, the second brings it.',
    ],
    examples: [
      { command: 'couplet register +12025550101', says: 'asks for the code' },
      {
        command: 'couplet --home ./ana register +12025550101 --server https://couplet.example.org',
        says: 'another home, another server',
      },
      { command: 'couplet register +12025550101 --code 123456', says: 'in a script, second step' },
    ],
    load: () => import('./commands/register.ts'),
  },
  {
    name: 'serve',
    group: 'Begin',
    summary: 'Run a server (serve --help lists its options)',
    operands: [],
    options: [],
    description: [],
    examples: [],
    passThrough: true,
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'store',
    group: 'Begin',
    summary: 'Make, check and fill the store of a cluster (store --help)',
    operands: [],
    options: [],
    description: [],
    examples: [],
    passThrough: true,
    load: () => import('./commands/store.ts'),
  },
  {
    name: 'backup',
    group: 'Begin',
    summary: 'Copy who is registered at a server (backup --help)',
    operands: [],
    options: [],
    description: [],
    examples: [],
    passThrough: true,
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'restore',
    group: 'Begin',
    summary: 'Make a server of such a copy',
    operands: [],
    options: [],
    description: [],
    examples: [],
    passThrough: true,
    load: () => import('./commands/restore.ts'),
  },
  {
    name: 'users',
    group: 'Begin',
    summary: 'List, block or remove people at a server of yours (users --help)',
    operands: [{ name: 'ACTION', values: ['list', 'block', 'unblock', 'remove'] }],
    options: [],
    description: [],
    examples: [],
    passThrough: true,
    load: () => import('./commands/users.ts'),
  },
  {
    name: 'invitations',
    group: 'Begin',
    summary: 'Let people register at a server of yours (invitations --help)',
    operands: [{ name: 'ACTION', values: ['create', 'list', 'revoke'] }],
    options: [],
    description: [],
    examples: [],
    passThrough: true,
    load: () => import('./commands/invitations.ts'),
  },
  {
    name: 'demo',
    group: 'Begin',
    summary: 'See it all in one minute: a server, two people, real processes',
    operands: [],
    options: ['fast', 'json', 'quiet', 'help'],
    description: [
      'Starts a server and two clients of their own in a temporary folder and plays the founding story: two people chat, one goes away, five messages are sent of which the server keeps two, and all five arrive in order, with proof. Every command is shown as you would type it.',
    ],
    examples: [
      { command: 'couplet demo', says: 'to read along' },
      { command: 'couplet demo --fast --json', says: 'as a self-test' },
    ],
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'send',
    group: 'Talk',
    summary: 'Send a message',
    operands: [NUMBER, { name: 'TEXT', optional: true }],
    options: ['wait', 'expires', 'timeout', ...COMMON],
    description: [
      'Takes the text from the command line, or from standard input when there is none. The message is kept in your outbox until the recipient’s device has proven that it has it: if the server is down, it is pending and goes out with the next command that connects.',
    ],
    examples: [
      { command: 'couplet send +12025550102 "Dinner at eight?"', says: 'until the server has it' },
      {
        command: 'couplet send +12025550102 "Yes." --wait delivered',
        says: 'until the other device has proven it',
      },
      {
        command: 'couplet send +12025550102 "The door code is 4711" --expires 1h',
        says: 'both devices delete it an hour after it was sent or read',
      },
      { command: 'df -h / | couplet send +12025550102', says: 'from a program' },
    ],
    load: () => import('./commands/send.ts'),
  },
  {
    name: 'receive',
    group: 'Talk',
    summary: 'Print what is waiting for you',
    operands: [],
    options: ['follow', 'timeout', ...COMMON],
    description: [
      'Prints every message that you have not seen, and acknowledges it. With --follow it stays and prints messages as they arrive, until Ctrl-C or --timeout.',
      'A message that could not be printed is printed the next time.',
    ],
    examples: [
      { command: 'couplet receive', says: 'what is waiting' },
      {
        command:
          'couplet receive --follow --json | while read -r line; do echo "$line" | jq -r \'.text\'; done',
        says: 'a bot begins like this',
      },
    ],
    load: () => import('./commands/receive.ts'),
  },
  {
    name: 'chat',
    group: 'Talk',
    summary: 'A live conversation, on the full screen',
    operands: [{ name: 'NUMBER', optional: true }],
    options: ['lines', 'timeout', ...COMMON],
    description: [
      'Shows the conversation above and what you type below, with the state of your messages in the margin. Enter sends, Alt-Enter breaks the line, PgUp and PgDn scroll, Ctrl-N shows other conversations, /help lists what else you can type; Ctrl-D ends it. Without a number it begins with the list of conversations.',
      'With --lines it prints line by line. Without a terminal, every line of standard input is a message, and the command ends when they are sent.',
    ],
    examples: [
      { command: 'couplet chat +12025550102', says: 'talk' },
      { command: 'printf "One\\nTwo\\n" | couplet chat +12025550102', says: 'two messages' },
    ],
    load: () => import('./commands/chat.ts'),
  },
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
    load: () => import('./commands/verify.ts'),
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
    load: () => import('./commands/contacts.ts'),
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
    load: () => import('./commands/requests.ts'),
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
    load: () => import('./commands/outbox.ts'),
  },
  {
    name: 'status',
    group: 'Look',
    summary: 'Who you are here, and whether the server answers',
    operands: [],
    options: ['timeout', ...COMMON],
    description: ['Shows your number, your server and what is in your home. Sends nothing.'],
    examples: [{ command: 'couplet status', says: '' }],
    load: () => import('./commands/status.ts'),
  },
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
    load: () => import('./commands/settings.ts'),
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
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'import',
    group: 'Keep',
    summary: 'Make a home from an exported file',
    operands: [{ name: 'FILE', question: 'File: ' }],
    options: ['file-passphrase-file', ...COMMON],
    description: ['Everything is as it was. Delete the file then: a home is imported once.'],
    examples: [{ command: 'couplet import couplet.export', says: '' }],
    load: () => import('./commands/import.ts'),
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
    load: () => import('./commands/delete-account.ts'),
  },
  {
    name: 'daemon',
    group: 'Program',
    summary: 'This home for programs: JSON-RPC on standard streams, a socket or HTTP',
    operands: [],
    options: ['socket', 'http', 'token-file', ...COMMON],
    description: [
      'Speaks JSON-RPC 2.0, one object a line, on standard streams until the input ends; or on a Unix socket, or on HTTP with server-sent events, until it is stopped. A received message is handed out until the program has acknowledged it, so that a crash loses none.',
    ],
    examples: [
      { command: 'couplet daemon', says: 'for a program that starts it' },
      { command: 'couplet daemon --socket ./couplet.sock', says: 'for several programs' },
      { command: 'couplet daemon --http 7583', says: 'POST /v1/rpc, GET /v1/events' },
    ],
    load: () => import('./commands/daemon.ts'),
  },
  {
    name: 'completion',
    group: 'Learn',
    summary: 'Complete commands and options in bash, zsh or fish',
    operands: [{ name: 'SHELL', values: ['bash', 'zsh', 'fish'] }],
    options: ['help'],
    description: [
      'Prints a script for your shell. To have it always, add the line of the example to ~/.bashrc or, after compinit, to ~/.zshrc; fish reads ~/.config/fish/completions/couplet.fish.',
    ],
    examples: [
      {
        command: 'eval "$(couplet completion bash)"',
        says: 'in ~/.bashrc, or with zsh in ~/.zshrc',
      },
      {
        command: 'couplet completion fish > ~/.config/fish/completions/couplet.fish',
        says: 'fish, once',
      },
    ],
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'help',
    group: 'Learn',
    summary: 'Help on a command, or on exit-codes, environment, states',
    operands: [{ name: 'TOPIC', optional: true, values: ['exit-codes', 'environment', 'states'] }],
    options: ['help'],
    description: [],
    examples: [
      { command: 'couplet help send', says: 'one command' },
      { command: 'couplet help exit-codes', says: 'for scripts' },
    ],
    load: () => import('./commands/help.ts'),
  },
]

export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}
