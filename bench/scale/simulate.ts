/**
 * `node --conditions=source bench/scale/simulate.ts [--users N] [--messages N] [--connections N]
 * [--logins N]`: what cannot be measured on one machine.
 *
 * A day of mailboxes: people come and go, others write to them, and the server's own pure function
 * decides. And the end of a node: all of its connections come back by the specification's backoff.
 */
import { parseArgs } from 'node:util'
import { LOGIN_QUEUE_LIMITS } from '../../packages/server/src/login-queue.ts'
import {
  EMPTY_MAILBOX,
  type MailboxRecord,
  stepAck,
  stepPut,
} from '../../packages/server/src/mailbox.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { users: text, messages: text, connections: text, logins: text },
})
const users = Number(values.users ?? 1_000_000)
const messagesADay = Number(values.messages ?? 20)
const CAPACITY = 2
const DAY_S = 86_400
/** A person looks at the phone so often, and it is connected for so long each time. */
const SESSIONS_A_DAY = 24
const SESSION_S = 15 * 60
/** Messages come in bursts: a conversation of so many, so far apart. */
const BURST = 4
const BURST_GAP_S = 20

let state = 0x9e3779b9
/** Reproducible, and good enough for this. */
function random(): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) / 2 ** 32
}

function day(): object {
  const counts = { messages: 0, live: 0, stored: 0, evicted: 0, resent: 0 }
  let waitingSeconds = 0
  const receipts: { kind: 'settled' } = { kind: 'settled' }
  for (let user = 0; user < users; user++) {
    const sessions = Array.from({ length: SESSIONS_A_DAY }, () => random() * DAY_S).toSorted(
      (a, b) => a - b,
    )
    const arrivals: number[] = []
    for (let burst = 0; burst < messagesADay / BURST; burst++) {
      const at = random() * DAY_S
      for (let one = 0; one < BURST; one++) arrivals.push(at + one * BURST_GAP_S)
    }
    arrivals.sort((a, b) => a - b)
    let record: MailboxRecord = EMPTY_MAILBOX
    let session = 0
    let owed = 0
    let last = 0
    const drain = (until: number): void => {
      for (; session < sessions.length && sessions[session]! <= until; session++) {
        const at = sessions[session]!
        waitingSeconds += record.waiting.length * Math.max(0, at - last)
        last = Math.max(last, at)
        for (const { id } of record.waiting) record = stepAck(record, id, receipts, at).record
        // What was evicted is sent again now, since its sender is told of room when it is connected.
        counts.resent += owed
        owed = 0
      }
    }
    for (const [number, at] of arrivals.entries()) {
      drain(at)
      counts.messages++
      const previous = sessions[session - 1]
      if (previous !== undefined && at < previous + SESSION_S) {
        counts.live++
        continue
      }
      waitingSeconds += record.waiting.length * (at - last)
      last = at
      const id = Uint8Array.of(number >>> 8, number)
      const step = stepPut(record, { id, sender: id, storedAt: at }, 'evict', CAPACITY)
      record = step.record
      counts.stored++
      counts.evicted += step.evicted.length
      owed += step.evicted.length
    }
    waitingSeconds += record.waiting.length * Math.max(0, DAY_S - last)
  }
  const share = (part: number): string => `${((100 * part) / counts.messages).toFixed(1)} %`
  return {
    users,
    messages: counts.messages,
    live: share(counts.live),
    stored: share(counts.stored),
    evictedAndSentAgain: share(counts.evicted),
    waitingPerUser: Number((waitingSeconds / users / DAY_S).toFixed(3)),
    storeWritesPerSecond: Math.round((counts.stored * 2 + counts.resent * 2) / DAY_S),
  }
}

/** Seconds before a try. (spec/socket.md, "Closing") */
function wait(tries: number): number {
  const longest = Math.min(30, 0.5 * 2 ** tries)
  return longest / 2 + (random() * longest) / 2
}

/**
 * All lose their connection at once. Tries come by the backoff; a try is served when the servers
 * that are left have time for it within the patience of their queue, and is told otherwise when to
 * come again. (packages/server/src/login-queue.ts)
 */
function herd(connections: number, loginsPerSecond: number): object {
  const PATIENCE_S = LOGIN_QUEUE_LIMITS.patienceMs / 1000
  const STEP_S = 0.05
  const due = new Map<number, number[]>()
  const plan = (at: number, tries: number): void => {
    const slot = Math.ceil(at / STEP_S)
    const slots = due.get(slot) ?? []
    due.set(slot, slots)
    slots.push(tries)
  }
  for (let one = 0; one < connections; one++) plan(wait(0), 0)
  let [busyUntil, back, tries, halfAt, slot] = [0, 0, 0, 0, 0]
  for (; back < connections; slot++) {
    const now = slot * STEP_S
    for (const tried of due.get(slot) ?? []) {
      tries++
      busyUntil = Math.max(busyUntil, now)
      const queue = busyUntil - now
      if (queue > PATIENCE_S) {
        const asked = Math.min(30, Math.ceil(queue)) * (1 + random())
        plan(now + Math.max(asked, wait(tried + 1)), tried + 1)
      } else {
        busyUntil += 1 / loginsPerSecond
        back++
        if (back === Math.floor(connections / 2)) halfAt = busyUntil
      }
    }
    due.delete(slot)
  }
  return {
    connections,
    loginsPerSecond,
    halfBackAfterS: Number(halfAt.toFixed(1)),
    allBackAfterS: Number(Math.max(busyUntil, slot * STEP_S).toFixed(1)),
    triesPerConnection: Number((tries / connections).toFixed(2)),
  }
}

process.stdout.write(`${JSON.stringify(day())}\n`)
const logins = Number(values.logins ?? 1000)
const some = values.connections ? [Number(values.connections)] : [10_000, 50_000, 200_000]
for (const connections of some)
  process.stdout.write(`${JSON.stringify(herd(connections, logins))}\n`)
