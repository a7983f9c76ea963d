/** The files of spec/vectors: making their text, and reading them with suspicion. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Suite } from './spec-vectors.bytes.ts'
import { makeSuites } from './spec-vectors.cases.ts'
import { makeCast, type RecordedRsa } from './spec-vectors.people.ts'
import { hex } from './spec-vectors.reference.ts'
import { CONVERSATIONS, Story } from './spec-vectors.story.ts'

export const SPEC = join(import.meta.dirname, '../../../spec')
export const VECTORS = join(SPEC, 'vectors')
/** What was drawn once and cannot be made again. */
export const RECORDED = 'rsa.json'

/** A JSON value; bytes are hex. */
export type Json = null | boolean | number | string | Json[] | { [field: string]: Json }
/** A vector as JSON gives it: whoever reads a field knows what it holds. */
export type Vector = ReturnType<typeof JSON.parse>

/** Every file but the recorded one, by name, as text. */
export function makeFiles(rsa: RecordedRsa): ReadonlyMap<string, string> {
  const cast = makeCast(rsa)
  const files = new Map<string, string>()
  for (const [name, suite] of Object.entries(makeSuites(cast, rsa))) files.set(name, textOf(suite))
  for (const { file, title, tell } of CONVERSATIONS) {
    const story = new Story(file, cast)
    tell(story)
    const { events, states } = story.finish() as {
      events: Suite['vectors']
      states: Suite['vectors']
    }
    files.set(
      `conversations/${file}`,
      textOf({ description: title, fields: CONVERSATION_FIELDS, vectors: events }, { states }),
    )
  }
  return files
}

export function textOf(suite: Suite, more: Record<string, unknown> = {}): string {
  const { description, fields, setup, vectors } = suite
  const file = { description, fields, count: vectors.length, setup, vectors, ...more }
  return `${JSON.stringify(toJson(file), null, 1)}\n`
}

/** Bytes become hex; what is undefined is left out. */
function toJson(value: unknown): Json | undefined {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map((one) => toJson(one) ?? null)
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([field, one]) => [field, toJson(one)] as const)
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined)) as Json
  }
  return value as Json | undefined
}

/** @throws when the file is empty, short, or not of the form: a lost vector must not pass as held. */
export function readVectors(
  name: string,
  text: string = readFileSync(join(VECTORS, name), 'utf8'),
): {
  readonly vectors: readonly Vector[]
  readonly setup: Vector
  readonly states: readonly Vector[]
} {
  const { description, fields, count, setup, vectors, states } = JSON.parse(text)
  const isWhole =
    typeof description === 'string' &&
    typeof fields === 'object' &&
    Array.isArray(vectors) &&
    vectors.length > 0 &&
    vectors.length === count
  if (!isWhole) throw new Error(`${name} is empty, short or of another form`)
  return { vectors, setup, states: states ?? [] }
}

const CONVERSATION_FIELDS = {
  do: 'what happens: `begin`, `seal`, `accept`, `open`, `receipt`, `refuse`, `standing`, `choose`, `note`',
  session: 'name of the state that changes; each end of a session has its own',
  'by, from, to': 'people of people.json',
  prekeys: 'of people.json, by name',
  continues: '`begin`: the session whose continuation is proven',
  message: 'name of an envelope',
  now: 'milliseconds since 1970',
  content: '`seal`: what is encoded and encrypted',
  entropy: 'fresh bytes that the event uses: see handshake.md and session.md',
  derives:
    'values on the way. `step`: the turn of the ratchet, when there is one; `header`: before ' +
    'encryption; the keys of the message; `encodedContent`: without padding',
  'envelope, id, receipt': 'the result; `receipt` is what the recipient answers',
  result: '`open`: `opened`, `late` or `foreign`',
  'chain, number': '`receipt`: place of the message that was receipted',
  answer: '`refuse`: reason of the nack',
  standing: '`standing`: what the session becomes; see session.md, "Several sessions"',
  'among, sendsIn': '`choose`: sessions, and the one to send in',
  states: 'behind the events: the state of every session at the end',
}
