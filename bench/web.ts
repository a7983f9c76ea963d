/** `npm run bench -- web`: the web client in a real Chromium, with a long past; the protocol in it. */
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { bundle, servePage } from '../test/browser/bundle.ts'
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../test/browser/chromium.ts'
import { conditions, withLoadAfter } from './harness.ts'
import { measureApp } from './web/app.ts'
import type { ProtocolBench } from './web/protocol-page.ts'
import type { WebResults } from './web/report.ts'

declare global {
  var protocolBench: ProtocolBench
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
