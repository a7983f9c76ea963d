/** `couplet store`: makes, checks and fills the streams of a cluster. (docs/cluster.md) */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadClusterKey, StoreUnusableError } from '@couplet/server'
import { ConfigError, type Environment, readConfig } from './config.ts'
import { withoutPasswords } from './engine.ts'
import { EXIT } from './exit-codes.ts'

export const STORE_HELP: string = `Usage: couplet store init|check|migrate [options]

The store of a cluster: streams of NATS JetStream.

  init                 makes the streams, or brings them up to date; makes the cluster's key
  check                says what is there and whether it is well; exit code 1 when it is not
  migrate              brings streams of an older Couplet up to date; with --from, copies
                       everything from a folder of a single server

  --store URL          nats://HOST:PORT, several with commas (COUPLET_STORE)
  --data DIR           folder with cluster.key (COUPLET_DATA)
  --replicas N         with init: servers that keep each record, 1 or 3 (1)
  --partitions N       with init, the first time: how far the work can spread (8)
  --from DIR           with migrate: the folder of the single server
  -h, --help           this page

Examples:
  couplet store init --store nats://n1:4222,nats://n2:4222,nats://n3:4222 --replicas 3
  couplet store migrate --store nats://n1:4222 --from ~/.local/share/couplet/server
`

/** @returns The exit code. */
export async function storeCommand(
  args: readonly string[],
  environment: Environment,
): Promise<number> {
  try {
    const command = parse(args, environment)
    if (command === 'help') {
      process.stdout.write(STORE_HELP)
      return EXIT.ok
    }
    return await COMMANDS[command.name](command)
  } catch (error) {
    if (error instanceof ConfigError) {
      complain(error.message)
      return error.kind === 'usage' ? EXIT.usage : EXIT.config
    }
    const { inWords } = await import('@couplet/server/nats')
    const known = inWords(error)
    if (!(known instanceof StoreUnusableError)) throw known
    complain(known.message)
    return EXIT.cannotCreate
  }
}

interface Command {
  readonly name: keyof typeof COMMANDS
  readonly url: string
  readonly data: string
  readonly capacity: number
  readonly replicas: number | undefined
  readonly partitions: number | undefined
  readonly from: string | undefined
}

async function init({ url, data, replicas, partitions }: Command): Promise<number> {
  const clusterKey = loadClusterKey(data, true)
  const { initNats } = await import('@couplet/server/nats')
  await initNats({ url, clusterKey, replicas, partitions, tell: say })
  say(`the streams at ${withoutPasswords(url)} are ready`)
  say(`the key of the cluster is ${data}/cluster.key: copy it to every node, and keep a copy`)
  return EXIT.ok
}

async function check({ url, data, capacity }: Command): Promise<number> {
  const clusterKey = loadClusterKey(data, false)
  const { natsEngine, openNats, settledReplicas, streamHealth } = await import(
    '@couplet/server/nats'
  )
  const engine = await natsEngine({ url, clusterKey, capacity })
  await engine.store.probe()
  await engine.bus?.close()
  const { connection, manager } = await openNats({ url })
  const all = await streamHealth(manager)
  const settled = await settledReplicas({ manager })
  await connection.close()
  for (const { name, records, bytes, replicas, leader, behind } of all) {
    const state = !leader ? 'no leader' : behind > 0 ? `${behind} of ${replicas} away` : 'well'
    const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`
    say(`${name.padEnd(24)}${String(records).padStart(10)} records ${size.padStart(12)}  ${state}`)
  }
  const ill = all.filter(({ leader, behind }) => !leader || behind > 0)
  if (ill.length > 0) say(`${ill.length} streams are not well`)
  const halfRaised = all.some(({ replicas }) => replicas > Math.max(1, settled))
  if (halfRaised) say('replicas were raised, but not to the end: say couplet store init again')
  if (ill.length > 0 || halfRaised) return UNWELL
  say('everything is well')
  return EXIT.ok
}

async function migrate({ url, data, capacity, from }: Command): Promise<number> {
  const { LAYOUT_VERSION, migrateToNats, natsEngine, upgradeNats } = await import(
    '@couplet/server/nats'
  )
  const clusterKey = loadClusterKey(data, false)
  const layout = await upgradeNats({ url })
  if (layout < LAYOUT_VERSION)
    say(`the streams had layout ${layout}, and have ${LAYOUT_VERSION} now`)
  else if (!from) say(`the streams have layout ${layout}: there is nothing to do`)
  if (!from) return EXIT.ok
  const engine = await natsEngine({ url, clusterKey, capacity })
  try {
    const { users, mailboxes, lanes, complete } = await migrateToNats(resolve(from), engine)
    say(`copied ${users} users, ${mailboxes} mailboxes, receipts of ${lanes} senders`)
    say(
      complete
        ? 'done: start the nodes with --store, and keep the folder until they run well'
        : 'a server still runs on that folder: stop it, and say this again for the mailboxes',
    )
    return EXIT.ok
  } finally {
    await engine.bus?.close()
  }
}

const COMMANDS = { init, check, migrate } as const

function parse(args: readonly string[], environment: Environment): Command | 'help' {
  const text = { type: 'string' } as const
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        store: text,
        data: text,
        replicas: text,
        partitions: text,
        from: text,
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ')
    throw new ConfigError('usage', `${sentence}; see couplet store --help`)
  }
  const values = parsed.values as Record<string, string | undefined>
  const [name, ...more] = parsed.positionals
  if (values.help) return 'help'
  if (!name || !Object.hasOwn(COMMANDS, name) || more.length > 0) {
    throw new ConfigError('usage', 'say init, check or migrate; see couplet store --help')
  }
  const shared = ['store', 'data'].flatMap((flag) =>
    values[flag] ? [`--${flag}`, values[flag]] : [],
  )
  const config = readConfig(shared, environment)
  if (config === 'help') return 'help'
  if (!config.store) throw new ConfigError('usage', '--store is missing: nats://host:port')
  return {
    name: name as keyof typeof COMMANDS,
    url: config.store,
    data: config.data,
    capacity: config.capacity,
    replicas: count(values.replicas, '--replicas', [1, 3, 5]),
    partitions: count(values.partitions, '--partitions', PARTITIONS),
    from: values.from,
  }
}

function count(
  text: string | undefined,
  flag: string,
  choices: readonly number[],
): number | undefined {
  if (text === undefined) return undefined
  if (choices.includes(Number(text))) return Number(text)
  throw new ConfigError('usage', `${flag} must be one of ${choices.join(', ')}, not ${text}`)
}

function say(fact: string): void {
  process.stdout.write(`couplet: ${fact}\n`)
}

function complain(message: string): void {
  process.stderr.write(`couplet: ${message}\n`)
}

const PARTITIONS = [1, 2, 4, 8, 16, 32, 64]
const UNWELL = 1
