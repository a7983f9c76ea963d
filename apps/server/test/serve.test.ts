/** The program as its operator meets it: real processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
let folder = ''
let children: ChildProcess[] = []
/** What programs get besides. */
let environment: Record<string, string> = {}

beforeEach(() => {
  environment = {}
  folder = mkdtempSync(join(tmpdir(), 'couplet-serve-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

interface Program {
  readonly child: ChildProcess
  readonly output: () => string
  readonly saw: (pattern: RegExp) => Promise<RegExpMatchArray>
  readonly exitCode: Promise<number | null>
}

function run(...args: string[]): Program {
  const child = spawn(process.execPath, ['--conditions=source', MAIN, ...args], {
    env: { PATH: process.env.PATH, HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children = [...children, child]
  let output = ''
  let wake: (() => void) | undefined
  const collect = (text: Buffer): void => {
    output += String(text)
    wake?.()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const exitCode = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      resolve(code)
      wake?.()
    })
  })
  const saw = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      const match = pattern.exec(output)
      if (match) return match
      if (child.exitCode !== null) throw new Error(`ended without ${pattern}: ${output}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { child, output: () => output, saw, exitCode }
}

it('says where it listens, where its data is, how to get a code, and what to open', async () => {
  const program = run('--port', '0', '--data', folder)
  const [, url] = await program.saw(/^couplet: listening on (http:\/\/localhost:[0-9]+)$/m)
  await program.saw(/couplet: open/)
  expect(program.output()).toBe(
    [
      `couplet: listening on ${url}`,
      `couplet: data in ${folder}`,
      'couplet: codes appear here when somebody registers',
      `couplet: open ${url}`,
      '',
    ].join('\n'),
  )
  for (const address of [url!, url!.replace('localhost', '127.0.0.1')]) {
    expect((await fetch(`${address}/readyz`)).status).toBe(200)
  }
})

it.each(['SIGINT', 'SIGTERM'] as const)(
  'stops cleanly on %s, with 0, and starts again',
  async (signal) => {
    for (let time = 0; time < 2; time++) {
      const program = run('--port', '0', '--data', folder)
      await program.saw(/open http/)
      program.child.kill(signal)
      expect(await program.exitCode).toBe(0)
      expect(program.output()).toMatch(/couplet: stopping\n$/)
    }
  },
)

it('leaves the operator before the folder: whoever has it next listens at the same place', async () => {
  const program = run('--port', '0', '--data', folder, '--workers', '1')
  const [, port] = await program.saw(/listening on http:\/\/localhost:([0-9]+)$/m)
  await program.saw(/open http/)
  const path = join(folder, 'operator.sock')
  expect(existsSync(path)).toBe(true)
  // Half a request: the stop waits for the rest.
  const stranger = connectTcp(Number(port), '127.0.0.1')
  await new Promise<void>((resolve) => stranger.write('GET /livez HTTP/1.1\r\n', () => resolve()))
  stranger.on('error', () => {})
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
  program.child.kill('SIGTERM')
  await expect.poll(() => existsSync(path), { timeout: 10_000 }).toBe(false)
  expect(stranger.closed).toBe(false)
  stranger.destroy()
  expect(await program.exitCode).toBe(0)
})

/** Lets the thread of the store end at a signal. */
const FAILING = `process.on('worker', (thread) => process.on('SIGUSR2', () => thread.terminate()))`

it.each(['1', '2'])(
  '70: the store failed, with --workers %s; who asked is told, and the folder is free',
  async (workers) => {
    environment = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(FAILING)}` }
    const args = ['--port', '0', '--data', folder, '--workers', workers]
    const program = run(...args)
    await program.saw(/open http/)
    const operator = connectTcp(join(folder, 'operator.sock'))
    let answer = ''
    operator.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    const ended = once(operator, 'close')
    operator.write('{"method":"block","args":["+12025550101"]}\n')
    program.child.kill('SIGUSR2')
    await ended
    expect(answer).toMatch(/^\{"(?:value|error)":.*\}\n$/)
    expect(await program.exitCode).toBe(70)
    expect(program.output()).toMatch(/the store failed: .*start again/)
    expect(existsSync(join(folder, 'operator.sock'))).toBe(false)
    environment = {}
    const again = run(...args)
    await again.saw(/open http/)
    again.child.kill('SIGTERM')
    expect(await again.exitCode).toBe(0)
  },
)

describe('says what is wrong, with its own exit code', () => {
  it('64: the command line', async () => {
    const program = run('--port', 'x')
    expect(await program.exitCode).toBe(64)
    expect(program.output()).toBe(
      'couplet: --port must be a whole number from 0 to 65535, not "x"\n',
    )
  })

  it('69: the port is in use, and which setting changes it', async () => {
    const other = createTcpServer()
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve))
    const { port } = other.address() as { port: number }
    const program = run('--port', String(port), '--data', folder)
    expect(await program.exitCode).toBe(69)
    expect(program.output()).toMatch(/another program uses this port.*--port or COUPLET_PORT/)
    other.close()
  })

  it('69: no such address', async () => {
    const program = run(
      '--host',
      '192.0.2.1',
      '--public-url',
      'https://chat.example',
      '--allow-console-codes',
      '--port',
      '0',
      '--data',
      folder,
    )
    expect(await program.exitCode).toBe(69)
    expect(program.output()).toMatch(/--host or COUPLET_HOST/)
  })

  it('73: the data folder is a file, or another server has it', async () => {
    writeFileSync(join(folder, 'file'), '')
    const program = run('--port', '0', '--data', join(folder, 'file'))
    expect(await program.exitCode).toBe(73)
    expect(program.output()).toMatch(/--data or COUPLET_DATA/)

    const first = run('--port', '0', '--data', folder)
    await first.saw(/open http/)
    const second = run('--port', '0', '--data', folder)
    expect(await second.exitCode).toBe(73)
    expect(second.output()).toMatch(/another server is using this folder/)
  })

  it('78: codes would be printed in public', async () => {
    const program = run('--host', '0.0.0.0')
    expect(await program.exitCode).toBe(78)
  })

  it('0: help', async () => {
    const program = run('--help')
    expect(await program.exitCode).toBe(0)
    expect(program.output()).toMatch(/^Usage: couplet serve/)
  })
})
