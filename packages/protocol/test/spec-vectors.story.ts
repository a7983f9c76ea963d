/** Conversations told by the reference, event by event, with every secret on the way. */
import type { Cast } from './spec-vectors.people.ts'
import { NOW, seeded } from './spec-vectors.people.ts'
import {
  accept,
  begin,
  type Content,
  type HandshakeTrace,
  hex,
  type MessageEntropy,
  type MessageFlaw,
  makeHandshake,
  noteReceipt,
  type OpenTrace,
  open,
  type SealTrace,
  type Session,
  type StepTrace,
  seal,
  sessionToSendIn,
} from './spec-vectors.reference.ts'

type Name = 'ana' | 'ben' | 'mallory'
export type Plain = Readonly<Record<string, unknown>>

export class Story {
  readonly #title: string
  readonly #cast: Cast
  readonly events: Plain[] = []
  readonly sessions = new Map<string, Session>()
  readonly #sealed = new Map<string, SealTrace & { readonly content: Buffer; session: string }>()
  #drawn = 0
  now = NOW

  constructor(title: string, cast: Cast) {
    this.#title = title
    this.#cast = cast
  }

  /** `by` begins a session, which is named; nothing is sent. */
  begin(session: string, by: Name, to: Name, prekeys: string, continues?: string): HandshakeTrace {
    const entropy = {
      ephemeralSeed: this.draw(32),
      sessionSecret: this.draw(32),
      identityBlockIv: this.draw(16),
      oaepSeed: this.draw(32),
      kemCoins: this.draw(32),
    }
    const set = this.prekeys(prekeys)
    const [from, peer] = [this.#cast[by], this.#cast[to]]
    const resetKey = continues ? this.session(continues).proving : undefined
    const trace = makeHandshake(from, peer, set, entropy, resetKey)
    const ids = { self: from.id, peer: peer.id }
    this.sessions.set(session, begin(session, 'initiator', trace, ids, set, this.now))
    const named = { session, by, to, prekeys, continues, now: this.now }
    this.events.push({ do: 'begin', ...named, entropy, derives: trace })
    return trace
  }

  seal(session: string, message: string, text: string | Content, flaw?: MessageFlaw): SealTrace {
    const state = this.session(session)
    const content = typeof text === 'string' ? this.content(text) : text
    const entropy: MessageEntropy = {
      headerIv: this.draw(16),
      contentIv: this.draw(16),
      ratchetSeed: this.draw(32),
      kemSeed: this.draw(64),
      kemCoins: this.draw(32),
    }
    const trace = seal(state, content, entropy, this.now, flaw)
    this.#sealed.set(message, { ...trace, session })
    const { sending } = state
    const used = {
      headerIv: entropy.headerIv,
      contentIv: entropy.contentIv,
      ratchetSeed: trace.step && entropy.ratchetSeed,
      kemSeed: trace.step && sending?.offer && entropy.kemSeed,
      kemCoins: trace.step?.kemSecret && entropy.kemCoins,
    }
    const { step, keys, ...rest } = trace
    const { content: encodedContent, envelope, id, receipt, ...header } = rest
    this.events.push({
      do: 'seal',
      session,
      message,
      now: this.now,
      content,
      entropy: used,
      derives: { step: stepFields(step), ...header, ...keys, encodedContent },
      envelope,
      id,
      receipt,
    })
    return trace
  }

  /** The first message of a session, at its responder. */
  accept(session: string, by: Name, from: Name, prekeys: string, message: string): OpenTrace {
    const { envelope } = this.sealed(message)
    const set = this.prekeys(prekeys)
    const people: [typeof set, Cast['ana']] = [set, this.#cast[from]]
    const accepted = accept(session, this.#cast[by], ...people, envelope, this.now)
    this.sessions.set(session, accepted.session)
    const { handshake, opened } = accepted
    this.events.push({
      do: 'accept',
      session,
      by,
      from,
      prekeys,
      message,
      now: this.now,
      derives: {
        handshakeHash: handshake.handshakeHash,
        sessionId: handshake.sessionId,
        continuityProof: handshake.continuityProof,
        ...openFields(opened),
      },
      receipt: opened.receipt,
    })
    return opened
  }

  open(session: string, message: string): OpenTrace | 'late' | 'foreign' {
    const opened = open(this.session(session), this.sealed(message).envelope, this.now)
    const event = { do: 'open', session, message, now: this.now }
    this.events.push(
      typeof opened === 'string'
        ? { ...event, result: opened }
        : { ...event, result: 'opened', derives: openFields(opened), receipt: opened.receipt },
    )
    return opened
  }

  /** The sender takes note of the receipt of a message. */
  receipt(message: string): void {
    const { session, chain, number } = this.sealed(message)
    noteReceipt(this.session(session), chain, number)
    this.events.push({ do: 'receipt', session, message, chain, number })
  }

  /** What a recipient answers who cannot open a message. */
  refuse(by: Name, message: string, answer: string): void {
    this.events.push({ do: 'refuse', by, message, answer })
  }

  /** What the client makes of a session: `dead` on the server's word, `superseded` by a proof. */
  standing(session: string, standing: Session['standing']): void {
    this.session(session).standing = standing
    this.events.push({ do: 'standing', session, standing })
  }

  /** Which session `by` sends in, of those named. */
  choose(by: Name, among: readonly string[]): string | undefined {
    const chosen = sessionToSendIn(among.map((name) => this.session(name)))?.name
    this.events.push({ do: 'choose', by, among, sendsIn: chosen ?? null })
    return chosen
  }

  note(text: string): void {
    this.events.push({ do: 'note', text })
  }

  /** Events, and the states in which they leave the sessions. */
  finish(): Plain {
    const states = [...this.sessions.values()].map((session) => stateFields(session))
    return { events: this.events, states }
  }

  session(name: string): Session {
    const session = this.sessions.get(name)
    if (!session) throw new Error(`no session ${name}`)
    return session
  }

  sealed(message: string): SealTrace & { readonly session: string } {
    const sealed = this.#sealed.get(message)
    if (!sealed) throw new Error(`no message ${message}`)
    return sealed
  }

  prekeys(name: string) {
    return this.#cast.prekeys[name as keyof Cast['prekeys']]
  }

  content(text: string, sequence = this.#sealed.size + 1): Content {
    return {
      messageId: hex(this.draw(16)),
      sequence,
      oldestPending: sequence,
      sentAt: this.now,
      expiresAfter: 0,
      text,
    }
  }

  draw(length: number): Buffer {
    return seeded(`${this.#title}/${this.#drawn++}`, length)
  }
}

const stepFields = (step: StepTrace | undefined): Plain | undefined => step && { ...step }

function openFields(opened: OpenTrace): Plain {
  const { step, header, keys, content } = opened
  return { step: stepFields(step), header, ...keys, encodedContent: content }
}

export function stateFields(session: Session): Plain {
  const { sending, receiving, remote, handshake, ...rest } = session
  return {
    ...rest,
    self: undefined,
    peer: undefined,
    handshakeRides: handshake !== undefined,
    sending: sending && {
      ...sending,
      secret: sending.secret ?? null,
      offer: undefined,
      offerSeed: sending.offer?.seed ?? null,
      ciphertext: sending.ciphertext ?? null,
    },
    remote: remote && { key: remote.key, offer: remote.offer ?? null },
    receiving: receiving && { ...receiving },
  }
}

// -------------------------------------------------------------------------------------------------
// The conversations

export interface Conversation {
  readonly file: string
  readonly title: string
  readonly tell: (story: Story) => void
}

export const CONVERSATIONS: readonly Conversation[] = [
  {
    file: 'one-way-burst.json',
    title:
      'Ana writes seven messages, all of which arrive in order. The handshake rides on each until ' +
      'a receipt comes. Then Ben answers, and both ratchets turn.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      story.seal('ana-1', 'm1', 'Dinner at eight?')
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 'm1')
      story.seal('ana-1', 'm2', 'x'.repeat(3000))
      story.open('ben-1', 'm2')
      for (const message of ['m3', 'm4', 'm5']) {
        story.seal('ana-1', message, `message ${message}`)
        story.open('ben-1', message)
      }
      story.receipt('m3')
      story.seal('ana-1', 'm6', 'The handshake does not ride any more.')
      story.open('ben-1', 'm6')
      story.seal('ana-1', 'm7', '')
      story.open('ben-1', 'm7')
      story.seal('ben-1', 'r1', 'Eight it is. 🕗')
      story.open('ana-1', 'r1')
      story.seal('ana-1', 'm8', 'See you.')
      story.open('ben-1', 'm8')
    },
  },
  {
    file: 'ping-pong.json',
    title:
      'Turn by turn until both have offered a KEM key and both have answered one. The chain of the ' +
      'first offer loses its first message; the offer rides on until a receipt. The third offer is ' +
      'made because 24 hours have passed. The chain that answers it loses its first message, too.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      story.seal('ana-1', 's1', 'step 1')
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 's1')
      for (let step = 2; step <= 36; step++) {
        const [from, to] = step % 2 ? ['ana-1', 'ben-1'] : ['ben-1', 'ana-1']
        const message = `s${step}`
        if (step === 16) {
          story.seal(from, 'lost-offer', 'This one is lost, its offer is not.')
          story.seal(from, message, 'step 16, second message')
          story.open(to, message)
          story.receipt(message)
          story.seal(from, 's16-bare', 'The offer does not ride any more.')
          story.open(to, 's16-bare')
          continue
        }
        story.seal(from, message, `step ${step}`)
        story.open(to, message)
      }
      story.now += DAY_MS
      story.seal('ana-1', 's37', 'A day later: an offer, though few steps have passed.')
      story.open('ben-1', 's37')
      story.seal('ben-1', 'lost-ciphertext', 'This one is lost, its ciphertext is not.')
      story.seal('ben-1', 's38', 'step 38, second message')
      story.open('ana-1', 's38')
    },
  },
  {
    file: 'first-lost.json',
    title:
      'The first message is evicted. The second carries the same handshake, and opens the session; ' +
      'the first comes late, and its content is sent again.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      const content = story.content('Nobody will see this envelope in time.')
      story.seal('ana-1', 'm1', content)
      story.seal('ana-1', 'm2', 'This one arrives.')
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 'm2')
      story.open('ben-1', 'm1')
      story.refuse('ben', 'm1', 'late')
      story.seal('ana-1', 'm1-again', content)
      story.open('ben-1', 'm1-again')
    },
  },
  {
    file: 'all-but-last-lost.json',
    title: 'Of twenty messages only the last arrives. Ben answers; the session goes on.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      for (let i = 1; i <= 20; i++) story.seal('ana-1', `m${i}`, `message ${i}`)
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 'm20')
      story.open('ben-1', 'm5')
      story.refuse('ben', 'm5', 'late')
      for (let i = 1; i <= 5; i++) story.seal('ben-1', `r${i}`, `reply ${i}`)
      story.open('ana-1', 'r5')
      story.open('ana-1', 'r1')
      story.seal('ana-1', 'm21', 'onward')
      story.open('ben-1', 'm21')
    },
  },
  {
    file: 'simultaneous.json',
    title:
      'Both begin at once. Each has two sessions; both send in the one with the smaller handshake ' +
      'hash. When it is established it stays chosen, whatever the hashes.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      story.begin('ben-2', 'ben', 'ana', 'ana/1')
      story.seal('ana-1', 'a1', 'Ana began')
      story.seal('ben-2', 'b1', 'Ben began')
      story.choose('ana', ['ana-1'])
      story.choose('ben', ['ben-2'])
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 'a1')
      story.accept('ana-2', 'ana', 'ben', 'ana/1', 'b1')
      const ana = story.choose('ana', ['ana-1', 'ana-2'])!
      const ben = story.choose('ben', ['ben-1', 'ben-2'])!
      story.seal(ana, 'a2', 'in the chosen session')
      story.open(ben, 'a2')
      story.seal(ben, 'b2', 'in the same one')
      story.open(ana, 'b2')
      story.seal(ana, 'a3', 'established for Ana')
      story.open(ben, 'a3')
      story.choose('ana', ['ana-1', 'ana-2'])
      story.choose('ben', ['ben-1', 'ben-2'])
      story.note('The other session can still receive.')
      const [loser, from] = ana === 'ana-1' ? ['ana-2', 'ben-2'] : ['ben-1', 'ana-1']
      story.seal(from, 'x1', 'sent before the other end was heard')
      story.open(loser, 'x1')
    },
  },
  {
    file: 'late-resent.json',
    title:
      'A message of an old chain arrives when the conversation has gone on. Its header key is one ' +
      'of the last five: it is late, and its content is sent again with the same message id. One ' +
      'of the sixth chain back is foreign.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      story.seal('ana-1', 'm1', 'first')
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 'm1')
      const held = story.content('held back')
      story.seal('ana-1', 'held-0', held)
      for (let turn = 1; turn <= 6; turn++) {
        story.seal('ben-1', `b${turn}`, `from Ben, ${turn}`)
        story.open('ana-1', `b${turn}`)
        story.seal('ana-1', `a${turn}`, `from Ana, ${turn}`)
        story.seal('ana-1', `held-${turn}`, `also held back, ${turn}`)
        story.open('ben-1', `a${turn}`)
      }
      story.open('ben-1', 'held-1')
      story.refuse('ben', 'held-1', 'late')
      story.open('ben-1', 'held-0')
      story.refuse('ben', 'held-0', 'late')
      story.note(
        'held-0 still has its handshake, which is known: late. Without one it would be unknown-session.',
      )
      story.seal('ana-1', 'held-0-again', held)
      story.open('ben-1', 'held-0-again')
    },
  },
  {
    file: 'prekey-retired.json',
    title:
      'Ana begins with prekeys that Ben destroys before her message arrives. Ben answers ' +
      'retired-prekey; Ana begins again with the newer ones and sends the same content.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      const content = story.content('Written to old prekeys.')
      story.seal('ana-1', 'm1', content)
      story.refuse('ben', 'm1', 'retired-prekey')
      story.standing('ana-1', 'dead')
      story.choose('ana', ['ana-1'])
      story.begin('ana-2', 'ana', 'ben', 'ben/2')
      story.choose('ana', ['ana-1', 'ana-2'])
      story.seal('ana-2', 'm1-again', content)
      story.accept('ben-2', 'ben', 'ana', 'ben/2', 'm1-again')
    },
  },
  {
    file: 'forged-nack.json',
    title:
      'The server claims that Ben does not know the session, though he has it. Ana begins another; ' +
      "then Ben's answer comes in the first one, which is revived, and sent in until the other is " +
      'established.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      const content = story.content('Do you hear me?')
      story.seal('ana-1', 'm1', content)
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 'm1')
      story.note('A forged nack: unknown-session.')
      story.standing('ana-1', 'dead')
      story.choose('ana', ['ana-1'])
      story.begin('ana-2', 'ana', 'ben', 'ben/1')
      story.seal('ana-2', 'm1-again', content)
      story.choose('ana', ['ana-1', 'ana-2'])
      story.seal('ben-1', 'r1', 'I do.')
      story.accept('ben-2', 'ben', 'ana', 'ben/1', 'm1-again')
      story.open('ana-1', 'r1')
      story.choose('ana', ['ana-1', 'ana-2'])
      const chosen = story.choose('ben', ['ben-1', 'ben-2'])!
      story.seal('ana-1', 'm2', 'in the revived session')
      story.open('ben-1', 'm2')
      story.choose('ben', ['ben-1', 'ben-2'])
      story.seal(chosen, 'r2', "in the one that was Ben's choice before")
      story.open(chosen === 'ben-1' ? 'ana-1' : 'ana-2', 'r2')
      story.choose('ana', ['ana-1', 'ana-2'])
    },
  },
  {
    file: 'replacement.json',
    title:
      'An established session is replaced by one with a proof of continuity, then by one without. ' +
      'The proof is made with the reset key of the last step that Ana followed.',
    tell(story) {
      story.begin('ana-1', 'ana', 'ben', 'ben/1')
      story.seal('ana-1', 'm1', 'first')
      story.accept('ben-1', 'ben', 'ana', 'ben/1', 'm1')
      story.seal('ben-1', 'r1', 'reply')
      story.open('ana-1', 'r1')
      story.seal('ana-1', 'm2', 'second')
      story.open('ben-1', 'm2')
      story.seal('ben-1', 'r2', 'This reply is lost: Ana follows the step before it.')
      story.seal('ana-1', 'held', 'This one is held back until the session is replaced.')
      story.begin('ana-2', 'ana', 'ben', 'ben/2', 'ana-1')
      story.seal('ana-2', 'm3', 'in the replacement')
      story.accept('ben-2', 'ben', 'ana', 'ben/2', 'm3')
      story.note('The proof of ben-2 verifies under ben-1: ben-1 is superseded.')
      story.standing('ben-1', 'superseded')
      story.choose('ben', ['ben-1', 'ben-2'])
      story.open('ben-1', 'held')
      story.note('ben-1 is recalled: it is sent in until its successor is established.')
      story.choose('ben', ['ben-1', 'ben-2'])
      story.seal('ben-2', 'r3', 'reply in the replacement')
      story.open('ana-2', 'r3')
      story.seal('ana-2', 'm4', 'established for both')
      story.open('ben-2', 'm4')
      story.choose('ben', ['ben-1', 'ben-2'])
      story.begin('ana-3', 'ana', 'ben', 'ben/2')
      story.seal('ana-3', 'm5', 'without a proof')
      story.accept('ben-3', 'ben', 'ana', 'ben/2', 'm5')
      story.note('ben-3 proves nothing: it can receive, ben-2 stays the one to send in.')
      story.choose('ben', ['ben-1', 'ben-2', 'ben-3'])
    },
  },
]

const DAY_MS = 86_400_000
