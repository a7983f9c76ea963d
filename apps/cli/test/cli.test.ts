import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'couplet-cli-'))
const HOME = join(FOLDER, 'home')
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

test('--version', async () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  expect(await run(['--version'])).toEqual({ exit: 0, output: `${version}\n`, errors: '' })
})

test('without a command it shows help', async () => {
  const { exit, output } = await run([])
  expect(exit).toBe(0)
  expect(output).toContain('Usage: couplet COMMAND')
})

test('an error is one line on standard error', async () => {
  expect(await run(['sned'])).toEqual({
    exit: 64,
    output: '',
    errors: 'couplet: there is no command “sned”. Did you mean “send”? See: couplet help\n',
  })
})

test('an error with --json is one object on standard error', async () => {
  const { exit, output, errors } = await run(['send', '--json'])
  expect({ exit, output }).toEqual({ exit: 64, output: '' })
  expect(JSON.parse(errors)).toEqual({
    type: 'error',
    code: 'usage',
    message: 'NUMBER is missing. Usage: couplet send NUMBER [TEXT]',
  })
})

test('what the user typed cannot steer the terminal from within an error', async () => {
  const { errors } = await run(['\u001b[2J'])
  expect(errors).toContain('\\x1b[2J')
  expect(errors).not.toContain('\u001b')
})

test.each([
  [['send', '555', 'Hi'], 65, 'invalid-phone-number'],
  [['register', 'ana'], 65, 'invalid-phone-number'],
  [['register', '+12025550101', '--code', '12345'], 64, 'usage'],
  [['verify', '+12025550102', '--mark', '--unmark'], 64, 'usage'],
  [['contacts', 'accept'], 64, 'usage'],
  [['contacts', 'adopt', '+12025550102'], 64, 'usage'],
  [['help', 'nothing'], 64, 'usage'],
  [['receive'], 66, 'not-registered'],
  [['send', '+12025550102', 'Hi'], 66, 'not-registered'],
  [['chat', '+12025550102'], 66, 'not-registered'],
  [['outbox'], 66, 'not-registered'],
  [['contacts'], 66, 'not-registered'],
  [['status'], 66, 'not-registered'],
  [['verify', '+12025550102'], 66, 'not-registered'],
  [['register', '+12025550101', '--code', '123456'], 83, 'no-registration'],
])('%j ends with %i', async (words, exit, code) => {
  const outcome = await run([...words, '--json'], { COUPLET_HOME: HOME })
  expect(JSON.parse(outcome.errors)).toMatchObject({ type: 'error', code })
  expect(outcome.exit).toBe(exit)
})

test('an empty message and one that is not text are refused', async () => {
  expect((await run(['send', '+12025550102'], { COUPLET_HOME: HOME }, '\n')).exit).toBe(64)
  expect((await run(['send', '+12025550102', ''], { COUPLET_HOME: HOME })).exit).toBe(64)
  const long = 'x'.repeat(70_000)
  expect((await run(['send', '+12025550102'], { COUPLET_HOME: HOME }, long)).exit).toBe(86)
})

test('a sentence says what to do next, with the home that was given', async () => {
  const { errors } = await run(['--home', HOME, 'receive'])
  expect(errors).toContain(`couplet --home ${HOME} register NUMBER`)
})
