/**
 * Where words go. Standard output is data, standard error is talk; with `--json` both carry one
 * JSON object a line. Everything passes `sanitize` on its way, except what this program composed.
 */
import type { Readable, Writable } from 'node:stream'
import { styleText } from 'node:util'
import { OutputClosed } from './errors.ts'
import { safeJson, sanitizeLine } from './sanitize.ts'

type Style = Parameters<typeof styleText>[0]
type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

export interface Streams {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Output
  readonly errors: Output
}

export interface Terminal {
  readonly streams: Streams
  readonly json: boolean
  readonly quiet: boolean
  /** Somebody sits at the keyboard and can be asked. */
  readonly interactive: boolean
  /** Somebody reads the output. */
  readonly outputIsTerminal: boolean
  /**
   * Prints data. Resolves when it has left the program: what depends on having been printed waits.
   *
   * @throws {OutputClosed}
   */
  print(text: string): Promise<void>
  /** Prints one object, if `--json` was asked for; nothing otherwise. */
  printJson(value: Readonly<Record<string, unknown>>): Promise<void>
  /** The command's answer in words on standard output, unless asked to be quiet or to speak JSON. */
  answer(sentence: string): Promise<void>
  /** Talks on standard error, unless asked to be quiet or to speak JSON. */
  say(sentence: string): void
  /** Says what must not be missed. */
  warn(code: string, sentence: string): void
  /** Says why the command failed. */
  fail(code: string, sentence: string, details?: Readonly<Record<string, unknown>>): void
  /** Colours for standard output and standard error; none where they do not belong. */
  paint(style: Style, text: string): string
  paintTalk(style: Style, text: string): string
  /** Shows a spinner while it takes more than a moment. */
  during<T>(label: string, work: Promise<T>): Promise<T>
}

export function createTerminal(
  streams: Streams,
  options: { readonly json: boolean; readonly quiet: boolean },
): Terminal {
  const { input, output, errors } = streams
  const { json, quiet } = options
  const talk = (line: string): void => void errors.write(`${line}\n`)
  return {
    streams,
    json,
    quiet,
    interactive: input.isTTY === true && errors.isTTY === true && !json,
    outputIsTerminal: output.isTTY === true,
    print: (text) => write(output, `${text}\n`),
    printJson: (value) => (json ? write(output, `${safeJson(value)}\n`) : Promise.resolve()),
    answer: (sentence) => (quiet || json ? Promise.resolve() : write(output, `${sentence}\n`)),
    say(sentence) {
      if (!quiet && !json) talk(sentence)
    },
    warn(code, sentence) {
      if (json) talk(safeJson({ type: 'warning', code, message: sentence }))
      else talk(`${paint(errors, 'yellow', 'couplet:')} ${sanitizeLine(sentence)}`)
    },
    fail(code, sentence, details = {}) {
      if (json) talk(safeJson({ type: 'error', code, message: sentence, ...details }))
      else talk(`${paint(errors, 'red', 'couplet:')} ${sanitizeLine(sentence)}`)
    },
    paint: (style, text) => paint(output, style, text),
    paintTalk: (style, text) => paint(errors, style, text),
    async during(label, work) {
      const stop = errors.isTTY && !quiet && !json ? spin(errors, label) : () => {}
      try {
        return await work
      } finally {
        stop()
      }
    },
  }
}

function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => {
      if (!error) return resolve()
      const closed = ['EPIPE', 'ERR_STREAM_DESTROYED'].includes(
        (error as { code?: string }).code ?? '',
      )
      reject(closed ? new OutputClosed('the reader has gone', { cause: error }) : error)
    })
  })
}

/** styleText knows NO_COLOR and FORCE_COLOR, and whether the stream is a terminal. */
function paint(stream: Writable, style: Style, text: string): string {
  return styleText(style, text, { stream, validateStream: true })
}

function spin(errors: Output, label: string): () => void {
  let shown = 0
  let timer: NodeJS.Timeout | undefined
  const frame = (): void => {
    errors.write(`\r${SPINNER[shown++ % SPINNER.length]} ${label}\u001b[K`)
    timer = setTimeout(frame, 90)
    timer.unref()
  }
  timer = setTimeout(frame, SPINNER_AFTER_MS)
  timer.unref()
  return () => {
    clearTimeout(timer)
    if (shown > 0) errors.write('\r\u001b[K')
  }
}

const SPINNER_AFTER_MS = 300
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
