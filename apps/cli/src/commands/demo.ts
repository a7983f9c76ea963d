/** `couplet demo`: the founding story with real processes, to read along, and as a self-test. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Context } from '../context.ts'
import { unlessInterrupted } from '../interrupt.ts'
import { notAsTold, type Played, Stage } from '../stage.ts'

export async function run(context: Context): Promise<number> {
  const { terminal, environment } = context
  const paced = context.options.fast !== true && terminal.outputIsTerminal && !terminal.json
  const stage = await Stage.open({ terminal, environment, paced })
  const began = performance.now()
  const facts: Facts = {}
  let ok = false
  try {
    await unlessInterrupted(play(stage, facts))
    ok = true
  } finally {
    await stage.close()
    const seconds = Math.round((performance.now() - began) / 100) / 10
    await terminal.printJson({ type: 'demo', ok, seconds, ...facts })
    if (ok)
      await terminal.answer(`\nAll as told, in ${seconds} seconds. The temporary folder is gone.`)
  }
  return 0
}

/** What the story has shown so far. */
interface Facts {
  heldByServer?: number
  delivered?: number
  inOrder?: boolean
  safetyNumbersMatch?: boolean
}

async function play(stage: Stage, facts: Facts): Promise<void> {
  const url = await startServer(stage)
  await register(stage, url)
  await talk(stage)
  await sendFive(stage, facts)
  await bringBack(stage, facts)
  await compare(stage, facts)
}

async function startServer(stage: Stage): Promise<string> {
  await stage.scene(
    '1. A server',
    'It knows phone numbers and public keys, and keeps at most two undelivered messages for each person.',
    'Codes go into a file here; with the default, they are printed where the server runs.',
  )
  const options = ['--port', '0', '--data', './server', '--code-sender', 'file:./codes.jsonl']
  const server = await stage.background('serve', ...options)
  const [, url] = await server.until(/listening on (http:\/\/\S+)/)
  return url!
}

async function register(stage: Stage, url: string): Promise<void> {
  await stage.scene(
    '2. Two people register',
    'Keys are made on their own devices. The server sees only the public ones, and sends a code to prove the number.',
  )
  for (const { home, phone } of [ANA, BEN]) {
    await stage.couplet('--home', home, 'register', phone, '--server', url)
    const line = await newestCode(stage)
    await stage.other('tail -n 1 codes.jsonl', line)
    const { code } = JSON.parse(line) as { code: string }
    await stage.couplet('--home', home, 'register', phone, '--code', code)
  }
}

async function talk(stage: Stage): Promise<void> {
  await stage.scene(
    '3. They talk',
    'Ben is not connected when Ana writes: the message waits for him, encrypted for his device alone.',
  )
  await stage.couplet('--home', ANA.home, 'send', BEN.phone, 'Dinner at eight?')
  saw(await stage.couplet('--home', BEN.home, 'receive'), 'Dinner at eight?')
  await stage.couplet('--home', BEN.home, 'send', ANA.phone, 'Yes. See you there.')
  saw(await stage.couplet('--home', ANA.home, 'receive'), 'Yes. See you there.')
}

async function sendFive(stage: Stage, facts: Facts): Promise<void> {
  await stage.scene(
    '4. Ben goes away, and Ana sends five messages',
    'His mailbox holds two. Every further message pushes the oldest out.',
  )
  for (const text of FIVE) await stage.couplet('--home', ANA.home, 'send', BEN.phone, text)
  await stage.tell(
    'This is all that the server has now, read from its own database (a piece of each, in hex):',
  )
  const rows = storedMessages(stage)
  await stage.other(
    `sqlite3 ./server/couplet.db "${QUERY}"`,
    rows.map(({ sequence, bytes, piece }) => `${sequence}|${bytes}|${piece}`).join('\n'),
  )
  facts.heldByServer = rows.length
  if (rows.length !== 2) throw notAsTold(`the server holds ${rows.length} messages instead of two`)
  await stage.tell('Nothing is lost: what the server dropped is still in Ana’s outbox.')
  const { output } = await stage.couplet('--home', ANA.home, 'outbox', '--flush')
  const waiting = output.match(/waiting for room/g)?.length ?? 0
  // Three lines, and the sum below them.
  if (waiting !== 4) throw notAsTold('three messages should wait for room')
}

async function bringBack(stage: Stage, facts: Facts): Promise<void> {
  await stage.scene(
    '5. Ben comes back',
    'Ana happens to be connected. As Ben’s device empties his mailbox, hers sends the rest: oldest first, never in the way of something newer.',
  )
  const ana = await stage.background('--home', ANA.home, 'receive', '--follow')
  await ana.until(/Waiting for messages/)
  const received = await stage.couplet('--home', BEN.home, 'receive')
  facts.inOrder = inOrder(received.output)
  if (!facts.inOrder) throw notAsTold('the five did not arrive in order')
  await ana.stop()
  await stage.tell(
    'And the proof: for each message Ben’s device has computed a receipt that only it and Ana’s can know. Her outbox is empty, because every receipt was right.',
  )
  const { output } = await stage.couplet('--home', ANA.home, 'outbox')
  if (!output.includes('everything is delivered')) throw notAsTold('not everything is delivered')
  facts.delivered = FIVE.length
  const left = storedMessages(stage).length
  await stage.other('sqlite3 ./server/couplet.db "SELECT count(*) FROM messages"', `${left}`)
  if (left !== 0) throw notAsTold('the server has kept something')
}

async function compare(stage: Stage, facts: Facts): Promise<void> {
  await stage.scene(
    '6. Is anybody in between?',
    'The server handed out the keys, so it could have lied. These numbers are the same at both ends only if it did not.',
  )
  const ana = await stage.couplet('--home', ANA.home, 'verify', BEN.phone)
  const ben = await stage.couplet('--home', BEN.home, 'verify', ANA.phone)
  facts.safetyNumbersMatch = digitsIn(ana) === digitsIn(ben) && digitsIn(ana).length === 60
  if (!facts.safetyNumbersMatch) throw notAsTold('the safety numbers differ')
  await stage.tell('They are the same. If Ana and Ben have compared them, she says so:')
  await stage.couplet('--home', ANA.home, 'verify', BEN.phone, '--mark')
}

async function newestCode(stage: Stage): Promise<string> {
  const text = await readFile(join(stage.folder, 'codes.jsonl'), 'utf8')
  const line = text.trim().split('\n').at(-1)
  if (line === undefined) throw notAsTold('the server sent no code')
  return line
}

function storedMessages(stage: Stage): { sequence: number; bytes: number; piece: string }[] {
  const database = new DatabaseSync(join(stage.folder, 'server', 'couplet.db'), { readOnly: true })
  try {
    return database.prepare(QUERY).all() as { sequence: number; bytes: number; piece: string }[]
  } finally {
    database.close()
  }
}

function saw({ output }: Played, text: string): void {
  if (!output.includes(text)) throw notAsTold(`“${text}” did not arrive`)
}

function inOrder(output: string): boolean {
  const places = FIVE.map((text) => output.indexOf(text))
  return places.every((place, i) => place > (i === 0 ? -1 : places[i - 1]!))
}

/** The sixty digits: the only groups of exactly five in what `verify` prints. */
function digitsIn({ output }: Played): string {
  return (output.match(/(?<![\d+])\d{5}(?!\d)/g) ?? []).join('')
}

const ANA = { home: './ana', phone: '+12025550101' }
const BEN = { home: './ben', phone: '+12025550102' }
const FIVE = [
  'One: the train is late.',
  'Two: the phone is at 4 %.',
  'Three: go ahead without me.',
  'Four: no, wait, it moves.',
  'Five: save me a seat.',
]
const QUERY =
  'SELECT sequence, length(envelope) AS bytes, substr(hex(envelope), 999, 32) AS piece FROM messages'
