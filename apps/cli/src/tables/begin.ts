/** To begin with. */
import { COMMON, type Command } from '../command.ts'

export const BEGIN: readonly Command[] = [
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
    load: () => import('../commands/register.ts'),
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
    load: () => import('../commands/demo.ts'),
  },
]
