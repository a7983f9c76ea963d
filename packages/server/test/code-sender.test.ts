/** Code senders for development. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PhoneNumber } from '@couplet/wire'
import { expect, it } from 'vitest'
import { consoleCodeSender, fileCodeSender } from '../src/index.ts'

const PHONE = '+12025550101' as PhoneNumber

it('console: a box with number and code in it', async () => {
  let printed = ''
  const sender = consoleCodeSender((text) => {
    printed += text
  })
  await sender.send(PHONE, '012345')
  expect(sender.development).toBe(true)
  expect(printed).toContain('Code for +12025550101')
  expect(printed).toMatch(/┃ +012345 +┃/)
  const widths = new Set(
    printed
      .split('\n')
      .filter(Boolean)
      .map((line) => line.length),
  )
  expect(widths.size).toBe(1)
})

it('file: one line of JSON for each code, for its owner only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'couplet-codes-'))
  const path = join(folder, 'codes.jsonl')
  const sender = fileCodeSender(path, { now: () => 0 })
  await sender.send(PHONE, '123456')
  await sender.send(PHONE, '000001')
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { phone: PHONE, code: '123456', at: '1970-01-01T00:00:00.000Z' },
    { phone: PHONE, code: '000001', at: '1970-01-01T00:00:00.000Z' },
  ])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  rmSync(folder, { recursive: true })
})

it('file: that cannot be written fails the registration, not the server', async () => {
  const sender = fileCodeSender('/nowhere/at/all', { now: () => 0 })
  await expect(sender.send(PHONE, '123456')).rejects.toThrow()
})
