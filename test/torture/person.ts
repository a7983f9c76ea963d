/**
 * A small program on the SDK, as anybody might write one: sends what it is told to on standard input,
 * reads its messages, and says on standard output what it sees. Made to be killed.
 *
 *     node --conditions=source test/torture/person.ts HOME
 */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { ClientError, type Couplet } from '@couplet/client'
import { openCouplet } from '@couplet/client/node'
import { labelOf, type Order, type Report } from './reports.ts'

const me = await open(process.argv[2]!)
if (me) await live(me)

async function open(home: string): Promise<Couplet | undefined> {
  try {
    return await openCouplet({ home })
  } catch (error) {
    say({ kind: 'closed', fault: faultOf(error) })
    return undefined
  }
}

async function live(couplet: Couplet): Promise<void> {
  couplet.on('status', ({ id, state }) => say({ kind: 'state', id, state }))
  couplet.on('warning', (warning) => say({ kind: 'warning', warning: warning.kind }))
  say({ kind: 'open' })
  process.once('SIGTERM', () => void couplet.close())
  // Goes on trying by itself.
  couplet.connect().catch(() => {})
  const orders = createInterface({ input: process.stdin })
  // Whoever gave the orders is gone.
  orders.on('close', () => void couplet.close())
  orders.on('line', (line) => void obey(couplet, JSON.parse(line) as Order))
  await read(couplet)
  say({ kind: 'closed', fault: await faultThatClosed(couplet) })
  process.exit()
}

async function read(couplet: Couplet): Promise<void> {
  try {
    for await (const { id, from, text, sequence, missingBefore } of couplet.messages()) {
      say({ kind: 'shown', id, from, label: labelOf(text), sequence, missingBefore })
    }
  } catch (error) {
    say({ kind: 'refused', fault: faultOf(error) })
  }
  await couplet.close().catch(() => {})
}

async function obey(couplet: Couplet, order: Order): Promise<void> {
  try {
    if (order.kind === 'count') {
      say({ kind: 'counted', outbox: (await couplet.outbox()).length })
      return
    }
    for (const text of order.texts) {
      const { message } = await couplet.send(order.to, text)
      say({ kind: 'kept', id: message.id, to: order.to, label: labelOf(text) })
    }
  } catch (error) {
    say({ kind: 'refused', fault: faultOf(error) })
  }
}

/** A client that gave up says why to whoever asks for something; one that was closed is closed. */
async function faultThatClosed(couplet: Couplet): Promise<string | undefined> {
  try {
    await couplet.send('+12025550199', 'why?')
  } catch (error) {
    const fault = faultOf(error)
    return fault === 'closed' ? undefined : fault
  }
  return undefined
}

function faultOf(error: unknown): string {
  return error instanceof ClientError ? error.code : String(error)
}

/** At once and whole: whatever happened before a kill has been said. */
function say(report: Report): void {
  try {
    writeSync(1, `${JSON.stringify(report)}\n`)
  } catch (error) {
    // Nobody listens: the whole torture was ended.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(1)
    throw error
  }
}
