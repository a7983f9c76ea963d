import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')
const FOLDER = await mkdtemp(join(tmpdir(), 'couplet-demo-test-'))
afterAll(() => rm(FOLDER, { recursive: true, force: true }))

test('the demo happens as told, and leaves nothing behind', { timeout: 120_000 }, async () => {
  const { exit, output, errors } = await couplet('demo', '--fast', '--json')
  expect(errors).toBe('')
  expect(JSON.parse(output)).toEqual({
    type: 'demo',
    ok: true,
    seconds: expect.any(Number) as number,
    heldByServer: 2,
    delivered: 5,
    inOrder: true,
    safetyNumbersMatch: true,
  })
  expect(exit).toBe(0)
  expect(await readdir(FOLDER)).toEqual([])
})

test('a demo that is stopped ends its processes and removes its folder', {
  timeout: 60_000,
}, async () => {
  const child = start('demo', '--fast')
  for await (const chunk of child.stdout!) {
    if (String(chunk).includes('2. Two people register')) break
  }
  child.kill('SIGTERM')
  const [exit] = (await once(child, 'exit')) as [number | null]
  expect(exit).toBe(143)
  expect(await readdir(FOLDER)).toEqual([])
})

function start(...args: string[]): ReturnType<typeof spawn> {
  return spawn(process.execPath, ['--conditions=source', MAIN, ...args], {
    // Its temporary folder is ours, to see what is left there.
    env: { ...process.env, TMPDIR: FOLDER, TEMP: FOLDER },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function couplet(
  ...args: string[]
): Promise<{ exit: number | null; output: string; errors: string }> {
  const child = start(...args)
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [exit] = (await once(child, 'close')) as [number | null]
  return { exit, output, errors }
}
