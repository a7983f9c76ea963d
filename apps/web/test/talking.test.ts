/** People who talk to each other in real browsers over a real server, and what can go wrong meanwhile. */
import type { BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { read } from '../../../test/people.ts'
import { until, type WebPerson, WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let world: WebWorld
/** Two for the whole file: each test says something of its own, and leaves them as it found them. */
let ana: WebPerson
let ben: WebPerson
/** Those who are there for one test. */
let visitors: WebPerson[] = []

beforeAll(async () => {
  world = await WebWorld.create()
  ;[ana, ben] = await Promise.all([world.person(), world.person()])
  await ana.add(ben, 'Ben')
  await ana.send('Hello')
  await ben.open(ana)
  await ben.sees('Hello')
}, 300_000)
afterAll(() => world?.end())
beforeEach(async () => {
  // Ana is in the conversation with Ben, who looks at his list of chats.
  await Promise.all([ana, ben].map((person) => person.begin()))
  await ana.open(ben)
})
afterEach(async () => {
  await world.startServer()
  const complaints = [ana, ben, ...visitors].flatMap((person) => person.complaints.splice(0))
  await Promise.all(visitors.map((person) => person.leave()))
  visitors = []
  expect(complaints.filter((text) => !/WebSocket|ERR_/.test(text))).toEqual([])
})

async function visitor(options?: BrowserContextOptions): Promise<WebPerson> {
  const person = await world.visitor(options)
  visitors.push(person)
  return person
}

describe('a conversation', () => {
  test('to and fro: shown at once, delivered, grouped, counted as unread until it is seen', async () => {
    await ana.send('Are you still coming tonight?')
    await ana.sees('Are you still coming tonight?', 'Delivered')
    const row = ben.page.locator(`.chat-row[data-peer="${ana.phone}"]`)
    await row.getByText('1 unread message').waitFor()
    expect(await ben.page.getByTestId('announcer').textContent()).toContain('Are you still coming')
    await ben.open(ana)
    await row.locator('.badge').waitFor({ state: 'detached' })
    await ben.send('Yes.')
    await ben.send('In ten minutes.')
    await ana.sees('In ten minutes.')
    expect(await ana.page.locator('.row-in.row-first').count()).toBe(1)
    await ben.reload()
    await ben.open(ana)
    await ben.sees('In ten minutes.', 'Delivered')
    await ben.sees('Are you still coming tonight?')
  })

  test('reply, copy, details, delete here, draft, name, timer', async () => {
    await ana.send('Dinner at eight?')
    await ana.sees('Dinner at eight?', 'Delivered')
    await ben.open(ana)
    await ben.bubble('Dinner at eight?').click({ button: 'right' })
    await ben.page.getByRole('menuitem', { name: 'Reply' }).click()
    await ben.send('Nine')
    await ana.bubble('Nine').locator('.quote', { hasText: 'Dinner at eight?' }).waitFor()
    await ana.bubble('Dinner at eight?').click({ button: 'right' })
    await ana.page.getByRole('menuitem', { name: 'Details' }).click()
    await ana.page.getByText('device has decrypted it, and has proven so.').waitFor()
    await ana.page.keyboard.press('Escape')
    await ana.page.getByRole('dialog').waitFor({ state: 'hidden' })
    await ana.bubble('Dinner at eight?').click({ button: 'right' })
    await ana.page.getByRole('menuitem', { name: 'Delete here' }).click()
    await ana.page.getByRole('button', { name: 'Delete', exact: true }).click()
    await ana.bubble('Dinner at eight?').waitFor({ state: 'detached' })
    await ana.composer.fill('half a thou')
    await ana.page.waitForTimeout(600)
    await ana.reload()
    await ana.open(ben)
    expect(await ana.composer.inputValue()).toBe('half a thou')
    await ana.page.getByRole('button', { name: /^Disappearing messages/ }).click()
    await ana.page.getByLabel('30 seconds').click()
    await ana.send('burn this')
    await ben.sees('burn this')
    await ben.bubble('burn this').locator('[data-icon="timer"]').waitFor()
    await ana.page.getByRole('button', { name: /^Disappearing messages/ }).click()
    await ana.page.getByLabel('As in the settings').click()
  })

  test('text is only ever text: in messages, quotes, names and the list', async () => {
    const evil =
      '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'
    await ana.send(evil)
    await ana.send('javascript:alert(1) https://example.org/"onmouseover=x')
    await ana.sees(evil, 'Delivered')
    await ana.page.locator('.chat-person').click()
    await ana.page.getByLabel('Name').fill(evil.slice(0, 80))
    await ana.page.getByRole('button', { name: 'Save' }).click()
    await ben.open(ana)
    await ben.sees(evil)
    for (const { page } of [ana, ben]) {
      expect(await page.title()).toBe('Couplet')
      expect(await page.locator('img, .log script, a[href^="javascript"]').count()).toBe(0)
    }
    expect(await ben.page.locator('.log a').getAttribute('href')).toBe('https://example.org/')
    await ana.page.locator('.chat-person').click()
    await ana.page.getByLabel('Name').fill('Ben')
    await ana.page.getByRole('button', { name: 'Save' }).click()
    await ana.page.getByRole('dialog').waitFor({ state: 'hidden' })
  })

  test('with the SDK at the other end: the same as the command line uses', async () => {
    const carl = await world.elsewhere()
    await ana.add(carl, 'Carl')
    const couplet = await carl.online()
    const reading = read(couplet, 1)
    await ana.send('From the browser')
    expect(await reading).toMatchObject([{ text: 'From the browser' }])
    await ana.sees('From the browser', 'Delivered')
    const { delivered } = await couplet.send(ana.phone, 'From Node')
    await ana.sees('From Node')
    await delivered
    await carl.offline()
  })
})

describe('when the way to the other is interrupted', () => {
  test('offline: kept, said so, and sent by itself when back', async () => {
    await ana.send('Before the stop')
    await ana.sees('Before the stop', 'Delivered')
    await world.stopServer()
    await ana.send('After the stop')
    await ana.sees('After the stop', 'Pending')
    await ana.page.getByText('The server does not answer. Trying again…').waitFor()
    await world.startServer()
    await ana.sees('After the stop', 'Delivered')
    await ben.open(ana)
    await ben.sees('After the stop')
  })

  test('closed in the middle of sending: it is in the outbox all the same', async () => {
    await ana.send('Before the end')
    await ana.sees('Before the end', 'Delivered')
    await ana.context.setOffline(true)
    await world.stopServer()
    await ana.send('In the middle')
    await ana.sees('In the middle')
    await ana.page.goto('about:blank')
    await world.startServer()
    await ana.context.setOffline(false)
    await ana.page.goto(world.url)
    await ana.open(ben)
    await ana.sees('In the middle', 'Delivered')
    await ben.open(ana)
    await ben.sees('In the middle')
  })

  test('reloaded as soon as it was sent: the browser asks while it is not stored, and nothing is doubled', async () => {
    await ana.send('Ready to reload')
    await ana.sees('Ready to reload', 'Delivered')
    // Asked in the very moment of the press, and again when the store has it.
    const asks = await ana.page.evaluate(async () => {
      const isAsked = () => !dispatchEvent(new Event('beforeunload', { cancelable: true }))
      const before = isAsked()
      const field = document.querySelector<HTMLTextAreaElement>('.composer-input')!
      const prototype = HTMLTextAreaElement.prototype
      Object.getOwnPropertyDescriptor(prototype, 'value')!.set!.call(field, 'Sent and reloaded')
      field.dispatchEvent(new InputEvent('input', { bubbles: true }))
      await new Promise((resolve) => setTimeout(resolve))
      document.querySelector<HTMLButtonElement>('.send')!.click()
      return [before, isAsked()]
    })
    expect(asks).toEqual([false, true])
    await ana.page.waitForFunction(() =>
      dispatchEvent(new Event('beforeunload', { cancelable: true })),
    )
    await ana.reload()
    await ana.open(ben)
    await ana.sees('Sent and reloaded', 'Delivered')
    await ben.open(ana)
    await ben.sees('Sent and reloaded')
    expect(await ben.bubble('Sent and reloaded').count()).toBe(1)
  })

  test('more than the server keeps: waits for room, leaves a gap, and arrives in order', async () => {
    await ana.send('zero')
    await ana.sees('zero', 'Delivered')
    await ben.page.goto('about:blank')
    for (const text of ['one', 'two', 'three', 'four']) await ana.send(text)
    await ana.sees('one', 'Waiting for room')
    await ana.page.getByText('mailbox was full').first().waitFor()
    await ana.sees('four', 'Sent')
    await ana.context.setOffline(true)
    await ana.page.goto('about:blank')
    await ben.page.goto(world.url)
    await ben.open(ana)
    await ben.sees('four')
    await ben.page.getByText(/2 earlier messages are still on .* device/).waitFor()
    await ana.context.setOffline(false)
    await ana.page.goto(world.url)
    await ben.sees('one')
    await ben.page.getByText(/earlier message/).waitFor({ state: 'detached' })
    const shown = await ben.page.locator('.bubble-in .bubble-text').allTextContents()
    expect(shown.slice(shown.lastIndexOf('zero'))).toEqual(['zero', 'one', 'two', 'three', 'four'])
    await ana.open(ben)
    await ana.sees('one', 'Delivered')
  })
})

describe('strangers', () => {
  test('wait as a request until they are accepted, or are blocked', async () => {
    const asks = 'Ask before strangers reach you'
    await ben.page.getByRole('button', { name: 'Settings' }).click()
    await ben.page.getByLabel(asks).check()
    const carl = await world.elsewhere()
    const couplet = await carl.online()
    const { sent, delivered } = await couplet.send(ben.phone, 'Hello, is this Ben?')
    await sent
    await ben.page.getByRole('button', { name: /1 message request/ }).click()
    await ben.page.getByText('Hello, is this Ben?').waitFor()
    expect(await couplet.history(ben.phone)).toMatchObject([{ state: 'sent' }])
    await ben.page.getByRole('button', { name: 'Accept' }).click()
    await ben.sees('Hello, is this Ben?')
    await delivered
    await until(async () => (await ben.page.getByText(/message request/).count()) === 0)
    const dora = await world.elsewhere()
    await (await (await dora.online()).send(ben.phone, 'Buy now')).sent
    await ben.page.getByRole('button', { name: /1 message request/ }).click()
    await ben.page.getByRole('button', { name: 'Block' }).click()
    await ben.page.getByText('Buy now').waitFor({ state: 'detached' })
    expect(await ben.page.locator(`.chat-row[data-peer="${dora.phone}"]`).count()).toBe(0)
    await ben.page.getByRole('button', { name: 'Settings' }).click()
    await ben.page.getByLabel(asks).uncheck()
    await Promise.all([carl.offline(), dora.offline()])
  })
})

test('search finds people and messages on this device, and opens where it was said', async () => {
  await ana.send('The key is under the third flowerpot')
  await ana.sees('The key is under the third flowerpot', 'Delivered')
  await ana.page.getByLabel('Search', { exact: true }).fill('FLOWERPOT')
  await ana.page.locator('.chat-row', { hasText: 'flowerpot' }).click()
  await ana.page.locator('.bubble-found').waitFor()
  await ana.page.getByLabel('Search', { exact: true }).fill('be')
  await ana.page.getByRole('heading', { name: 'People' }).waitFor()
  await ana.page.getByLabel('Search', { exact: true }).fill('nothing of the kind')
  await ana.page.getByText('Nothing found for “nothing of the kind”').waitFor()
  await ana.page.getByLabel('Search', { exact: true }).fill('')
})

describe('registration', () => {
  test('says what is wrong with a number and a code, and takes a pasted one', async () => {
    const cleo = await visitor()
    await cleo.page.getByRole('button', { name: 'Send code' }).click()
    expect(await cleo.page.getByRole('alert').textContent()).toBe('Enter your phone number.')
    await cleo.askForCode()
    const right = await cleo.code()
    const wrong = right === '123456' ? '654321' : '123456'
    await cleo.page.getByLabel('Six-digit code').fill(wrong)
    await cleo.page.getByText('That code is not right. 4 tries left.').waitFor()
    await cleo.page.evaluate((code) => navigator.clipboard.writeText(code), `Couplet: ${right}`)
    await cleo.page.getByLabel('Six-digit code').press('ControlOrMeta+v')
    await cleo.page.getByRole('heading', { name: 'You are in' }).waitFor()
  })

  test('takes a number from a finger that is quicker than the metadata of numbers', async () => {
    const cleo = await visitor({ serviceWorkers: 'block' })
    const gate = Promise.withResolvers<void>()
    await cleo.page.route('**/assets/min-*.js', async (route) => {
      await gate.promise
      await route.continue()
    })
    await cleo.page.reload()
    await cleo.page.getByLabel('Phone number').fill(cleo.phone)
    await cleo.page.getByRole('button', { name: 'Send code' }).click()
    await cleo.page.getByRole('button', { name: 'Making your keys…' }).waitFor()
    gate.resolve()
    await cleo.page.getByRole('heading', { name: 'Enter the code' }).waitFor()
  })

  test('is taken up again where it was when the page is closed before the code', async () => {
    const cleo = await visitor()
    await cleo.askForCode()
    await cleo.page.reload()
    await cleo.page.getByLabel('Six-digit code').fill(await cleo.code())
    await cleo.page.getByRole('heading', { name: 'You are in' }).waitFor()
  })
})
