/** Every example does what it says. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needPrograms } from './debian.ts'
import { COUPLET, type Person, Running, World } from './processes.ts'

const EXAMPLES = join(import.meta.dirname, '..', 'examples')
const ANA = '+12025550101'
const BOT = '+12025550109'

let world: World
let ana: Person
let bot: Person
const running = new Set<Running>()

beforeAll(async () => {
  needPrograms({ python3: 'python3' })
  world = await World.create()
  await world.startServer()
  ana = await world.person('ana', ANA)
  bot = await world.person('bot', BOT)
})

afterAll(async () => {
  await Promise.all([...running].map((each) => each.stop('SIGKILL')))
  await world.end()
})

function start(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Running {
  const child = spawn(program, args, {
    cwd: world.folder,
    env: { ...world.environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const started = new Running(child)
  running.add(started)
  return started
}

/** What Ana gets as an answer. */
async function answered(text: string): Promise<unknown> {
  await ana.couplet('send', BOT, text)
  const follow = ana.spawn('receive', '--follow', '--json')
  const [line] = await follow.saw(/\{"type":"message".*/)
  await follow.stop()
  return (JSON.parse(line) as { text: unknown }).text
}

test('echo-bot', async () => {
  const echo = start(process.execPath, [
    '--conditions=source',
    join(EXAMPLES, 'echo-bot/echo.ts'),
    bot.home,
  ])
  await echo.saw(/I am \+12025550109/)
  expect(await answered('Hello')).toBe('You said: Hello')
  await echo.saw(/their device has proven it/)
  expect((await echo.stop()).code).toBe(0)
})

test('python-bot', async () => {
  const command = [process.execPath, ...COUPLET, '--home', bot.home]
  const python = start('python3', [join(EXAMPLES, 'python-bot/bot.py'), ...command])
  await python.saw(/I am \+12025550109/)
  expect(await answered('add 1 2 3')).toBe('6.0')
  expect(await answered('Hello, bot')).toBe('2 words. I can add: add 1 2 3')
  await python.stop()
})

test('shell-alert', async () => {
  const env = { COUPLET_HOME: bot.home, COUPLET: [process.execPath, ...COUPLET].join(' ') }
  const alert = (limit: string): Running =>
    start(join(EXAMPLES, 'shell-alert/alert.sh'), [ANA, limit, world.folder], env)
  expect(await alert('101').ended).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect(await alert('0').ended).toMatchObject({ code: 0, stderr: '' })
  expect(await ana.receive()).toMatchObject([expect.stringMatching(/ is \d+ % full$/)])
})

test('webhook-bridge', async () => {
  const tokenFile = world.path('bridge-token')
  const daemon = bot.spawn('daemon', '--http', '0', '--token-file', tokenFile)
  const [, url] = await daemon.saw(/Listening on (http:\S+)\./)
  const bridge = start(process.execPath, [join(EXAMPLES, 'webhook-bridge/bridge.mjs')], {
    DAEMON: url!,
    TOKEN_FILE: tokenFile,
    TO: ANA,
    SECRET: 'sesame',
    PORT: '0',
  })
  const [hook] = await bridge.saw(/http:\S+/)
  const post = async (secret: string): Promise<number> => {
    const address = `${hook}/?secret=${secret}`
    return (await fetch(address, { method: 'POST', body: 'The build is green.' })).status
  }
  expect(await post('wrong')).toBe(403)
  expect(await post('sesame')).toBe(202)
  const follow = ana.spawn('receive', '--follow', '--json')
  await follow.saw(/The build is green\./)
  await follow.stop()
  await daemon.stop()
})
