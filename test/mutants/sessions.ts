/** Of several sessions, stored ones, safety numbers, and what only histories show. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const SESSIONS_MUTANTS: readonly Mutant[] = [
  // Choice
  mutant(
    'an established session does not win',
    [SOURCE.choice, 'session.established ? FULL_RANK : 0', 'FULL_RANK'],
    [TEST.attacks, 'grinds in vain'],
  ),
  mutant(
    'the larger hash is used',
    [
      SOURCE.choice,
      'compareBytes(a.session.handshakeHash, b.session.handshakeHash)',
      'compareBytes(b.session.handshakeHash, a.session.handshakeHash)',
    ],
    [TEST.choice, 'the smaller H(th1)'],
  ),
  mutant(
    'dead sessions are sent in',
    [SOURCE.choice, 'return -1', 'return asLive'],
    [TEST.choice, 'none: a new one must begin'],
  ),
  mutant(
    'a replacement without proof is not shown',
    [SOURCE.choice, '{ ...accepted, unproven: true }', 'accepted'],
    [TEST.attacks, 'a replacement without proof of continuity is shown'],
  ),
  mutant(
    'any replacement takes over, proven or not',
    [SOURCE.choice, 'if (continued.length > 0) {', 'if (sessions.length > 0) {'],
    [TEST.choice, 'without proof it is shown as such'],
  ),
  mutant(
    'a session given up here cannot be continued',
    [SOURCE.choice, 'inUse.length > 0 ? inUse : sessions', 'inUse'],
    [TEST.choice, 'proof may come from a session given up'],
  ),
  mutant(
    'proof from a session that was replaced counts',
    [SOURCE.choice, 'inUse.length > 0 ? inUse : sessions', 'sessions'],
    [TEST.choice, 'does not replace its successor'],
  ),
  mutant(
    'a continued session stays beside its successor',
    [SOURCE.choice, "standing: 'superseded' as const", "standing: 'live' as const"],
    [TEST.choice, 'with proof it takes the place'],
  ),
  mutant(
    'a session that came back outlives its established successor',
    [SOURCE.choice, 'return successors > 0 ? 1 / successors : asLive', 'return asLive'],
    [TEST.choice, 'unless it has a successor'],
  ),
  mutant(
    'a session that came back is never as good as before',
    [SOURCE.choice, 'return successors > 0 ? 1 / successors : asLive', 'return 1'],
    [TEST.choice, 'is as good as before'],
  ),
  mutant(
    'of several that came back, whichever has the smaller hash is sent in',
    [
      SOURCE.choice,
      'return successors > 0 ? 1 / successors : asLive',
      'return successors > 0 ? 1 : asLive',
    ],
    [TEST.choice, 'the one with the fewest successors'],
  ),
  mutant(
    'a recalled session is as good as its successor',
    [SOURCE.choice, 'return 1 / Math.max(successors, 1)', 'return asLive'],
    [TEST.choice, 'one superseded, in which the peer sends'],
  ),
  mutant(
    'a session is kept one moment too long',
    [SOURCE.choice, '< SESSION_RETENTION_MS', '<= SESSION_RETENTION_MS'],
    [TEST.choice, 'stays for ever, others 30 days'],
  ),

  // Stored sessions
  mutant(
    'bytes behind a stored session are overlooked',
    [SOURCE.codec, '    reader.finish()\n', ''],
    [TEST.codec, 'cut at any length, or with a byte behind it'],
  ),
  mutant(
    'a copy of a stored session’s keys stays where nobody wipes it',
    [SOURCE.codec, 'new Reader(encoded)', 'new Reader(new Uint8Array(encoded))'],
    [TEST.codec, 'what is read shares the bytes'],
  ),
  mutant(
    'the version of a stored session is overlooked',
    [SOURCE.codec, "reader.expect(VERSION, 'version of the stored session')", 'reader.u8()'],
    [TEST.codec, 'a version from the future'],
  ),
  mutant(
    'the offer is not stored',
    [
      SOURCE.codec,
      'optional(writer, chain.offer,',
      'optional(writer, undefined as typeof chain.offer,',
    ],
    [TEST.codec, 'every shape survives'],
  ),

  // Safety number
  mutant(
    '5,199 iterations',
    [SOURCE.safety, 'const ITERATIONS = 5200', 'const ITERATIONS = 5199'],
    [TEST.safety, 'as computed by hand'],
  ),
  mutant(
    'halves in the order of the caller',
    [SOURCE.safety, '.sort(compareBytes)', ''],
    [TEST.safety, 'the same at both ends'],
  ),
  mutant(
    'a code is believed for the contact’s half alone',
    [SOURCE.safety, 'return theirs && ours &&', 'return theirs &&'],
    [TEST.safety, 'a code of others'],
  ),
  mutant(
    'a code is believed for one’s own half alone',
    [SOURCE.safety, 'return theirs && ours &&', 'return ours &&'],
    [TEST.safety, 'a code of others'],
  ),

  mutant(
    // The simulation's thief follows states and guesses no keys: it does not see this one.
    'the ratchet key is the same for ever',
    [
      SOURCE.step,
      'const secret = new Uint8Array(entropy.ratchetSeed)',
      'const secret = new Uint8Array(32).fill(entropy.ratchetSeed.length)',
    ],
    [TEST.ratchet, 'a fresh key'],
  ),
  mutant(
    'ratchet: one forged nack parts the two ends for ever',
    [SOURCE.ratchet, "  dead: 'revived',", "  dead: 'dead',"],
    [TEST.ratchet, 'put aside'],
  ),
  mutant(
    'ratchet: a superseded session is not called back',
    [SOURCE.ratchet, "  superseded: 'recalled',", "  superseded: 'superseded',"],
    [TEST.ratchet, 'put aside'],
  ),

  // What only histories show: these die in the simulation
  mutant(
    'simulation: whoever is first in the list is sent in',
    [SOURCE.choice, ' || compareBytes(a.session.handshakeHash, b.session.handshakeHash)', ''],
    [TEST.simulation, 'both begin at once'],
  ),
  mutant(
    'simulation: the KEM answer is lost with the first message of its chain',
    [
      SOURCE.ratchet,
      'key: nextKey, count: chain.count + 1 } }',
      'key: nextKey, count: chain.count + 1, announce: false } }',
    ],
    [TEST.simulation, 'histories'],
  ),
  mutant(
    'simulation: the receiving chain stays where it was',
    [
      SOURCE.ratchet,
      'receiving: { ...chain, key: nextKey, count: header.number + 1 }',
      'receiving: chain',
    ],
    [TEST.simulation, 'histories'],
  ),
  mutant(
    'simulation: no step heals',
    [
      SOURCE.step,
      'input.kemSecret ? concatBytes(shared, input.kemSecret) : shared',
      'new Uint8Array(32)',
    ],
    [TEST.simulation, 'histories'],
  ),
  mutant(
    'simulation: a gap of one is jumped by two',
    [
      SOURCE.chain,
      'for (let count = chain.count; count < number; count++)',
      'for (let count = chain.count; count < number + Number(number - chain.count === 1); count++)',
    ],
    [TEST.simulation, 'histories'],
  ),
  mutant(
    'simulation: the next header key is that of this chain',
    [
      SOURCE.step,
      'nextReceivingHeaderKey: derived.nextHeaderKey',
      'nextReceivingHeaderKey: session.nextReceivingHeaderKey',
    ],
    [TEST.simulation, 'histories'],
  ),
]
