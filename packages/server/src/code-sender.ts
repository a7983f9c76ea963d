/** Code senders for development: a box in the terminal, and lines in a file. */
import { open } from 'node:fs/promises'
import type { PhoneNumber } from '@couplet/wire'
import type { Clock, CodeSender } from './ports.ts'

/** Prints a box that nobody can miss. */
export function consoleCodeSender(write: (text: string) => void): CodeSender {
  return {
    development: true,
    send: async (phone, code) => write(box(phone, code)),
  }
}

/** Appends `{"phone":"+1…","code":"123456","at":"…"}` as one line; only its owner can read it. */
export function fileCodeSender(path: string, clock: Clock): CodeSender {
  return {
    development: true,
    async send(phone, code) {
      const at = new Date(clock.now()).toISOString()
      const file = await open(path, 'a', 0o600)
      try {
        await file.appendFile(`${JSON.stringify({ phone, code, at })}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
    },
  }
}

function box(phone: PhoneNumber, code: string): string {
  const lines = [`Code for ${phone}`, '', code, '', 'good for 10 minutes']
  const width = Math.max(...lines.map((line) => line.length)) + 8
  const row = (text: string): string => {
    const left = Math.floor((width - text.length) / 2)
    return `  ┃${' '.repeat(left)}${text}${' '.repeat(width - text.length - left)}┃`
  }
  const edge = '━'.repeat(width)
  return ['', `  ┏${edge}┓`, ...['', ...lines, ''].map(row), `  ┗${edge}┛`, '', ''].join('\n')
}
