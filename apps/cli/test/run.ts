/** Runs the program in this process, with streams that remember what was written. */
import { PassThrough, Readable, Writable } from 'node:stream'
import { runCli } from '../src/cli.ts'
import type { Environment } from '../src/context.ts'

export interface Outcome {
  readonly exit: number
  readonly output: string
  readonly errors: string
}

export async function run(
  words: readonly string[],
  environment: Environment = {},
  input = '',
): Promise<Outcome> {
  const output = recorder()
  const errors = recorder()
  const streams = {
    input: input === '' ? new PassThrough().end() : Readable.from([Buffer.from(input)]),
    output,
    errors,
  }
  const exit = await runCli(words, environment, streams)
  return { exit, output: output.text(), errors: errors.text() }
}

function recorder(): Writable & { text(): string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString() })
}
