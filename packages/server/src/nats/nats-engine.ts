/** The engine for many machines: everything that nodes share is in NATS JetStream. */
import { hkdfSync, timingSafeEqual } from 'node:crypto'
import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node'
import type { Engine } from '../ports.ts'
import { StoreUnusableError } from '../sqlite-schema.ts'
import { BYTES } from './codecs.ts'
import { checkStreams, initStreams, type LayoutOptions, metaSubject } from './layout.ts'
import { layoutVersion, recordLayout, requireLayout, upgradeLayout } from './layout-version.ts'
import { NatsBus } from './nats-bus.ts'
import { NatsDirectory } from './nats-directory.ts'
import { NatsMailboxes } from './nats-mailboxes.ts'
import { NatsRegistrations } from './nats-registrations.ts'
import { NatsSmallRecords } from './nats-small-records.ts'
import { isPassing, Records } from './records.ts'
import { settleReplicas, type Tell } from './replicas.ts'
import { isOlder } from './server-version.ts'

export interface NatsOptions {
  /** `nats://host:port`, several with commas; a user and a password may be in it. */
  readonly url: string
  /** The secret that all nodes share, 32 bytes: in a file of its own, never in NATS. */
  readonly clusterKey: Uint8Array
}

/** @throws {StoreUnusableError} when NATS cannot be reached, or its streams or the key do not fit. */
export async function natsEngine(
  options: NatsOptions & { readonly capacity: number },
): Promise<NatsEngine> {
  const parts = await openNats(options)
  const { connection, client, manager } = parts
  try {
    requireLayout(await layoutVersion(manager))
    const layout = await checkStreams(manager)
    const meta = new Records(client, manager, BYTES)
    await checkKey(meta, options.clusterKey, false)
    const bus = new NatsBus(connection)
    const { capacity } = options
    // It connects again for ever, unless its password is refused.
    const lost = Promise.withResolvers<Error>()
    let closing = false
    const store = {
      mailboxes: new NatsMailboxes({ client, manager, bus, layout, capacity }),
      directory: new NatsDirectory(client, manager, derive(options.clusterKey, 'directory')),
      registrations: new NatsRegistrations(client, manager),
      records: new NatsSmallRecords(client, manager),
      probe: async () => {
        await client.publish(metaSubject('probe'), PROBE, { timeout: PROBE_TIMEOUT_MS })
      },
      takeExpiry: (now: number) => takeTurn(meta, now),
      failed: lost.promise,
      // The bus has the connection, and is closed after the store.
      close: async () => {
        closing = true
      },
    }
    const watch = async (): Promise<void> => {
      const error = await connection.closed()
      if (!closing) lost.resolve(error || new Error('NATS does not take this node back'))
    }
    void watch()
    return { store, bus, codeKey: derive(options.clusterKey, 'codes') }
  } catch (error) {
    await connection.close()
    throw inWords(error)
  }
}

export type NatsEngine = Engine & {
  readonly store: { readonly mailboxes: NatsMailboxes; readonly directory: NatsDirectory }
}

export interface NatsParts {
  readonly connection: NatsConnection
  readonly client: JetStreamClient
  readonly manager: JetStreamManager
}

/** Makes the streams, or brings them up to date. Resolves when all records are on all replicas. */
export async function initNats(
  options: NatsOptions & LayoutOptions & { readonly tell?: Tell },
): Promise<void> {
  const parts = await openNats(options)
  const { connection, client, manager } = parts
  try {
    if ((options.replicas ?? 1) > 1 && !connection.info?.cluster) {
      throw new StoreUnusableError(
        `${options.replicas} replicas need ${options.replicas} servers of NATS in one cluster; this one is alone`,
      )
    }
    const found = await layoutVersion(manager)
    requireLayout(found)
    const { replicas, isFresh } = await initStreams(manager, options)
    if (found === undefined) await recordLayout(client)
    await checkKey(new Records(client, manager, BYTES), options.clusterKey, true)
    await settleReplicas(parts, { replicas, isFresh, tell: options.tell ?? (() => {}) })
  } catch (error) {
    throw inWords(error)
  } finally {
    await connection.close()
  }
}

/** Brings the streams of an older layout to this one. @returns the version that was found. */
export async function upgradeNats({ url }: { readonly url: string }): Promise<number> {
  const { connection, client, manager } = await openNats({ url })
  try {
    return await upgradeLayout(client, manager)
  } catch (error) {
    throw inWords(error)
  } finally {
    await connection.close()
  }
}

/** @throws {StoreUnusableError} when there is no NATS with JetStream, or too old a one. */
export async function openNats({ url }: { readonly url: string }): Promise<NatsParts> {
  let connection: NatsConnection | undefined
  try {
    connection = await connect(connectionOptions(url))
    const { version = '' } = connection.info ?? {}
    if (isOlder(version, OLDEST_NATS)) throw new Error(`it is ${version}; ${OLDEST_NATS} at least`)
    const manager = await jetstreamManager(connection, { timeout: API_TIMEOUT_MS })
    return { connection, manager, client: jetstream(connection, { timeout: API_TIMEOUT_MS }) }
  } catch (error) {
    await connection?.close()
    throw new StoreUnusableError(
      `no NATS JetStream at ${withoutPassword(url)}: ${(error as Error).message}${isPassing(error) ? MAJORITY : ''}`,
      { cause: error },
    )
  }
}

/** For an operator: what NATS did not answer, as a store that cannot be used. Other errors stay. */
export function inWords(error: unknown): unknown {
  if (!isPassing(error)) return error
  const said = (error as Error).message
  return new StoreUnusableError(`NATS does not answer as it should: ${said}${MAJORITY}`, {
    cause: error,
  })
}

function connectionOptions(url: string): ConnectionOptions {
  const urls = url.split(',').map((one) => new URL(one.trim()))
  const [{ username, password }] = urls as [URL]
  return {
    servers: urls.map(({ host }) => host),
    ...(username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {}),
    ...(urls[0]!.protocol === 'tls:' ? { tls: {} } : {}),
    name: 'couplet',
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 800,
    // A server that was cut off is given up after ten seconds, not after six minutes.
    pingInterval: 5000,
    maxPingOut: 2,
    timeout: 5000,
  }
}

export function withoutPassword(url: string): string {
  return url.replaceAll(/\/\/[^@/,]*@/g, '//')
}

/** One node at a time looks for what expired, and not more often than that is worth. */
function takeTurn(meta: Records<Uint8Array | undefined>, now: number): Promise<boolean> {
  return meta.change(metaSubject('expiry'), (old) => {
    const last = old ? Number(new TextDecoder().decode(old)) : 0
    const due = now - last >= EXPIRY_TURN_MS
    return { record: due ? new TextEncoder().encode(String(now)) : old, result: due }
  })
}

/** Another key would find nobody under any number. */
async function checkKey(
  meta: Records<Uint8Array | undefined>,
  clusterKey: Uint8Array,
  set: boolean,
): Promise<void> {
  const own = derive(clusterKey, 'check')
  const known = await meta.change(metaSubject('key'), (old) => {
    const record = set && !old ? own : old
    return { record, result: record }
  })
  if (!known || !timingSafeEqual(known, own)) {
    throw new StoreUnusableError(
      'the cluster key is not the one that these streams were made with: copy cluster.key from another node',
    )
  }
}

function derive(clusterKey: Uint8Array, purpose: string): Uint8Array {
  const info = `couplet/v1/cluster/${purpose}`
  return new Uint8Array(hkdfSync('sha256', clusterKey, new Uint8Array(0), info, DERIVED_BYTES))
}

const DERIVED_BYTES = 32
/** With the streams that mailboxes need; all tests pass on it. */
const OLDEST_NATS = '2.9'
/** What it mostly means that a server of a cluster is silent. */
const MAJORITY = '; is a majority of its servers running?'
const PROBE = new Uint8Array([1])
const PROBE_TIMEOUT_MS = 3000
const API_TIMEOUT_MS = 4000
const EXPIRY_TURN_MS: number = 6 * 60 * 60 * 1000
