/**
 * What a program writes to its files, and when it makes the disk keep it: recorded by `strace`, so
 * that nothing of the program is replaced.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** In the order in which they came into effect. */
export type Effect =
  | {
      readonly kind: 'write'
      readonly file: string
      readonly position: number
      readonly bytes: Buffer
    }
  | { readonly kind: 'truncate'; readonly file: string; readonly length: number }
  /** What was written to this file before survives a loss of power. */
  | { readonly kind: 'sync'; readonly file: string }
  /** The program said a line on its standard output. */
  | { readonly kind: 'said'; readonly line: string }

/**
 * Runs a program to its end.
 *
 * @param folder - effects on files in it are recorded, under their path.
 * @throws {Error} when strace is missing, or the program writes in a way that is not known here.
 */
export function record(folder: string, program: readonly string[]): readonly Effect[] {
  const scratch = mkdtempSync(join(tmpdir(), 'couplet-strace-'))
  try {
    const trace = join(scratch, 'trace')
    const options = ['-f', '-y', '-xx', '-s', String(2 ** 24), '-e', `trace=${CALLS}`, '-o', trace]
    const { status, stderr } = spawnSync(strace(), [...options, '--', ...program], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`the recorded program ended with ${status}: ${stderr}`)
    return wholeCalls(readFileSync(trace, 'latin1')).flatMap((call) => effectsOf(call, folder))
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** Calls of threads that ran at the same time are written in two pieces. */
function wholeCalls(trace: string): readonly string[] {
  const begun = new Map<string, string>()
  const calls: string[] = []
  for (const line of trace.split('\n')) {
    const [, thread, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (!thread || !rest) continue
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    if (rest.endsWith('<unfinished ...>'))
      begun.set(thread, rest.slice(0, -'<unfinished ...>'.length))
    else calls.push(resumed ? (begun.get(thread) ?? '') + resumed[1]! : rest)
  }
  return calls
}

function effectsOf(call: string, folder: string): readonly Effect[] {
  const parsed = /^(\w+)\((\d+)<([^>]*)>(.*)\)\s+= (-?\d+)/.exec(call)
  if (!parsed) return []
  const [, name, descriptor, path, rest] = parsed as unknown as [
    string,
    string,
    string,
    string,
    string,
  ]
  const result = Number(parsed[5])
  const file = unescaped(path).toString()
  if (name === 'write' && descriptor === '1') {
    const lines = unescaped(rest).toString().split('\n')
    return lines.filter((line) => line !== '').map((line) => ({ kind: 'said', line }))
  }
  if (!file.startsWith(`${folder}/`) || file.endsWith('-shm')) return []
  if (result < 0) throw new Error(`a call failed while it was recorded: ${name}`)
  switch (name) {
    case 'pwrite64': {
      const position = lastNumber(rest)
      return [{ kind: 'write', file, position, bytes: unescaped(rest).subarray(0, result) }]
    }
    case 'ftruncate':
      return [{ kind: 'truncate', file, length: lastNumber(rest) }]
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', file }]
    default:
      throw new Error(`not known to the recording: ${name}`)
  }
}

function lastNumber(parameters: string): number {
  const [, digits] = /, (\d+)\s*$/.exec(parameters) ?? []
  if (digits === undefined) throw new Error('not known to the recording: a call without a number')
  return Number(digits)
}

/** Every byte is written as \x and two digits. */
function unescaped(text: string): Buffer {
  return Buffer.from((text.match(/\\x[0-9a-f]{2}/g) ?? []).join('').replaceAll('\\x', ''), 'hex')
}

function strace(): string {
  if (existsSync(STRACE)) return STRACE
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'strace']]) {
      spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env })
    }
    if (existsSync(STRACE)) return STRACE
  }
  throw new Error('needs strace (Linux): install the package strace')
}

const STRACE = '/usr/bin/strace'
const CALLS = 'write,writev,pwrite64,pwritev,pwritev2,ftruncate,fsync,fdatasync'
