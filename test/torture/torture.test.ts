/** A short torture: every fault there is, and nothing lost or shown twice. (docs/torture-report.md) */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a minute of torture: a thousand messages, fifty kills, twenty evictions, and nothing lost', async () => {
  const { code, output } = await torture('--seed', '1', '--minutes', '0.7')
  const last =
    /messages sent (\d+), delivered (\d+), lost (\d+), duplicated (\d+), kills (\d+), cuts (\d+), evictions (\d+)\n$/
  const [sent, delivered, lost, duplicated, kills, cuts, evictions] = (last.exec(output) ?? [])
    .slice(1)
    .map(Number)
  expect({ code, lost, duplicated }, output).toEqual({ code: 0, lost: 0, duplicated: 0 })
  expect(delivered).toBe(sent)
  expect(sent).toBeGreaterThanOrEqual(1000)
  expect(kills).toBeGreaterThanOrEqual(50)
  expect(evictions).toBeGreaterThanOrEqual(20)
  expect(cuts).toBeGreaterThan(0)
}, 600_000)

test.each(['memory', 'workers', 'nats', 'nats-cluster'])(
  'twenty seconds of torture: %s',
  async (engine) => {
    const few = ['--people', '3', '--pace', '4', '--minutes', '0.34', '--least', '40,2,0']
    const { code, output } = await torture('--engine', engine, '--seed', '1', ...few)
    expect({ code, output }, output).toMatchObject({ code: 0 })
    expect(output).toMatch(/messages sent (\d+), delivered \1, lost 0, duplicated 0/)
  },
  600_000,
)

async function torture(
  ...args: readonly string[]
): Promise<{ code: number | null; output: string }> {
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, ['--conditions=source', main, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output }
}
