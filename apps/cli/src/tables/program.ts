/** For programs and shells, and help. */
import { COMMON, type Command } from '../command.ts'

export const PROGRAM: readonly Command[] = [
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
    load: () => import('../commands/daemon.ts'),
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
    load: () => import('../commands/completion.ts'),
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
    load: () => import('../commands/help.ts'),
  },
]
