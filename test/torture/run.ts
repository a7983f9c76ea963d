/**
 * The torture: people who write to each other, and everything that can go wrong, until the time is
 * over; then calm, until everything has arrived; then the verdict.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { beginRegistration, completeRegistration } from '@couplet/client/node'
import type { NatsCluster } from '../../packages/server/test/nats-server.ts'
import { type EngineName, engineOf, openEngine, type TortureEngine } from './engines.ts'
import { failpoint, freePort } from './failpoint.ts'
import { FaultProxy } from './fault-proxy.ts'
import { Oracle, type Verdict } from './oracle.ts'
import { Random } from './random.ts'
import { TorturePerson } from './torture-person.ts'
import { TortureServer } from './torture-server.ts'

export interface TortureOptions {
  readonly seed: number
  readonly minutes: number
  readonly people: number
  /** Seconds between two deaths of one process. */
  readonly pace: number
  /** Of each mailbox. */
  readonly capacity: number
  readonly engine: EngineName
  /** Instead of the engine's: program and arguments of a server, with the same places to fill in. */
  readonly server?: readonly string[] | undefined
  /** For the server's `--store`. */
  readonly store?: string | undefined
  /** Where homes and data lie; a temporary folder of its own is made in it. */
  readonly folder?: string | undefined
  /** The faults go on until there were so many, whatever the time. */
  readonly minimum: Minimum
  readonly tell: (line: string) => void
}

export interface Minimum {
  readonly messages: number
  readonly kills: number
  readonly evictions: number
}

export interface Outcome extends Verdict {
  readonly kills: number
  readonly cuts: number
}

export async function torture(options: TortureOptions): Promise<Outcome> {
  const folder = await mkdtemp(join(options.folder ?? tmpdir(), 'couplet-torture-'))
  const run = new Run(options, folder)
  try {
    await run.prepare()
    await run.suffer()
    await run.recover()
    return await run.judge()
  } finally {
    await run.end()
    await rm(folder, { recursive: true, force: true })
  }
}

class Run {
  readonly #options: TortureOptions
  readonly #folder: string
  readonly #oracle = new Oracle()
  readonly #people: TorturePerson[] = []
  readonly #environment: Record<string, string>
  readonly #servers: TortureServer[] = []
  #engine: TortureEngine | undefined
  #natsKills = 0
  #suffering = true
  #isStorm = false
  #messages = 0

  constructor(options: TortureOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    this.#environment = {
      HOME: folder,
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'preload.ts')).href}`,
      NODE_COMPILE_CACHE: join(tmpdir(), 'couplet-torture-cache'),
    }
  }

  async prepare(): Promise<void> {
    const { seed, people, engine, server } = this.#options
    this.#engine = server ? engineOf(server) : await openEngine(engine, this.#path('server'))
    for (let i = 0; i < this.#engine.nodes; i++) this.#servers.push(await this.#newServer())
    await Promise.all(this.#servers.map((one) => one.start()))
    for (let i = 0; i < people; i++) {
      const random = Random.of(seed, 'line', i)
      const node = Random.of(seed, 'node', i)
      const targetPort = (): number => node.pick(this.#servers).port
      const proxy = await FaultProxy.listen({ targetPort, random, halfOpenMs: HALF_OPEN_MS })
      const person = new TorturePerson({
        phone: `+1202555${String(i).padStart(4, '0')}`,
        home: this.#path(`person-${i}`),
        proxy,
        environment: this.#environment,
        oracle: this.#oracle,
      })
      this.#people.push(person)
      await this.#register(person)
      await person.start()
    }
  }

  /** Everything at once, each with choices of its own. */
  async suffer(): Promise<void> {
    const { minutes, seed } = this.#options
    const lives = this.#people.map((person, i) => this.#live(person, Random.of(seed, 'person', i)))
    if (this.#engine!.remembers) {
      const servers = this.#servers.entries()
      for (const [i, server] of servers)
        lives.push(this.#killServer(server, Random.of(seed, 'server', i)))
    }
    if (this.#engine!.nats) lives.push(this.#hurtNats(this.#engine!.nats, Random.of(seed, 'nats')))
    lives.push(this.#count(), this.#weather(Random.of(seed, 'weather')))
    const began = Date.now()
    const lasts = 60_000 * minutes
    let told = began
    while (Date.now() - began < lasts || !this.#isEnough) {
      await sleep(500)
      if (Date.now() - told < TELL_MS) continue
      told = Date.now()
      this.#tellHowFar()
    }
    this.#suffering = false
    await Promise.all(lives)
  }

  /** Calm: everybody is online with everybody, and what is under way must arrive. */
  async recover(): Promise<void> {
    const people = this.#people
    this.#options.tell('calm now: waiting for everything to arrive')
    for (const { proxy } of people) proxy.calmDown()
    for (let round = 0; round < RECOVERY_ROUNDS; round++) {
      // Some waits are meant in hours (one replacement session an hour, say): the clocks jump.
      const offset = round * RECOVERY_JUMP_MS
      await this.#restartAll(offset)
      if (await this.#settles()) break
    }
    await sleep(SETTLED_MS)
    await Promise.all(people.map((person) => person.end('SIGTERM')))
    await Promise.all(this.#servers.map((server) => server.stop()))
  }

  async judge(): Promise<Outcome> {
    const verdict = await this.#oracle.judge(this.#people)
    return { ...verdict, kills: this.#kills, cuts: sum(this.#people, ({ proxy }) => proxy.cuts) }
  }

  async end(): Promise<void> {
    this.#suffering = false
    await Promise.all(this.#people.map((person) => person.end('SIGKILL')))
    await Promise.all(this.#servers.map((server) => server.kill()))
    await this.#engine?.nats?.end()
    for (const { proxy } of this.#people) proxy.close()
  }

  // ----------------------------------------------------------------------------------------------

  /** Storms, in which everything happens, and lulls, in which messages get through. */
  async #weather(random: Random): Promise<void> {
    while (this.#suffering) {
      this.#isStorm = true
      for (const { proxy } of this.#people) proxy.calm = false
      await this.#sleep(random.integer(...STORM_MS))
      this.#isStorm = false
      for (const { proxy } of this.#people) proxy.calmDown()
      await this.#sleep(random.integer(...LULL_MS))
    }
  }

  /** Ends early with the suffering. */
  async #sleep(ms: number): Promise<void> {
    const until = Date.now() + ms
    while (this.#suffering && Date.now() < until) await sleep(Math.min(200, ms))
  }

  async #live(person: TorturePerson, random: Random): Promise<void> {
    let diesAt = this.#nextDeath(random)
    while (this.#suffering) {
      const isTime = this.#isStorm && Date.now() > diesAt
      const action = isTime ? 'kill' : this.#isStorm ? random.weighted(ACTIONS) : 'write'
      if (isTime) diesAt = this.#nextDeath(random)
      const friend = random.pick(this.#people.filter((one) => one !== person))
      switch (action) {
        case 'write':
          this.#write(person, friend, random)
          break
        case 'kill':
          await person.end('SIGKILL')
          await this.#comeBack(person, random)
          break
        case 'leave':
          await person.end('SIGTERM')
          await this.#comeBack(person, random)
          break
        case 'intrude':
          await person.intrude()
          break
        case 'jump':
          person.setClock(random.pick([0, 1, -1, 60, -60]) * 60_000 * random.integer(1, 20))
          break
      }
      await sleep(random.integer(50, 800))
      if (!person.isRunning) await this.#comeBack(person, random)
    }
  }

  /** Each process dies about so often. */
  #nextDeath(random: Random): number {
    return Date.now() + 1000 * this.#options.pace * (0.5 + random.fraction())
  }

  #write(person: TorturePerson, friend: TorturePerson, random: Random): void {
    // Nobody writes faster than what can be carried: else the end would be a long wait.
    const count = random.chance(0.1) ? random.integer(20, 60) : random.integer(1, 8)
    const bytes = random.chance(0.1) ? random.integer(1000, 8000) : random.integer(0, 200)
    if (!person.isRunning || sum(this.#people, ({ outbox }) => outbox) > MAX_UNDERWAY) return
    const texts = Array.from({ length: count }, () => {
      const label = `${person.phone}>${friend.phone}#${++this.#messages}`
      return `${label} ${'·'.repeat(bytes / 2)}`
    })
    person.order({ kind: 'send', to: friend.phone, texts })
  }

  async #comeBack(person: TorturePerson, random: Random): Promise<void> {
    await sleep(random.integer(0, 2500))
    await person.start(random.chance(0.3) ? failpoint(random) : undefined)
  }

  async #newServer(): Promise<TortureServer> {
    const { capacity, store } = this.#options
    const port = await freePort()
    const values: Record<string, string> = {
      port: String(port),
      data: this.#path('server'),
      codes: this.#path('codes.jsonl'),
      capacity: String(capacity),
    }
    const command = [...this.#engine!.command, ...(store ? ['--store', store] : [])]
    return new TortureServer({
      command: command.map((word) =>
        word.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ''),
      ),
      port,
      data: this.#path('server'),
      capacity,
      environment: { ...this.#environment, COUPLET_CLOCK_FILE: this.#path('server.clock') },
      oracle: this.#oracle,
      mayFailToStart: this.#engine!.nats !== undefined,
    })
  }

  /** Answers whether it is a time to die; later, or never, when the suffering ends before. */
  async #isTimeToDie(random: Random, pace = 1): Promise<boolean> {
    await this.#sleep(pace * (this.#nextDeath(random) - Date.now()))
    while (this.#suffering && !this.#isStorm) await sleep(200)
    return this.#suffering
  }

  async #killServer(server: TortureServer, random: Random): Promise<void> {
    while (await this.#isTimeToDie(random)) {
      if (random.chance(0.5) && server.killWorker(random)) continue
      await server.kill()
      await sleep(random.integer(0, 1500))
      while (!server.isAlive) await server.start(random.chance(0.5) ? failpoint(random) : undefined)
    }
  }

  /** Kills one server of NATS after the other, or lets it hang, as a slow disk does. */
  async #hurtNats({ servers }: NatsCluster, random: Random): Promise<void> {
    while (await this.#isTimeToDie(random, ELECTION_PACE)) {
      const victim = random.pick(servers)
      const lasts = random.integer(100, 4000)
      if (random.chance(0.5)) {
        victim.pause()
        await this.#sleep(lasts)
        victim.resume()
      } else {
        await victim.stop('SIGKILL')
        this.#natsKills++
        await this.#sleep(lasts)
        await victim.start()
      }
    }
  }

  async #count(): Promise<void> {
    while (this.#suffering) {
      await Promise.all(this.#people.map((person) => person.count()))
      await sleep(1000)
    }
  }

  async #restartAll(offsetMs: number): Promise<void> {
    if (this.#engine!.remembers) await Promise.all(this.#servers.map((server) => server.stop()))
    await writeFile(this.#path('server.clock'), String(offsetMs))
    await Promise.all(this.#servers.map((server) => this.#startSurely(server)))
    await Promise.all(
      this.#people.map(async (person) => {
        await person.end('SIGTERM')
        person.setClock(offsetMs)
        await person.start()
      }),
    )
  }

  async #startSurely(server: TortureServer): Promise<void> {
    while (!server.isAlive) {
      await server.start()
      if (!server.isAlive) await sleep(500)
    }
  }

  /** Whether everything arrives, as long as anything moves. */
  async #settles(): Promise<boolean> {
    let before = Number.POSITIVE_INFINITY
    let moved = Date.now()
    while (Date.now() - moved < STUCK_MS) {
      await sleep(500)
      await Promise.all(this.#people.map((person) => person.count()))
      const left = sum(this.#people, ({ outbox }) => outbox)
      if (left === 0) return true
      if (left < before) {
        before = left
        moved = Date.now()
      }
    }
    this.#options.tell(`${before} messages wait for something: the clocks go on by an hour`)
    return false
  }

  async #register(person: TorturePerson): Promise<void> {
    const { home, phone, proxy } = person
    await beginRegistration({ home, phone, server: proxy.url })
    await completeRegistration({ home, code: await this.#code(phone) })
  }

  async #code(phone: string): Promise<string> {
    const lines = (await readFile(this.#path('codes.jsonl'), 'utf8')).trim().split('\n')
    const sent = lines.map((line) => JSON.parse(line) as { phone: string; code: string })
    return sent.findLast((one) => one.phone === phone)!.code
  }

  get #kills(): number {
    const others = sum(this.#servers, ({ kills }) => kills) + this.#natsKills
    return others + sum(this.#people, ({ kills }) => kills)
  }

  get #isEnough(): boolean {
    const { messages, kills, evictions } = this.#options.minimum
    const { kept, evictions: evicted } = this.#oracle
    return kept >= messages && this.#kills >= kills && evicted >= evictions
  }

  #tellHowFar(): void {
    const underway = sum(this.#people, ({ outbox }) => outbox)
    const { kept, evictions } = this.#oracle
    this.#options.tell(
      `so far: messages ${kept}, under way ${underway}, kills ${this.#kills}, evictions ${evictions}`,
    )
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0)
}

/** What people do, and how often. */
const ACTIONS = { write: 40, leave: 0.5, intrude: 0.5, jump: 0.5 } as const
/** From and to. */
const STORM_MS = [10_000, 25_000] as const
const LULL_MS = [4000, 12_000] as const
/** Servers of NATS die more seldom: a new leader takes its time, and nothing is stored meanwhile. */
const ELECTION_PACE = 3
/** Longest time that a half-open connection is kept from those at its ends. */
const HALF_OPEN_MS = 8000
/** Messages in all outboxes together, above which nobody writes. */
const MAX_UNDERWAY = 1000
const TELL_MS = 10_000
/** Nothing has arrived for so long: something waits for time to pass. */
const STUCK_MS = 45_000
const RECOVERY_ROUNDS = 6
const RECOVERY_JUMP_MS = 65 * 60 * 1000
/** For what was shown last to be noted as seen. */
const SETTLED_MS = 1000
