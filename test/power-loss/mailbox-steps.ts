/** What is done to one mailbox, and what is in it after each step. */
import { createHash } from 'node:crypto'
import type { StoredEnvelope } from '../../packages/server/src/ports.ts'

export type Step =
  | { readonly kind: 'put'; readonly envelopes: readonly StoredEnvelope[] }
  | { readonly kind: 'ack'; readonly id: Uint8Array }

export const CAPACITY = 2
export const STEPS = 90
export const RECIPIENT: Uint8Array = digest('recipient')

/** Two puts, one of them of three envelopes, and an acknowledgement, again and again. */
export function stepOf(number: number): Step {
  if (number % 3 === 0) return { kind: 'put', envelopes: [envelope(`${number}`)] }
  if (number % 3 === 1) {
    return { kind: 'put', envelopes: [0, 1, 2].map((i) => envelope(`${number}.${i}`)) }
  }
  return { kind: 'ack', id: waitingAfter(number - 1)[0]!.id }
}

/** Ids in hex, oldest first, after steps 0 to `number`. */
export function idsAfter(number: number): readonly string[] {
  return waitingAfter(number).map(({ id }) => Buffer.from(id).toString('hex'))
}

/** After each step. */
const waiting: (readonly StoredEnvelope[])[] = []

function waitingAfter(number: number): readonly StoredEnvelope[] {
  if (number < 0) return []
  waiting[number] ??= after(waitingAfter(number - 1), stepOf(number))
  return waiting[number]
}

function after(before: readonly StoredEnvelope[], step: Step): readonly StoredEnvelope[] {
  return step.kind === 'put'
    ? [...before, ...step.envelopes].slice(-CAPACITY)
    : before.filter(({ id }) => id !== step.id)
}

const made = new Map<string, StoredEnvelope>()

function envelope(name: string): StoredEnvelope {
  const known = made.get(name)
  if (known) return known
  // Larger than a page of the database.
  const bytes = Buffer.concat(Array.from({ length: 150 }, (_, i) => digest(`${name} ${i}`)))
  const id = new Uint8Array(createHash('sha256').update(bytes).digest())
  const one = { id, sender: digest('sender'), storedAt: 1, envelope: new Uint8Array(bytes) }
  made.set(name, one)
  return one
}

function digest(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest())
}
