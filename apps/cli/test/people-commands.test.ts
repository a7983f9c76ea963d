/** Requests, settings, blocking, verification and timers, typed as a person types them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_LIMITS } from '@couplet/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestServer } from '../../../test/people.ts'
import { type Outcome, run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'couplet-commands-'))
const ANA = '+12025550101'
const BEN = '+12025550102'
const server = new TestServer({ limits: NO_LIMITS })

beforeAll(async () => {
  await server.start()
  for (const phone of [ANA, BEN]) {
    await couplet(phone, 'register', phone, '--server', server.url)
    await couplet(phone, 'register', phone, '--code', server.codes.get(phone)!)
  }
})

afterAll(async () => {
  await server.stop()
  rmSync(FOLDER, { recursive: true, force: true })
})

function couplet(who: string, ...words: string[]): Promise<Outcome> {
  const home = join(FOLDER, who.slice(1))
  return run(words, { COUPLET_HOME: home, COUPLET_NO_PASSPHRASE: '1' })
}

async function json(who: string, ...words: string[]): Promise<Record<string, unknown>[]> {
  const { exit, output, errors } = await couplet(who, ...words, '--json')
  expect({ exit, errors }).toEqual({ exit: 0, errors: '' })
  const lines = output.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('strangers', () => {
  test('wait as requests when the user wants to be asked, until accepted', async () => {
    const changed = await couplet(BEN, 'settings', 'strangers', 'ask')
    expect(changed.output).toBe('strangers ask\n')
    expect(changed.errors).toContain('waits in “couplet requests”')
    await couplet(ANA, 'send', BEN, 'Hello, this is Ana.')
    expect(await json(BEN, 'receive')).toEqual([])

    const [request] = await json(BEN, 'requests')
    expect(request).toMatchObject({ type: 'request', phone: ANA })
    expect(request?.messages).toMatchObject([{ type: 'message', text: 'Hello, this is Ana.' }])
    expect((await couplet(BEN, 'requests')).output).toContain('Hello, this is Ana.')
    expect(await json(BEN, 'requests', 'accept', ANA)).toMatchObject([
      { type: 'contact', phone: ANA, accepted: true },
    ])
    expect(await json(BEN, 'receive')).toMatchObject([{ text: 'Hello, this is Ana.' }])
    const nobody = await couplet(BEN, 'requests', 'accept', ANA)
    expect(nobody).toMatchObject({ exit: 93, output: '' })
  })

  test('blocked and not any more', async () => {
    expect(await json(BEN, 'contacts', 'block', ANA)).toMatchObject([{ blocked: true }])
    expect((await couplet(BEN, 'contacts')).output).toBe(`${ANA}  blocked\n`)
    expect(await json(BEN, 'contacts', 'unblock', ANA)).toMatchObject([{ blocked: false }])
  })
})

describe('settings', () => {
  test('are shown, changed one at a time, and checked', async () => {
    expect((await couplet(ANA, 'settings', 'receipts')).output).toBe('receipts  on\n')
    expect(await json(ANA, 'settings', 'receipts', 'off')).toMatchObject([{ receipts: false }])
    expect(await json(ANA, 'settings', 'receipts', 'on')).toMatchObject([{ receipts: true }])
    expect((await couplet(ANA, 'settings', 'recipts')).errors).toContain('Did you mean “receipts”?')
    expect((await couplet(ANA, 'settings', 'strangers', 'off')).exit).toBe(64)
    expect((await couplet(ANA, 'settings', 'timer', 'soon')).exit).toBe(64)
  })

  test('the timer holds for what is sent without one', async () => {
    expect(await json(ANA, 'settings', 'timer', '2h')).toMatchObject([
      { expiresAfterMs: 7_200_000 },
    ])
    expect((await couplet(ANA, 'settings', 'timer')).output).toBe('timer     2h\n')
    const span = async (...options: string[]): Promise<number | undefined> => {
      const [sent] = await json(ANA, 'send', BEN, 'burn this', ...options)
      const { sentAt, expiresAt } = sent as { sentAt: string; expiresAt?: string }
      return expiresAt === undefined ? undefined : Date.parse(expiresAt) - Date.parse(sentAt)
    }
    expect(await span()).toBe(7_200_000)
    expect(await span('--expires', '30s')).toBe(30_000)
    expect(await span('--expires', 'off')).toBeUndefined()
    await couplet(ANA, 'settings', 'timer', 'off')
  })
})

describe('verify', () => {
  test('compares pasted digits, and marks only a match', async () => {
    const [shown] = await json(BEN, 'verify', ANA)
    const digits = String(shown?.digits)
    const other = `${digits.slice(0, 59)}${digits.endsWith('0') ? '1' : '0'}`
    expect(await couplet(ANA, 'verify', BEN, '--compare', other)).toMatchObject({ exit: 92 })
    expect(await json(ANA, 'verify', BEN)).toMatchObject([{ digits, verified: false }])
    const pasted = digits.replace(/(\d{5})/g, '$1 ')
    expect(await json(ANA, 'verify', BEN, '--compare', pasted)).toMatchObject([{ verified: true }])
    expect((await couplet(ANA, 'verify', BEN, '--compare', '1234')).exit).toBe(64)
  })
})

describe('a PIN', () => {
  test('is set from a file, shown, asked for by whoever registers the number, and removed', async () => {
    const file = join(FOLDER, 'pin')
    writeFileSync(file, '123\n')
    expect((await couplet(BEN, 'pin', 'set', '--pin-file', file)).exit).toBe(64)
    expect((await couplet(BEN, 'pin', 'set')).exit).toBe(64)
    expect((await couplet(BEN, 'pin', 'ask')).exit).toBe(64)
    expect(await json(BEN, 'pin')).toEqual([{ type: 'pin', set: false }])
    writeFileSync(file, '2580\n')
    expect(await json(BEN, 'pin', 'set', '--pin-file', file)).toEqual([
      { type: 'pin', set: true, triesLeft: 10, failures: 0 },
    ])
    expect(await json(BEN, 'status')).toMatchObject([{ pin: { set: true, failures: 0 } }])

    await couplet('+thief', 'register', BEN, '--server', server.url)
    const code = ['register', BEN, '--code', server.codes.get(BEN)!]
    expect((await couplet('+thief', ...code)).exit).toBe(95)
    const wrong = join(FOLDER, 'wrong-pin')
    writeFileSync(wrong, '0000')
    expect((await couplet('+thief', ...code, '--pin-file', wrong)).exit).toBe(95)
    const { output, errors } = await couplet(BEN, 'pin')
    expect(output).toContain('one wrong try, last just now: somebody has had a code')
    expect(errors).toContain('It ends when you have not connected for a week')
    expect((await couplet(BEN, 'status')).output).toContain('one wrong try')
    expect(await json(BEN, 'pin', 'remove')).toEqual([{ type: 'pin', set: false }])
  })
})

describe('another number', () => {
  test('is proven with a code, and those who are told go on with the same conversation', async () => {
    const next = '+12025550172'
    await json(BEN, 'send', ANA, 'before')
    expect(await json(ANA, 'receive')).toMatchObject([{ text: 'before', from: BEN }])
    expect((await couplet(BEN, 'change-number', BEN)).exit).toBe(64)
    expect(await json(BEN, 'change-number', next)).toMatchObject([
      { type: 'code-requested', phone: next },
    ])
    expect((await couplet(BEN, 'change-number', next, '--code', '1')).exit).toBe(64)
    const code = server.codes.get(next)!
    expect(await json(BEN, 'change-number', next, '--code', code, '--tell')).toMatchObject([
      { type: 'number-changed', phone: next, formerPhone: BEN, replaced: false },
      { type: 'outgoing', to: ANA, text: `This is my number now: ${next}` },
    ])
    const received = await couplet(ANA, 'receive')
    expect(received.errors).toContain(`${BEN} is ${next} now: a new number, with the same keys.`)
    expect(received.output).toContain(`This is my number now: ${next}`)
    expect(await json(ANA, 'contacts')).toMatchObject([{ phone: next, formerPhone: BEN }])
    expect((await couplet(ANA, 'contacts')).output).toContain(`(before: ${BEN})`)
    const former = await couplet(ANA, 'send', BEN, 'Who is there?')
    expect(former).toMatchObject({ exit: 67, output: '' })
    expect(former.errors).toContain(`nobody has ${BEN} any more: it is ${next} now`)
    const piped = await run(['chat', BEN], { COUPLET_HOME: join(FOLDER, ANA.slice(1)) }, 'Hi\n')
    expect(piped.exit).toBe(67)
    // And back again, for the tests below.
    await json(BEN, 'change-number', BEN)
    await json(BEN, 'change-number', BEN, '--code', server.codes.get(BEN)!, '--tell')
    await couplet(ANA, 'receive')
  })

  test('what there is to warn of meanwhile is said', async () => {
    const [next, cleo, elsewhere] = ['+12025550173', '+12025550174', '+12025550175']
    const register = async (home: string): Promise<void> => {
      await couplet(home, 'register', cleo, '--server', server.url)
      await couplet(home, 'register', cleo, '--code', server.codes.get(cleo)!)
    }
    await register(cleo)
    await json(BEN, 'send', cleo, 'Hello Cleo')
    await json(BEN, 'change-number', next)
    await register(elsewhere)
    const changed = await couplet(BEN, 'change-number', next, '--code', server.codes.get(next)!)
    expect(changed.exit).toBe(0)
    expect(changed.errors).toContain(`${cleo} has a new key`)
    // And back again, for the tests below.
    await couplet(ANA, 'receive')
    await couplet(BEN, 'change-number', BEN)
    await couplet(BEN, 'change-number', BEN, '--code', server.codes.get(BEN)!)
    await couplet(ANA, 'receive')
  })
})

describe('a home that moves, and an account that ends', () => {
  test('is in the file and then elsewhere, and not here any more', async () => {
    const file = join(FOLDER, 'ben.export')
    const secret = join(FOLDER, 'secret')
    writeFileSync(secret, 'correct horse\n')
    const known = await json(BEN, 'contacts')
    expect((await couplet(BEN, 'export', file)).exit).toBe(78)
    expect(await json(BEN, 'export', file, '--file-passphrase-file', secret)).toEqual([
      { type: 'exported', file },
    ])
    expect((await couplet(BEN, 'status')).exit).toBe(97)
    const there = '+00'
    expect(await json(there, 'import', file, '--file-passphrase-file', secret)).toMatchObject([
      { type: 'imported', phone: BEN, server: server.url },
    ])
    expect(await json(there, 'contacts')).toEqual(known)
    // Whom Ana has verified has moved twice, and has proven that it is the same home.
    await couplet(ANA, 'send', BEN, 'Are you there?')
    expect((await json(there, 'receive')).map(({ text }) => text)).toContain('Are you there?')
    expect((await couplet(there, 'import', `${file}.none`)).exit).toBe(73)
    // Twice would be two devices with the same keys.
    const again = await couplet(there, 'import', file, '--file-passphrase-file', secret)
    expect(again.exit).toBe(84)
  })

  test('an account is deleted when that is meant', async () => {
    expect((await couplet(ANA, 'delete-account')).exit).toBe(64)
    expect(await json(ANA, 'delete-account', '--yes')).toMatchObject([
      { type: 'account-deleted', phone: ANA },
    ])
    expect((await couplet(ANA, 'receive')).exit).toBe(77)
  })
})
