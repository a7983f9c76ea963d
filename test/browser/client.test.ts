/**
 * A whole client in Chromium against a real server: it is killed in the middle of sending, and its
 * home moves to Node and back.
 */
import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportHomeToFile, importHomeFromFile, openCouplet } from '@couplet/client/node'
import { NO_LIMITS } from '@couplet/server'
import { fromBase64Url, toBase64Url } from '@couplet/wire'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { read, TestPerson, TestServer, until } from '../people.ts'
import { bundle } from './bundle.ts'
import { startChromium, type TestBrowser } from './chromium.ts'
import type { ClientPage } from './client-page.ts'

declare global {
  // The page's own functions, called inside `evaluate`.
  var clientPage: ClientPage
}

const BEN = '+12025550102'
const filePassphrase = 'five words are quite enough'

let folder: string
let server: TestServer
let browser: TestBrowser
let ben: TestPerson

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'couplet-client-'))
  const web = join(folder, 'web')
  await mkdir(web)
  await writeFile(join(web, 'page.js'), await bundle(join(import.meta.dirname, 'client-page.ts')))
  const html = '<!doctype html><title>test</title><script type="module" src="/page.js"></script>'
  await writeFile(join(web, 'index.html'), html)
  server = await new TestServer({ webFolder: web, limits: NO_LIMITS }).start()
  ben = await TestPerson.register(server, BEN)
}, 300_000)

afterEach(async () => {
  await browser?.close()
  await ben?.offline()
})

afterAll(async () => {
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('killed in the middle of sending, again and again, it loses and doubles nothing', async () => {
  const profile = join(folder, 'killed')
  const phone = '+12025550101'
  let page = await start(profile)
  await register(page, phone)
  const warnings: unknown[] = []
  const couplet = await ben.online()
  couplet.on('warning', (warning) => warnings.push(warning))
  const received: string[] = []
  const reading = (async () => {
    for await (const { text } of couplet.messages()) received.push(text)
  })()
  for (let round = 1; round <= 3; round++) {
    await page.evaluate(() => clientPage.open())
    const before = received.length
    void page.evaluate((to) => clientPage.sendForEver(to), BEN).catch(() => undefined)
    await until(() => received.length >= before + 7 * round, 30_000)
    await killBrowser(profile)
    page = await start(profile)
  }
  await page.evaluate(() => clientPage.open())
  await page.evaluate(() => clientPage.settled())
  await page.evaluate((to) => clientPage.delivered(to, 'last'), BEN)
  await until(() => received.at(-1) === 'last')
  // Every message that this browser remembers has come, once and in order.
  const sent = await page.evaluate((peer) => clientPage.history(peer), BEN)
  expect(received).toEqual(sent.map(([text]) => text))
  expect(new Set(sent.map(([, state]) => state))).toEqual(new Set(['delivered']))
  expect(warnings).toEqual([])
  await ben.offline()
  await reading
}, 240_000)

test('a home moves from a browser to Node, and back into another browser', async () => {
  const phone = '+12025550103'
  const first = await start(join(folder, 'first'))
  await register(first, phone)
  await first.evaluate(() => clientPage.open())
  const couplet = await ben.online()
  await first.evaluate((to) => clientPage.delivered(to, 'from a browser'), BEN)
  await first.evaluate(() => clientPage.close())
  const file = await first.evaluate((secret) => clientPage.exportHome(secret), filePassphrase)
  expect(await first.evaluate(() => clientPage.state())).toBe('home-moved')

  const [path, home] = [join(folder, 'ana.couplet'), join(folder, 'node')]
  await writeFile(path, fromBase64Url(file))
  expect(await importHomeFromFile({ home, file: path, filePassphrase })).toMatchObject({ phone })
  const onNode = await openCouplet({ home })
  await onNode.connect()
  await (await onNode.send(BEN, 'from Node')).delivered
  await (await couplet.send(phone, 'to Node')).delivered
  await read(onNode, 1)
  await onNode.close()
  await rm(path)
  await exportHomeToFile({ home, file: path, filePassphrase })
  await browser.close()

  const second = await start(join(folder, 'second'))
  expect(await second.evaluate(() => clientPage.state())).toBe('new')
  const bytes = toBase64Url(await readFile(path))
  const imported = second.evaluate(([text, secret]) => clientPage.importHome(text, secret), [
    bytes,
    filePassphrase,
  ] as const)
  expect(await imported).toBe(phone)
  await second.evaluate(() => clientPage.open())
  await second.evaluate((to) => clientPage.delivered(to, 'from a browser again'), BEN)
  const history = await second.evaluate((peer) => clientPage.history(peer), BEN)
  expect(history).toEqual([
    ['from a browser', 'delivered'],
    ['from Node', 'delivered'],
    ['to Node', 'received'],
    ['from a browser again', 'delivered'],
  ])
}, 240_000)

async function start(profile: string): Promise<Page> {
  browser = await startChromium(profile)
  const page = await browser.context.newPage()
  await page.goto(server.url)
  await page.waitForFunction(() => 'clientPage' in globalThis)
  return page
}

async function register(page: Page, phone: string): Promise<void> {
  await page.evaluate(([number, url]) => clientPage.begin(number, url), [
    phone,
    server.url,
  ] as const)
  const code = server.codes.get(phone)!
  await page.evaluate((text) => clientPage.complete(text), code)
}

/** The whole browser, as a power cut of the program: nothing of it says goodbye. */
async function killBrowser(profile: string): Promise<void> {
  const lock = await readlink(join(profile, 'SingletonLock'))
  const pid = Number(lock.slice(lock.lastIndexOf('-') + 1))
  const closed = new Promise((resolve) => browser.context.once('close', resolve))
  process.kill(pid, 'SIGKILL')
  await closed
  await rm(join(profile, 'SingletonLock'), { force: true })
}
