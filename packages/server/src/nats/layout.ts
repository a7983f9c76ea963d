/**
 * Where everything lies in JetStream: streams, subjects, and how they are made and checked.
 *
 * Every stream keeps one message for each subject: the newest state of one record, written by
 * compare-and-set. Mailboxes and lanes are spread over partitions by the first byte of an
 * identity, which is a hash; so every stream has a leader of its own, and the work is spread over
 * the cluster. (docs/cluster.md)
 */
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { StoreUnusableError } from '../sqlite-schema.ts'

/** Raised with every change of streams, subjects or records, together with an upgrade. */
export const LAYOUT_VERSION = 2
/** Partitions of a fresh store. They are counted when a node starts, and never change by themselves. */
export const DEFAULT_PARTITIONS = 8
const MAX_PARTITIONS = 64

export interface Layout {
  readonly partitions: number
}

export interface LayoutOptions {
  readonly partitions?: number | undefined
  /** Servers that keep each record: 1 or 3, or 5. */
  readonly replicas?: number | undefined
}

const PREFIX = 'couplet'
/** Published again by the server, headers only, when a mailbox was written. */
export const WRITTEN: string = `${PREFIX}.written`
/** What processes say to each other; in no stream. */
export const BUS: string = `${PREFIX}.bus`

export const mailboxSubject = (layout: Layout, identityId: Uint8Array): string =>
  `${PREFIX}.mailbox.${partitionOf(layout, identityId)}.${hex(identityId)}`
export const laneSubject = (layout: Layout, sender: Uint8Array): string =>
  `${PREFIX}.lane.${partitionOf(layout, sender)}.${hex(sender)}`
export const sentSubject = (layout: Layout, sender: Uint8Array): string =>
  `${PREFIX}.sent.${partitionOf(layout, sender)}.${hex(sender)}`
/** What was sent by whom a lane belongs to. */
export const sentOfLane = (lane: string): string => lane.replace('.lane.', '.sent.')
export const isLane = (subject: string): boolean => subject.startsWith(`${PREFIX}.lane.`)
/** @param numberKey - keyed hash of a phone number: numbers cannot be guessed from subjects. */
export const userSubject = (numberKey: Uint8Array): string => `${PREFIX}.user.${hex(numberKey)}`
export const identitySubject = (identityId: Uint8Array): string =>
  `${PREFIX}.identity.${hex(identityId)}`
export const userSubjects = (): string => `${PREFIX}.user.*`
/** The first part of a name says what a small record is for. */
export const smallRecordSubject = (name: string): string =>
  `${PREFIX}.record.${name.split(':', 1)[0]}.${hex(Buffer.from(name))}`
export const smallRecordSubjects = (prefix: string): string =>
  `${PREFIX}.record.${prefix.split(':', 1)[0]}.*`
export const registrationSubject = (id: string): string =>
  `${PREFIX}.registration.${hex(Buffer.from(id))}`
export const metaSubject = (name: string): string => `${PREFIX}.meta.${name}`

export const mailboxStream = (partition: number): string => `COUPLET_MAILBOX_${partition}`
export const laneStream = (partition: number): string => `COUPLET_LANE_${partition}`

/** The stream that keeps a subject. */
export function streamOf(subject: string): string {
  const [, kind, partition] = subject.split('.')
  if (kind === 'mailbox') return mailboxStream(Number(partition))
  if (kind === 'lane' || kind === 'sent') return laneStream(Number(partition))
  if (kind === 'registration') return 'COUPLET_REGISTRATION'
  if (kind === 'record') return RECORD_STREAM
  return kind === 'meta' ? META_STREAM : 'COUPLET_DIRECTORY'
}

export const RECORD_STREAM = 'COUPLET_RECORD'
export const META_STREAM = 'COUPLET_META'

export function identityOf(subject: string): Uint8Array {
  return Uint8Array.from(Buffer.from(subject.split('.').at(-1)!, 'hex'))
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function partitionOf({ partitions }: Layout, identityId: Uint8Array): number {
  return identityId[0]! % partitions
}

/** What `initStreams` made of the streams. */
export interface Made extends Layout {
  readonly replicas: number
  /** There were none before. */
  readonly isFresh: boolean
}

/** Makes what is missing, and brings what is there to this layout. Again: no effect. */
export async function initStreams(
  manager: JetStreamManager,
  options: LayoutOptions = {},
): Promise<Made> {
  const found = await findStreams(manager)
  const partitions = countPartitions(found) || (options.partitions ?? DEFAULT_PARTITIONS)
  if (partitions > MAX_PARTITIONS) {
    throw new StoreUnusableError(`at most ${MAX_PARTITIONS} partitions, not ${partitions}`)
  }
  const replicas = options.replicas ?? found.get(META_STREAM)?.config.num_replicas ?? 1
  for (const config of streams(partitions, replicas)) {
    try {
      if (found.has(config.name)) await manager.streams.update(config.name, config)
      else await manager.streams.add(config)
    } catch (error) {
      throw refused(error, config.name, replicas)
    }
  }
  return { partitions, replicas, isFresh: found.size === 0 }
}

/** NATS says why in a few words; for what operators meet first, there are more. */
function refused(error: unknown, name: string, replicas: number): unknown {
  if (!(error instanceof JetStreamApiError)) return error
  const why = NO_PLACE.has(error.code)
    ? `${replicas} replicas need ${replicas} servers of NATS in one cluster, with room on their disks; ` +
      'one that has just started is found after some seconds'
    : 'nothing was made of it'
  return new StoreUnusableError(`${name}: NATS says "${error.message}": ${why}`, { cause: error })
}

/** @throws {StoreUnusableError} when streams are missing or not as they should be. */
export async function checkStreams(manager: JetStreamManager): Promise<Layout> {
  const found = await findStreams(manager)
  const partitions = countPartitions(found)
  if (partitions === 0) {
    throw new StoreUnusableError('there are no streams of Couplet: run couplet store init')
  }
  const replicas = found.get(META_STREAM)?.config.num_replicas ?? 1
  const wrong = streams(partitions, replicas).filter(
    (config) => !matches(config, found.get(config.name)?.config),
  )
  if (wrong.length > 0) {
    const names = wrong.map(({ name }) => name).join(', ')
    throw new StoreUnusableError(`${names}: missing or changed; run couplet store init`)
  }
  return { partitions }
}

/** What an operator wants to know of the streams. */
export interface StreamHealth {
  readonly name: string
  readonly records: number
  readonly bytes: number
  readonly replicas: number
  readonly leader: string | undefined
  /** Replicas that are away or behind. */
  readonly behind: number
  /** Writes that the slowest replica has not done yet. */
  readonly lag: number
}

export async function streamHealth(manager: JetStreamManager): Promise<readonly StreamHealth[]> {
  const found = await findStreams(manager)
  return [...found.values()].map(({ config, state, cluster }) => {
    const replicas = config.num_replicas
    const peers = replicas === 1 ? [] : (cluster?.replicas ?? [])
    const current = peers.filter((peer) => peer.current && !peer.offline)
    return {
      name: config.name,
      records: state.messages,
      bytes: state.bytes,
      replicas,
      leader: replicas === 1 ? (cluster?.leader ?? 'single') : cluster?.leader,
      behind: Math.max(0, replicas - 1 - current.length),
      lag: Math.max(0, ...peers.map(({ lag }) => lag ?? 0)),
    }
  })
}

async function findStreams(manager: JetStreamManager): Promise<ReadonlyMap<string, StreamInfo>> {
  const found = new Map<string, StreamInfo>()
  for await (const info of manager.streams.list(`${PREFIX}.>`)) found.set(info.config.name, info)
  // The list leaves out whose leader does not answer just now; the names do not.
  const silent: string[] = []
  for await (const name of manager.streams.names(`${PREFIX}.>`)) {
    const info = found.get(name) ?? (await manager.streams.info(name).catch(() => undefined))
    if (info) found.set(name, info)
    else silent.push(name)
  }
  if (silent.length === 0) return found
  throw new StoreUnusableError(`${silent.join(', ')}: no answer; is a majority of NATS running?`)
}

function countPartitions(found: ReadonlyMap<string, StreamInfo>): number {
  return [...found.keys()].filter((name) => name.startsWith('COUPLET_MAILBOX_')).length
}

type Wanted = Partial<StreamConfig> & { readonly name: string; readonly subjects: string[] }

function streams(partitions: number, replicas: number): Wanted[] {
  const one = (name: string, subjects: string[], more: Partial<StreamConfig> = {}): Wanted => ({
    name,
    subjects,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_msgs_per_subject: 1,
    num_replicas: replicas,
    // Reads come from the leader: what another server knows may be older.
    allow_direct: false,
    ...more,
  })
  const parts = Array.from({ length: partitions }, (_, part) => part)
  return [
    one(META_STREAM, [`${PREFIX}.meta.*`]),
    one('COUPLET_DIRECTORY', [`${PREFIX}.user.*`, `${PREFIX}.identity.*`]),
    one(RECORD_STREAM, [`${PREFIX}.record.*.*`]),
    one('COUPLET_REGISTRATION', [`${PREFIX}.registration.*`], { max_age: REGISTRATION_AGE_NS }),
    ...parts.map((part) =>
      one(mailboxStream(part), [`${PREFIX}.mailbox.${part}.*`], {
        republish: {
          src: `${PREFIX}.mailbox.${part}.*`,
          dest: `${WRITTEN}.{{wildcard(1)}}`,
          headers_only: true,
        },
      }),
    ),
    ...parts.map((part) =>
      one(laneStream(part), [`${PREFIX}.lane.${part}.*`, `${PREFIX}.sent.${part}.*`]),
    ),
  ]
}

function matches(wanted: Wanted, found: StreamConfig | undefined): boolean {
  if (!found) return false
  const { max_msgs_per_subject, num_replicas, subjects } = wanted
  return (
    found.max_msgs_per_subject === max_msgs_per_subject &&
    found.num_replicas === num_replicas &&
    found.subjects.join() === subjects.join() &&
    found.republish?.dest === wanted.republish?.dest
  )
}

/** A code is good for 10 minutes. */
const REGISTRATION_AGE_NS: number = 15 * 60 * 1e9
/** No suitable peers; no cluster at all. */
const NO_PLACE: ReadonlySet<number> = new Set([10_005, 10_074])
