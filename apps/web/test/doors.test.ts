/** Who may come in: invitations, the registration lock, and servers that want neither. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000 })

let world: WebWorld

beforeAll(async () => {
  world = await WebWorld.create()
}, 300_000)
afterAll(() => world?.end())

test('a number with a registration lock takes its PIN as well as a code; its owner is told of tries', async () => {
  const ana = await world.person()
  await ana.page.getByRole('button', { name: 'Settings' }).click()
  await ana.page.getByRole('button', { name: 'Set a PIN' }).click()
  const dialog = ana.page.getByRole('dialog')
  await dialog.getByLabel('New PIN').fill('258')
  await dialog.getByLabel('Once more').fill('258')
  await dialog.getByRole('button', { name: 'Set a PIN' }).click()
  await dialog.getByText('Use at least four characters.').waitFor()
  await dialog.getByLabel('New PIN').fill('2580')
  await dialog.getByLabel('Once more').fill('2581')
  await dialog.getByRole('button', { name: 'Set a PIN' }).click()
  await dialog.getByText('These two are not the same.').waitFor()
  await dialog.getByLabel('Once more').fill('2580')
  await dialog.getByRole('button', { name: 'Set a PIN' }).click()
  await ana.page.getByText('On. Registering this number anew takes your PIN.').waitFor()

  const other = await world.visitor()
  Object.assign(other, { phone: ana.phone })
  await other.askForCode()
  await other.page.getByLabel('Six-digit code').fill(await other.code())
  await other.page.getByRole('heading', { name: 'Enter your PIN' }).waitFor()
  await other.page.getByLabel('PIN of this number').fill('1111')
  await other.page.getByRole('button', { name: 'Go on' }).click()
  await other.page.getByText('That is not the PIN. 9 tries left.').waitFor()

  // The key is still Ana's: she sees that somebody has her codes.
  await ana.page.goBack()
  await ana.page.getByRole('button', { name: 'Settings' }).click()
  await ana.page.getByText('Somebody had a code for your number and tried a wrong PIN').waitFor()

  // Tries for one code become slower and slower: another code begins anew.
  await other.page.getByLabel('PIN of this number').fill('2580')
  await other.page.getByRole('button', { name: 'Go on' }).click()
  await other.page.getByText(/^Too many tries\. Try again in/).waitFor()
  await other.page.getByRole('button', { name: 'Change number' }).click()
  await other.askForCode()
  await other.page.getByLabel('Six-digit code').fill(await other.code())
  await other.page.getByLabel('PIN of this number').fill('2580')
  await other.page.getByRole('button', { name: 'Go on' }).click()
  await other.page.getByRole('heading', { name: 'You are in' }).waitFor()
  await other.page.getByText('This number was in use here before').waitFor()
  // Ana sees that her number has another key, keeps what she has, and can begin anew.
  await ana.page.getByText('This number was registered on another device.').waitFor()
  await ana.page.getByRole('button', { name: 'Start anew in this browser' }).click()
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await ana.page.getByRole('button', { name: 'Send code' }).waitFor()
  await Promise.all([ana.leave(), other.leave()])
})

test('a server that asks for an invitation gets one, and says what is wrong with another', async () => {
  await world.stopServer()
  const invitation = await world.startServer({ registration: 'invite' })
  const ana = await world.visitor()
  const field = ana.page.getByLabel('Invitation')
  await ana.page.getByLabel('Phone number').fill(ana.phone)
  await field.waitFor()
  await ana.page.getByRole('button', { name: 'Send code' }).click()
  await ana.page.getByText('Enter the invitation that you were given.').waitFor()
  await field.fill('AAAA-AAAA-AAAA-AAAA')
  await ana.page.getByRole('button', { name: 'Send code' }).click()
  await ana.page.getByText('This invitation does not count').waitFor()
  await field.fill(invitation!.toLowerCase())
  await ana.page.getByRole('button', { name: 'Send code' }).click()
  await ana.page.getByLabel('Six-digit code').fill(await ana.code())
  await ana.page.getByRole('heading', { name: 'You are in' }).waitFor()
  await ana.leave()

  await world.stopServer()
  await world.startServer({ registration: 'allowlist' })
  const ben = await world.visitor()
  await ben.page.getByLabel('Phone number').fill(ben.phone)
  await ben.page.getByRole('button', { name: 'Send code' }).click()
  await ben.page.getByText('This server does not take this number.').waitFor()
  expect(await ben.page.getByLabel('Invitation').count()).toBe(0)
  await ben.leave()
})
