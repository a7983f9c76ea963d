/** People who talk to each other in real browsers over a real server, and what can go wrong meanwhile. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { read } from '../../../test/people.ts'
import { until, type WebPerson, WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000 })

let world: WebWorld
let people: WebPerson[] = []

beforeAll(async () => {
  world = await WebWorld.create()
}, 300_000)
afterAll(() => world?.end())
afterEach(async () => {
  await world.startServer()
  const complaints = people.flatMap((person) => person.complaints)
  await Promise.all(people.map((person) => person.leave()))
  people = []
  expect(complaints.filter((text) => !/WebSocket|ERR_/.test(text))).toEqual([])
})

async function couple(): Promise<[WebPerson, WebPerson]> {
  const [ana, ben] = await Promise.all([world.person(), world.person()])
  people = [ana, ben]
  await ana.add(ben, 'Ben')
  return [ana, ben]
}

describe('registration', () => {
  test('says what is wrong with a number and a code, and takes a pasted one', async () => {
    const ana = await world.visitor()
    people = [ana]
    await ana.page.getByRole('button', { name: 'Send code' }).click()
    expect(await ana.page.getByRole('alert').textContent()).toBe('Enter your phone number.')
    await ana.askForCode()
    const right = await ana.code()
    const wrong = right === '123456' ? '654321' : '123456'
    await ana.page.getByLabel('Six-digit code').fill(wrong)
    await ana.page.getByText('That code is not right. 4 tries left.').waitFor()
    await ana.page.evaluate((code) => navigator.clipboard.writeText(code), `Couplet: ${right}`)
    await ana.page.getByLabel('Six-digit code').press('ControlOrMeta+v')
    await ana.page.getByRole('heading', { name: 'You are in' }).waitFor()
  })

  test('takes a number from a finger that is quicker than the metadata of numbers', async () => {
    const ana = await world.visitor({ serviceWorkers: 'block' })
    people = [ana]
    const gate = Promise.withResolvers<void>()
    await ana.page.route('**/assets/min-*.js', async (route) => {
      await gate.promise
      await route.continue()
    })
    await ana.page.reload()
    await ana.page.getByLabel('Phone number').fill(ana.phone)
    await ana.page.getByRole('button', { name: 'Send code' }).click()
    await ana.page.getByRole('button', { name: 'Making your keys…' }).waitFor()
    gate.resolve()
    await ana.page.getByRole('heading', { name: 'Enter the code' }).waitFor()
  })

  test('is taken up again where it was when the page is closed before the code', async () => {
    const ana = await world.visitor()
    people = [ana]
    await ana.askForCode()
    await ana.page.reload()
    await ana.page.getByLabel('Six-digit code').fill(await ana.code())
    await ana.page.getByRole('heading', { name: 'You are in' }).waitFor()
  })
})

describe('a conversation', () => {
  test('to and fro: shown at once, delivered, grouped, counted as unread until it is seen', async () => {
    const [ana, ben] = await couple()
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
    const [ana, ben] = await couple()
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
  })

  test('text is only ever text: in messages, quotes, names and the list', async () => {
    const [ana, ben] = await couple()
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
  })

  test('with the SDK at the other end: the same as the command line uses', async () => {
    const [ana] = await couple()
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
    const [ana, ben] = await couple()
    await ana.send('one')
    await ana.sees('one', 'Delivered')
    await world.stopServer()
    await ana.send('two')
    await ana.sees('two', 'Pending')
    await ana.page.getByText('The server does not answer. Trying again…').waitFor()
    await world.startServer()
    await ana.sees('two', 'Delivered')
    await ben.open(ana)
    await ben.sees('two')
  })

  test('closed in the middle of sending: it is in the outbox all the same', async () => {
    const [ana, ben] = await couple()
    await ana.send('one')
    await ana.sees('one', 'Delivered')
    await ana.context.setOffline(true)
    await world.stopServer()
    await ana.send('two')
    await ana.sees('two')
    await ana.page.goto('about:blank')
    await world.startServer()
    await ana.context.setOffline(false)
    await ana.page.goto(world.url)
    await ana.open(ben)
    await ana.sees('two', 'Delivered')
    await ben.open(ana)
    await ben.sees('two')
  })

  test('reloaded as soon as it was sent: the browser asks while it is not stored, and nothing is doubled', async () => {
    const [ana, ben] = await couple()
    await ana.send('zero')
    await ana.sees('zero', 'Delivered')
    // Asked in the very moment of the press, and again when the store has it.
    const asks = await ana.page.evaluate(async () => {
      const isAsked = () => !dispatchEvent(new Event('beforeunload', { cancelable: true }))
      const before = isAsked()
      const field = document.querySelector<HTMLTextAreaElement>('.composer-input')!
      const prototype = HTMLTextAreaElement.prototype
      Object.getOwnPropertyDescriptor(prototype, 'value')!.set!.call(field, 'one')
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
    await ana.sees('one', 'Delivered')
    await ben.open(ana)
    await ben.sees('one')
    expect(await ben.bubble('one').count()).toBe(1)
  })

  test('more than the server keeps: waits for room, leaves a gap, and arrives in order', async () => {
    const [ana, ben] = await couple()
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
    expect(await ben.page.locator('.bubble-in .bubble-text').allTextContents()).toEqual([
      'zero',
      'one',
      'two',
      'three',
      'four',
    ])
    await ana.open(ben)
    await ana.sees('one', 'Delivered')
  })
})

describe('strangers', () => {
  test('wait as a request until they are accepted, or are blocked', async () => {
    const [ana, ben] = await Promise.all([world.person(), world.person()])
    people = [ana, ben]
    await ben.page.getByRole('button', { name: 'Settings' }).click()
    await ben.page.getByLabel('Ask before strangers reach you').check()
    await ana.add(ben)
    await ana.send('Hello, is this Ben?')
    await ana.sees('Hello, is this Ben?', 'Sent')
    await ben.page.getByRole('button', { name: /1 message request/ }).click()
    await ben.page.getByText('Hello, is this Ben?').waitFor()
    await ben.page.getByRole('button', { name: 'Accept' }).click()
    await ben.sees('Hello, is this Ben?')
    await ana.sees('Hello, is this Ben?', 'Delivered')
    await until(async () => (await ben.page.getByText(/message request/).count()) === 0)
  })
})

test('search finds people and messages on this device, and opens where it was said', async () => {
  const [ana, ben] = await couple()
  await ana.send('The key is under the third flowerpot')
  await ana.sees('The key is under the third flowerpot', 'Delivered')
  await ana.page.getByLabel('Search', { exact: true }).fill('FLOWERPOT')
  await ana.page.locator('.chat-row', { hasText: 'flowerpot' }).click()
  await ana.page.locator('.bubble-found').waitFor()
  await ana.page.getByLabel('Search', { exact: true }).fill('be')
  await ana.page.getByRole('heading', { name: 'People' }).waitFor()
  await ana.page.getByLabel('Search', { exact: true }).fill('nothing of the kind')
  await ana.page.getByText('Nothing found for “nothing of the kind”').waitFor()
  expect(ben.phone).toBeTruthy()
})
