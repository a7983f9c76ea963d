/** An account moves from one browser to another, and its owner goes on talking. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type WebPerson, WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000 })

const PASSPHRASE = 'correct horse battery'
let world: WebWorld

beforeAll(async () => {
  world = await WebWorld.create()
}, 300_000)
afterAll(() => world?.end())

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

test('from one browser to another: the messages come along, and the key stays the same', async () => {
  const [ana, ben] = await Promise.all([world.person(), world.elsewhere()])
  const couplet = await ben.online()
  await ana.add(ben, 'Ben')
  await ana.send('From the old browser')
  await ana.sees('From the old browser', 'Delivered')
  await moveOut(ana)
  expect(await ana.page.getByRole('button', { name: 'I have the file' }).count()).toBe(0)
  const file = await save(ana)
  await ana.page.getByRole('button', { name: 'I have the file' }).click()
  await ana.page.getByRole('heading', { name: 'Your account has moved' }).waitFor()

  const anew = await world.visitor()
  await takeOver(anew, file, 'not the passphrase')
  await anew.page.getByText('This is not the passphrase.').waitFor()
  const dialog = anew.page.getByRole('dialog')
  await dialog.getByLabel('Passphrase').fill(PASSPHRASE)
  await dialog.getByRole('button', { name: 'Take over from a file' }).click()
  await anew.chats.waitFor()
  await anew.open(ben)
  await anew.sees('From the old browser', 'Delivered')
  await anew.send('From the new browser')
  await anew.sees('From the new browser', 'Delivered')
  await couplet.send(ana.phone, 'I see no difference')
  await anew.sees('I see no difference')
  const [contact] = await couplet.contacts()
  expect(contact?.phone).toBe(ana.phone)
  expect(contact?.changedKey).toBeUndefined()

  // What was left behind says so, and lets somebody begin anew.
  await ana.page.reload()
  await ana.page.getByRole('heading', { name: 'Your account has moved' }).waitFor()
  await ana.page.getByRole('button', { name: 'Start anew in this browser' }).click()
  await ana.page.getByRole('button', { name: 'Send code' }).waitFor()
  await Promise.all([ana.leave(), anew.leave(), ben.offline()])
})

test('cancelled or interrupted, the account stays and goes on talking', async () => {
  const [ana, ben] = await Promise.all([world.person(), world.elsewhere()])
  await ben.online()
  await ana.add(ben, 'Ben')
  await ana.send('Before')
  await ana.sees('Before', 'Delivered')
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
  await Promise.all([ana.leave(), ben.offline()])
})
