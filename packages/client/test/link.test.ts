/** When the link to the server tries again. (spec/socket.md, "Closing") */
import { expect, it } from 'vitest'
import type { Context } from '../src/context.ts'
import { ClientError } from '../src/errors.ts'
import { Link } from '../src/link.ts'
import { systemRandom } from '../src/node/system.ts'

/** How long it waits before its second try, milliseconds. */
async function waitAfter(refusal: ClientError): Promise<number | undefined> {
  const waits: number[] = []
  const schedule = (wait: number): (() => void) => {
    waits.push(wait)
    return () => {}
  }
  const clock = { now: () => 0, schedule }
  const context = { platform: { clock, random: systemRandom } } as unknown as Context
  const connector = { connect: () => Promise.reject(refusal) }
  const parts = {} as ConstructorParameters<typeof Link>[2]
  const link = new Link(context, connector, parts, () => {})
  await expect(link.connect()).rejects.toBe(refusal)
  expect(waits.length).toBeLessThanOrEqual(1)
  return waits[0]
}

const busy = (retryAfter?: number): ClientError =>
  new ClientError('unavailable', 'too many', retryAfter ? { details: { retryAfter } } : {})

it.each([
  ['soon, when nothing is said', busy(), 250, 500],
  ['after the time that the server says, and apart from others', busy(7), 7000, 14_000],
  ['within two minutes, whatever the server says', busy(86_400), 60_000, 120_000],
])('%s', async (_name, refusal, least, most) => {
  const waits: number[] = []
  for (let count = 0; count < 50; count++) waits.push((await waitAfter(refusal))!)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(least)
  expect(Math.max(...waits)).toBeLessThanOrEqual(most)
  expect(new Set(waits).size).toBeGreaterThan(10)
})

it('never, when another try would change nothing', async () => {
  expect(await waitAfter(new ClientError('unauthenticated', 'no'))).toBe(undefined)
})
