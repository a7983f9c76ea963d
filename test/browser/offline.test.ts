/// <reference lib="dom" />
/** The built web client in Chromium: it starts without a server, and finds a new version. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { buildWebClient, WEB_FOLDER } from '../../apps/web/build.ts'
import { TestServer } from '../people.ts'
import { startChromium, type TestBrowser } from './chromium.ts'

/** For the page, or the worker, to get somewhere: seconds, even on a busy machine. */
const STEP_MS = 30_000

let folder = ''
let browser: TestBrowser
let server: TestServer

beforeAll(async () => void (await buildWebClient()), 300_000)

// All of its own for each try: a worker and a page that one has left would meet the next.
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'couplet-web-')), 'app')
  await cp(WEB_FOLDER, folder, { recursive: true })
  server = await new TestServer({ webFolder: folder }).start()
  browser = await startChromium()
  browser.context.setDefaultTimeout(STEP_MS)
})

afterEach(async () => {
  await browser?.close()
  await server?.stop()
  if (folder) await rm(join(folder, '..'), { recursive: true, force: true })
})

test('the app starts without a server once it was there, and then finds a new version', async () => {
  const page = await browser.context.newPage()
  await page.goto(server.url)
  await workerIs(page, 'active')
  const title = await titleOf(page)

  await server.stop()
  await page.reload()
  expect(await titleOf(page)).toBe(title)
  // Nothing of the server's own is answered from the cache.
  const answer = await page.evaluate(() => fetch('/v1/server').then(String, () => 'no answer'))
  expect(answer).toBe('no answer')

  await makeSecondBuild(folder)
  await server.start()
  await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
  await workerIs(page, 'waiting')
  // The old one goes on until it is asked to make way.
  await page.reload()
  await titleOf(page)
  expect(await page.locator('meta[name=build]').count()).toBe(0)

  await page.evaluate(async () => {
    const { waiting } = await navigator.serviceWorker.ready
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is the app's worker
    waiting!.postMessage('use the new version')
  })
  await workerIs(page, 'none waiting')
  await page.reload()
  await titleOf(page)
  expect(await page.locator('meta[name=build]').count()).toBe(1)
})

/** The title of the first screen that stays: what is shown while the app starts does not. */
async function titleOf(page: Page): Promise<string | null> {
  await page.waitForSelector('main:not(.starting) h1')
  return page.textContent('h1')
}

/** Waits for the service worker to get there. @throws with the states that it had instead. */
async function workerIs(page: Page, goal: 'active' | 'waiting' | 'none waiting'): Promise<void> {
  const deadline = performance.now() + STEP_MS
  for (;;) {
    const states = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration()
      return {
        installing: registration?.installing?.state ?? 'none',
        waiting: registration?.waiting?.state ?? 'none',
        active: registration?.active?.state ?? 'none',
      }
    })
    const isThere = {
      active: states.active === 'activated',
      waiting: states.waiting === 'installed',
      'none waiting': states.waiting === 'none' && states.active === 'activated',
    }
    if (isThere[goal]) return
    if (performance.now() > deadline) {
      throw new Error(`the worker is not ${goal} but ${JSON.stringify(states)}`)
    }
    await setTimeout(20)
  }
}

/** Another build in the folder of the first: one other name in the page, and so another worker. */
async function makeSecondBuild(app: string): Promise<void> {
  const change = async (name: string, edit: (text: string) => string) => {
    const file = join(app, name)
    for (const suffix of ['.br', '.gz']) await rm(file + suffix)
    const text = await readFile(file, 'utf8')
    const edited = edit(text)
    expect(edited).not.toBe(text)
    await writeFile(file, edited)
  }
  await change('index.html', (html) =>
    html.replace('<head>', '<head><meta name="build" content="second">'),
  )
  await change('service-worker.js', (code) =>
    code.replaceAll(/couplet-[0-9a-f]{16}/g, 'couplet-0000000000000000'),
  )
}
