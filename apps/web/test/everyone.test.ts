/** For everyone: the keyboard alone, a finger alone, other eyes; and what the page may load. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WEB_FOLDER } from '../build.ts'
import { isTooWide, PHONE, settled, violations, WIDE } from './looks.ts'
import { type WebPerson, WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 600_000 })

let world: WebWorld
/** Who has come in by the keyboard alone, and stays for the tests after that. */
let ana: WebPerson
/** Everything that her page asked for. */
const requested: string[] = []

beforeAll(async () => {
  world = await WebWorld.create()
}, 300_000)
afterAll(() => world?.end())

test('the keyboard alone: from the first screen to a sent message and its menu', async () => {
  const [visitor, ben] = await Promise.all([world.visitor(), world.elsewhere()])
  ana = visitor
  ana.page.on('request', (request) => requested.push(request.url()))
  await ana.page.reload()
  await ben.online()
  const { keyboard } = ana.page
  world.codes.delete(ana.phone)
  await ana.page.getByLabel('Phone number').waitFor()
  await tabTo(ana.page, 'Phone number')
  await keyboard.type(ana.phone)
  await keyboard.press('Enter')
  await ana.page.getByLabel('Six-digit code').waitFor()
  await keyboard.type(await ana.code())
  await ana.page.getByRole('button', { name: 'Start messaging' }).waitFor()
  await tabTo(ana.page, 'Start messaging')
  await keyboard.press('Enter')
  await ana.chats.waitFor()
  await keyboard.press('Alt+n')
  await ana.page.getByRole('dialog').waitFor()
  await tabTo(ana.page, 'Phone number')
  await keyboard.type(ben.phone)
  await keyboard.press('Enter')
  await ana.composer.waitFor()
  await ana.page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA')
  await keyboard.type('By keyboard')
  await keyboard.press('Enter')
  await ana.sees('By keyboard', 'Delivered')
  await keyboard.press('Shift+F6')
  await keyboard.press('ArrowUp')
  await keyboard.press('Shift+F10')
  await ana.page.getByRole('menuitem', { name: 'Reply' }).waitFor()
  await keyboard.press('Escape')
  await ana.page.getByRole('menu').waitFor({ state: 'detached' })
  await keyboard.press('Escape')
  await ana.composer.waitFor({ state: 'detached' })
  await ben.offline()
})

test('speaks German, on a phone, with a finger', async () => {
  const [uli, ben] = await Promise.all([
    world.visitor({ locale: 'de-DE', viewport: PHONE, hasTouch: true, isMobile: true }),
    world.elsewhere(),
  ])
  const { page } = uli
  const couplet = await ben.online()
  const heading = 'Private Nachrichten. Der Server merkt sich zwei.'
  await page.getByRole('heading', { name: heading }).waitFor()
  world.codes.delete(uli.phone)
  await page.getByLabel('Telefonnummer').fill(uli.phone)
  await page.locator('.button-main').tap()
  await page.locator('#code').fill(await uli.code())
  await page.locator('.stage .button-wide').tap()
  await (await couplet.send(uli.phone, 'Kommst du?')).delivered
  await page.locator('.chat-row').tap()
  await page.locator('.composer-input').fill('Ja, in zehn Minuten.')
  await page.locator('.send').tap()
  await page.getByRole('article', { name: /Ja, in zehn Minuten.*, Zugestellt$/ }).waitFor()
  // Where one writes is on the screen, however much was said.
  for (let i = 0; i < 12; i++) await couplet.send(uli.phone, `Nachricht ${i}, und noch etwas mehr.`)
  await uli.sees('Nachricht 11, und noch etwas mehr.')
  const box = (await page.locator('.composer').boundingBox())!
  expect(box.y + box.height).toBeLessThanOrEqual(PHONE.height)
  expect(await violations(page)).toEqual([])
  // The phone's own way back.
  await page.goBack()
  await page.getByRole('heading', { level: 1, name: 'Chats' }).waitFor()
  await ben.offline()
  await uli.leave()
})

test('in colours of the system, with more contrast, without motion, narrow, and enlarged', async () => {
  const { page } = ana
  const ben = await world.elsewhere()
  const couplet = await ben.online()
  await ana.add(ben, 'Averylongnamewithoutanybreakinit Andasecondonethatisaslong')
  await couplet.send(ana.phone, `A_very_long_word_${'x'.repeat(300)}`)
  await couplet.send(ana.phone, 'Are you still coming tonight?')
  await ana.sees('Are you still coming tonight?')
  const screens = {
    chat: async () => ana.open(ben),
    settings: async () => page.getByRole('button', { name: 'Settings' }).click(),
  }
  for (const [name, show] of Object.entries(screens)) {
    await page.setViewportSize(WIDE)
    await show()
    for (const [kind, media] of Object.entries(MEDIA)) {
      await page.emulateMedia({ ...NO_MEDIA, ...media })
      await settled(page)
      expect.soft(await violations(page), `${name}, ${kind}`).toEqual([])
    }
    await page.emulateMedia(NO_MEDIA)
    for (const [kind, size] of Object.entries(TIGHT)) {
      await page.setViewportSize(size)
      await settled(page)
      expect.soft(await isTooWide(page), `${name}, ${kind}: wider than the screen`).toBe(false)
      expect.soft(await violations(page), `${name}, ${kind}`).toEqual([])
    }
  }
  // What a state or a choice is told by must be there when the system chooses all colours.
  await page.setViewportSize(WIDE)
  await page.emulateMedia({ ...NO_MEDIA, forcedColors: 'active' })
  await ana.open(ben)
  const borders = await page
    .locator('.bubble-in, .chat-row[aria-current=page], .composer-box')
    .evaluateAll((all) => all.map((element) => getComputedStyle(element).borderTopStyle))
  expect(new Set(borders)).toEqual(new Set(['solid']))
  // No motion but fades, and those short.
  await page.emulateMedia({ ...NO_MEDIA, reducedMotion: 'reduce' })
  await ana.send('Nothing moves')
  await ana.sees('Nothing moves')
  const moving = await page.evaluate(() =>
    document.getAnimations().flatMap((animation) => {
      const frames = (animation.effect as KeyframeEffect).getKeyframes()
      const moves = frames.some((frame) => 'translate' in frame || 'rotate' in frame)
      return moves ? [(animation as CSSAnimation).animationName] : []
    }),
  )
  expect(moving).toEqual([])
  await ben.offline()
})

test('loads nothing from elsewhere, and stays within its budget', async () => {
  expect(requested.length).toBeGreaterThan(5)
  expect(requested.filter((url) => !url.startsWith(world.url))).toEqual([])
  const page = await readFile(join(WEB_FOLDER, 'index.html'), 'utf8')
  expect(page).not.toMatch(/<style|style=|\son[a-z]+=|https?:/)
  const first = [...page.matchAll(/assets\/[\w.-]+\.js/g)].map(([name]) => name)
  const sizes = await Promise.all(
    [...new Set(first)].map(async (name) => (await stat(join(WEB_FOLDER, `${name}.gz`))).size),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  expect((await readdir(join(WEB_FOLDER, 'assets'))).length).toBeGreaterThan(first.length)
  expect(total).toBeLessThan(BUDGET_BYTES)
})

/** Presses Tab until something of this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const target = page.getByLabel(name).or(page.getByRole('button', { name })).last()
  for (let presses = 0; presses < 40; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`test: the keyboard does not reach ${name}`)
}

const NO_MEDIA = {
  colorScheme: 'light',
  contrast: 'no-preference',
  forcedColors: 'none',
  reducedMotion: 'no-preference',
} as const
const MEDIA = {
  'forced colours': { forcedColors: 'active' },
  'more contrast': { contrast: 'more' },
  'more contrast in the dark': { contrast: 'more', colorScheme: 'dark' },
} as const
/** The narrowest screen there is, and 1280 by 800 at 200 and at 400 percent. */
const TIGHT = {
  '320 px': { width: 320, height: 640 },
  '200 %': { width: 640, height: 400 },
  '400 %': { width: 320, height: 256 },
} as const

/** Gzipped JavaScript before the first paint. */
const BUDGET_BYTES = 120_000
