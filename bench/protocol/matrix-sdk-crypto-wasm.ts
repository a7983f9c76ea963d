/**
 * Matrix's Rust library as WebAssembly. It offers no bare Olm session, only an `OlmMachine`: so its
 * figures include what a Matrix client does for a to-device message, above all JSON both ways, the
 * sender's signed device keys in every message, and its own store in memory. The server between the
 * machines is played by this adapter. Sessions are Olm's: 3DH and the Double Ratchet.
 */
import {
  DecryptedToDeviceEvent,
  DecryptionSettings,
  DeviceId,
  DeviceLists,
  initAsync,
  OlmMachine,
  RequestType,
  TrustRequirement,
  UserId,
} from '@matrix-org/matrix-sdk-crypto-wasm'
import { expectText, other, type Role, type Subject } from './subject.ts'

type Pair = Record<Role, Machine>

export function matrixSdkCryptoWasm(): Subject {
  let stock: Pair[] = []
  let pair: Pair | undefined

  async function prepare(sessions: number): Promise<void> {
    await initAsync()
    for (const unused of stock) free(unused)
    stock = []
    for (let i = 0; i < sessions; i++) stock.push(await createPair())
  }

  async function setUp(text: string): Promise<number> {
    if (pair) free(pair)
    pair = stock.pop()!
    await pair.initiator.claim(pair.responder)
    const size = await deliver('initiator', text)
    await deliver('responder', text)
    return size
  }

  async function deliver(sender: Role, text: string): Promise<number> {
    const from = pair![sender]
    const to = pair![other(sender)]
    const content = await from.seal(to, text)
    expectText(await to.open(from, content), text)
    return content.length
  }

  return {
    remark:
      'WebAssembly (Rust); Olm by way of OlmMachine, so with JSON, device keys and a store in memory',
    prepare,
    setUp,
    send: ({ sender, text }) => deliver(sender, text),
  }
}

/** What a device publishes, as its server would hold it. */
interface Published {
  readonly device_keys: object
  readonly one_time_keys: Record<string, object>
}

class Machine {
  readonly user: string
  readonly #machine: OlmMachine
  published!: Published

  static async create(user: string): Promise<Machine> {
    const olm = await OlmMachine.initialize(new UserId(user), new DeviceId(DEVICE))
    const machine = new Machine(user, olm)
    for (const request of await olm.outgoingRequests()) {
      if (request.type !== RequestType.KeysUpload) continue
      machine.published = JSON.parse(request.body) as Published
      const held = { one_time_key_counts: { signed_curve25519: ONE_TIME_KEYS } }
      await olm.markRequestAsSent(request.id!, request.type, JSON.stringify(held))
    }
    return machine
  }

  constructor(user: string, machine: OlmMachine) {
    this.user = user
    this.#machine = machine
  }

  /** Learns the other's device. */
  async meet(peer: Machine): Promise<void> {
    const request = this.#machine.queryKeysForUsers([new UserId(peer.user)])
    const device_keys = { [peer.user]: { [DEVICE]: peer.published.device_keys } }
    const response = JSON.stringify({ device_keys, failures: {} })
    await this.#machine.markRequestAsSent(request.id, request.type, response)
  }

  /** Begins a session with one of the other's one-time keys. */
  async claim(peer: Machine): Promise<void> {
    const request = await this.#machine.getMissingSessions([new UserId(peer.user)])
    if (!request) throw new Error('there is a session already')
    const [id, key] = Object.entries(peer.published.one_time_keys)[0]!
    const one_time_keys = { [peer.user]: { [DEVICE]: { [id]: key } } }
    const response = JSON.stringify({ one_time_keys, failures: {} })
    await this.#machine.markRequestAsSent(request.id, request.type, response)
  }

  async seal(peer: Machine, text: string): Promise<string> {
    const device = await this.#machine.getDevice(new UserId(peer.user), new DeviceId(DEVICE))
    try {
      return await device!.encryptToDeviceEvent('bench.text', { text })
    } finally {
      device?.free()
    }
  }

  async open(sender: Machine, content: string): Promise<string> {
    const event = `[{"type":"m.room.encrypted","sender":"${sender.user}","content":${content}}]`
    const [opened] = await this.#machine.receiveSyncChanges(
      event,
      new DeviceLists(),
      new Map([['signed_curve25519', ONE_TIME_KEYS]]),
      new Set(['signed_curve25519']),
      new DecryptionSettings(TrustRequirement.Untrusted),
    )
    if (!(opened instanceof DecryptedToDeviceEvent)) throw new Error('a message was not opened')
    return (JSON.parse(opened.rawEvent) as { content: { text: string } }).content.text
  }

  free(): void {
    this.#machine.close()
  }
}

async function createPair(): Promise<Pair> {
  const initiator = await Machine.create('@initiator:bench')
  const responder = await Machine.create('@responder:bench')
  await initiator.meet(responder)
  await responder.meet(initiator)
  return { initiator, responder }
}

function free(pair: Pair): void {
  pair.initiator.free()
  pair.responder.free()
}

const DEVICE = 'DEVICE'
const ONE_TIME_KEYS = 50
