/**
 * For everyone: axe-core on every screen, light and dark, wide and narrow; the keyboard alone; from
 * right to left; and what the page may load. Leaves pictures of all screens in WEB_PICTURES, if set.
 */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { read } from '../../../test/people.ts'
import { WEB_FOLDER } from '../build.ts'
import { type WebPerson, WebWorld } from './world.ts'

interface Axe {
  run(
    context: Document,
    options: object,
  ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>
}

vi.setConfig({ testTimeout: 600_000 })

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8')
const PICTURES = process.env.WEB_PICTURES
const SIZES = [
  { width: 1200, height: 760 },
  { width: 390, height: 844 },
] as const
const EVERY_RULE = {
  type: 'tag',
  values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
}
/** A theme changes nothing else. */
const RULES_OF_COLOUR = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }
let world: WebWorld

beforeAll(async () => {
  world = await WebWorld.create()
  if (PICTURES) await mkdir(PICTURES, { recursive: true })
}, 300_000)
afterAll(() => world?.end())

/** No violation in any theme and width, and nothing that is wider than the screen. */
async function passes({ page }: WebPerson, name: string): Promise<void> {
  const found: string[] = []
  for (const size of SIZES) {
    await page.setViewportSize(size)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await settled(page)
      const place = `${name}-${colorScheme}-${size.width}`
      if (PICTURES) await page.screenshot({ path: join(PICTURES, `${place}.png`) })
      const rules = colorScheme === 'light' ? EVERY_RULE : RULES_OF_COLOUR
      for (const violation of await violations(page, rules)) found.push(`${place}: ${violation}`)
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
      if (overflow) found.push(`${place}: wider than the screen`)
    }
  }
  await page.setViewportSize(SIZES[0])
  expect.soft(found).toEqual([])
}

/** Colours change over a moment, and are measured as they are in it. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready
    await Promise.allSettled(
      document
        .getAnimations()
        .filter(({ effect }) => Number(effect?.getComputedTiming().endTime) < 1000)
        .map((animation) => animation.finished),
    )
  })
}

async function violations(page: Page, rules: object = EVERY_RULE): Promise<string[]> {
  // Evaluated from outside, where the page's own policy does not bind.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE)
  return page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const result = await axe.run(document, { runOnly, resultTypes: ['violations'] })
    return result.violations.map(
      ({ id, nodes }) => `${id} ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join(' | ')}`,
    )
  }, rules)
}

describe('every screen', () => {
  test('before the chats', async () => {
    const ana = await world.visitor()
    await passes(ana, 'welcome')
    await ana.page.getByRole('button', { name: 'Send code' }).click()
    await passes(ana, 'welcome-error')
    await ana.askForCode()
    await passes(ana, 'code')
    await ana.page.getByLabel('Six-digit code').fill(await ana.code())
    await ana.page.getByRole('button', { name: 'Start messaging' }).waitFor()
    await passes(ana, 'done')
    const second = await ana.context.newPage()
    await second.goto(world.url)
    await second.getByRole('button', { name: 'Use here' }).waitFor()
    expect(await violations(second)).toEqual([])
    await ana.leave()
  })

  test('the chats', async () => {
    const [ana, ben] = await Promise.all([world.person(), world.elsewhere()])
    const couplet = await ben.online()
    await passes(ana, 'empty')
    await ana.page.getByRole('button', { name: 'New chat' }).first().click()
    await ana.page.getByRole('dialog').getByLabel('Phone number').waitFor()
    await passes(ana, 'new-number')
    await ana.page.getByRole('tab', { name: 'Code' }).click()
    await ana.page.getByRole('img', { name: /^Code with/ }).waitFor()
    await passes(ana, 'new-code')
    await ana.page.keyboard.press('Escape')
    await ana.add(ben, 'Amara Okafor')
    await couplet.send(ana.phone, 'Are you still coming tonight?')
    await ana.sees('Are you still coming tonight?')
    await ana.send('Yes, leaving work in ten minutes.')
    await ana.send('Do I need to bring anything?')
    await read(couplet, 2)
    await ana.sees('Do I need to bring anything?', 'Delivered')
    await couplet.send(ana.phone, 'Just yourself.\nSee you at the station at 6')
    await ana.sees('Just yourself.\nSee you at the station at 6')
    await passes(ana, 'chat')
    await ana.bubble('Are you still coming tonight?').click({ button: 'right' })
    await ana.page.getByRole('menuitem', { name: 'Details' }).waitFor()
    await passes(ana, 'menu')
    await ana.page.getByRole('menuitem', { name: 'Details' }).click()
    await ana.page.getByRole('dialog').waitFor()
    await passes(ana, 'details')
    await ana.page.keyboard.press('Escape')
    await ana.page.getByRole('dialog').waitFor({ state: 'hidden' })
    await ana.page.getByRole('button', { name: /Verify / }).click()
    await ana.page.getByTestId('digits').waitFor()
    await passes(ana, 'verify')
    await ana.page.getByRole('button', { name: 'They match' }).click()
    await ana.page.getByRole('heading', { name: /is verified/ }).waitFor()
    await passes(ana, 'verified')
    await ana.page.getByRole('button', { name: 'Back', exact: true }).click()
    await ben.offline()
    const again = await world.elsewhere(ben.phone)
    await (await again.online()).send(ana.phone, 'A new phone')
    await ana.page.getByRole('heading', { name: /has a new key/ }).waitFor()
    await passes(ana, 'key-changed')
    await ana.page.getByRole('button', { name: 'Compare numbers' }).click()
    await ana.page.getByRole('button', { name: 'These do not match' }).click()
    await passes(ana, 'mismatch')
    await ana.page.getByRole('button', { name: 'Settings' }).click()
    await ana.page.getByTestId('server-facts').waitFor()
    await passes(ana, 'settings')
    await again.offline()
    await ana.leave()
  })
})

test('the keyboard alone: from the first screen to a sent message and its menu', async () => {
  const [ana, ben] = await Promise.all([world.visitor(), world.elsewhere()])
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
  await Promise.all([ana.leave(), ben.offline()])
})

test.each([
  { locale: 'ar', direction: 'rtl', heading: 'رسائل خاصة. الخادم يتذكر رسالتين.' },
  {
    locale: 'de-DE',
    direction: 'ltr',
    heading: 'Private Nachrichten. Der Server merkt sich zwei.',
  },
])('speaks $locale, $direction', async ({ locale, direction, heading }) => {
  const ana = await world.visitor({ locale })
  await ana.page.getByRole('heading', { name: heading }).waitFor()
  expect(await ana.page.locator('html').getAttribute('dir')).toBe(direction)
  await passes(ana, `welcome-${locale}`)
  await ana.leave()
})

test('loads nothing from elsewhere, and stays within its budget', async () => {
  const ana = await world.visitor()
  const requested: string[] = []
  ana.page.on('request', (request) => requested.push(request.url()))
  await ana.register()
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
  await ana.leave()
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

/** Gzipped JavaScript before the first paint. */
const BUDGET_BYTES = 120_000
