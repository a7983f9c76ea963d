/** What every bus must do, whatever carries it. */
import { afterEach, describe, expect, it } from 'vitest'
import type { AskResult, Bus } from '../src/bus.ts'

export interface BusesUnderTest {
  /** Two ends that hear each other, and not themselves. */
  readonly one: Bus
  readonly two: Bus
  readonly end: () => Promise<void>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (message: Uint8Array | string): string =>
  typeof message === 'string' ? message : new TextDecoder().decode(message)

const asking = (bus: Bus, subject: string, message: string, timeoutMs = 5000): Promise<string> =>
  new Promise((resolve) => {
    bus.ask(subject, bytes(message), timeoutMs, (result: AskResult) => resolve(text(result)))
  })

export function busContract(name: string, open: () => Promise<BusesUnderTest>): void {
  let under: BusesUnderTest

  describe(name, () => {
    afterEach(() => under.end())

    it('carries messages in order to those who hear the subject, and to nobody else', async () => {
      under = await open()
      const { one, two } = under
      const heard: string[] = []
      const own: string[] = []
      const all = Promise.withResolvers<void>()
      await two.hear('user.a1', (message) => {
        heard.push(text(message))
        if (heard.length === 500) all.resolve()
      }).ready
      await two.hear('user.a2', (message) => own.push(text(message))).ready
      await one.hear('user.a1', (message) => own.push(text(message))).ready
      for (let count = 0; count < 500; count++) one.say('user.a1', bytes(String(count)))
      await all.promise
      expect(heard).toEqual(Array.from({ length: 500 }, (_, count) => String(count)))
      expect(own).toEqual([])
    })

    it('answers a question by whoever hears it, and says when nobody does', async () => {
      under = await open()
      const { one, two } = under
      const hearing = two.hear('user.a1', (message, respond) =>
        respond?.(bytes(`${text(message)}!`)),
      )
      await hearing.ready
      expect(await asking(one, 'user.a1', 'hello')).toBe('hello!')
      expect(await asking(one, 'user.a2', 'hello')).toBe('nobody')
      expect(await asking(two, 'user.a1', 'hello')).toBe('nobody')
      hearing.end()
      await expect.poll(() => asking(one, 'user.a1', 'hello')).toBe('nobody')
    })

    it('does not know what became of a question without an answer', async () => {
      under = await open()
      await under.two.hear('user.a1', () => {}).ready
      expect(await asking(under.one, 'user.a1', 'hello', 50)).toBe('unknown')
    })

    it('does not wait for whoever stops hearing while it is asked', async () => {
      under = await open()
      const { one, two } = under
      const asked = Array.from({ length: 100 }, async (_, index) => {
        const hearing = two.hear(`user.d${index}`, (_message, respond) => respond?.(bytes('here')))
        await hearing.ready
        const answer = asking(one, `user.d${index}`, 'hello')
        if (index % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
        hearing.end()
        return answer
      })
      const answers = new Set(await Promise.all(asked))
      expect([...answers].filter((answer) => !['here', 'nobody', ''].includes(answer))).toEqual([])
    })

    it('keeps answers and messages of one process in order, without a pause between', async () => {
      under = await open()
      const { one, two } = under
      const heard: string[] = []
      await one.hear('user.b1', (message) => heard.push(text(message))).ready
      await two.hear('user.a1', (_message, respond) => {
        respond?.(bytes('answer'))
        two.say('user.b1', bytes('message'))
      }).ready
      const both = Promise.withResolvers<void>()
      one.ask('user.a1', bytes('question'), 5000, (result) => {
        heard.push(text(result))
        both.resolve()
      })
      await both.promise
      await expect.poll(() => heard).toEqual(['answer', 'message'])
    })

    it('hears one subject twice, and ends one hearing without the other', async () => {
      under = await open()
      const { one, two } = under
      const heard: string[] = []
      const first = two.hear('room.c1', () => heard.push('first'))
      const second = two.hear('room.c1', () => heard.push('second'))
      await Promise.all([first.ready, second.ready])
      one.say('room.c1', bytes(''))
      await expect.poll(() => heard.toSorted()).toEqual(['first', 'second'])
      first.end()
      one.say('room.c1', bytes(''))
      await expect.poll(() => heard.toSorted()).toEqual(['first', 'second', 'second'])
    })
  })
}
