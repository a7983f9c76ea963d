/** `couplet chat` in real terminals: typed with keys, read from the screen. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { COUPLET, type Person, World } from './processes.ts'
import { type Pane, Tmux } from './tmux.ts'

const ANA = '+12025550101'
const BEN = '+12025550102'
const CLEO = '+12025550103'

let world: World
let tmux: Tmux
let ana: Person
let ben: Person

beforeEach(async () => {
  world = await World.create()
  tmux = Tmux.create()
  await world.startServer()
  ana = await world.person('ana', ANA)
  ben = await world.person('ben', BEN)
})

afterEach(async () => {
  tmux.end()
  await world.end()
})

function chat(person: Person, ...words: readonly string[]): Pane {
  const program = [process.execPath, ...COUPLET, '--home', person.home, 'chat', ...words]
  return tmux.start(program, { env: world.environment })
}

describe('chat on the full screen', () => {
  test('two terminals talk: states, long texts, a pasted text of many lines, resize, scrolling', async () => {
    const here = chat(ana, BEN)
    const there = chat(ben, ANA)
    await here.shows('A new conversation with +12025550102')
    expect(here.fact('alternate_on')).toBe('1')
    here.type('Dinner at eight?')
    await here.shows('> Dinner at eight?')
    here.press('Enter')
    await there.shows('Dinner at eight?')
    await here.shows('✓✓ Dinner at eight?')

    // What is pasted is one message, sent when the user says so.
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1} of thirty`)
    there.paste(lines.join('\n'))
    await there.shows('line 30 of thirty')
    expect(here.screen()).not.toContain('of thirty')
    there.press('Enter')
    await here.shows('line 30 of thirty')
    expect(here.screen()).not.toContain('line 1 of thirty')
    here.press('PPage', 'PPage')
    await here.shows('✓✓ Dinner at eight?')
    here.press('NPage', 'NPage')
    await here.shows('line 30 of thirty')

    here.type('漢字 and 👩‍👩‍👧 and שלום')
    here.resize(50, 12)
    await here.until((screen) => screen.trimEnd().split('\n').length <= 12, 'has twelve rows')
    await here.shows(/> 漢字 and/)
    here.press('Enter')
    await there.shows('漢字 and')
    await here.shows('✓✓ 漢字')

    here.press('C-d')
    expect(await here.ended()).toBe(0)
    expect(here.fact('alternate_on')).toBe('0')
  })

  test('new messages, other conversations behind Ctrl-N, and a draft that is kept', async () => {
    const cleo = await world.person('cleo', CLEO)
    await ana.couplet('send', BEN, 'Hello Ben')
    await cleo.couplet('send', BEN, 'Hello from Cleo')
    const pane = chat(ben)
    await pane.shows(/Conversations:/)
    await pane.shows(/\+12025550101.*\(1 new\)/)
    await pane.shows(/\+12025550103.*\(1 new\)/)
    pane.type('0101')
    await pane.until((screen) => !screen.includes(CLEO), 'shows only Ana')
    pane.press('Enter')
    await pane.shows(/── new ─[\s\S]*Hello Ben/)
    await pane.shows('1 new elsewhere')
    pane.type('half a thought')
    pane.press('C-n')
    await pane.shows(/> \+12025550103.*\(1 new\)/)
    pane.press('Enter')
    await pane.shows('Hello from Cleo')
    pane.press('C-n')
    await pane.shows(/> \+12025550103/)
    pane.press('Down')
    pane.press('Enter')
    await pane.shows('> half a thought')
    pane.press('C-c')
    await pane.ended()
    expect(await ben.receive()).toEqual([])
  })

  test('somebody who wrote first is shown, and decided about, within it', async () => {
    await ben.couplet('settings', 'strangers', 'ask')
    await ana.couplet('send', BEN, 'May I write to you?')
    const pane = chat(ben)
    await pane.shows(/> \+12025550101 +asks to write: May I write to you\?/)
    pane.press('Enter')
    await pane.shows('wants to write to you')
    await pane.shows('no receipt has gone there')
    await pane.shows('May I write to you?')
    expect(await ana.outbox()).toEqual({ 'May I write to you?': 'sent' })
    pane.type('/block')
    pane.press('Enter')
    await pane.shows(/\+12025550101 is blocked/)
    await pane.until((screen) => !screen.includes('no receipt has gone'), 'has no banner')
    pane.type('/unblock')
    pane.press('Enter')
    await pane.shows('is not blocked any more')
    pane.type('/accept')
    pane.press('Enter')
    await pane.shows('is accepted')
    await pane.until((screen) => !screen.includes('no receipt has gone'), 'has no banner')
    await ana.couplet('outbox', '--flush')
    expect(await ana.outbox()).toEqual({})
    // The same person, from another number: the conversation and what is being typed go along.
    pane.type('half a thought')
    const next = '+12025550151'
    await ana.couplet('change-number', next)
    await ana.couplet('change-number', next, '--code', await world.code(next), '--tell')
    await pane.shows(/^ \+12025550151/)
    await pane.shows('+12025550101 is +12025550151 now: a new number, with the same keys.')
    await pane.shows(/May I write to you\?[\s\S]*This is my number now/)
    await pane.shows('> half a thought')
    // Another one, while this conversation is open.
    const cleo = await world.person('cleo', CLEO)
    await cleo.couplet('send', BEN, 'Me, too')
    await pane.shows('1 asks to write: Ctrl-N')
  })

  test('the server goes and comes back; nothing is lost', async () => {
    const pane = chat(ana, BEN)
    await pane.shows('A new conversation')
    pane.type('one')
    pane.press('Enter')
    await pane.shows('✓ one')
    await world.stopServer()
    await pane.shows('Offline: what you write is kept')
    pane.type('two')
    pane.press('Enter')
    await pane.shows(/… two\n +pending/)
    await world.startServer()
    await pane.until((screen) => screen.includes('✓ two') && !screen.includes('Offline'), 'is back')
    expect(await ben.receive()).toEqual(['one', 'two'])
    await pane.shows('✓✓ two')
  })

  test('a changed key is a banner and a decision; what was typed stays', async () => {
    const pane = chat(ana, BEN)
    await pane.shows('A new conversation')
    for (const [command, answer] of [
      ['/verify', 'not verified yet:'],
      ['/mark', 'is marked as verified'],
    ] as const) {
      pane.type(command)
      pane.press('Enter')
      await pane.shows(answer)
    }
    await pane.shows('✔ verified')
    const again = await world.person('ben-again', BEN)
    pane.type('/verify')
    pane.press('Enter')
    await pane.shows('has a new key')
    await pane.shows(/You had\s+verified the old one/)
    await pane.shows(/of a NEW key[\s\S]*\d{5} \d{5} \d{5} \d{5}/)
    pane.type('secret')
    pane.press('Enter')
    await pane.shows('Not sent: decide about the new key first')
    await pane.shows('> secret')
    pane.press('C-u')
    pane.type('/accept')
    pane.press('Enter')
    await pane.until((screen) => !screen.includes('has a new key'), 'has no banner')
    pane.type('for the new phone')
    pane.press('Enter')
    await pane.shows('✓ for the new phone')
    expect(await again.receive()).toEqual(['for the new phone'])
  })
})
