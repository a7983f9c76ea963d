/** Moving a home to another device: everything comes along, and the old home says that it is gone. */
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportHome, memoryStore } from '@couplet/client'
import {
  beginRegistration,
  completeRegistration,
  exportHomeToFile,
  importHomeFromFile,
  openCouplet,
  takeBackHomeExport,
} from '@couplet/client/node'
import { nodePrimitives } from '@couplet/protocol/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openHome } from '../packages/client/src/node/home.ts'
import { stretch } from '../packages/client/src/node/stretch.ts'
import { read, TestPerson, TestServer } from './people.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const filePassphrase = 'five words are quite enough'

let folder: string
let server: TestServer
let ben: TestPerson
let home: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'couplet-move-'))
  home = join(folder, 'old')
  file = join(folder, 'ana.couplet')
  server = await new TestServer().start()
  ben = await TestPerson.register(server, BEN)
  await beginRegistration({ home, phone: ANA, server: server.url })
  await completeRegistration({ home, code: server.codes.get(ANA)! })
})

afterEach(async () => {
  await ben.offline()
  await server.stop()
  await rm(folder, { recursive: true })
})

test('a home moves with its conversations, and goes on in the same sessions', async () => {
  await talk(home, 'before')
  await exportHomeToFile({ home, file, filePassphrase })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(existsSync(`${file}.unfinished`)).toBe(false)
  expect((await readFile(file)).includes('before')).toBe(false)

  const moved = join(folder, 'new')
  const imported = await importHomeFromFile({ home: moved, file, filePassphrase })
  expect(imported).toMatchObject({ phone: ANA, server: server.url })
  const warnings: unknown[] = []
  const couplet = await ben.open()
  couplet.on('warning', (warning) => warnings.push(warning))
  await ben.offline()
  const history = await talk(moved, 'after')
  expect(history).toEqual(['before', 'before too', 'after', 'after too'])
  expect(warnings).toEqual([])

  // The old one is gone, and says so, whatever is tried.
  const gone = expect.objectContaining({ code: 'home-moved' })
  await expect(openCouplet({ home })).rejects.toThrow(gone)
  await expect(exportHomeToFile({ home, file: `${file}2`, filePassphrase })).rejects.toThrow(gone)
  await expect(takeBackHomeExport({ home })).rejects.toThrow(gone)
  await expect(beginRegistration({ home, phone: ANA, server: server.url })).rejects.toThrow(gone)
  expect(existsSync(`${file}2`)).toBe(false)
})

test('nothing is overwritten: neither a file nor a home', async () => {
  await writeFile(file, 'mine')
  await expect(exportHomeToFile({ home, file, filePassphrase })).rejects.toThrow('EEXIST')
  expect(await readFile(file, 'utf8')).toBe('mine')
  await talk(home, 'still here')
  await rm(file)
  await exportHomeToFile({ home, file, filePassphrase })
  const other = join(folder, 'other')
  await beginRegistration({ home: other, phone: '+12025550103', server: server.url })
  await expect(importHomeFromFile({ home: other, file, filePassphrase })).rejects.toMatchObject({
    code: 'already-registered',
  })
})

test('a file that does not open leaves a place that a good one can fill', async () => {
  await exportHomeToFile({ home, file, filePassphrase })
  const moved = join(folder, 'new')
  const wrong = importHomeFromFile({ home: moved, file, filePassphrase: 'wrong' })
  await expect(wrong).rejects.toMatchObject({ code: 'wrong-passphrase' })
  const bytes = await readFile(file)
  await writeFile(`${file}.cut`, bytes.subarray(0, -1))
  const cut = importHomeFromFile({ home: moved, file: `${file}.cut`, filePassphrase })
  await expect(cut).rejects.toMatchObject({ code: 'unreadable-export' })
  await expect(openCouplet({ home: moved })).rejects.toMatchObject({ code: 'not-registered' })
  await importHomeFromFile({ home: moved, file, filePassphrase })
  expect(await talk(moved, 'after')).toEqual(['after', 'after too'])
})

test('an interrupted export keeps the home closed until it is repeated or taken back', async () => {
  await interrupt()
  const unfinished = { code: 'export-unfinished' }
  await expect(openCouplet({ home })).rejects.toMatchObject(unfinished)
  await expect(beginRegistration({ home, phone: ANA })).rejects.toMatchObject(unfinished)
  await takeBackHomeExport({ home })
  expect(await talk(home, 'taken back')).toEqual(['taken back', 'taken back too'])
  await interrupt()
  await exportHomeToFile({ home, file, filePassphrase })
  await expect(openCouplet({ home })).rejects.toMatchObject({ code: 'home-moved' })
})

test('what has no identity cannot be moved', async () => {
  const ports = { store: memoryStore(), platform: {} as never, stretch }
  const clock = { now: () => 0, schedule: () => () => {} }
  await expect(
    exportHome({ ...ports, platform: { clock } as never }, filePassphrase),
  ).rejects.toMatchObject({ code: 'not-registered' })
  await expect(exportHome(ports, '')).rejects.toMatchObject({ code: 'passphrase-required' })
})

/** Begins an export and gets no further than its first piece. */
async function interrupt(): Promise<void> {
  const { store } = await openHome({ home, create: false })
  const platform = {
    primitives: nodePrimitives,
    clock: { now: Date.now },
    random: () => new Uint8Array(16),
  } as never
  const { file: pieces } = await exportHome({ store, platform, stretch }, filePassphrase)
  for await (const _ of pieces) break
  await store.close()
}

/** Says something to Ben, hears something back, and gives all that was said. */
async function talk(where: string, text: string): Promise<string[]> {
  const ana = await openCouplet({ home: where })
  try {
    await ana.connect()
    const couplet = await ben.online()
    const { delivered } = await ana.send(BEN, text)
    await delivered
    await (await couplet.send(ANA, `${text} too`)).delivered
    await read(ana, 1)
    return (await ana.history(BEN)).map((message) => message.text)
  } finally {
    await ben.offline()
    await ana.close()
  }
}
