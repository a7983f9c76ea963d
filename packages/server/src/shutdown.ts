/**
 * How a server stops serving: no new work, then answers to what is under way, then goodbyes. Its
 * store is closed after that, by whoever has it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { WatchedCodeSender } from './code-health.ts'
import type { Delivery } from './delivery.ts'
import type { Gateway } from './gateway.ts'
import type { HttpTiming } from './http-server.ts'
import type { Listeners } from './listeners.ts'
import type { Store } from './ports.ts'
import type { Push } from './push.ts'

export interface Stoppable {
  readonly app: FastifyInstance
  readonly listeners: Listeners
  readonly gateway: Gateway
  readonly delivery: Delivery
  readonly push: Push | undefined
  readonly codeSender: WatchedCodeSender
  readonly httpTiming: HttpTiming
  /** Told to whoever asks whether the server is ready. */
  readonly state: { stopping: boolean }
}

export async function shutDown(store: Store, parts: Stoppable): Promise<void> {
  const { app, listeners, gateway, delivery, push, state } = parts
  state.stopping = true
  gateway.stopReading()
  delivery.flush()
  // Whatever was asked before is answered when this is: the store keeps the order.
  await store.probe().catch(() => {})
  gateway.close()
  await listeners.close(app, patienceOf(parts)).catch(() => {})
  await delivery.close().catch(() => {})
  await push?.close()
}

/** A code that is being sent is on its way to a person: its request is not cut before the answer. */
async function patienceOf({ codeSender, httpTiming }: Stoppable): Promise<void> {
  const { stopMs, codesMs } = httpTiming
  await wait(stopMs)
  const answered = codeSender.settled().then(() => wait(ANSWER_MS))
  await Promise.race([answered, wait(Math.max(0, codesMs - stopMs))])
}

function wait(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false })
}

/** For an answer to be written. */
const ANSWER_MS = 500
