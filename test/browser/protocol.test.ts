/**
 * The protocol in a real browser: others' vectors through the web provider, and a conversation
 * between a page and this process. (protocol.md, "Proofs and tests")
 */
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import {
  importIdentity,
  importPrekeys,
  initiateSession,
  noteReceipt,
  openMessage,
  type Session,
} from '@couplet/protocol'
import { nodePrimitives } from '@couplet/protocol/node'
import { fromBase64Url, toBase64Url } from '@couplet/wire'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KNOWN_ANSWERS, type VectorFile } from '../../packages/protocol/test/known-answers.ts'
import { handshakeEntropy, NOW, person, seal } from '../../packages/protocol/test/support.ts'
import { bundle, servePage } from './bundle.ts'
import { startChromium, type TestBrowser } from './chromium.ts'
import type { ProtocolPage } from './protocol-page.ts'

declare global {
  // The page's own functions, called inside `evaluate`.
  var couplet: ProtocolPage
}

let browser: TestBrowser
let server: Server
let page: Page

beforeAll(async () => {
  const script = await bundle(join(import.meta.dirname, 'protocol-page.ts'))
  const served = await servePage(script)
  server = served.server
  browser = await startChromium()
  page = await browser.context.newPage()
  await page.goto(served.url)
  await page.waitForFunction(() => 'couplet' in globalThis)
}, 300_000)

afterAll(async () => {
  await browser?.close()
  server?.close()
})

describe("others' vectors in Chromium", () => {
  test.each(KNOWN_ANSWERS.map(({ file, what, cases }, index) => ({ file, what, cases, index })))(
    '$file: $what',
    async ({ file, cases, index }) => {
      const path = join(import.meta.dirname, '../vectors', file)
      const data = JSON.parse(readFileSync(path, 'utf8')) as VectorFile
      const held = await page.evaluate(([i, vectors]) => couplet.knownAnswers(i, vectors), [
        index,
        data,
      ] as const)
      expect(held).toBe(cases)
    },
  )
})

test('a conversation between Chromium and Node: handshake, ratchet, receipts', async () => {
  const signed = await page.evaluate((now) => couplet.becomePerson('+12025550101', now), NOW)
  const ben = await person(nodePrimitives, '+12025550102')
  const peer = importIdentity(nodePrimitives, fromBase64Url(signed.identity))
  const prekeys = importPrekeys(nodePrimitives, {
    owner: peer,
    signed: fromBase64Url(signed.prekeys),
    now: NOW,
    highestSeenId: 0,
  })
  let session: Session = await initiateSession(nodePrimitives, {
    self: ben.own,
    peer,
    prekeys,
    entropy: handshakeEntropy(),
    now: NOW,
  })
  const first = seal(ben, session, 'from Node')
  session = noteReceipt(first.session, first.position)
  expect(await page.evaluate(acceptThere, [toBase64Url(first.envelope), NOW] as const)).toBe(
    'from Node',
  )

  for (let turn = 0; turn < 40; turn++) {
    const now = NOW + turn
    const answer = await page.evaluate(([text, at]) => couplet.seal(text, at), [
      `Chromium ${turn}`,
      now,
    ] as const)
    const opened = openMessage(nodePrimitives, session, fromBase64Url(answer.envelope), { now })
    if (opened.kind !== 'opened') throw new Error(opened.kind)
    expect(opened.content.body).toEqual({ kind: 'text', text: `Chromium ${turn}` })
    expect(toBase64Url(opened.receipt)).toBe(answer.receipt)
    const next = seal(ben, opened.session, `Node ${turn}`, { now })
    session = next.session
    const text = await page.evaluate(openThere, [toBase64Url(next.envelope), now] as const)
    expect(text).toBe(`Node ${turn}`)
  }
})

/** Run inside the page. */
function acceptThere([envelope, now]: readonly [string, number]): Promise<string> {
  return couplet.accept(envelope, now)
}

function openThere([envelope, now]: readonly [string, number]): string {
  return couplet.open(envelope, now)
}
