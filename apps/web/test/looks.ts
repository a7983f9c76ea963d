/**
 * How a screen looks, and whether everybody can use it: axe-core, nothing wider than the screen, and
 * pictures that are compared with those in `pictures/`.
 *
 * A picture may differ from its reference in `TOLERANCE.share` of its pixels, each counted when its
 * colour is further away than `TOLERANCE.colour` (pixelmatch: 0 to 1): versions of Chromium and fonts
 * of the system differ by less, a colour, a border or a row that is not where it was by more. Times,
 * numbers, keys and codes are hidden. `UPDATE_PICTURES=1` makes the references anew, and the pictures of
 * `docs/` with them: look at them. `ALL_PICTURES=folder` keeps pictures of every screen there.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pixelmatch from 'pixelmatch'
import type { Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { expect } from 'vitest'
import type { WebPerson } from './world.ts'

interface Axe {
  run(
    context: Document,
    options: object,
  ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>
}

export const WIDE = { width: 1200, height: 760 } as const
export const PHONE = { width: 390, height: 844 } as const

/**
 * No violation of any rule of axe-core in light, wide and on a phone, nor of those about colours in
 * dark; nothing that is wider than the screen; and no difference to the references that there are.
 */
export async function passes({ page }: WebPerson, name: string): Promise<void> {
  const found: string[] = []
  for (const [size, colorScheme, rules] of LOOKS) {
    await page.setViewportSize(size)
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await settled(page)
    const place = `${name}-${colorScheme}-${size.width}`
    if (ALL_PICTURES) await page.screenshot({ path: join(ALL_PICTURES, `${place}.png`) })
    if (REFERENCES.has(place)) found.push(...(await differences(page, place)))
    if (rules) for (const text of await violations(page, rules)) found.push(`${place}: ${text}`)
    if (await isTooWide(page)) found.push(`${place}: wider than the screen`)
  }
  await page.setViewportSize(WIDE)
  expect.soft(found).toEqual([])
}

/** Of a theme nothing but colours depends; what is there at all depends on the width. */
const COLOURS = ['color-contrast', 'link-in-text-block']
type Rules = 'all' | typeof COLOURS
const LOOKS: readonly [typeof WIDE | typeof PHONE, 'light' | 'dark', Rules | undefined][] = [
  [WIDE, 'light', 'all'],
  [WIDE, 'dark', COLOURS],
  [PHONE, 'light', 'all'],
  [PHONE, 'dark', undefined],
]

/** Colours change over a moment, and are measured as they are in it. */
export async function settled(page: Page): Promise<void> {
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

export async function violations(page: Page, rules: Rules = 'all'): Promise<string[]> {
  // Evaluated from outside, where the page's own policy does not bind.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE)
  return page.evaluate(async (wanted) => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const runOnly = wanted === 'all' ? {} : { runOnly: wanted }
    const result = await axe.run(document, { resultTypes: ['violations'], ...runOnly })
    return result.violations.map(
      ({ id, nodes }) => `${id} ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join(' | ')}`,
    )
  }, rules)
}

export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
}

async function differences(page: Page, name: string): Promise<string[]> {
  const image = DOCUMENTED[name]
  if (process.env.UPDATE_PICTURES && image) await page.screenshot({ path: join(IMAGES, image) })
  await page.evaluate(hide, HIDDEN)
  const taken = await page.screenshot({ animations: 'disabled' })
  await page.evaluate(hide, '')
  const file = join(PICTURES, `${name}.png`)
  if (process.env.UPDATE_PICTURES) {
    await mkdir(PICTURES, { recursive: true })
    await writeFile(file, taken)
    return []
  }
  if (!existsSync(file)) return [`${name}: there is no reference; UPDATE_PICTURES=1 makes it`]
  const [now, before] = [PNG.sync.read(taken), PNG.sync.read(await readFile(file))]
  const { width, height } = before
  if (now.width !== width || now.height !== height) return [`${name}: another size`]
  const diff = new PNG({ width, height })
  const count = pixelmatch(before.data, now.data, diff.data, width, height, {
    threshold: TOLERANCE.colour,
  })
  if (count <= TOLERANCE.share * width * height) return []
  const folder = await mkdtemp(join(tmpdir(), 'couplet-pictures-'))
  await writeFile(join(folder, `${name}.png`), taken)
  await writeFile(join(folder, `${name}.diff.png`), PNG.sync.write(diff))
  return [`${name}: ${count} pixels differ; see ${folder}`]
}

/** Run inside the page. A sheet made by script: the page's policy forbids what an element brings. */
function hide(selectors: string): void {
  const sheet = new CSSStyleSheet()
  // A time takes room by what it says: without it lines break as they will at any hour.
  const times = 'time { display: none !important }'
  if (selectors) sheet.replaceSync(`${selectors} { visibility: hidden !important } ${times}`)
  document.adoptedStyleSheets = [sheet]
}

const { ALL_PICTURES } = process.env
const TOLERANCE = { colour: 0.15, share: 0.015 } as const
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8')
const PICTURES = join(import.meta.dirname, 'pictures')
/** References that are pictures of the documentation too, with nothing hidden. */
const DOCUMENTED: Readonly<Record<string, string>> = {
  'chat-light-1200': 'web-chat.png',
  'verify-light-1200': 'web-verify.png',
  'chat-dark-390': 'web-phone.png',
  'key-changed-light-1200': 'web-key-changed.png',
}
const IMAGES = join(import.meta.dirname, '../../../docs/images')
/** What differs from run to run. */
const HIDDEN =
  'code, .qr, .digits, .stage-foot, .profile-number, .chat-person-more, .facts dd, .code-boxes'
/** The main screens: light and dark, wide and on a phone, from right to left. */
const REFERENCES: ReadonlySet<string> = new Set([
  'welcome-light-1200',
  'welcome-dark-390',
  'welcome-ar-light-1200',
  'code-light-390',
  'empty-light-1200',
  'chat-light-1200',
  'chat-dark-1200',
  'chat-dark-390',
  'chat-ar-light-1200',
  'chat-ar-dark-390',
  'verify-light-1200',
  'verified-dark-390',
  'key-changed-light-1200',
  'key-changed-dark-390',
  'mismatch-light-390',
  'settings-dark-1200',
])
