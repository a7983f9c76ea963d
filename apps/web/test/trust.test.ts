/** Whose key it is: comparing, scanning with a camera, changed keys; and whose browser it is. */
import { mkdtempSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { read, type TestPerson } from '../../../test/people.ts'
import { videoOf } from './camera.ts'
import { until, type WebPerson, WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const VIDEO = join(mkdtempSync(join(tmpdir(), 'couplet-camera-')), 'code.y4m')
let world: WebWorld
/** Two for the whole file: the tests go on from where the one before left them. */
let ana: WebPerson
let ben: WebPerson

beforeAll(async () => {
  world = await WebWorld.create([
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${VIDEO}`,
  ])
  ;[ana, ben] = await Promise.all([world.person(), world.person()])
  await ana.add(ben, 'Ben')
  await ana.send('Hello')
  await ana.sees('Hello', 'Delivered')
}, 300_000)
afterAll(() => world?.end())
beforeEach(async () => {
  await Promise.all([ana.begin(), ben.begin()])
  await Promise.all([ana.open(ben), ben.open(ana)])
})

async function toVerification(person: WebPerson): Promise<string> {
  await person.page.getByRole('button', { name: /Verify / }).click()
  const digits = person.page.getByTestId('digits')
  await digits.waitFor()
  return (await digits.locator('li').allTextContents()).join('')
}

/** What the other one's screen shows goes in front of this one's camera. */
async function holdUp(shown: WebPerson, label: RegExp): Promise<void> {
  const svg = shown.page.getByRole('img', { name: label })
  const path = await svg.locator('path').getAttribute('d')
  const [, , width] = (await svg.getAttribute('viewBox'))!.split(' ')
  await writeFile(VIDEO, videoOf(path!, Number(width)))
}

describe('comparing keys', () => {
  test('another code, and another number, are a full stop', async () => {
    const digits = await toVerification(ana)
    await toVerification(ben)
    await holdUp(ana, /^Code for/)
    await ana.page.getByRole('button', { name: 'Scan their code' }).click()
    await ana.page.getByRole('heading', { name: 'These do not match' }).waitFor()
    await ana.page.getByRole('button', { name: 'Compare again' }).click()
    await ana.page.getByLabel('Paste the number that they sent you').fill(digits)
    await ana.page.getByText('The numbers match.').waitFor()
    const other = digits.replace(/.$/, (last) => String((Number(last) + 1) % 10))
    await ana.page.getByLabel('Paste the number that they sent you').fill(other)
    await ana.page.getByRole('heading', { name: 'These do not match' }).waitFor()
    await ana.page.getByRole('button', { name: 'Back to the chat' }).click()
    await ana.page.getByRole('button', { name: /^Not verified/ }).waitFor()
  })

  test('both see the same sixty digits; a scanned code verifies at once', async () => {
    const digits = await toVerification(ana)
    expect(digits).toMatch(/^\d{60}$/)
    expect(await toVerification(ben)).toBe(digits)
    await holdUp(ben, /^Code for/)
    await ana.page.getByRole('button', { name: 'Scan their code' }).click()
    await ana.page.getByRole('heading', { name: 'Ben is verified' }).waitFor()
    await ana.page.getByRole('button', { name: 'Back', exact: true }).click()
    await ana.page.getByRole('button', { name: /^Verified/ }).waitFor()
  })

  test('a contact code adds and verifies in one step', async () => {
    const cleo = await world.person()
    await ben.page.getByRole('button', { name: 'New chat' }).first().click()
    await ben.page.getByRole('tab', { name: 'Code' }).click()
    await holdUp(ben, /^Code with your number/)
    await cleo.page.getByRole('button', { name: 'Show my code' }).click()
    await cleo.page.getByRole('button', { name: 'Scan their code' }).click()
    await cleo.composer.waitFor()
    await cleo.page.getByRole('button', { name: /^Verified/ }).waitFor()
    await cleo.leave()
  })
})

/** Somebody whom Ana has verified, in a conversation that went both ways. */
async function verifiedFriend(name: string): Promise<TestPerson> {
  const friend = await world.elsewhere()
  const couplet = await friend.online()
  await ana.add(friend, name)
  await ana.send('Hello')
  await ana.sees('Hello', 'Delivered')
  await (await couplet.send(ana.phone, 'Hello, Ana')).delivered
  await ana.send('How are you?')
  await ana.sees('How are you?', 'Delivered')
  await toVerification(ana)
  await ana.page.getByRole('button', { name: 'They match' }).click()
  await ana.page.getByRole('button', { name: 'Back', exact: true }).click()
  return friend
}

test('a changed key stops sending until somebody decides; the text is kept', async () => {
  const dora = await verifiedFriend('Dora')
  await dora.offline()
  // Dora registers her number anew.
  const again = await world.elsewhere(dora.phone)
  const couplet = await again.online()
  await (await couplet.send(ana.phone, 'It is me, with a new phone')).sent
  await ana.page.getByRole('heading', { name: 'Dora has a new key' }).waitFor()
  await ana.composer.fill('a secret')
  expect(await ana.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
  await ana.page.getByRole('button', { name: 'Not now' }).click()
  await ana.page.getByRole('heading', { name: 'Dora has a new key' }).waitFor()
  const reading = read(couplet, 1)
  await ana.page.getByRole('button', { name: 'Accept new key' }).click()
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Accept new key' }).click()
  await ana.page.getByRole('heading', { name: 'Dora has a new key' }).waitFor({ state: 'hidden' })
  expect(await ana.composer.inputValue()).toBe('a secret')
  await ana.composer.press('Enter')
  await ana.sees('a secret', 'Delivered')
  expect(await reading).toMatchObject([{ text: 'a secret' }])
  await again.offline()
})

test('a session that began anew without proof holds what is written to a verified contact', async () => {
  const eve = await verifiedFriend('Eve')
  // Eve puts a backup back that knows nothing of this conversation.
  await eve.offline()
  await eve.forgetSessions()
  const couplet = await eve.online()
  await (await couplet.send(ana.phone, 'A restored backup')).sent
  await ana.page.getByRole('heading', { name: 'Eve began anew' }).waitFor()
  await ana.page.locator('.chat-row-warning').waitFor()
  await ana.send('Is it you?')
  await ana.page.getByText('Waits here until you have decided').waitFor()
  await ana.sees('Is it you?', 'Pending')
  await ana.page.getByRole('button', { name: 'Go on' }).click()
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click()
  await ana.sees('Is it you?', 'Delivered')
  await ana.page.getByRole('heading', { name: 'Eve began anew' }).waitFor({ state: 'hidden' })
  await eve.offline()
})

describe('one browser', () => {
  test('two tabs: the second asks, takes over, and the first says so', async () => {
    await ana.composer.fill('half a thou')
    const second = await ana.context.newPage()
    await second.goto(world.url)
    await second.getByRole('heading', { name: 'Couplet is open in another tab' }).waitFor()
    await second.getByRole('button', { name: 'Use here' }).click()
    await second.locator(`.chat-row[data-peer="${ben.phone}"]`).click()
    // What was being written comes along, and so does everything else.
    const composer = second.getByRole('textbox', { name: /^Message to/ })
    await until(async () => (await composer.inputValue()) === 'half a thou')
    await composer.fill('From the second tab')
    await composer.press('Enter')
    await second.getByRole('article', { name: /From the second tab.*, Delivered$/ }).waitFor()
    await ana.page.getByRole('heading', { name: 'Couplet is open in another tab' }).waitFor()
    // A tab that is closed asks for nothing: the other one has the account at the next press.
    await second.close()
    await ana.page.getByRole('button', { name: 'Use here' }).click()
    await ana.open(ben)
    await ana.sees('From the second tab', 'Delivered')
    await ben.sees('From the second tab')
  })

  test('a passphrase is asked for, a wrong one is refused', async () => {
    await ana.page.getByRole('button', { name: 'Settings' }).click()
    await ana.page.getByRole('button', { name: 'Set a passphrase' }).click()
    await ana.page.getByLabel('New passphrase').fill('correct horse')
    await ana.page.getByLabel('Once more').fill('correct horse')
    await ana.page.getByRole('dialog').getByRole('button', { name: 'Set a passphrase' }).click()
    await ana.page.getByText('Done. It counts from now on.').waitFor()
    await ana.page.reload()
    await ana.page.getByLabel('Passphrase').fill('wrong horse')
    await ana.page.getByRole('button', { name: 'Open' }).click()
    await ana.page.getByText('This is not the passphrase.').waitFor()
    await ana.page.getByLabel('Passphrase').fill('correct horse')
    await ana.page.getByRole('button', { name: 'Open' }).click()
    await ana.chats.waitFor()
    await ana.page.getByRole('button', { name: 'Settings' }).click()
    await ana.page.getByRole('button', { name: 'Change', exact: true }).click()
    await ana.page.getByLabel('Passphrase now').fill('correct horse')
    await ana.page.getByRole('button', { name: 'Take it away' }).click()
    await ana.page.getByText('Done. It counts from now on.').waitFor()
  })

  test('a home that was taken without asking is left alone, and the server is not blamed', async () => {
    const carl = await world.elsewhere()
    const couplet = await carl.online()
    // The store belongs to whoever opened it last, whatever becomes of the lock.
    await ana.page.evaluate(async () => {
      const done = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve) =>
          request.addEventListener('success', () => resolve(request.result)),
        )
      const database = await done(indexedDB.open('couplet'))
      const meta = database.transaction('meta', 'readwrite').objectStore('meta')
      await done(meta.put('somebody else', 'owner'))
      database.close()
    })
    await (await couplet.send(ana.phone, 'Hello from Carl')).sent
    await ana.page.getByRole('heading', { name: 'This cannot go on' }).waitFor()
    await ana.page.getByRole('button', { name: 'Start again' }).click()
    await ana.page.locator('.chat-row', { hasText: 'Hello from Carl' }).waitFor()
    await carl.offline()
  })

  test('lost storage has a start screen of its own, and a way back', async () => {
    await ana.page.goto('about:blank')
    await ana.page.goto(`${world.url}/icon.svg`)
    await ana.page.evaluate(async () => {
      for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name!)
    })
    await ana.page.goto(world.url)
    await ana.page.getByRole('heading', { name: /This browser has no key for/ }).waitFor()
    world.codes.delete(ana.phone)
    await ana.page.getByRole('button', { name: 'Register again' }).click()
    await ana.page.getByLabel('Six-digit code').fill(await ana.code())
    await ana.page.getByText('This number was in use here before').waitFor()
  })
})
