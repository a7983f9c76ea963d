/** `couplet users` and `couplet invitations`: what an operator does about people. (docs/operations.md) */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  embeddedEngine,
  type ListedInvitation,
  type ListedUser,
  type OperatorCalls,
  operatorOf,
  reachOperator,
  StoreUnusableError,
  systemClock,
} from '@couplet/server'
import { type Config, ConfigError, type Environment, readConfig } from './config.ts'
import { openEngine } from './engine.ts'
import { EXIT } from './exit-codes.ts'
import { MAX_CAPACITY } from './settings-server.ts'

const SHARED_HELP = `
  --data DIR           the server's folder (COUPLET_DATA)
  --store URL          or the store of a cluster (COUPLET_STORE)
  --config FILE        or the server's configuration, which says either
  --json               one JSON object for each line
  -h, --help           this page
`

export const USERS_HELP: string = `Usage: couplet users list
       couplet users block|unblock|remove NUMBER

Who is registered at a server, also while it runs. A blocked number is disconnected and can neither
log in nor register; its account stays as it is. A removed account is gone, as if its owner had
deleted it, and the number can be registered again.
${SHARED_HELP}
Examples:
  couplet users list --data /var/lib/couplet
  couplet users block +12025550199
`

export const INVITATIONS_HELP: string = `Usage: couplet invitations create [--uses N] [--expires TIME]
       couplet invitations list
       couplet invitations revoke ID|CODE

Codes that let people register at a server with --registration invite. A code is shown once, when it
is made: the server keeps only its hash.

  --uses N             registrations that it is good for (1)
  --expires TIME       how long it is good, like 12h, 30d (30d)
${SHARED_HELP}
Examples:
  couplet invitations create --uses 5 --expires 7d
  couplet register +12025550101 --server https://chat.example --invitation CODE
`

export type OperatorTopic = 'users' | 'invitations'

interface Topic {
  readonly help: string
  /** How many operands each takes. */
  readonly verbs: Readonly<Record<string, number>>
}

const TOPICS: Readonly<Record<OperatorTopic, Topic>> = {
  users: { help: USERS_HELP, verbs: { list: 0, block: 1, unblock: 1, remove: 1 } },
  invitations: { help: INVITATIONS_HELP, verbs: { create: 0, list: 0, revoke: 1 } },
}

interface Command {
  /** Like `users block`. */
  readonly name: string
  readonly operand: string
  readonly uses: number
  readonly lifetimeMs: number
  readonly json: boolean
  readonly config: Config
}

/** @returns The exit code. */
export async function operatorCommand(
  topic: OperatorTopic,
  args: readonly string[],
  environment: Environment,
): Promise<number> {
  try {
    const command = parse(topic, args, environment)
    if (command === 'help') {
      process.stdout.write(TOPICS[topic].help)
      return EXIT.ok
    }
    const { operator, close } = await openOperator(command.config)
    try {
      return await RUN[command.name]!(operator, command)
    } finally {
      await close()
    }
  } catch (error) {
    return explain(error)
  }
}

const RUN: Readonly<Record<string, (operator: OperatorCalls, c: Command) => Promise<number>>> = {
  'users list': listUsers,
  'users block': async (operator, { operand: phone, json }) => {
    const registered = await operator.block(phone)
    say(json, { phone, blocked: true, registered }, `blocked ${phone}`)
    return EXIT.ok
  },
  'users unblock': async (operator, { operand: phone, json }) => {
    const was = await operator.unblock(phone)
    say(
      json,
      { phone, blocked: false, was },
      was ? `unblocked ${phone}` : `${phone} was not blocked`,
    )
    return was ? EXIT.ok : EXIT.nothing
  },
  'users remove': async (operator, { operand: phone, json }) => {
    const was = await operator.remove(phone)
    const words = was ? `removed ${phone}` : `nobody is registered under ${phone}`
    say(json, { phone, removed: was }, words)
    return was ? EXIT.ok : EXIT.nothing
  },
  'invitations create': async (operator, { uses, lifetimeMs, json }) => {
    const made = await operator.invite(uses, lifetimeMs)
    // The code alone, for a script that passes it on.
    say(json, { ...made, expiresAt: iso(made.expiresAt) }, made.code)
    return EXIT.ok
  },
  'invitations list': async (operator, { json }) => {
    for (const one of await operator.invitations()) {
      say(json, { ...one, expiresAt: iso(one.expiresAt) }, invitationLine(one))
    }
    return EXIT.ok
  },
  'invitations revoke': async (operator, { operand, json }) => {
    const was = await operator.revoke(operand)
    say(json, { revoked: was }, was ? 'revoked' : 'there is no such invitation')
    return was ? EXIT.ok : EXIT.nothing
  },
}

async function listUsers(operator: OperatorCalls, { json }: Command): Promise<number> {
  const blocked = new Set(await operator.blocked())
  for (let after = ''; ; ) {
    const users = await operator.users(after, PAGE)
    for (const user of users) {
      sayUser(json, user)
      blocked.delete(user.phone)
    }
    if (users.length < PAGE) break
    after = users.at(-1)!.phone
  }
  for (const phone of [...blocked].toSorted()) {
    sayUser(json, { phone, locked: false, blocked: true })
  }
  return EXIT.ok
}

function sayUser(json: boolean, user: ListedUser): void {
  const { phone, registeredAt, seenAt, locked, blocked } = user
  const facts = [
    registeredAt === undefined ? 'not registered' : `registered ${day(registeredAt)}`,
    ...(seenAt === undefined ? [] : [`seen ${day(seenAt)}`]),
    ...(locked ? ['locked'] : []),
    ...(blocked ? ['blocked'] : []),
  ]
  const times = {
    registeredAt: registeredAt === undefined ? null : iso(registeredAt),
    seenOn: seenAt === undefined ? null : day(seenAt),
  }
  say(json, { phone, ...times, locked, blocked }, `${phone.padEnd(16)}  ${facts.join(', ')}`)
}

function invitationLine({ id, usesLeft, expiresAt }: ListedInvitation): string {
  return `${id}  ${usesLeft} ${usesLeft === 1 ? 'use' : 'uses'} left, until ${day(expiresAt)}`
}

/** The running server's, or one on the store that nobody serves from. */
async function openOperator(
  config: Config,
): Promise<{ readonly operator: OperatorCalls; readonly close: () => Promise<void> }> {
  const { data: folder, store } = config
  if (!store) {
    const running = await reachOperator(folder)
    if (running) return { operator: running, close: async () => {} }
    if (!existsSync(join(folder, 'couplet.db'))) {
      throw new StoreUnusableError(`there is no store in ${folder}`)
    }
  }
  // With room for everything that may wait: who only looks pushes nothing out.
  const engine =
    (await openEngine({ ...config, capacity: MAX_CAPACITY })) ??
    (await embeddedEngine({ folder, capacity: MAX_CAPACITY }))
  const close = async (): Promise<void> => {
    await engine.store.close()
    await engine.bus?.close()
  }
  return { operator: operatorOf(engine, systemClock), close }
}

function parse(
  topic: OperatorTopic,
  args: readonly string[],
  environment: Environment,
): Command | 'help' {
  const { verbs } = TOPICS[topic]
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const own = topic === 'invitations' ? { uses: text, expires: text } : {}
  const options = {
    data: text,
    store: text,
    config: text,
    json: flag,
    help: { ...flag, short: 'h' },
  }
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { ...options, ...own } })
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ')
    throw new ConfigError('usage', `${sentence}; see couplet ${topic} --help`)
  }
  const values = parsed.values as Record<string, string | undefined>
  if (values.help) return 'help'
  const [verb = '', ...operands] = parsed.positionals
  const wanted = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (wanted === undefined || operands.length !== wanted) {
    const choices = Object.keys(verbs).join(', ')
    throw new ConfigError('usage', `say one of ${choices}; see couplet ${topic} --help`)
  }
  const shared = ['data', 'store', 'config'].flatMap((name) =>
    values[name] ? [`--${name}`, values[name]] : [],
  )
  const config = readConfig(shared, environment)
  if (config === 'help') return 'help'
  return {
    name: `${topic} ${verb}`,
    operand: operands[0] ?? '',
    uses: usesOf(values.uses),
    lifetimeMs: lifetimeOf(values.expires),
    json: values.json !== undefined || environment.COUPLET_JSON === '1',
    config,
  }
}

function usesOf(text = '1'): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text)
  throw new ConfigError('usage', `--uses must be a whole number from 1 to 999999, not ${text}`)
}

function lifetimeOf(text = '30d'): number {
  const [, count, unit] = /^([1-9][0-9]{0,3})([hd])$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * (unit === 'h' ? HOUR_MS : DAY_MS)
  throw new ConfigError('usage', `--expires must be like 12h or 30d, not ${text}`)
}

function explain(error: unknown): number {
  const { message, code } = error as Error & { readonly code?: string }
  const isInvalid = code === 'invalid-phone-number'
  const isExpected = error instanceof ConfigError || error instanceof StoreUnusableError
  if (!isExpected && code === undefined) throw error
  process.stderr.write(`couplet: ${message}\n`)
  if (isInvalid) return EXIT.usage
  if (error instanceof ConfigError) return error.kind === 'usage' ? EXIT.usage : EXIT.config
  return EXIT.cannotCreate
}

function say(json: boolean, value: object, line: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : line}\n`)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

function day(time: number): string {
  return iso(time).slice(0, 10)
}

/** Users that are asked for at once. */
const PAGE = 1000
const HOUR_MS: number = 60 * 60 * 1000
const DAY_MS: number = 24 * HOUR_MS
