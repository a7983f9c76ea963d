/// <reference lib="dom" />
/** The built web client in Chromium: it starts without a server, and finds a new version. */
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildWebClient, WEB_FOLDER } from '../../apps/web/build.ts'
import { TestServer } from '../people.ts'
import { startChromium, type TestBrowser } from './chromium.ts'

let folder: string
let browser: TestBrowser
let server: TestServer

beforeAll(async () => {
  await buildWebClient()
  folder = join(await mkdtemp(join(tmpdir(), 'couplet-web-')), 'app')
  await cp(WEB_FOLDER, folder, { recursive: true })
  server = await new TestServer({ webFolder: folder }).start()
  browser = await startChromium()
}, 300_000)

afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await rm(join(folder, '..'), { recursive: true, force: true })
})

test('the app starts without a server once it was there, and then finds a new version', async () => {
  const page = await browser.context.newPage()
  await page.goto(server.url)
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await page.waitForSelector('h1')
  const title = await page.textContent('h1')

  await server.stop()
  await page.reload()
  await page.waitForSelector('h1')
  expect(await page.textContent('h1')).toBe(title)
  // Nothing of the server's own is answered from the cache.
  const answer = await page.evaluate(() => fetch('/v1/server').then(String, () => 'no answer'))
  expect(answer).toBe('no answer')

  // Another build: one byte is enough.
  for (const suffix of ['.br', '.gz']) await rm(join(folder, `service-worker.js${suffix}`))
  await appendFile(join(folder, 'service-worker.js'), '\n')
  const start = join(folder, 'index.html')
  const html = await readFile(start, 'utf8')
  for (const suffix of ['.br', '.gz']) await rm(start + suffix)
  await writeFile(start, html.replace('<head>', '<head><meta name="build" content="second">'))
  const worker = join(folder, 'service-worker.js')
  const code = await readFile(worker, 'utf8')
  const [version] = /couplet-[0-9a-f]{16}/.exec(code)!
  await writeFile(worker, code.replaceAll(version, 'couplet-0000000000000000'))
  await server.start()

  const waits = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    await registration.update()
    while (!registration.waiting) await new Promise((resolve) => setTimeout(resolve, 20))
    return document.querySelector('meta[name=build]') === null
  })
  // The old one goes on until it is asked to make way.
  expect(waits).toBe(true)
  await page.reload()
  expect(await page.locator('meta[name=build]').count()).toBe(0)
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    const changed = new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', resolve),
    )
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is the app's worker
    registration.waiting!.postMessage('use the new version')
    await changed
  })
  await page.reload()
  expect(await page.locator('meta[name=build]').count()).toBe(1)
})
