/** Sending, receiving, a conversation. */
import { COMMON, type Command, NUMBER } from '../command.ts'

export const TALK: readonly Command[] = [
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
    load: () => import('../commands/send.ts'),
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
    load: () => import('../commands/receive.ts'),
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
    load: () => import('../commands/chat.ts'),
  },
]
