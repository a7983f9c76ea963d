/** What was accepted survives `kill -9`; a store that is gone stops the server. (delivery.md) */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, it } from 'vitest'
import {
  connect,
  dataFolder,
  envelope,
  freshBytes,
  idOf,
  makeIdentity,
  openRegistration,
  register,
  startServer,
  type TestServer,
  verifyCode,
} from './support.ts'

let folder = ''
let child: ChildProcess | undefined

afterEach(() => {
  child?.kill('SIGKILL')
  if (folder) rmSync(folder, { recursive: true })
  folder = ''
})

/** Starts a real process and gives what tests need of a server. */
async function startChild(port = 0): Promise<TestServer> {
  folder ||= dataFolder()
  const script = fileURLToPath(new URL('./server.child.ts', import.meta.url))
  const args = ['--conditions=source', script, folder, String(port), String(CHECKPOINT_MS)]
  child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const codes = new Map<string, string[]>()
  const listening = Promise.withResolvers<number>()
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    for (const [, phone, code] of text.matchAll(/code (\S+) (\d+)/g)) {
      codes.set(phone!, [...(codes.get(phone!) ?? []), code!])
    }
    const match = /port (\d+)/.exec(text)
    if (match) listening.resolve(Number(match[1]))
  })
  const taken = await listening.promise
  const url = `http://localhost:${taken}`
  const name = `localhost:${taken}`
  return { url, name, port: taken, codes, failed: new Promise(() => {}), close: async () => {} }
}

/** Short, so that the log is emptied, or cannot be, while a test looks. */
const CHECKPOINT_MS = 200

async function kill(): Promise<void> {
  const gone = once(child!, 'exit')
  child!.kill('SIGKILL')
  await gone
}

it('kill -9 right after "stored": every message is delivered after the restart, six times over', async () => {
  let server = await startChild()
  const ana = await register(server, '+12025550101')
  const ben = await register(server, '+12025550102')
  for (let round = 0; round < 6; round++) {
    const anas = await connect(server, ana)
    const messages = [envelope(), envelope()]
    const refs = messages.map((one) => anas.putting(ben, one))
    for (const ref of refs) expect(await anas.outcome(ref)).toEqual({ kind: 'stored' })
    await kill()
    server = await startChild(server.port)
    const bens = await connect(server, ben)
    await bens.take('caught-up')
    const delivered = bens.frames.flatMap((one) => (one.type === 'deliver' ? [one.envelope] : []))
    expect(delivered).toEqual(messages)
    for (const one of messages) await bens.ack(idOf(one), freshBytes(32))
    await bens.close()
  }
}, 120_000)

it('kill -9 in the middle of a burst: what was answered "stored" and not evicted is there', async () => {
  let server = await startChild()
  const ana = await register(server, '+12025550101')
  const ben = await register(server, '+12025550102')
  const anas = await connect(server, ana)
  const messages = Array.from({ length: 500 }, () => envelope())
  for (const one of messages) anas.putting(ben, one)
  await anas.outcome(40)
  await kill()
  await anas.closed
  const answered = anas.frames.filter(({ type }) => type === 'put-result').length
  expect(answered).toBeGreaterThan(0)

  server = await startChild(server.port)
  const bens = await connect(server, ben)
  await bens.take('caught-up')
  const order = messages.map((one) => Buffer.from(one).toString('base64'))
  const waiting = bens.frames
    .flatMap((one) =>
      one.type === 'deliver' ? [Buffer.from(one.envelope).toString('base64')] : [],
    )
    .map((one) => order.indexOf(one))
  // Two in a row, and nothing that was promised later than they are.
  expect(waiting).toHaveLength(2)
  expect(waiting[1]).toBe(waiting[0]! + 1)
  expect(waiting[1]).toBeGreaterThanOrEqual(answered)
}, 60_000)

it.runIf(process.platform === 'linux')(
  'a full disk: what cannot be kept is refused, what was kept stays, and with room it goes on',
  async () => {
    let server = await startChild()
    const ana = await register(server, '+12025550101')
    const ben = await register(server, '+12025550102')
    const anas = await connect(server, ana)
    const [kept, refused] = [envelope(), envelope()]
    expect(await anas.outcome(anas.putting(ben, kept))).toEqual({ kind: 'stored' })
    // No file may grow beyond its first byte: the kernel refuses every write behind it.
    limitFiles('1')
    const ref = anas.putting(ben, refused)
    expect(await anas.take('error')).toMatchObject({ ref, code: 'unavailable', retryAfter: 5 })
    // The log cannot be emptied either, and that must not end the server.
    await new Promise((resolve) => setTimeout(resolve, 3 * CHECKPOINT_MS))
    expect(child!.exitCode).toBeNull()
    limitFiles('unlimited')
    expect(await anas.outcome(anas.putting(ben, refused))).toEqual({ kind: 'stored' })
    await kill()
    server = await startChild(server.port)
    const bens = await connect(server, ben)
    await bens.take('caught-up')
    const delivered = bens.frames.flatMap((one) => (one.type === 'deliver' ? [one.envelope] : []))
    expect(delivered).toEqual([kept, refused])
  },
  60_000,
)

/** Of the server's process, with prlimit(1). */
function limitFiles(bytes: string): void {
  execFileSync('prlimit', ['--pid', String(child!.pid), `--fsize=${bytes}:unlimited`])
}

it('a registration that was open survives, and so does its code', async () => {
  let server = await startChild()
  const ana = makeIdentity('+12025550101')
  const opened = await openRegistration(server, ana)
  const code = server.codes.get(ana.phone)!.at(-1)!
  await kill()
  server = await startChild(server.port)
  expect((await verifyCode(server, ana, opened, code)).status).toBe(200)
}, 60_000)

it('a store thread that dies stops the server, which says so', async () => {
  folder = dataFolder()
  const started = once(process, 'worker')
  const server = await startServer({ data: folder })
  const [thread] = (await started) as [Worker]
  const ana = await register(server, '+12025550101')
  const anas = await connect(server, ana)
  await thread.terminate()
  expect((await server.failed).message).toMatch(/store thread ended/)
  await anas.closed
  await expect(fetch(`${server.url}/livez`)).rejects.toThrow()
  await server.close()
})
