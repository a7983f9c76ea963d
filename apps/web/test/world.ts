/**
 * What the tests of the web client share: one real server, one real Chromium, and people, each with
 * a browser profile of their own, who do what a person would do.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createInvitation,
  createServer,
  embeddedEngine,
  NO_LIMITS,
  type Server,
  type ServerOptions,
} from '@couplet/server'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core'
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../../../test/browser/chromium.ts'
import { TestPerson } from '../../../test/people.ts'
import { buildWebClient, WEB_FOLDER } from '../build.ts'

export class WebWorld {
  readonly codes = new Map<string, string>()
  readonly folder: string
  readonly browser: Browser
  #server: Server | undefined
  #port = 0
  #nextNumber = 100

  private constructor(folder: string, browser: Browser) {
    this.folder = folder
    this.browser = browser
  }

  /** @param args - more arguments for Chromium. */
  static async create(args: readonly string[] = []): Promise<WebWorld> {
    await buildWebClient()
    const folder = await mkdtemp(join(tmpdir(), 'couplet-web-'))
    const browser = await chromium.launch({
      executablePath: chromiumPath(),
      headless: true,
      args: [...CHROMIUM_ARGUMENTS, ...args],
    })
    const world = new WebWorld(folder, browser)
    await world.startServer()
    return world
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  /**
   * Starts, or starts again on the same port with the same data; does nothing while one runs.
   *
   * @returns an invitation, where one is asked for.
   */
  async startServer(options: Partial<ServerOptions> = {}): Promise<string | undefined> {
    if (this.#server) return undefined
    const folder = join(this.folder, 'server')
    const isInvited = options.registration === 'invite'
    const engine = isInvited ? await embeddedEngine({ folder, capacity: 2 }) : undefined
    const now = Date.now()
    const invitation =
      engine &&
      (await createInvitation(engine.store.records, { uses: 1, expiresAt: now + DAY_MS, now }))
    this.#server = await createServer({
      port: this.#port,
      ...(engine ? { engine } : { data: folder }),
      webFolder: WEB_FOLDER,
      codeSender: {
        development: true,
        send: async (phone, code) => {
          this.codes.set(phone, code)
        },
      },
      limits: NO_LIMITS,
      ...options,
    })
    this.#port = this.#server.port
    return invitation
  }

  async stopServer(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
  }

  async end(): Promise<void> {
    await this.browser.close()
    await this.stopServer()
    await rm(this.folder, { recursive: true, force: true })
  }

  nextPhone(): string {
    return `+1202555${String(this.#nextNumber++).padStart(4, '0')}`
  }

  /** Somebody with a fresh browser profile who has opened the page. */
  async visitor(options: BrowserContextOptions = {}): Promise<WebPerson> {
    const context = await this.browser.newContext({
      locale: 'en-US',
      viewport: { width: 1200, height: 760 },
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    })
    context.setDefaultTimeout(PATIENCE_MS)
    const page = await context.newPage()
    const person = new WebPerson(this, context, page, this.nextPhone())
    await page.goto(this.url)
    return person
  }

  /** Somebody who is registered and looks at the list of chats. */
  async person(options: BrowserContextOptions = {}): Promise<WebPerson> {
    const person = await this.visitor(options)
    await person.register()
    return person
  }

  /** Somebody without a browser: registered by the SDK, for where their screen is not the subject. */
  elsewhere(phone: string = this.nextPhone()): Promise<TestPerson> {
    return TestPerson.register(this, phone)
  }
}

export class WebPerson {
  readonly world: WebWorld
  readonly context: BrowserContext
  readonly page: Page
  readonly phone: string
  /** Whatever the page complained about. */
  readonly complaints: string[] = []

  constructor(world: WebWorld, context: BrowserContext, page: Page, phone: string) {
    this.world = world
    this.context = context
    this.page = page
    this.phone = phone
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
        this.complaints.push(message.text())
      }
    })
  }

  async register(): Promise<void> {
    await this.askForCode()
    await this.page.getByLabel('Six-digit code').fill(await this.code())
    await this.page.getByRole('button', { name: 'Start messaging' }).click()
    await this.chats.waitFor()
  }

  async askForCode(): Promise<void> {
    this.world.codes.delete(this.phone)
    await this.page.getByLabel('Phone number').fill(this.phone)
    await this.page.getByRole('button', { name: 'Send code' }).click()
    await this.page.getByRole('heading', { name: 'Enter the code' }).waitFor()
  }

  async code(): Promise<string> {
    await until(() => this.world.codes.has(this.phone))
    return this.world.codes.get(this.phone)!
  }

  /** Begins a chat by number, with a name of one's own for the other. */
  async add(other: { readonly phone: string }, name?: string): Promise<void> {
    await this.page.getByRole('button', { name: 'New chat' }).first().click()
    const dialog = this.page.getByRole('dialog')
    await dialog.getByLabel('Phone number').fill(other.phone)
    if (name) await dialog.getByLabel(/^Name/).fill(name)
    await dialog.getByRole('button', { name: 'Start chat' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await this.composer.waitFor()
  }

  /** Opens a conversation of the list. */
  async open(other: { readonly phone: string }): Promise<void> {
    await this.page.locator(`.chat-row[data-peer="${other.phone}"]`).click()
    await this.page.locator('.log[data-loaded="true"]').waitFor()
  }

  /** Above the list of chats; the settings have one of this name too. */
  get chats(): Locator {
    return this.page.getByRole('heading', { name: 'Chats', level: 1 })
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to/ })
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  /** The bubble that holds exactly this text. */
  bubble(text: string): Locator {
    return this.page.locator('article.bubble', {
      has: this.page.locator('.bubble-text', { hasText: exactly(text) }),
    })
  }

  /** Waits until the message with this text is in a state. */
  async sees(text: string, state?: string): Promise<void> {
    const bubble = this.bubble(text).last()
    await bubble.waitFor()
    if (!state) return
    await bubble.and(this.page.getByRole('article', { name: new RegExp(`, ${state}$`) })).waitFor()
  }

  /** At the list of chats, with no conversation open, wherever this person was. */
  async begin(): Promise<void> {
    await this.page.goto('about:blank')
    await this.page.goto(this.world.url)
    const elsewhere = this.page.getByRole('button', { name: 'Use here' })
    await this.chats.or(elsewhere).waitFor()
    // On a busy machine the page of a moment ago may still be about to end.
    if (await elsewhere.isVisible()) await elsewhere.click()
    await this.chats.waitFor()
  }

  /** Opens the page again, as after a restart of the browser. */
  async reload(): Promise<void> {
    await this.page.reload()
    await this.chats.waitFor()
  }

  async leave(): Promise<void> {
    await this.context.close()
  }
}

/** Waits until something is true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('test: waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
}

/** For one thing to happen, on a machine that has more to do. */
const PATIENCE_MS = 60_000
const DAY_MS = 24 * 60 * 60 * 1000
