/**
 * What was answered `stored` survives a loss of power (delivery.md): a real server writes to a disk that
 * records, and the disk is put together again as at many moments of its past, with what nobody had waited for
 * there, gone, or there in parts.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeServerFrame, type PhoneNumber, toHex } from '@couplet/wire'
import { afterEach, expect, it } from 'vitest'
import { embeddedStore } from '../../src/embedded-store.ts'
import { connect, envelope, idOf, makeIdentity, type TestIdentity } from '../support.ts'
import { compileRecorder, RecordedDisk, type Survives } from './recorded-disk.ts'

const SENDERS = 8
const RECIPIENTS = 1600
const CUTS = 90
/** Often, so that the log is emptied many times while messages come. */
const CHECKPOINT_MS = 40

/** An envelope that was answered `stored` when the journal had this length. */
interface Promised {
  readonly id: string
  readonly position: number
}

let folder = ''
let child: ChildProcess | undefined

afterEach(() => {
  child?.kill('SIGKILL')
  if (folder) rmSync(folder, { recursive: true })
})

it.runIf(process.platform === 'linux')(
  'of messages that were answered "stored" none is lost with the power, whenever it fails',
  async () => {
    folder = mkdtempSync(join(tmpdir(), 'couplet-power-'))
    const [data, before, after] = ['data', 'before', 'after'].map((name) => join(folder, name))
    const journal = join(folder, 'journal')
    const people = Array.from({ length: SENDERS + RECIPIENTS }, (_, number) =>
      makeIdentity(`+1202${5_550_000 + number}`),
    )
    await register(data!, people)
    cpSync(data!, before!, { recursive: true })

    const promised = await sendToAll(await start(data!, journal), people, journal)
    child!.kill('SIGKILL')
    await once(child!, 'exit')
    expect(promised).toHaveLength(2 * RECIPIENTS)

    const disk = new RecordedDisk(before!, readFileSync(journal))
    let kept = 0
    for (const [number, cut] of momentsOf(promised).entries()) {
      const files = disk.filesAt(cut, FATES[number % FATES.length]!)
      const there = idsIn(after!, files)
      const due = promised.filter(({ position }) => position <= cut)
      const lost = due.filter(({ id }) => !there.has(id))
      expect({ cut, lost }).toEqual({ cut, lost: [] })
      kept += due.length
    }
    expect(kept).toBeGreaterThan(100_000)
  },
  240_000,
)

/** What nobody waited for: gone, on the disk, or on the disk in parts. */
const FATES: readonly Survives[] = [() => false, () => true, () => Math.random() < 0.5]

async function register(data: string, people: readonly TestIdentity[]): Promise<void> {
  const store = await embeddedStore({ folder: data, capacity: 2 })
  const now = Date.now()
  const written = people.map((person) =>
    store.directory.compareAndSet(
      {
        phone: person.phone as PhoneNumber,
        identityId: person.identityId,
        identity: person.signedIdentity,
        prekeys: person.prekeys(1),
        prekeysId: 1,
        registeredAt: now,
        seenAt: now,
        revision: 1,
      },
      undefined,
    ),
  )
  await Promise.all(written)
  await store.close()
}

async function start(data: string, journal: string): Promise<{ url: string; name: string }> {
  const script = join(import.meta.dirname, '..', 'server.child.ts')
  const args = ['--conditions=source', script, data, '0', String(CHECKPOINT_MS)]
  child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      LD_PRELOAD: compileRecorder(folder),
      DISK_FOLDER: data,
      DISK_JOURNAL: journal,
    },
  })
  const [said] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string]
  const port = /port (\d+)/.exec(said)![1]!
  return { url: `http://localhost:${port}`, name: `localhost:${port}` }
}

/** Two to everybody who is away, and when each of them was promised to stay. */
async function sendToAll(
  server: { url: string; name: string },
  people: readonly TestIdentity[],
  journal: string,
): Promise<readonly Promised[]> {
  const promised: Promised[] = []
  const queue = people.slice(SENDERS).flatMap((recipient) => [recipient, recipient])
  const sendAll = async (sender: TestIdentity): Promise<void> => {
    const socket = await connect(server, sender)
    const ids = new Map<number, string>()
    const next = (): void => {
      const recipient = queue.pop()
      if (!recipient) return
      const bytes = envelope()
      ids.set(socket.putting(recipient, bytes), toHex(idOf(bytes)))
    }
    const done = Promise.withResolvers<void>()
    socket.webSocket.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data)
      if (frame.type !== 'put-result') return
      if (frame.outcome.kind !== 'stored') done.reject(new Error(frame.outcome.kind))
      promised.push({ id: ids.get(frame.ref)!, position: statSync(journal).size })
      ids.delete(frame.ref)
      next()
      if (ids.size === 0) done.resolve()
    })
    for (let i = 0; i < UNDER_WAY; i++) next()
    await done.promise
    socket.cut()
  }
  await Promise.all(people.slice(0, SENDERS).map(sendAll))
  return promised
}

/** Of one sender. */
const UNDER_WAY = 4

/** Right behind an answer, which is the worst, or anywhere. In their order. */
function momentsOf(promised: readonly Promised[]): readonly number[] {
  const last = promised.at(-1)!.position
  return Array.from({ length: CUTS }, (_, number) => {
    if (number % 2 === 0) return Math.round(((number + 2) / (CUTS + 2)) * last)
    return promised[Math.floor(((number + 1) / CUTS) * (promised.length - 1))]!.position
  }).toSorted((a, b) => a - b)
}

/** Opens what the disk had, as the server would, and asks which envelopes wait. */
function idsIn(data: string, files: ReadonlyMap<string, Buffer>): ReadonlySet<string> {
  rmSync(data, { recursive: true, force: true })
  mkdirSync(data)
  for (const [name, bytes] of files) writeFileSync(join(data, name), bytes)
  const database = new DatabaseSync(join(data, 'couplet.db'))
  try {
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    const rows = database.prepare('SELECT lower(hex(id)) AS id FROM messages').all()
    return new Set(rows.map(({ id }) => String(id)))
  } finally {
    database.close()
  }
}
