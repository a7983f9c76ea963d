/** The files of deploy/ that can be looked at without a machine of their own. (nginx: proxy-nginx.test.ts) */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needPrograms } from './debian.ts'

const UNIT = join(import.meta.dirname, '..', 'deploy/couplet.service')
let folder: string

beforeAll(() => {
  needPrograms({ 'systemd-analyze': 'systemd' })
  folder = mkdtempSync(join(tmpdir(), 'couplet-deploy-'))
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As `systemd-analyze` sees the unit; the program itself is not installed here. */
function analyze(...args: readonly string[]): { readonly status: number | null; said: string } {
  const unit = join(folder, 'couplet.service')
  writeFileSync(unit, readFileSync(UNIT, 'utf8').replaceAll(/\/opt\/couplet\/\S*/g, '/bin/sh'))
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args, unit], {
    encoding: 'utf8',
  })
  return { status, said: stdout + stderr }
}

test('the unit has nothing that systemd does not know', () => {
  // Of units of this machine it may complain as it likes.
  const { status, said } = analyze('verify')
  expect(said.split('\n').filter((line) => line.includes('couplet'))).toEqual([])
  expect(status).toBe(0)
})

test('the unit keeps rights away, as the documentation says', () => {
  const { said } = analyze('security', '--offline=true', '--no-pager')
  const [, exposure] = /exposure level for couplet\.service: ([0-9.]+)/.exec(said) ?? []
  expect(Number(exposure)).toBeLessThanOrEqual(1.5)
})
