/** The embedded store: the common contract, and what is its own: files, restarts, schema. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PhoneNumber } from '@couplet/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { embeddedStore } from '../src/embedded-store.ts'
import type { Store } from '../src/ports.ts'
import { StoreUnusableError } from '../src/sqlite-schema.ts'
import { mailboxStoreContract, stored } from './mailbox-store.contract.ts'
import { dataFolder, freshBytes } from './support.ts'

mailboxStoreContract('embedded store', async (capacity) => {
  const folder = dataFolder()
  const store = await embeddedStore({ folder, capacity })
  return {
    store,
    end: async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
})

const PHONE = '+12025550101' as PhoneNumber
let folder = ''
let store: Store | undefined

afterEach(async () => {
  await store?.close()
  store = undefined
  if (folder) rmSync(folder, { recursive: true })
  folder = ''
})

async function open(options: { capacity?: number; checkpointMs?: number } = {}): Promise<Store> {
  folder ||= dataFolder()
  store = await embeddedStore({ folder, capacity: 2, ...options })
  return store
}

/** The recipient must be somebody: mailboxes of nobody are emptied at a start. */
async function registered(identityId: Uint8Array): Promise<void> {
  await store!.directory.compareAndSet(
    {
      phone: PHONE,
      identityId,
      identity: freshBytes(570),
      prekeys: freshBytes(1327),
      prekeysId: 3,
      registeredAt: 7,
      seenAt: 0,
      revision: 1,
    },
    undefined,
  )
}

describe('restart', () => {
  it('keeps users, messages, ends, receipts and registrations', async () => {
    const [ben, ana] = [freshBytes(32), freshBytes(32)]
    const [first, second, third] = [stored(ana), stored(ana), stored(ana)]
    const { mailboxes } = await open()
    await registered(ben)
    for (const one of [first, second, third]) await mailboxes.put(ben, one, 'evict')
    const answer = { kind: 'delivered', receipt: freshBytes(32) } as const
    await mailboxes.ack(ben, second.id, answer, 9)
    await store!.close()

    const again = await open()
    expect(await again.mailboxes.fetch(ben, 9, [])).toEqual([third])
    const ids = [first.id, second.id, third.id]
    expect(await again.mailboxes.status(ana, ids)).toEqual([
      { kind: 'evicted' },
      answer,
      { kind: 'waiting' },
    ])
    expect((await again.mailboxes.put(ben, second, 'evict')).outcome).toEqual(answer)
    expect((await again.directory.byPhone(PHONE))?.prekeysId).toBe(3)
  })

  it('holds a lowered capacity at once, and the senders can learn it', async () => {
    const [ben, ana] = [freshBytes(32), freshBytes(32)]
    const all = Array.from({ length: 5 }, () => stored(ana))
    const { mailboxes } = await open({ capacity: 5 })
    await registered(ben)
    for (const one of all) await mailboxes.put(ben, one, 'evict')
    await store!.close()

    const again = await open({ capacity: 2 })
    expect(await again.mailboxes.fetch(ben, 9, [])).toEqual(all.slice(3))
    const statuses = await again.mailboxes.status(
      ana,
      all.map(({ id }) => id),
    )
    expect(statuses.map(({ kind }) => kind)).toEqual([
      'evicted',
      'evicted',
      'evicted',
      'waiting',
      'waiting',
    ])
  })
})

describe('files', () => {
  it('can be read by nobody else', async () => {
    const { mailboxes } = await open()
    await mailboxes.put(freshBytes(32), stored(freshBytes(32)), 'evict')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(folder)) {
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600])
    }
  })

  it('are tables that a person can read', async () => {
    const [ben, ana] = [freshBytes(32), freshBytes(32)]
    const { mailboxes } = await open()
    await registered(ben)
    const one = stored(ana, 1234)
    await mailboxes.put(ben, one, 'evict')
    const db = new DatabaseSync(join(folder, 'couplet.db'), { readOnly: true })
    const user = db.prepare('SELECT phone, lower(hex(identity_id)) AS id FROM users').get()
    const message = db
      .prepare('SELECT lower(hex(id)) AS id, stored_at, length(envelope) AS size FROM messages')
      .get()
    db.close()
    expect({ ...user }).toEqual({ phone: PHONE, id: Buffer.from(ben).toString('hex') })
    expect({ ...message }).toEqual({
      id: Buffer.from(one.id).toString('hex'),
      stored_at: 1234,
      size: 1024,
    })
  })

  it('are emptied of old writes only when nobody reads them, and nobody waits for that', async () => {
    const { mailboxes } = await open({ checkpointMs: 30 })
    await mailboxes.put(freshBytes(32), stored(freshBytes(32)), 'evict')
    const reader = new DatabaseSync(join(folder, 'couplet.db'), { readOnly: true })
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM messages').get()
    const begun = performance.now()
    for (let count = 0; count < 5; count++) {
      await mailboxes.put(freshBytes(32), stored(freshBytes(32)), 'evict')
      await sleep(40)
    }
    expect(performance.now() - begun).toBeLessThan(4000)
    reader.close()
  })

  it('hold nothing of a message once it was acknowledged, evicted or expired', async () => {
    const [ben, ana] = [freshBytes(32), freshBytes(32)]
    const { mailboxes } = await open({ checkpointMs: 100 })
    const [evicted, acked, expired] = [stored(ana), stored(ana), stored(ana)]
    for (const one of [evicted, acked, expired]) await mailboxes.put(ben, one, 'evict')
    expect(found(acked.envelope)).not.toEqual([])
    await mailboxes.ack(ben, acked.id, { kind: 'settled' }, 5)
    await mailboxes.expire(1, 6)
    await sleep(400)
    for (const one of [evicted, acked, expired]) expect(found(one.envelope)).toEqual([])
  })
})

/** Names of the files in which a part of these bytes lies. */
function found(bytes: Uint8Array): string[] {
  return readdirSync(folder).filter((name) => {
    const content = readFileSync(join(folder, name))
    return [0, 300, 900].some((at) => content.includes(bytes.subarray(at, at + 64)))
  })
}

describe('refuses', () => {
  it('data of a newer version, naming file and versions', async () => {
    await open()
    await store!.close()
    const db = new DatabaseSync(join(folder, 'couplet.db'))
    db.exec("UPDATE meta SET value = '99' WHERE name = 'schema'")
    db.close()
    const opening = open()
    await expect(opening).rejects.toThrow(StoreUnusableError)
    await expect(opening).rejects.toThrow(/couplet\.db was written by a newer Couplet \(schema 99/)
  })

  it('a folder that another server uses, even in another process', async () => {
    await open()
    await expect(embeddedStore({ folder, capacity: 2 })).rejects.toThrow(/another server is using/)
    const script = `
      const { embeddedStore } = await import(${JSON.stringify(
        new URL('../src/embedded-store.ts', import.meta.url).href,
      )})
      await embeddedStore({ folder: ${JSON.stringify(folder)}, capacity: 2 }).then(
        () => console.log('opened'),
        (error) => console.log(error.message),
      )
      process.exit()
    `
    const args = ['--conditions=source', '--input-type=module', '-e', script]
    expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toMatch(/another server/)
  })

  it('what is no database', async () => {
    folder = dataFolder()
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(folder, 'couplet.db'), 'not a database, and longer than one line of header')
    await expect(open()).rejects.toThrow(/couplet\.db cannot be used/)
  })
})

it('a failing call harms no other in its commit', async () => {
  const { registrations, mailboxes } = await open()
  const ben = freshBytes(32)
  const bad = { id: undefined } as never
  const results = await Promise.allSettled([
    mailboxes.put(ben, stored(freshBytes(32)), 'evict'),
    registrations.open(bad),
    mailboxes.put(ben, stored(freshBytes(32)), 'evict'),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await mailboxes.fetch(ben, 9, [])).toHaveLength(2)
})
