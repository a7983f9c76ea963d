/**
 * The main job with real processes: the founding story, told by the commands that a user types.
 * Each test names the line of the founding description that it shows (the table in README.md).
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Person, type Result, succeeded, World } from './processes.ts'
import { TcpProxy } from './proxy.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'

let world: World

beforeEach(async () => {
  world = await World.create()
})

afterEach(async () => {
  await world.end()
})

/** What the server's database holds, read as a person would with `sqlite3`. */
function serverTable(table: string): Record<string, unknown>[] {
  const database = new DatabaseSync(world.path('server/couplet.db'), { readOnly: true })
  try {
    return database.prepare(`SELECT * FROM ${table}`).all()
  } finally {
    database.close()
  }
}

describe('two people chat through a server that remembers two messages', () => {
  test('rows 4, 5, 9: register by code, send to somebody who is away, receive, prove', async () => {
    const url = await world.startServer()
    const [ana, ben] = [new Person(world, 'ana', ANA), new Person(world, 'ben', BEN)]
    for (const person of [ana, ben]) {
      succeeded(await person.couplet('register', person.phone, '--server', url))
      const code = await world.code(person.phone)
      succeeded(await person.couplet('register', person.phone, '--code', code))
    }

    succeeded(await ana.couplet('send', BEN, 'Dinner at eight?'))
    expect(await ana.outbox()).toEqual({ 'Dinner at eight?': 'sent' })
    expect(await ben.receive()).toEqual(['Dinner at eight?'])
    expect(await ben.receive()).toEqual([])
    succeeded(await ana.couplet('outbox', '--flush'))
    expect(await ana.outbox()).toEqual({})

    const listening = ana.spawn('receive', '--follow')
    succeeded(await ben.couplet('send', ANA, 'Yes.', '--wait', 'delivered'))
    await listening.saw(/Yes\./)
    expect((await listening.stop('SIGINT')).code).toBe(0)
  })

  test('row 8: a third message pushes out the oldest; the endpoints lose none', async () => {
    await world.startServer()
    const ana = await world.person('ana', ANA)
    const ben = await world.person('ben', BEN)
    const texts = ['one', 'two', 'three', 'four', 'five']
    for (const text of texts) succeeded(await ana.couplet('send', BEN, text))

    expect(serverTable('messages')).toHaveLength(2)
    succeeded(await ana.couplet('outbox', '--flush'))
    expect(await ana.outbox()).toEqual({
      one: 'waiting-for-room',
      two: 'waiting-for-room',
      three: 'waiting-for-room',
      four: 'sent',
      five: 'sent',
    })
    const listening = ana.spawn('receive', '--follow')
    await listening.saw(/./).catch(() => {})
    expect(await ben.receive()).toEqual(texts)
    await listening.stop('SIGINT')
    succeeded(await ana.couplet('outbox', '--flush'))
    expect(await ana.outbox()).toEqual({})
    expect(serverTable('messages')).toHaveLength(0)
  }, 60_000)

  test('rows 7, 8: users and messages are tables that a person can read', async () => {
    await world.startServer()
    const ana = await world.person('ana', ANA)
    await world.person('ben', BEN)
    succeeded(await ana.couplet('send', BEN, 'a secret that the server never sees'))
    const phones = serverTable('users').map(({ phone }) => String(phone))
    expect(new Set(phones)).toEqual(new Set([ANA, BEN]))
    expect(serverTable('messages')).toHaveLength(1)
    for (const folder of [world.path('server'), ana.home]) {
      expect(bytesBelow(folder).includes('a secret that')).toBe(false)
    }
  })

  test('row 12: both ends see the same safety number, of twelve groups of five', async () => {
    await world.startServer()
    const ana = await world.person('ana', ANA)
    const ben = await world.person('ben', BEN)
    const [first] = await ana.json('verify', BEN)
    const [second] = await ben.json('verify', ANA)
    expect(first?.digits).toMatch(/^\d{60}$/)
    expect(second?.digits).toBe(first?.digits)
    const shown = succeeded(await ana.couplet('verify', BEN)).stdout
    expect(shown.match(/\b\d{5}\b/g)).toHaveLength(12)
  })

  test('a live conversation: what is typed into chat arrives, and the answer comes back', async () => {
    await world.startServer()
    const ana = await world.person('ana', ANA)
    const ben = await world.person('ben', BEN)
    const here = ana.spawn('chat', BEN)
    const there = ben.spawn('chat', ANA)
    here.type('Are you there?')
    await there.saw(/Are you there\?/)
    there.type('I am.')
    await here.saw(/I am\./)
    here.child.stdin?.end()
    there.child.stdin?.end()
    expect((await here.ended).code).toBe(0)
    expect((await there.ended).code).toBe(0)
  })

  test('row 10: twenty clients at once, each writing to the next', async () => {
    await world.startServer()
    const phones = Array.from({ length: 20 }, (_, i) => `+120255501${String(10 + i)}`)
    const people = await inBatches(phones, 4, (phone, i) => world.person(`p${i}`, phone))
    const next = (i: number) => people[(i + 1) % people.length]!
    await inBatches(people, 20, async (person, i) =>
      succeeded(await person.couplet('send', next(i).phone, `hello from ${i}`)),
    )
    const received = await inBatches(people, 20, (person) => person.receive())
    for (const [i, texts] of received.entries()) {
      const sender = (i + people.length - 1) % people.length
      expect(texts).toEqual([`hello from ${sender}`])
    }
  }, 300_000)
})

describe('nothing that was accepted is lost', () => {
  test('the server is killed with an accepted message: after a restart it is delivered', async () => {
    await world.startServer()
    const ana = await world.person('ana', ANA)
    const ben = await world.person('ben', BEN)
    succeeded(await ana.couplet('send', BEN, 'survives'))
    expect((await world.stopServer('SIGKILL')).signal).toBe('SIGKILL')
    await world.startServer()
    expect(await ben.receive()).toEqual(['survives'])
  })

  test('the client is killed between decrypting and acknowledging: the message is shown once', async () => {
    const url = await world.startServer()
    const proxy = await TcpProxy.to(url)
    try {
      const ana = await world.person('ana', ANA)
      const ben = new Person(world, 'ben', BEN)
      succeeded(await ben.couplet('register', BEN, '--server', proxy.url))
      succeeded(await ben.couplet('register', BEN, '--code', await world.code(BEN)))
      succeeded(await ana.couplet('send', BEN, 'once'))

      const delivered = new Promise<void>((resolve) => {
        let bytes = 0
        proxy.onDownstream = (chunk) => {
          bytes += chunk.length
          // The envelope is out: from here on no acknowledgement gets through.
          if (bytes < 4096) return
          proxy.swallowUpstream = true
          resolve()
        }
      })
      const receiving = ben.spawn('receive')
      await delivered
      await new Promise((resolve) => setTimeout(resolve, 1000))
      expect((await receiving.stop('SIGKILL')).signal).toBe('SIGKILL')
      expect(serverTable('messages')).toHaveLength(1)

      proxy.onDownstream = () => {}
      proxy.swallowUpstream = false
      expect(await ben.receive()).toEqual(['once'])
      expect(await ben.receive()).toEqual([])
      expect(serverTable('messages')).toHaveLength(0)
    } finally {
      proxy.close()
    }
  })

  test('the server is down: the message stays pending, the command says so and exits with 69', async () => {
    await world.startServer()
    const ana = await world.person('ana', ANA)
    const ben = await world.person('ben', BEN)
    succeeded(await ana.couplet('send', BEN, 'first'))
    await world.stopServer()
    const refused = await ana.couplet('send', BEN, 'kept')
    expect(refused.code).toBe(69)
    expect(refused.stderr).toMatch(/pending/)
    expect(await ana.outbox()).toMatchObject({ kept: 'pending' })
    await world.startServer()
    succeeded(await ana.couplet('outbox', '--flush'))
    expect(await ben.receive()).toEqual(['first', 'kept'])
  })
})

describe('bad input gets a clear sentence and an exit code of its own, and changes nothing', () => {
  test('numbers, codes, recipients, homes', async () => {
    const url = await world.startServer()
    const ana = await world.person('ana', ANA)
    const nobody = new Person(world, 'nobody', '+12025550109')
    const codes = new Map<string, number | null>()
    const check = (name: string, result: Result) => {
      expect(result.code, `${name}: ${result.stderr}`).not.toBe(0)
      expect(result.stderr).toMatch(/^couplet: /)
      codes.set(name, result.code)
    }
    check('number', await nobody.couplet('register', '12025550109', '--server', url))
    check('impossible', await nobody.couplet('register', '+1202555', '--server', url))
    check('unregistered', await nobody.couplet('send', ANA, 'x'))
    await expect(stat(nobody.home)).rejects.toMatchObject({ code: 'ENOENT' })
    succeeded(await nobody.couplet('register', nobody.phone, '--server', url))
    const code = await world.code(nobody.phone)
    const wrong = code === '000000' ? '000001' : '000000'
    check('code', await nobody.couplet('register', nobody.phone, '--code', wrong))
    for (let i = 0; i < 4; i++) await nobody.couplet('register', nobody.phone, '--code', wrong)
    check('tries', await nobody.couplet('register', nobody.phone, '--code', code))
    check('recipient', await ana.couplet('send', '+12025550188', 'x'))
    expect(await ana.outbox()).toEqual({})
    check('size', await ana.couplet('send', BEN, 'x'.repeat(70_000)))
    const locked = ana.spawn('receive', '--follow')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    check('locked', await ana.couplet('send', BEN, 'x'))
    await locked.stop()
    check('usage', await ana.couplet('sned', BEN, 'x'))
    check('again', await ana.couplet('register', ANA, '--server', url))
    expect(codes.get('impossible')).toBe(codes.get('number'))
    codes.delete('impossible')
    expect(new Set(codes.values()).size, JSON.stringify([...codes])).toBe(codes.size)
  }, 60_000)

  test('a code works once, and only for the home that asked for it', async () => {
    // With limits, the second one who asks for this number would have to wait.
    const url = await world.startServer('--no-limits')
    const ana = new Person(world, 'ana', ANA)
    const thief = new Person(world, 'thief', ANA)
    succeeded(await ana.couplet('register', ANA, '--server', url))
    const code = await world.code(ANA)
    succeeded(await thief.couplet('register', ANA, '--server', url))
    const stolen = await thief.couplet('register', ANA, '--code', code)
    const own = await world.code(ANA)
    if (code !== own) expect(stolen.code).not.toBe(0)
    succeeded(await ana.couplet('register', ANA, '--code', code))
    expect((await ana.couplet('register', ANA, '--code', code)).code).not.toBe(0)
  })
})

describe('the server as a program', () => {
  test('row 13: health, the page, a readable code file, a clean stop', async () => {
    const url = await world.startServer()
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const page = await fetch(url)
    expect(page.headers.get('content-type')).toMatch(/text\/html/)
    expect(await page.text()).toMatch(/<title>Couplet/)
    await world.person('ana', ANA)
    const [line] = (await readFile(world.path('codes.jsonl'), 'utf8')).split('\n')
    expect(JSON.parse(line!)).toMatchObject({ phone: ANA, code: expect.stringMatching(/^\d{6}$/) })
    expect((await world.stopServer('SIGTERM')).code).toBe(0)
  })

  test('malformed requests are answered as problem+json and change nothing', async () => {
    const url = await world.startServer()
    const post = (body: string, type = 'application/json') =>
      fetch(`${url}/v1/registrations`, {
        method: 'POST',
        body,
        headers: { 'content-type': type },
      })
    for (const answer of [
      await post('{'),
      await post('{}'),
      await post('x=1', 'application/x-www-form-urlencoded'),
      await post(JSON.stringify({ phone: ANA, identity: 'AA', prekeys: 'AA' })),
      await post(`{"phone":"${'1'.repeat(20_000)}"}`),
      await fetch(`${url}/v1/nothing`),
      await fetch(`${url}/v1/directory/${encodeURIComponent(ANA)}`),
    ]) {
      expect(answer.ok).toBe(false)
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(await answer.json()).toMatchObject({ code: expect.any(String) })
    }
    expect(serverTable('users')).toEqual([])
  })
})

/** Every byte of every file in a folder. */
function bytesBelow(folder: string): Buffer {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const files = names.map((name) => join(folder, name)).filter((path) => statSync(path).isFile())
  return Buffer.concat(files.map((path) => readFileSync(path)))
}

/** Maps with at most so many under way at once. */
async function inBatches<T, R>(
  items: readonly T[],
  size: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (let from = 0; from < items.length; from += size) {
    const batch = items.slice(from, from + size)
    results.push(...(await Promise.all(batch.map((item, i) => work(item, from + i)))))
  }
  return results
}
