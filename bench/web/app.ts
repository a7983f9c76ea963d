/** The web client with a long past, in a real Chromium: how long a person waits, and where it stands still. */
import type { Page } from 'playwright-core'
import { WebWorld } from '../../apps/web/test/world.ts'
import { homeWithPast, type Past } from './home.ts'

/** Milliseconds, of the page's own clock. */
export interface AppFigures {
  /** From the navigation to the first pixels. */
  readonly firstPaintMs: number
  /** … to a list of conversations that can be used. */
  readonly listMs: number
  /** From the press on the long conversation until its last message is drawn. */
  readonly openMs: number
  /** From a key until its letter is drawn, the slowest of fifty. */
  readonly typeMs: number
  /** From a query until its hits are drawn; the first search reads every message. */
  readonly searchMs: number
  readonly searchAgainMs: number
  /** The longest task, and all above 50 ms together, while the list and the conversation scroll. */
  readonly scroll: { readonly longestMs: number; readonly blockedMs: number }
  /** From a message on the socket until it stands in the open conversation. */
  readonly arrivalMs: number
  /** Rows in the document while there are so many conversations and messages. */
  readonly rows: number
}

export async function measureApp(past: Past, tell: (text: string) => void): Promise<AppFigures> {
  tell('making a home with a past')
  const world = await WebWorld.create()
  try {
    const phone = world.nextPhone()
    const { file, passphrase } = await homeWithPast(world, phone, past)
    tell(`moving it into the browser: ${(file.length / 1e6).toFixed(1)} MB`)
    const { page } = await world.visitor()
    await page.locator('input[type=file]').setInputFiles({
      name: 'home.couplet',
      mimeType: 'application/octet-stream',
      buffer: file,
    })
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Passphrase').fill(passphrase)
    await dialog.getByRole('button', { name: 'Take over from a file' }).click()
    await page.locator('.chat-row').first().waitFor({ timeout: 600_000 })
    return await measurePage(page, world, phone, tell)
  } finally {
    await world.end()
  }
}

async function measurePage(
  page: Page,
  world: WebWorld,
  phone: string,
  tell: (text: string) => void,
): Promise<AppFigures> {
  await page.addInitScript(watch)
  const starts: { firstPaintMs: number; listMs: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    tell(`start ${round + 1} of ${ROUNDS}`)
    await page.reload()
    await page.locator('.chat-row').first().waitFor()
    starts.push(await page.evaluate(() => bench.start()))
  }
  tell('opening, typing, scrolling')
  const openMs = await page.evaluate(() => bench.open())
  const typed: number[] = []
  for (let i = 0; i < 50; i++) {
    typed.push(await page.evaluate(() => bench.type()))
  }
  const scroll = await page.evaluate(() => bench.scroll())
  const rows = await page.locator('.chat-row, .bubble').count()
  tell('searching')
  const searchMs = await page.evaluate(() => bench.search('lighthouse'))
  const searchAgainMs = await page.evaluate(() => bench.search('dictionary'))
  tell('receiving')
  const ben = await world.elsewhere()
  const couplet = await ben.online()
  await (await couplet.send(phone, 'hello')).sent
  await page.locator(`.chat-row[data-peer="${ben.phone}"]`).click()
  await page.getByText('hello', { exact: true }).first().waitFor()
  const arrivals: number[] = []
  for (let i = 0; i < 5; i++) {
    const shown = page.evaluate((text) => bench.shows(text), `arrival ${i}`)
    const sentAt = Date.now()
    await couplet.send(phone, `arrival ${i}`)
    arrivals.push((await shown) - sentAt)
  }
  await ben.offline()
  return {
    firstPaintMs: median(starts.map((start) => start.firstPaintMs)),
    listMs: median(starts.map((start) => start.listMs)),
    openMs,
    typeMs: Math.max(...typed),
    searchMs,
    searchAgainMs,
    scroll,
    arrivalMs: median(arrivals),
    rows,
  }
}

interface PageBench {
  start(): { firstPaintMs: number; listMs: number }
  open(): Promise<number>
  type(): Promise<number>
  scroll(): Promise<{ longestMs: number; blockedMs: number }>
  search(query: string): Promise<number>
  shows(text: string): Promise<number>
}

declare global {
  // Made by `watch`, inside the page.
  var bench: PageBench
}

/** Runs inside the page, before it begins. */
function watch(): void {
  let listAt = 0
  const observer = new MutationObserver(() => {
    if (!document.querySelector('.chat-row')) return
    observer.disconnect()
    requestAnimationFrame(() => requestAnimationFrame(() => (listAt = performance.now())))
  })
  observer.observe(document, { childList: true, subtree: true })

  const frames = (count: number) =>
    new Promise<void>((resolve) => {
      const step = () => (count-- > 0 ? requestAnimationFrame(step) : resolve())
      step()
    })
  const until = (what: () => unknown) =>
    new Promise<void>((resolve) => {
      const look = () =>
        what() ? requestAnimationFrame(() => resolve()) : requestAnimationFrame(look)
      look()
    })
  const enter = (field: HTMLInputElement | HTMLTextAreaElement, text: string) => {
    const prototype = Object.getPrototypeOf(field) as object
    Object.getOwnPropertyDescriptor(prototype, 'value')!.set!.call(field, text)
    field.dispatchEvent(new InputEvent('input', { bubbles: true }))
  }

  globalThis.bench = {
    start: () => ({
      firstPaintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
      listMs: listAt,
    }),
    async open() {
      const from = performance.now()
      document.querySelector<HTMLElement>('.chat-row')!.click()
      await until(() => document.querySelector('.log[data-loaded="true"] .bubble'))
      await frames(2)
      return performance.now() - from
    },
    async type() {
      const field = document.querySelector<HTMLTextAreaElement>('.composer-input')!
      const from = performance.now()
      enter(field, `${field.value}x`)
      await frames(1)
      return performance.now() - from
    },
    async scroll() {
      const tasks: number[] = []
      const longTasks = new PerformanceObserver((list) => {
        tasks.push(...list.getEntries().map(({ duration }) => duration))
      })
      longTasks.observe({ type: 'longtask' })
      for (const [selector, step] of [
        ['.log', -400],
        ['.chats-scroll', 400],
      ] as const) {
        const element = document.querySelector(selector)!
        for (let i = 0; i < 150; i++) {
          element.scrollTop += step
          await frames(1)
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 300))
      longTasks.disconnect()
      return {
        longestMs: Math.max(0, ...tasks),
        blockedMs: tasks.reduce((sum, ms) => sum + ms - 50, 0),
      }
    },
    async search(query) {
      const field = document.querySelector<HTMLInputElement>('#search')!
      const from = performance.now()
      enter(field, query)
      await until(() => document.querySelector('mark')?.textContent?.toLowerCase() === query)
      const took = performance.now() - from
      enter(field, '')
      await until(() => !document.querySelector('mark'))
      return took
    },
    async shows(text) {
      await until(() =>
        [...document.querySelectorAll('.bubble-text')].some((b) => b.textContent === text),
      )
      return Date.now()
    },
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

const ROUNDS = 5
