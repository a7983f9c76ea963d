/** Two ends of one session, for tests that tell a story: who says what, what arrives, and when. */
import { type Bytes, utf8 } from '@couplet/wire'
import {
  type Opened,
  type OpenResult,
  openMessage,
  ProtocolError,
  parseEnvelope,
  type Sealed,
  type SendingChain,
  type Session,
} from '../src/index.ts'
import { accept, initiate, NOW, type Person, PROVIDERS, person, seal, text } from './support.ts'

export type Side = 'a' | 'b'

/** Every pair of providers, the two mixed ones included. */
export const PAIRINGS: readonly (readonly [string, string])[] = Object.keys(PROVIDERS).flatMap(
  (a) => Object.keys(PROVIDERS).map((b) => [a, b] as const),
)

export interface Cast {
  readonly ana: Person
  readonly ben: Person
  readonly mallory: Person
}

/** Three people of one provider, made once for each test file. */
export function cast(provider: string): Promise<Cast> {
  const made = CASTS.get(provider) ?? makeCast(provider)
  CASTS.set(provider, made)
  return made
}

export class Conversation {
  readonly people: Record<Side, Person>
  readonly sessions: Record<Side, Session>
  now = NOW

  constructor(people: Record<Side, Person>, sessions: Record<Side, Session>) {
    this.people = people
    this.sessions = sessions
  }

  /** Ana has written her first message and Ben has opened it. */
  static async begin(ana: Person, ben: Person): Promise<Conversation> {
    const first = seal(ana, await initiate(ana, ben), 'first')
    const { session } = await accept(ben, first.envelope)
    return new Conversation({ a: ana, b: ben }, { a: first.session, b: session })
  }

  /** Seals a text; nothing is delivered. */
  say(side: Side, body = `from ${side}`): Sealed {
    const sealed = seal(this.people[side], this.sessions[side], text(body), { now: this.now })
    this.sessions[side] = sealed.session
    return sealed
  }

  /** What an end makes of an envelope; its state moves only when the envelope was opened. */
  hear(side: Side, envelope: Uint8Array): OpenResult {
    const { primitives } = this.people[side]
    const result = openMessage(primitives, this.sessions[side], envelope, { now: this.now })
    if (result.kind === 'opened') this.sessions[side] = result.session
    return result
  }

  /** Says and delivers at once. */
  tell(side: Side, body = `from ${side}`): { readonly sealed: Sealed; readonly opened: Opened } {
    const sealed = this.say(side, body)
    const opened = this.hear(other(side), sealed.envelope)
    if (opened.kind !== 'opened') throw new Error(`test: ${opened.kind} instead of opened`)
    return { sealed, opened }
  }

  /** So many messages, the ends taking turns, `a` last: each one turns the ratchet. */
  turns(count: number, first: Side = 'b'): void {
    let side = first
    for (let i = 0; i < count; i++) {
      this.tell(side)
      side = other(side)
    }
  }
}

export function other(side: Side): Side {
  return side === 'a' ? 'b' : 'a'
}

/** The code of the ProtocolError that an action throws; anything else is passed on. */
export function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
  return 'nothing thrown'
}

/** The same for an action that takes its time. */
export async function codeOfAsync(action: () => Promise<unknown>): Promise<string> {
  try {
    await action()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
  return 'nothing thrown'
}

/** What became of an attempt to open: the kind of the answer, or the code of the error. */
export function outcomeOf(action: () => OpenResult): string {
  try {
    return action().kind
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

/** A copy with one bit turned. */
export function damaged(bytes: Uint8Array, at: number, mask = 0x01): Bytes {
  const copy = new Uint8Array(bytes)
  copy[at]! ^= mask
  return copy
}

/** Which parts an encrypted header holds, by its length: the four that there are. */
export function headerOf(envelope: Uint8Array): 'bare' | 'offer' | 'ciphertext' | 'both' {
  switch (parseEnvelope(envelope).encryptedHeader.length) {
    case 96:
      return 'bare'
    case 1280:
      return 'offer'
    case 1184:
      return 'ciphertext'
    case 2368:
      return 'both'
    default:
      throw new Error('test: a header of no known size')
  }
}

/** A sending chain moved forward without sealing what lies between; `receipted`, as if all arrived. */
export function skip(
  from: Person,
  session: Session,
  count: number,
  { receipted = false } = {},
): Session {
  const { sending } = session
  if (!sending) throw new Error('test: no sending chain')
  let { key } = sending
  for (let i = 0; i < count; i++) key = from.primitives.hmacSha256(key, Uint8Array.of(2))
  const moved: SendingChain = { ...sending, key, count: sending.count + count }
  return { ...session, sending: receipted ? { ...moved, receipted: moved.count } : moved }
}

export function contains(haystack: Uint8Array, needle: Uint8Array): boolean {
  return Buffer.from(haystack).includes(needle)
}

export const SECRET_TEXT = 'a text that nobody else may read'
export const SECRET_BYTES = utf8(SECRET_TEXT)

async function makeCast(provider: string): Promise<Cast> {
  const primitives = PROVIDERS[provider]!
  const [ana, ben, mallory] = await Promise.all([
    person(primitives, '+12025550101'),
    person(primitives, '+12025550102'),
    person(primitives, '+12025550103'),
  ])
  return { ana, ben, mallory }
}

const CASTS = new Map<string, Promise<Cast>>()
