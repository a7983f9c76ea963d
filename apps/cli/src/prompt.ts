/** Questions to somebody at the keyboard, on standard error: standard output is data. */
import { createInterface, emitKeypressEvents } from 'node:readline'
import type { ReadStream } from 'node:tty'
import { Interrupted, UsageError } from './errors.ts'
import type { Streams } from './terminal.ts'

/** One line; Ctrl-C and Ctrl-D end the command. */
export function ask(streams: Streams, question: string): Promise<string> {
  const lines = createInterface({ input: streams.input, output: streams.errors, historySize: 0 })
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => reject(new Interrupted('SIGINT')))
    lines.once('close', () => reject(new UsageError('the input ended before there was an answer.')))
    lines.question(question, (answer) => resolve(answer.trim()))
  }).finally(() => lines.close()) as Promise<string>
}

/** A line that the screen does not show. */
export async function askHidden(streams: Streams, question: string): Promise<string> {
  const input = streams.input as ReadStream
  streams.errors.write(question)
  emitKeypressEvents(input)
  input.setRawMode(true)
  input.resume()
  let typed = ''
  try {
    return await new Promise((resolve, reject) => {
      input.on('keypress', onKey)
      function onKey(text: string | undefined, { name, ctrl }: Key): void {
        if (ctrl && name === 'c') end(() => reject(new Interrupted('SIGINT')))
        else if (name === 'return' || name === 'enter' || (ctrl && name === 'd')) {
          end(() => resolve(typed))
        } else if (ctrl && name === 'u') typed = ''
        else if (name === 'backspace') typed = Array.from(typed).slice(0, -1).join('')
        else if (text !== undefined && !ctrl && text >= ' ') typed += text
      }
      function end(settle: () => void): void {
        input.off('keypress', onKey)
        settle()
      }
    })
  } finally {
    input.setRawMode(false)
    input.pause()
    streams.errors.write('\n')
  }
}

interface Key {
  readonly name?: string
  readonly ctrl?: boolean
}
