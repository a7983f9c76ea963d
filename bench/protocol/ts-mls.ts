/**
 * MLS (RFC 9420) as a group of two. MLS turns its ratchet with commits, not with messages: where a
 * message has to turn it, a commit with a new path goes ahead of it. States are immutable objects,
 * kept as they are.
 */
import {
  acceptAll,
  type CiphersuiteImpl,
  type ClientState,
  createApplicationMessage,
  createCommit,
  createGroup,
  decodeMlsMessage,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  type MLSMessage,
  processMessage,
  processPrivateMessage,
  zeroOutUint8Array,
} from 'ts-mls'
import { expectText, other, type Role, type Subject, toBytes, toText } from './subject.ts'

type KeyPackages = Awaited<ReturnType<typeof generateKeyPackage>>

export function tsMls(): Subject {
  let suite: CiphersuiteImpl
  let stock: Record<Role, KeyPackages>[] = []
  let states: Record<Role, ClientState>

  async function prepare(sessions: number): Promise<void> {
    suite ??= await getCiphersuiteImpl(getCiphersuiteFromName(SUITE))
    stock = []
    for (let i = 0; i < sessions; i++) {
      stock.push({
        initiator: await keyPackages(suite, 'initiator'),
        responder: await keyPackages(suite, 'responder'),
      })
    }
  }

  async function setUp(text: string): Promise<number> {
    const { initiator, responder } = stock.pop()!
    const group = await createGroup(
      toBytes('group'),
      initiator.publicPackage,
      initiator.privatePackage,
      [],
      suite,
    )
    const add = { proposalType: 'add', add: { keyPackage: responder.publicPackage } } as const
    const invited = await createCommit(
      { state: group, cipherSuite: suite },
      { extraProposals: [add], ratchetTreeExtension: true },
    )
    invited.consumed.forEach(zeroOutUint8Array)
    const sent = encodeMlsMessage({
      welcome: invited.welcome!,
      wireformat: 'mls_welcome',
      version: 'mls10',
    })
    const message = decode(sent)
    if (message.wireformat !== 'mls_welcome') throw new Error('not a welcome')
    const joined = await joinGroup(
      message.welcome,
      responder.publicPackage,
      responder.privatePackage,
      emptyPskIndex,
      suite,
    )
    states = { initiator: invited.newState, responder: joined }
    const size = sent.length + (await deliver('initiator', text))
    await deliver('responder', text)
    return size
  }

  async function commit(sender: Role): Promise<number> {
    const made = await createCommit({ state: states[sender], cipherSuite: suite })
    made.consumed.forEach(zeroOutUint8Array)
    states[sender] = made.newState
    const sent = encodeMlsMessage(made.commit)
    const message = decode(sent)
    if (message.wireformat !== 'mls_private_message') throw new Error('not a private message')
    const recipient = other(sender)
    const taken = await processMessage(message, states[recipient], emptyPskIndex, acceptAll, suite)
    taken.consumed.forEach(zeroOutUint8Array)
    states[recipient] = taken.newState
    return sent.length
  }

  async function deliver(sender: Role, text: string): Promise<number> {
    const made = await createApplicationMessage(states[sender], toBytes(text), suite)
    made.consumed.forEach(zeroOutUint8Array)
    states[sender] = made.newState
    const sent = encodeMlsMessage({
      privateMessage: made.privateMessage,
      wireformat: 'mls_private_message',
      version: 'mls10',
    })
    const message = decode(sent)
    if (message.wireformat !== 'mls_private_message') throw new Error('not a private message')
    const recipient = other(sender)
    const opened = await processPrivateMessage(
      states[recipient],
      message.privateMessage,
      emptyPskIndex,
      suite,
    )
    if (opened.kind !== 'applicationMessage') throw new Error('not an application message')
    opened.consumed.forEach(zeroOutUint8Array)
    states[recipient] = opened.newState
    expectText(toText(opened.message), text)
    return sent.length
  }

  return {
    remark:
      'RFC 9420, two members, X25519 and AES-128-GCM; a turn of the ratchet is a commit ahead of the message; states as objects, not stored',
    prepare,
    setUp,
    send: async ({ sender, text, turn }) =>
      (turn ? await commit(sender) : 0) + (await deliver(sender, text)),
  }
}

function keyPackages(suite: CiphersuiteImpl, name: Role): Promise<KeyPackages> {
  const credential = { credentialType: 'basic', identity: toBytes(name) } as const
  return generateKeyPackage(credential, defaultCapabilities(), defaultLifetime, [], suite)
}

function decode(bytes: Uint8Array): MLSMessage {
  const decoded = decodeMlsMessage(bytes, 0)
  if (!decoded) throw new Error('not an MLS message')
  return decoded[0]
}

const SUITE = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'
