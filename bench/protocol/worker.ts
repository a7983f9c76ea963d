/**
 * Measures one subject, in a process of its own: what one library does to the heap and to the
 * optimizer is not the other's trouble, and CPU time is all its own.
 *
 *     worker.ts <subject>        then requests by message, one at a time
 */
import { argv, cpuUsage } from 'node:process'
import type { Sample } from '../harness.ts'
import type { Description } from './report.ts'
import type { Role, Subject } from './subject.ts'
import { SUBJECTS } from './subjects.ts'

export type Request =
  | { readonly kind: 'run'; readonly measure: string; readonly operations: number }
  | { readonly kind: 'describe' }

export type Response =
  | { readonly kind: 'ran'; readonly sample: Sample }
  | { readonly kind: 'described'; readonly description: Description }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * The measures, each given how often to do its work. The session of the last set-up goes to and fro
 * before it goes one way: some libraries do more in a session where that never happened, some less.
 */
export const MEASURES: Readonly<
  Record<string, (subject: Subject, operations: number) => Promise<unknown>>
> = {
  setUp: (subject, operations) => repeat(operations, (i) => subject.setUp(textOf(i))),
  pingPong256: pingPong,
  oneWay256: oneWay,
}

/** @returns Bytes on the wire, all together. */
function oneWay(subject: Subject, operations: number): Promise<number> {
  return repeat(operations, (i) =>
    subject.send({ sender: 'initiator', text: textOf(i), turn: false }),
  )
}

function pingPong(subject: Subject, operations: number): Promise<number> {
  return repeat(operations, (i) => {
    const sender: Role = i % 2 === 0 ? 'initiator' : 'responder'
    return subject.send({ sender, text: textOf(i), turn: true })
  })
}

async function repeat(times: number, work: (i: number) => Promise<number>): Promise<number> {
  let total = 0
  for (let i = 0; i < times; i++) total += await work(i)
  return total
}

async function run(subject: Subject, measure: string, operations: number): Promise<Sample> {
  // Ping-pong begins with the initiator: in an even number of messages each turns the ratchet.
  const times = measure === 'pingPong256' ? operations + (operations % 2) : operations
  if (measure === 'setUp') await subject.prepare(times)
  const cpuBefore = cpuUsage()
  const begin = performance.now()
  await MEASURES[measure]!(subject, times)
  const wallMs = performance.now() - begin
  const { user, system } = cpuUsage(cpuBefore)
  return { operations: times, wallMs, cpuMs: (user + system) / 1000 }
}

async function describe(subject: Subject): Promise<Description> {
  await subject.prepare(1)
  const firstMessage = await subject.setUp(textOf(0))
  await pingPong(subject, 2)
  await oneWay(subject, 1)
  const settledMessage = (await oneWay(subject, 20)) / 20
  // Post-quantum keys travel in some turns only: count enough of them.
  const turningMessage = (await pingPong(subject, 400)) / 400
  return {
    remark: subject.remark,
    overhead: {
      firstMessage: beyondText(firstMessage),
      settledMessage: beyondText(settledMessage),
      turningMessage: beyondText(turningMessage),
    },
  }
}

function beyondText(size: number): number {
  return Math.round(size - TEXT_BYTES)
}

/** 256 bytes, no two alike. */
function textOf(i: number): string {
  return `${i} `.padEnd(TEXT_BYTES, 'The quick brown fox jumps over the lazy dog. ')
}

async function answer(subject: Subject, request: Request): Promise<Response> {
  try {
    return request.kind === 'run'
      ? { kind: 'ran', sample: await run(subject, request.measure, request.operations) }
      : { kind: 'described', description: await describe(subject) }
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

const TEXT_BYTES = 256

if (import.meta.main && process.send) {
  const subject = await SUBJECTS[argv[2]!]!()
  process.on('message', (request: Request) => {
    void answer(subject, request).then((response) => process.send!(response))
  })
}
