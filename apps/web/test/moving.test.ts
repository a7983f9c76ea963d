/** An account moves: from one browser to another, from one number to another. Its owner goes on talking. */
import { completeNumberChange, requestNumberChange, requirePhoneNumber } from '@couplet/client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { TestPerson } from '../../../test/people.ts'
import { isTooWide, violations } from './looks.ts'
import { type WebPerson, WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000 })

const PASSPHRASE = 'correct horse battery'
let world: WebWorld
let ana: WebPerson
let ben: TestPerson

beforeAll(async () => {
  world = await WebWorld.create()
  ;[ana, ben] = await Promise.all([world.person(), world.elsewhere()])
  await ben.online()
  await ana.add(ben, 'Ben')
  await ana.send('From the old browser')
  await ana.sees('From the old browser', 'Delivered')
}, 300_000)
afterAll(async () => {
  await ben?.offline()
  await world?.end()
})

async function moveOut({ page }: WebPerson, passphrase = PASSPHRASE): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Export…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Passphrase for the file').fill(passphrase)
  await dialog.getByLabel('Once more').fill(passphrase)
  await dialog.getByRole('button', { name: 'Export…' }).click()
  await page.getByRole('heading', { name: 'Save the file' }).waitFor()
}

/** Saves the file that is offered; answers where it lies. */
async function save({ page }: WebPerson): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save the file' }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/^couplet-[\d-]+\.couplet$/)
  return download.path()
}

async function takeOver({ page }: WebPerson, file: string, passphrase: string): Promise<void> {
  await page.locator('input[type=file]').setInputFiles(file)
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Passphrase').fill(passphrase)
  await dialog.getByRole('button', { name: 'Take over from a file' }).click()
}

test('cancelled or interrupted, the account stays and goes on talking', async () => {
  await moveOut(ana)
  await ana.page.getByRole('button', { name: 'Cancel and stay in this browser' }).click()
  await ana.chats.waitFor()
  await moveOut(ana)
  await ana.page.reload()
  await ana.page.getByRole('heading', { name: 'The move was interrupted' }).waitFor()
  await ana.page.getByRole('button', { name: 'Stay in this browser' }).click()
  const dialog = ana.page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Stay in this browser' }).click()
  await ana.chats.waitFor()
  await ana.open(ben)
  await ana.send('Still here')
  await ana.sees('Still here', 'Delivered')
})

test('from one browser to another: the messages come along, and the key stays the same', async () => {
  const { couplet } = ben
  await moveOut(ana)
  expect(await ana.page.getByRole('button', { name: 'I have the file' }).count()).toBe(0)
  const file = await save(ana)
  await ana.page.getByRole('button', { name: 'I have the file' }).click()
  await ana.page.getByRole('heading', { name: 'Your account has moved' }).waitFor()

  // From here on Ana is there.
  const old = ana
  ana = await world.visitor()
  Object.assign(ana, { phone: old.phone })
  await takeOver(ana, file, 'not the passphrase')
  await ana.page.getByText('This is not the passphrase.').waitFor()
  const dialog = ana.page.getByRole('dialog')
  await dialog.getByLabel('Passphrase').fill(PASSPHRASE)
  await dialog.getByRole('button', { name: 'Take over from a file' }).click()
  await ana.chats.waitFor()
  await ana.open(ben)
  await ana.sees('From the old browser', 'Delivered')
  await ana.send('From the new browser')
  await ana.sees('From the new browser', 'Delivered')
  await couplet.send(ana.phone, 'I see no difference')
  await ana.sees('I see no difference')
  const [contact] = await couplet.contacts()
  expect(contact?.phone).toBe(ana.phone)
  expect(contact?.changedKey).toBeUndefined()

  // What was left behind says so, and lets somebody begin ana.
  await old.page.reload()
  await old.page.getByRole('heading', { name: 'Your account has moved' }).waitFor()
  await old.page.getByRole('button', { name: 'Start anew in this browser' }).click()
  await old.page.getByRole('button', { name: 'Send code' }).waitFor()
  await old.leave()
})

test('to another number: the conversations come along, and people are told if one wants', async () => {
  const { page } = ana
  const { phone: formerPhone } = ana
  const newPhone = world.nextPhone()
  const warned = new Promise((resolve) => {
    ben.couplet.on('warning', ({ kind, contact }) => resolve([kind, contact.phone]))
  })
  const ask = async (phone: string) => {
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByRole('button', { name: 'Change…' }).click()
    await page.getByRole('dialog').getByLabel('Phone number').fill(phone)
    await page.getByRole('dialog').getByRole('button', { name: 'Send code' }).click()
  }
  await ask(formerPhone)
  await page.getByText('This is your number already.').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.goBack()

  // Whoever thinks better of it goes on as before.
  await ask(newPhone)
  await page.getByRole('button', { name: 'Keep my number' }).click()
  await ana.open(ben)
  await ana.send('Still under my old number')
  await ana.sees('Still under my old number', 'Delivered')

  world.codes.delete(newPhone)
  await ask(newPhone)
  Object.assign(ana, { phone: newPhone })
  const code = await ana.code()
  await page.getByLabel('Six-digit code').fill(code === '123456' ? '654321' : '123456')
  await page.getByText('That code is not right.').waitFor()
  // What comes meanwhile is not lost with the old number.
  await (await ben.couplet.send(formerPhone, 'Are you there?')).sent
  await page.getByLabel('Six-digit code').fill(code)
  await page.getByRole('heading', { name: 'Your number has changed' }).waitFor()
  await page.getByRole('button', { name: 'Tell them now' }).click()
  await ana.open(ben)
  await ana.sees('Are you there?')
  await ana.sees(`This is my number now: ${newPhone}`, 'Delivered')
  expect(await warned).toEqual(['number-changed', newPhone])
  await (await ben.couplet.send(newPhone, 'Noted')).delivered
  await ana.sees('Noted')
  await ana.reload()
  await page.getByRole('button', { name: 'Settings' }).click()
  expect((await page.locator('.profile-number').textContent())?.replaceAll(/\D/g, '')).toBe(
    newPhone.slice(1),
  )
})

test('a contact moves to another number: name, timer, draft and open chat go along, and none stays', async () => {
  const { page } = ana
  const { phone: formerPhone } = ben
  const newPhone = world.nextPhone()
  await ana.begin()
  await ana.open(ben)
  await page.getByRole('button', { name: /^Disappearing messages/ }).click()
  await page.getByRole('dialog').getByRole('radio', { name: '1 hour', exact: true }).click()
  const timer = page.getByRole('button', { name: /^Disappearing messages.*1 hour/ })
  await timer.waitFor()
  await ana.composer.fill('Half a thought')

  await ben.offline()
  await requestNumberChange(ben.ports, ben.store, { phone: requirePhoneNumber(newPhone) })
  await completeNumberChange(ben.ports, ben.store, world.codes.get(newPhone)!)
  ben = ben.under(newPhone)
  await ben.online()

  // The chat on the screen is the one under the new number now.
  await page.locator(`.chat-row[data-peer="${newPhone}"]`).waitFor()
  await page.getByRole('heading', { name: 'Ben', level: 1 }).waitFor({ state: 'attached' })
  await page.locator('.chat-person-more', { hasText: newPhone.slice(-4) }).waitFor()
  await timer.waitFor()
  expect(await ana.composer.inputValue()).toBe('Half a thought')
  await ana.composer.press('Enter')
  await ana.sees('Half a thought', 'Delivered')

  // Somebody else gets the number that Ben left: a stranger, here too.
  const next = await world.elsewhere(formerPhone)
  await ana.add(next)
  const stranger = page.locator('.chat-person')
  expect(await stranger.textContent()).not.toContain('Ben')
  expect(await timer.count()).toBe(0)
  expect(await ana.composer.inputValue()).toBe('')
  await ana.send('Who are you?')
  await page.locator(`.chat-row[data-peer="${formerPhone}"]`, { hasText: 'Who are' }).waitFor()
  // What is noted about that one stays where it is.
  await ana.add(next, 'Nina')
  await ana.reload()
  await ana.open(next)
  expect(await stranger.textContent()).toContain('Nina')
  await ana.open(ben)
  expect(await stranger.textContent()).toContain('Ben')
  await timer.waitFor()
})

test('becomes an app: asked where it makes sense, explained where only a person can do it', async () => {
  const { page } = ana
  await ana.begin()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.evaluate(() => {
    const event = new Event('beforeinstallprompt', { cancelable: true })
    Object.assign(event, { prompt: async () => document.documentElement.classList.add('asked') })
    dispatchEvent(event)
  })
  await page.getByRole('button', { name: 'Install', exact: true }).click()
  await page.locator('html.asked').waitFor()
  await page.getByRole('button', { name: 'Install', exact: true }).waitFor({ state: 'detached' })
  expect(await page.getByText('add Couplet to your home screen').count()).toBe(0)
  // As Safari on an iPhone says of a page that is not on the home screen.
  await page.addInitScript(() => Object.assign(navigator, { standalone: false }))
  await page.reload()
  await page.getByText('add Couplet to your home screen').waitFor()
  const visitor = await world.visitor({ viewport: { width: 390, height: 844 } })
  await visitor.page.addInitScript(() => Object.assign(navigator, { standalone: false }))
  await visitor.page.reload()
  await visitor.page.getByText('First add Couplet to your home screen').waitFor()
  expect(await violations(visitor.page)).toEqual([])
  expect(await isTooWide(visitor.page)).toBe(false)
  await visitor.leave()
})
