/** `npm run bench -- web`: the web client in a real Chromium, with a long past; the protocol in it. */
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { bundle, servePage } from '../test/browser/bundle.ts'
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../test/browser/chromium.ts'
import { type Conditions, conditions, rounded, table, withLoadAfter } from './harness.ts'
import { type AppFigures, measureApp } from './web/app.ts'
import type { Past } from './web/home.ts'
import type { ProtocolBench } from './web/protocol-page.ts'

declare global {
  var protocolBench: ProtocolBench
}

export interface WebResults extends Conditions {
  readonly benchmark: 'web'
  readonly chromium: string
  readonly past: Past
  readonly app: AppFigures
  /** Messages of 256 bytes, sealed and opened, a second. */
  readonly protocol: { readonly oneWay: number; readonly pingPong: number }
}

export async function benchWeb(quick: boolean, tell: (text: string) => void): Promise<WebResults> {
  const before = conditions()
  const past = quick
    ? { conversations: 100, long: 500, short: 5 }
    : { conversations: 1000, long: 5000, short: 5 }
  const { version, ...protocol } = await measureProtocol(quick, tell)
  const app = await measureApp(past, tell)
  return { benchmark: 'web', ...withLoadAfter(before), chromium: version, past, app, protocol }
}

export function webReport({ app, protocol, past, chromium: version, load }: WebResults): string {
  const ms = (value: number) => `${rounded(value)} ms`
  return table([
    [`web client, Chromium ${version}, load ${load.before} to ${load.after}`, ''],
    [`conversations; messages in the longest`, `${past.conversations}; ${past.long}`],
    ['first paint', ms(app.firstPaintMs)],
    ['list can be used', ms(app.listMs)],
    ['long conversation is open', ms(app.openMs)],
    ['a typed letter is there, slowest of fifty', ms(app.typeMs)],
    ['scrolling: longest task', ms(app.scroll.longestMs)],
    ['scrolling: time beyond 50 ms in tasks', ms(app.scroll.blockedMs)],
    ['first search', ms(app.searchMs)],
    ['next search', ms(app.searchAgainMs)],
    ['a message from its sender to the screen', ms(app.arrivalMs)],
    ['rows in the document', String(app.rows)],
    ['protocol, one way', `${rounded(protocol.oneWay)}/s`],
    ['protocol, ping-pong', `${rounded(protocol.pingPong)}/s`],
  ])
}

async function measureProtocol(
  quick: boolean,
  tell: (text: string) => void,
): Promise<{ version: string; oneWay: number; pingPong: number }> {
  tell('the protocol in Chromium')
  const script = await bundle(join(import.meta.dirname, 'web/protocol-page.ts'))
  const { server, url } = await servePage(script)
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [...CHROMIUM_ARGUMENTS],
  })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    await page.waitForFunction(() => 'protocolBench' in globalThis)
    const best = async (kind: 'one-way' | 'ping-pong', messages: number) => {
      let fastest = Number.POSITIVE_INFINITY
      // JavaScript becomes fast late, and a busy machine is slow at times: the best round counts.
      for (let round = 0; round < (quick ? 4 : 10); round++) {
        const ms = await page.evaluate(([k, n]) => protocolBench.run(k, n), [
          kind,
          messages,
        ] as const)
        fastest = Math.min(fastest, ms)
      }
      return (messages / fastest) * 1000
    }
    const oneWay = await best('one-way', 1000)
    const pingPong = await best('ping-pong', 100)
    return { version: browser.version(), oneWay, pingPong }
  } finally {
    await browser.close()
    server.close()
  }
}
