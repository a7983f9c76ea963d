/**
 * Power fails at any moment: what a store has answered for is there afterwards, whatever the disk
 * has made of the writes that it was not yet told to keep. (delivery.md, "stored")
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openHome } from '../../packages/client/src/node/home.ts'
import { lastRound } from '../../packages/client/test/store.rounds.ts'
import { embeddedStore } from '../../packages/server/src/embedded-store.ts'
import { SqliteMailboxes } from '../../packages/server/src/sqlite-mailboxes.ts'
import { openDatabase } from '../../packages/server/src/sqlite-schema.ts'
import { Random } from '../torture/random.ts'
import { losePower } from './disk.ts'
import { CAPACITY, idsAfter, RECIPIENT, STEPS } from './mailbox-steps.ts'
import { type Effect, record } from './recording.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'couplet-power-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

const run = (program: string, argument: string) =>
  record(argument, [
    process.execPath,
    '--conditions=source',
    join(import.meta.dirname, program),
    argument,
  ])

test('the server: every envelope that was answered for is there, and none that was acknowledged', async () => {
  const data = join(folder, 'data')
  await (await embeddedStore({ folder: data, capacity: CAPACITY })).close()
  const before = join(folder, 'before')
  cpSync(data, before, { recursive: true })
  const effects = run('mailbox-writes.ts', data)
  expect(effects.filter(({ kind }) => kind === 'said')).toHaveLength(STEPS)
  const checkpoints = effects.filter(({ kind }) => kind === 'truncate')
  expect(checkpoints.length).toBeGreaterThan(0)
  for (const { cut, said, random } of cuts(effects, 0)) {
    const lost = join(folder, `cut-${cut}`)
    cpSync(before, lost, { recursive: true })
    losePower(effects.slice(0, cut), (file) => join(lost, basename(file)), random)
    const db = openDatabase(join(lost, 'couplet.db'))
    const waiting = new SqliteMailboxes(db, CAPACITY).fetch(RECIPIENT, 100, [])
    db.close()
    const ids = waiting.map(({ id }) => Buffer.from(id).toString('hex'))
    // The step that was under way happened or did not.
    expect([idsAfter(said), idsAfter(said + 1)], `power lost at ${cut}`).toContainEqual(ids)
    rmSync(lost, { recursive: true })
  }
})

test('a home: every transaction that was answered for is there, whole', async () => {
  const home = join(folder, 'home')
  await (await openHome({ home, create: true })).store.close()
  const before = join(folder, 'before')
  cpSync(home, before, { recursive: true })
  const effects = run('home-writes.ts', home)
  for (const { cut, said, random } of cuts(effects, 1)) {
    const lost = join(folder, `cut-${cut}`)
    cpSync(before, lost, { recursive: true })
    losePower(effects.slice(0, cut), (file) => join(lost, basename(file)), random)
    const { store } = await openHome({ home: lost, create: false })
    expect([said, said + 1], `power lost at ${cut}`).toContain(await lastRound(store))
    await store.close()
    rmSync(lost, { recursive: true })
  }
})

/** Moments for the power to fail: after the first word, at most so many, anywhere between effects. */
function* cuts(
  effects: readonly Effect[],
  first: number,
): Generator<{ cut: number; said: number; random: Random }> {
  const begin = effects.findIndex(({ kind }) => kind === 'said') + 1
  const every = Math.max(1, Math.floor((effects.length - begin) / MAX_CUTS))
  for (let cut = begin; cut <= effects.length; cut += every) {
    const said = effects.slice(0, cut).filter(({ kind }) => kind === 'said').length - 1 + first
    yield { cut, said, random: Random.of(1, 'power', cut) }
  }
}

const MAX_CUTS = 150
