/**
 * A push wakes the browser: the service worker says that there is a message, in its user's language,
 * and nothing while somebody looks. What a server sends, and that a browser's keys open it, is in
 * packages/server/test/push.test.ts.
 */
import type { CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000 })

let world: WebWorld

beforeAll(async () => {
  world = await WebWorld.create()
}, 300_000)
afterAll(() => world?.end())

test('a push is shown in the language of the app, and says nothing else', async () => {
  const ana = await world.visitor({
    locale: 'de-DE',
    permissions: ['notifications'],
  })
  const { page } = ana
  world.codes.delete(ana.phone)
  await page.getByLabel('Telefonnummer').fill(ana.phone)
  await page.keyboard.press('Enter')
  await page.locator('#code').fill(await ana.code())
  await page.locator('.stage .button-wide').click()
  await page.locator('.chats-title').waitFor()
  await page.evaluate(async () => void (await navigator.serviceWorker.ready))
  await page.waitForFunction(async () => (await caches.open('words')).match('/notification-words'))

  const push = await pusher(page)
  // Somebody looks at the app: there is nothing to tell.
  await push()
  expect(await shown(page)).toEqual([])
  await page.goto('about:blank')
  await push()
  const other = await ana.context.newPage()
  await other.goto(`${world.url}/icon.svg`)
  await expect
    .poll(() => shown(other), { timeout: 60_000 })
    .toEqual([{ title: 'Couplet', body: 'Neue Nachricht', lang: 'de', dir: 'ltr' }])
  await ana.leave()
})

/** Gives the service worker of this page a push, as the push service of a browser's maker would. */
async function pusher(page: Page): Promise<() => Promise<void>> {
  const session: CDPSession = await page.context().newCDPSession(page)
  const registered = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [first] = registrations
      if (first) resolve(first.registrationId)
    })
  })
  await session.send('ServiceWorker.enable')
  const registrationId = await registered
  const { origin } = new URL(page.url())
  return async () => {
    await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: '' })
  }
}

function shown(page: Page): Promise<readonly object[]> {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration('/')
    const notifications = (await registration?.getNotifications()) ?? []
    return notifications.map(({ title, body, lang, dir }) => ({ title, body, lang, dir }))
  })
}
