/** `couplet keyring` with a real keyring: gnome-keyring on a bus of its own. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needPrograms } from '../../../test/debian.ts'
import { TestServer } from '../../../test/people.ts'
import { COUPLET } from '../../../test/processes.ts'
import { quoted } from '../src/context.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'couplet-keyring-'))
const HOME = join(FOLDER, 'home')
const ANA = '+12025550101'
const server = new TestServer()

beforeAll(async () => {
  needPrograms({
    'secret-tool': 'libsecret-tools',
    'gnome-keyring-daemon': 'gnome-keyring',
    'dbus-run-session': 'dbus-daemon',
  })
  writeFileSync(join(FOLDER, 'passphrase'), 'pass wörd\n')
  writeFileSync(join(FOLDER, 'wrong'), 'another one\n')
  await server.start()
  const environment = { COUPLET_HOME: HOME, COUPLET_PASSPHRASE_FILE: join(FOLDER, 'passphrase') }
  await run(['register', ANA, '--server', server.url], environment)
  const { exit } = await run(['register', ANA, '--code', server.codes.get(ANA)!], environment)
  expect(exit).toBe(0)
})

afterAll(async () => {
  await server.stop()
  rmSync(FOLDER, { recursive: true, force: true })
})

test('a passphrase that is kept opens the home without a question, until it is forgotten', async () => {
  const couplet = ['node', ...COUPLET].map(quoted).join(' ')
  const script = `
printf secret | gnome-keyring-daemon --unlock --components=secrets > /dev/null
${couplet} contacts; echo "before: $?"
${couplet} keyring store --passphrase-file wrong; echo "wrong: $?"
${couplet} keyring store --passphrase-file passphrase
${couplet} contacts --json; echo "kept: $?"
${couplet} contacts --no-passphrase; echo "not asked: $?"
${couplet} keyring forget
${couplet} contacts; echo "forgotten: $?"
${couplet} keyring forget; echo "again: $?"`
  const lines = await inSession(script)
  expect(lines.filter((line) => !line.startsWith('couplet:'))).toEqual([
    'before: 78',
    'wrong: 79',
    'The passphrase of this home is in the keyring: you are not asked for it.',
    'kept: 0',
    'not asked: 78',
    'The passphrase of this home is not in the keyring.',
    'forgotten: 78',
    'The passphrase of this home is not in the keyring.',
    'again: 0',
  ])
})

test('without a keyring nothing is different, and it cannot be stored', async () => {
  const environment = { COUPLET_HOME: HOME, PATH: '' }
  const { PATH } = process.env
  process.env.PATH = ''
  try {
    expect((await run(['contacts'], environment)).exit).toBe(78)
    const stored = await run(
      ['keyring', 'store', '--passphrase-file', join(FOLDER, 'passphrase')],
      environment,
    )
    expect(stored).toMatchObject({ exit: 101, output: '' })
    expect(stored.errors).toContain('keyring cannot be used')
  } finally {
    process.env.PATH = PATH
  }
})

/** Runs a script with a session bus and data folders of its own; answers what it printed. */
async function inSession(script: string): Promise<readonly string[]> {
  const runtime = join(FOLDER, 'runtime')
  mkdirSync(runtime, { mode: 0o700 })
  const env = {
    PATH: `${join(process.execPath, '..')}:${process.env.PATH ?? ''}`,
    HOME: FOLDER,
    XDG_RUNTIME_DIR: runtime,
    COUPLET_HOME: HOME,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
  }
  const { stdout } = await promisify(execFile)('dbus-run-session', ['--', 'sh', '-c', script], {
    cwd: FOLDER,
    env,
  })
  return stdout.trim().split('\n')
}
