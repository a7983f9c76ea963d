import crypto from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultHome, type Home, inspectHome, openHome } from '../src/node/home.ts'
import { systemClock, systemRandom } from '../src/node/system.ts'

const PASSPHRASE = 'correct horse battery staple'

let folder: string
let home: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'couplet-home-'))
  home = join(folder, 'deep', 'home')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

describe('a home without a passphrase', () => {
  test('is made, says so, and opens again', async () => {
    expect(await inspectHome(home)).toBe('absent')
    const first = await openHome({ home, create: true })
    expect(first).toMatchObject({ path: home, protection: 'none', created: true })
    await remember(first)
    expect(await inspectHome(home)).toBe('none')
    const second = await openHome({ home, create: true })
    expect(second).toMatchObject({ protection: 'none', created: false })
    expect(await recall(second)).toBe('remembered')
  })

  test('is for its owner only, and its key file says what it is', async () => {
    await remember(await openHome({ home, create: true }))
    expect(modeOf(home)).toBe(0o700)
    expect(readdirSync(home).sort()).toEqual(['couplet.db', 'key.json'])
    for (const name of readdirSync(home)) expect(modeOf(join(home, name))).toBe(0o600)
    expect(JSON.parse(readFileSync(join(home, 'key.json'), 'utf8'))).toEqual({
      format: 'couplet-home',
      version: 1,
      protection: 'none',
      note: 'No passphrase was chosen: whoever can read this file can read every message here.',
      dataKey: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  test('does not pretend to be protected by the passphrase that it is opened with', async () => {
    await remember(await openHome({ home, create: true }))
    await refused(openHome({ home, create: false, passphrase: PASSPHRASE }), 'wrong-passphrase')
  })
})

describe('a home with a passphrase', () => {
  test('opens with it, as text or as bytes, in any spelling of Unicode', async () => {
    const made = await openHome({ home, create: true, passphrase: 'caf\u00e9' })
    expect(made.protection).toBe('passphrase')
    await remember(made)
    expect(await inspectHome(home)).toBe('passphrase')
    const bytes = new TextEncoder().encode('caf\u00e9')
    for (const passphrase of ['cafe\u0301', bytes]) {
      expect(await recall(await openHome({ home, create: false, passphrase }))).toBe('remembered')
    }
    expect(bytes).toEqual(new TextEncoder().encode('caf\u00e9'))
  })

  test('changes nothing for a wrong one or none, and is free again at once', async () => {
    await remember(await openHome({ home, create: true, passphrase: PASSPHRASE }))
    const before = contents(home)
    await refused(openHome({ home, create: true, passphrase: 'wrong' }), 'wrong-passphrase')
    await refused(openHome({ home, create: false }), 'passphrase-required')
    await refused(openHome({ home, create: true }), 'passphrase-required')
    await refused(openHome({ home, create: false, passphrase: '' }), 'passphrase-required')
    expect(contents(home)).toEqual(before)
    const again = await openHome({ home, create: false, passphrase: PASSPHRASE })
    expect(await recall(again)).toBe('remembered')
  })

  test('holds neither the passphrase nor the key in the clear, at the cost that OWASP asks for', async () => {
    await remember(await openHome({ home, create: true, passphrase: PASSPHRASE }))
    const text = readFileSync(join(home, 'key.json'), 'utf8')
    expect(text).not.toContain('horse')
    const file = JSON.parse(text)
    expect(Object.keys(file)).toEqual(['format', 'version', 'protection', 'argon2id', 'wrappedKey'])
    expect(file.argon2id.memoryKiB).toBeGreaterThanOrEqual(19_456)
    expect(file.argon2id.passes).toBeGreaterThanOrEqual(2)
  })

  test('with another wrapped key is as good as another passphrase', async () => {
    await remember(await openHome({ home, create: true, passphrase: PASSPHRASE }))
    changeKey((file) => {
      const first = file.wrappedKey.startsWith('A') ? 'B' : 'A'
      return { ...file, wrappedKey: first + file.wrappedKey.slice(1) }
    })
    const opening = openHome({ home, create: false, passphrase: PASSPHRASE })
    await refused(opening, 'wrong-passphrase')
  })
})

describe('what is no home', () => {
  test('is not registered, and stays away', async () => {
    await refused(openHome({ home, create: false }), 'not-registered')
    expect(existsSync(home)).toBe(false)
    await refused(openHome({ home, create: true, passphrase: '' }), 'passphrase-required')
    expect(existsSync(home)).toBe(false)
  })

  test('becomes one where an attempt was cut off at any point before the key', async () => {
    // What a crash leaves: the folder, then the empty database, then half a key file.
    mkdirSync(home, { recursive: true })
    await refused(openHome({ home, create: false }), 'not-registered')
    writeFileSync(join(home, 'couplet.db'), '')
    await refused(openHome({ home, create: false }), 'not-registered')
    writeFileSync(join(home, 'key.json.new'), '{"format":')
    await refused(openHome({ home, create: false }), 'not-registered')
    await remember(await openHome({ home, create: true }))
    expect(readdirSync(home).sort()).toEqual(['couplet.db', 'key.json'])
    expect(await recall(await openHome({ home, create: false }))).toBe('remembered')
  })

  test('is one already where only the first record is missing', async () => {
    await (await openHome({ home, create: true })).store.close()
    writeFileSync(join(home, 'couplet.db'), '')
    await remember(await openHome({ home, create: false }))
    expect(await recall(await openHome({ home, create: false }))).toBe('remembered')
  })
})

describe('a damaged home', () => {
  test('without its key is left as it is', async () => {
    await remember(await openHome({ home, create: true }))
    renameSync(join(home, 'key.json'), join(folder, 'key.json'))
    await refused(openHome({ home, create: true }), 'unreadable-home')
    expect(readdirSync(home)).toEqual(['couplet.db'])
    renameSync(join(folder, 'key.json'), join(home, 'key.json'))
    expect(await recall(await openHome({ home, create: false }))).toBe('remembered')
  })

  test('without its database is not taken for an empty one', async () => {
    await remember(await openHome({ home, create: true }))
    rmSync(join(home, 'couplet.db'))
    await refused(openHome({ home, create: false }), 'unreadable-home')
    expect(readdirSync(home)).toEqual(['key.json'])
  })

  test('with the key of another home is refused', async () => {
    await remember(await openHome({ home, create: true }))
    const other = join(folder, 'other')
    await remember(await openHome({ home: other, create: true }))
    renameSync(join(other, 'key.json'), join(home, 'key.json'))
    await refused(openHome({ home, create: false }), 'unreadable-home')
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{"format":"couplet-home"'],
    ['null', 'null'],
    ['another format', '{"format":"other","version":1}'],
    ['a newer version', '{"format":"couplet-home","version":2}'],
    ['a short key', '{"format":"couplet-home","version":1,"protection":"none","dataKey":"AAAA"}'],
    ['no kind', '{"format":"couplet-home","version":1}'],
    ['no parameters', '{"format":"couplet-home","version":1,"protection":"passphrase"}'],
  ])('is refused when its key file holds %s', async (_, text) => {
    await remember(await openHome({ home, create: true }))
    writeFileSync(join(home, 'key.json'), text)
    await refused(openHome({ home, create: true, passphrase: PASSPHRASE }), 'unreadable-home')
    await refused(inspectHome(home), 'unreadable-home')
    expect(readFileSync(join(home, 'key.json'), 'utf8')).toBe(text)
  })

  test('cannot make us spend any amount of memory', async () => {
    await remember(await openHome({ home, create: true, passphrase: PASSPHRASE }))
    changeKey((file) => ({ ...file, argon2id: { ...file.argon2id, memoryKiB: 2_097_152 } }))
    const opening = openHome({ home, create: false, passphrase: PASSPHRASE })
    await refused(opening, 'unreadable-home')
  })

  test('or one that cannot be made is said to be so', async () => {
    writeFileSync(join(folder, 'deep'), 'a file where a folder should be')
    await refused(openHome({ home, create: true }), 'unreadable-home')
    // Root may write anywhere.
    if (process.getuid?.() === 0) return
    const closed = join(folder, 'closed')
    mkdirSync(closed)
    chmodSync(closed, 0o500)
    await refused(openHome({ home: join(closed, 'home'), create: true }), 'unreadable-home')
  })
})

test('the default home is in the data folder', () => {
  expect(defaultHome({ XDG_DATA_HOME: '/data', HOME: '/home/ana' })).toBe('/data/couplet')
  expect(defaultHome({ HOME: '/home/ana' })).toBe('/home/ana/.local/share/couplet')
  expect(defaultHome({ XDG_DATA_HOME: 'data', HOME: '/home/ana' })).toBe(
    '/home/ana/.local/share/couplet',
  )
  expect(defaultHome({})).toBe(join(homedir(), '.local/share/couplet'))
})

describe('the system', () => {
  test('has a clock that runs tasks once, and can be told not to', async () => {
    const ran: string[] = []
    const cancel = systemClock.schedule(1, () => ran.push('cancelled'))
    systemClock.schedule(1, () => ran.push('ran'))
    // Longer than a timer of Node can be, which would fire at once.
    const cancelLong = systemClock.schedule(2 ** 32, () => ran.push('too early'))
    cancel()
    await new Promise((resolve) => setTimeout(resolve, 30))
    cancelLong()
    expect(ran).toEqual(['ran'])
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
  })

  test('gives fresh bytes of any length', () => {
    expect(systemRandom(0)).toHaveLength(0)
    expect(systemRandom(100_000)).toHaveLength(100_000)
    expect(systemRandom(32)).not.toEqual(systemRandom(32))
  })

  test('draws when it is asked, and nothing ahead', () => {
    const fill = vi.spyOn(crypto, 'randomFillSync')
    syncBuiltinESMExports()
    try {
      const drawn = [16, 32, 128, 3, 0, 4096].map((length) => systemRandom(length))
      expect(fill.mock.calls.map(([into]) => into)).toEqual(drawn)
      for (const [index, [into]] of fill.mock.calls.entries()) expect(into).toBe(drawn[index])
    } finally {
      fill.mockRestore()
      syncBuiltinESMExports()
    }
  })

  test('gives no byte twice, and no memory that it keeps', () => {
    const lengths = Array.from({ length: 2000 }, (_, i) => 16 + (i % 145))
    const drawn = lengths.map((length) => systemRandom(length))
    expect(drawn.map(({ length }) => length)).toEqual(lengths)
    const all = drawn.map((bytes) => Buffer.from(bytes).toString('hex'))
    expect(new Set(all.map((hex) => hex.slice(0, 32))).size).toBe(all.length)
    expect(all.filter((hex) => hex.includes('0'.repeat(24)))).toEqual([])
    expect(new Set(drawn.map(({ buffer }) => buffer)).size).toBe(drawn.length)
  })
})

async function remember(opened: Home): Promise<void> {
  await opened.store.transaction((tx) => tx.put('c', 'p', 0, 'remembered'))
  await opened.store.close()
}

async function recall(opened: Home): Promise<string | undefined> {
  const value = await opened.store.transaction((tx) => tx.get<string>('c', 'p'))
  await opened.store.close()
  return value
}

async function refused(work: Promise<unknown>, code: string): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: 'ClientError', code })
}

interface AnyKeyFile {
  readonly argon2id: object
  readonly wrappedKey: string
}

function changeKey(change: (file: AnyKeyFile) => object): void {
  const path = join(home, 'key.json')
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))))
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

/** Every file with its bytes. Only while no store is open: see sqlite-store.ts on locks. */
function contents(path: string): Record<string, string> {
  const entries = readdirSync(path).map((name) => [
    name,
    readFileSync(join(path, name)).toString('hex'),
  ])
  return Object.fromEntries(entries)
}
