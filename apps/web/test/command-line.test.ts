/** Somebody in a browser and somebody at the command line, over one server. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Person, succeeded, World } from '../../../test/processes.ts'
import { WebWorld } from './world.ts'

vi.setConfig({ testTimeout: 300_000 })

let web: WebWorld
let shell: World

beforeAll(async () => {
  web = await WebWorld.create()
  shell = await World.create()
}, 300_000)
afterAll(async () => {
  await shell?.end()
  await web?.end()
})

test('a browser and `couplet` talk to each other, and see the same safety number', async () => {
  const ana = await web.person()
  const ben = new Person(shell, 'ben', web.nextPhone())
  succeeded(await ben.couplet('register', ben.phone, '--server', web.url))
  succeeded(await ben.couplet('register', ben.phone, '--code', web.codes.get(ben.phone)!))

  await ana.add(ben, 'Ben')
  await ana.send('From the browser')
  await ana.sees('From the browser', 'Sent')
  expect(await ben.receive()).toEqual(['From the browser'])
  await ana.sees('From the browser', 'Delivered')

  succeeded(await ben.couplet('send', ana.phone, 'From the command line'))
  await ana.sees('From the command line')
  await ana.send('Got it')
  await ana.sees('Got it', 'Sent')
  expect(await ben.receive()).toEqual(['Got it'])
  await ana.sees('Got it', 'Delivered')
  expect(await ben.outbox()).toEqual({})

  await ana.page.getByRole('button', { name: /Verify / }).click()
  const digits = ana.page.getByTestId('digits')
  await digits.waitFor()
  const shown = (await digits.locator('li').allTextContents()).join('')
  expect(await ben.json('verify', ana.phone)).toMatchObject([{ digits: shown }])
  expect(ana.complaints).toEqual([])
  await ana.leave()
})
