/**
 * spec/vectors against the code, with both providers; and spec/*.md against both.
 *
 * The vectors are made by a second implementation (spec-vectors.reference.ts), which knows the
 * documents and not the code: that a fresh run reproduces them is part of the proof.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as wire from '@couplet/wire'
import {
  decodeClientFrame,
  decodeIdentityRecord,
  decodeServerFrame,
  ERROR_CODES,
  ERROR_STATUS,
  encodeClientFrame,
  encodeIdentityRecord,
  encodeServerFrame,
  equalBytes,
  fromHex,
  label,
  loginSignedBytes,
  registrationSignedBytes,
  requestSignedBytes,
  splitSignedIdentity,
  toBase64Url,
  toHex,
  utf8,
  WireError,
} from '@couplet/wire'
import { beforeAll, describe, expect, test } from 'vitest'
import * as limits from '../../wire/src/limits.ts'
import * as constants from '../src/constants.ts'
import { decodeContent, encodeContent } from '../src/content.ts'
import { draftEnvelope, padContent, unpadContent } from '../src/envelope.ts'
import { etmOpen, etmSeal } from '../src/etm.ts'
import {
  decodeVerificationCode,
  encodeVerificationCode,
  importIdentity,
  importPrekeys,
  matchesVerificationCode,
  openMessage,
  PROTOCOL_ERROR_CODES,
  type Primitives,
  safetyNumber,
  validateCurveKey,
  validateExchangeKey,
  validateKemKey,
  validateSigningKey,
} from '../src/index.ts'
import * as labels from '../src/labels.ts'
import { countExamples, withExamples } from './spec-vectors.examples.ts'
import {
  makeFiles,
  RECORDED,
  readVectors,
  SPEC,
  VECTORS,
  type Vector,
} from './spec-vectors.files.ts'
import {
  acceptEnvelope,
  beginSession,
  contentOf,
  type Player,
  players,
  Replay,
  resultOf,
  stateOf,
} from './spec-vectors.replay.ts'
import { CONVERSATIONS } from './spec-vectors.story.ts'
import { PROVIDERS } from './support.ts'

const NAMES = Object.keys(PROVIDERS)
const CASTS = new Map<string, Promise<ReadonlyMap<string, Player>>>()

function castOf(provider: string): Promise<ReadonlyMap<string, Player>> {
  const cast = CASTS.get(provider) ?? players(provider)
  CASTS.set(provider, cast)
  return cast
}

const VECTORS_OF = new Map<string, readonly Vector[]>()

function vectorsOf(file: string): readonly Vector[] {
  const vectors = VECTORS_OF.get(file) ?? readVectors(file).vectors
  VECTORS_OF.set(file, vectors)
  return vectors
}

describe('the files', () => {
  const rsa = JSON.parse(readFileSync(join(VECTORS, RECORDED), 'utf8'))
  const fresh = makeFiles(rsa)

  test('a fresh run of the reference reproduces every one, and there are no others', () => {
    const names = (readdirSync(VECTORS, { recursive: true }) as string[])
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.json') && name !== RECORDED)
    expect(names.toSorted()).toEqual([...fresh.keys()].toSorted())
    for (const [name, text] of fresh) {
      expect(readFileSync(join(VECTORS, name), 'utf8') === text, name).toBe(true)
    }
  })

  test('an empty or short one is refused', () => {
    const text = readFileSync(join(VECTORS, 'etm.json'), 'utf8')
    expect(readVectors('etm.json', text).vectors.length).toBeGreaterThan(0)
    const short = JSON.parse(text)
    short.vectors.pop()
    const empty = { ...short, count: 0, vectors: [] }
    for (const bad of ['', '{}', '[]', JSON.stringify(short), JSON.stringify(empty)]) {
      expect(() => readVectors('etm.json', bad)).toThrow(/short|JSON|undefined/)
    }
  })
})

describe('the documents', () => {
  const documents = readdirSync(SPEC).filter((name) => name.endsWith('.md'))
  const files = new Map(
    listVectorFiles().map((name) => [name, JSON.parse(readFileSync(join(VECTORS, name), 'utf8'))]),
  )

  test.each(documents)('the worked examples of %s are those of the vectors', (name) => {
    expect(withExamples(textOf(name), files)).toBe(textOf(name))
  })

  test.each([
    'conventions.md',
    'constants.md',
    'identity.md',
    'handshake.md',
    'session.md',
    'message.md',
    'receipts.md',
    'safety-number.md',
    'http-api.md',
    'socket.md',
    'mailbox.md',
    'delivery.md',
    'errors.md',
    'threat-model.md',
  ])('%s has a worked example', (name) => {
    expect(countExamples(textOf(name))).toBeGreaterThan(0)
  })

  test('links between documents lead somewhere', () => {
    for (const name of [...documents, 'vectors/README.md']) {
      for (const [, target] of textOf(name).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        const path = join(SPEC, name, '..', target!)
        expect(
          () => readdirSync(path.endsWith('/') ? path : join(path, '..')),
          target,
        ).not.toThrow()
        if (!path.endsWith('/'))
          expect(() => readFileSync(path), `${name}: ${target}`).not.toThrow()
      }
    }
  })

  test('errors.md lists the codes of the wire in their order, with their statuses', () => {
    const rows = [...textOf('errors.md').matchAll(/^\| (\d+) \| `([a-z-]+)` \| (\d{3}) \|/gm)]
    const listed = rows.map(([, number, code, status]) => [Number(number), code, Number(status)])
    expect(listed).toEqual(ERROR_CODES.map((code, i) => [i, code, ERROR_STATUS[code]]))
  })

  test('errors.md lists the codes of the protocol', () => {
    const rows = [...textOf('errors.md').matchAll(/^\| `([a-z-]+)` \| (?:peer|caller|state) \|/gm)]
    expect(rows.map(([, code]) => code)).toEqual(PROTOCOL_ERROR_CODES)
  })

  test('conventions.md lists every label', () => {
    const listed = [
      ...textOf('conventions.md').matchAll(/^\| `([a-z0-9/-]+)` \| [A-Z][A-Za-z ]+ \| \[/gm),
    ]
    const purposes = listed.map(([, purpose]) => toHex(label(purpose!)))
    const used = [...Object.entries(labels), ...Object.entries(wire)].filter(([name]) =>
      name.startsWith('LABEL_'),
    )
    expect(purposes.toSorted()).toEqual(
      used.map(([, bytes]) => toHex(bytes as Uint8Array)).toSorted(),
    )
  })

  test('constants.md gives every constant of the protocol its value', () => {
    const rows = [...textOf('constants.md').matchAll(/^\| `([A-Z_]+)` \| ([\d,]+) \|/gm)]
    const listed = new Map(
      rows.map(([, name, value]) => [name!, Number(value!.replaceAll(',', ''))]),
    )
    for (const [name, value] of Object.entries(constants))
      expect(listed.get(name), name).toBe(value)
  })

  test('conventions.md gives every limit of the wire its value', () => {
    const rows = [...textOf('conventions.md').matchAll(/^\| `([A-Z_]+)` \| ([\d,]+) \|/gm)]
    const listed = rows.map(
      ([, name, value]) => [name!, Number(value!.replaceAll(',', ''))] as const,
    )
    expect(listed.length).toBeGreaterThan(0)
    const all = wire as unknown as Record<string, unknown>
    for (const [name, value] of listed) expect(all[name], name).toBe(value)
    const missing = Object.keys(limits).filter((name) => !listed.some(([each]) => each === name))
    expect(missing).toEqual([])
  })
})

function textOf(name: string): string {
  return readFileSync(join(SPEC, name), 'utf8')
}

function listVectorFiles(): string[] {
  return (readdirSync(VECTORS, { recursive: true }) as string[])
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.json') && name !== RECORDED)
}

describe('labels.json', () => {
  test.each(vectorsOf('labels.json'))('$purpose', ({ purpose, bytes }) => {
    expect(toHex(label(purpose))).toBe(bytes)
  })
})

describe('padding.json', () => {
  test.each(vectorsOf('padding.json').filter(({ padded }) => padded === undefined))(
    '$name: content of $contentLength bytes',
    async ({ prefixLength, contentLength, envelopeLength, result }) => {
      const padded = await resultOf(() => padContent(new Uint8Array(contentLength), prefixLength))
      if (result !== 'valid') expect(padded).toBe(result)
      else expect(prefixLength + 48 + (padded as Uint8Array).length + 1).toBe(envelopeLength)
    },
  )

  test.each(vectorsOf('padding.json').filter(({ padded }) => padded !== undefined))(
    'removed: $name',
    ({ padded, content, result }) => {
      const unpadded = unpadContent(fromHex(padded))
      if (result === 'valid') expect(toHex(unpadded!)).toBe(content)
      else expect(unpadded).toBeUndefined()
    },
  )
})

describe('content.json', () => {
  test.each(vectorsOf('content.json'))('$name', async ({ content, decoded, encoded, result }) => {
    const read = await resultOf(() => decodeContent(fromHex(encoded)))
    if (result !== 'valid') expect(read).toBe(result)
    else expect(read).toEqual(contentOf(content ?? decoded))
    if (content) expect(toHex(encodeContent(contentOf(content)))).toBe(encoded)
  })
})

describe('keys.json', () => {
  const validators: Readonly<Record<string, (key: Uint8Array) => void>> = {
    rsa3072: validateExchangeKey,
    x25519: validateCurveKey,
    ed25519: validateSigningKey,
    mlKem768: validateKemKey,
  }

  test.each(vectorsOf('keys.json'))('$kind: $name', async ({ kind, key, result }) => {
    const judged = await resultOf(() => {
      validators[kind]!(fromHex(key))
      return 'valid'
    })
    expect(judged).toBe(result)
  })
})

describe('frames.json', () => {
  test.each(vectorsOf('frames.json').filter(({ result }) => result === 'valid'))(
    '$from: $name',
    ({ from, frame, bytes }) => {
      const [decode, encode] =
        from === 'client'
          ? [decodeClientFrame, encodeClientFrame]
          : [decodeServerFrame, encodeServerFrame]
      const decoded = decode(fromHex(bytes))
      expect(withHex(decoded)).toEqual(frame)
      expect(toHex((encode as (frame: unknown) => Uint8Array)(decoded))).toBe(bytes)
    },
  )

  test.each(vectorsOf('frames.json').filter(({ result }) => result !== 'valid'))(
    '$from: $name is $result',
    ({ from, bytes, result }) => {
      const decode = from === 'client' ? decodeClientFrame : decodeServerFrame
      expect(wireResultOf(() => decode(fromHex(bytes)))).toBe(result)
    },
  )
})

function wireResultOf(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw error
  }
}

/** As the vectors write it: bytes in hex, nothing undefined. */
function withHex(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, field) => (field instanceof Uint8Array ? toHex(field) : field)),
  )
}

describe.each(NAMES)('with %s', (provider) => {
  const primitives: Primitives = PROVIDERS[provider]!
  const who = async (name: string) => (await castOf(provider)).get(name)!

  test.each(vectorsOf('people.json'))('people.json: $name', async (vector) => {
    const { own, prekeys } = await who(vector.name)
    const { encoded, signature } = splitSignedIdentity(own.signed)
    expect(toHex(encoded)).toBe(vector.record)
    expect(toHex(signature)).toBe(vector.signature)
    expect(toHex(own.id)).toBe(vector.identityId)
    expect(toHex(own.record.signingKey)).toBe(vector.signingKey)
    expect(toHex(own.record.identityKey)).toBe(vector.identityKey)
    expect(toHex(encodeIdentityRecord(decodeIdentityRecord(encoded)))).toBe(vector.record)
    for (const set of vector.prekeys) {
      expect(toHex(prekeys.get(set.name)!.signed)).toBe(set.signed)
      expect(toHex(prekeys.get(set.name)!.encoded)).toBe(set.encoded)
      expect(toHex(primitives.x25519PublicKey(fromHex(set.secret)))).toBe(set.publicKey)
      expect(toHex(primitives.kemPublicKey(fromHex(set.kemSeed)))).toBe(set.kemPublicKey)
    }
  })

  test.each(vectorsOf('identity.json'))('identity.json: $name', async (vector) => {
    const imported = await resultOf(() =>
      toHex(importIdentity(primitives, fromHex(vector.signed)).id),
    )
    expect(imported).toBe(vector.identityId ?? vector.result)
  })

  test.each(vectorsOf('prekeys.json'))('prekeys.json: $name', async (vector) => {
    const owner = (await who(vector.owner)).public
    const { now, highestSeenId } = vector
    const signed = fromHex(vector.signed)
    const imported = await resultOf(() => {
      importPrekeys(primitives, { owner, signed, now, highestSeenId })
      return 'valid'
    })
    expect(imported).toBe(vector.result)
  })

  test.each(vectorsOf('signatures.json'))('signatures.json: $name', async (vector) => {
    const { own } = await who(vector.signer)
    const preimage = signedBytes(vector, own.id)
    expect(toHex(preimage)).toBe(vector.preimage)
    expect(toHex(primitives.ed25519Sign(own.signingSeed, preimage))).toBe(vector.signature)
    const signature = fromHex(vector.signature)
    for (const other of vectorsOf('signatures.json')) {
      const verified = primitives.ed25519Verify(
        own.record.signingKey,
        fromHex(other.preimage),
        signature,
      )
      expect(verified, other.name).toBe(other.name === vector.name)
    }
    if (vector.purpose === 'request') {
      const parts = ['Couplet', toBase64Url(own.id), vector.at, toBase64Url(signature)]
      expect(parts.join(' ')).toBe(vector.authorization)
      expect(toHex(primitives.sha256(utf8(vector.body)))).toBe(vector.bodyHash)
    }
  })

  test.each(vectorsOf('etm.json'))('etm.json: $name', (vector) => {
    const keys = fromHex(vector.keys)
    const associatedData = [fromHex(vector.associatedData)]
    const opened = etmOpen(primitives, { keys, sealed: fromHex(vector.sealed), associatedData })
    if (vector.result !== 'valid') {
      expect(opened).toBeUndefined()
      return
    }
    const plaintext = fromHex(vector.plaintext)
    const sealed = etmSeal(primitives, { keys, iv: fromHex(vector.iv), plaintext, associatedData })
    expect(toHex(opened!)).toBe(vector.plaintext)
    expect(toHex(sealed)).toBe(vector.sealed)
  })

  test.each(vectorsOf('ratchet.json'))('ratchet.json: $kind $name', (vector) => {
    RATCHET[vector.kind]!(primitives, vector)
  })

  test.each(vectorsOf('receipts.json'))('receipts.json: $name', (vector) => {
    const id = primitives.sha256(fromHex(vector.envelope))
    expect(toHex(id)).toBe(vector.id)
    const tag = primitives.hmacSha256(fromHex(vector.receiptKey), labels.LABEL_RECEIPT, id)
    expect(equalBytes(tag, fromHex(vector.receipt))).toBe(vector.result === 'valid')
  })

  test.each(vectorsOf('safety-number.json'))('safety-number.json: $name', async (vector) => {
    if (vector.kind === 'number') {
      const [a, b] = [(await who(vector.a)).public, (await who(vector.b)).public]
      expect(safetyNumber(primitives, a, b)).toBe(vector.digits)
      return
    }
    const [own, contact] = [(await who(vector.own)).public, (await who(vector.contact)).public]
    const scanned = await resultOf(() => {
      const code = decodeVerificationCode(fromHex(vector.code))
      return matchesVerificationCode(code, own, contact) ? 'valid' : 'mismatch'
    })
    expect(scanned).toBe(vector.result)
    if (vector.result === 'valid') {
      expect(toHex(encodeVerificationCode(contact, own))).toBe(vector.code)
    }
  })

  test.each(vectorsOf('handshake.json'))('handshake.json: $name', async (vector) => {
    const responder = await who(vector.responder)
    const prekeys = responder.prekeys.get(vector.prekeys)!
    if (vector.result !== 'valid') {
      const accepted = await resultOf(() =>
        acceptEnvelope(responder, prekeys, fromHex(vector.envelope), vector),
      )
      expect(accepted).toBe(vector.result)
      return
    }
    const initiator = await who(vector.initiator)
    const resetKey = vector.resetKey && fromHex(vector.resetKey)
    const earlier = resetKey && { continuity: { proving: resetKey, accepted: [resetKey] } }
    const session = await beginSession(initiator, responder, vector, { continues: earlier })
    const accepted = await acceptEnvelope(responder, prekeys, fromHex(vector.envelope), vector)
    expect(toHex(accepted.session.id)).toBe(toHex(session.id))
    expect(toHex(accepted.receipt)).toBe(vector.receipt)
    expect(accepted.content.body).toEqual({ kind: 'text', text: 'hello' })
    if (earlier) expect(accepted.continues(earlier)).toBe(true)
    expect(accepted.continues({ ...session, continuity: { ...session.continuity } })).toBe(false)
  })

  describe('messages.json', () => {
    const { vectors, setup } = readVectors('messages.json')
    let replay: Replay
    beforeAll(async () => {
      const cast = await castOf(provider)
      replay = new Replay({ ana: cast, ben: cast, mallory: cast })
      await replay.run(setup.events)
    })

    test.each(vectors)('$name', async (vector) => {
      const before = replay.session(vector.session)
      const copy = structuredClone(before)
      const result = await resultOf(
        () => openMessage(primitives, before, fromHex(vector.envelope), { now: vector.now }).kind,
      )
      expect(result).toBe(vector.result)
      expect(before).toEqual(copy)
    })
  })
})

describe('conversations', () => {
  const pairings = NAMES.flatMap((ana) => NAMES.map((ben) => [ana, ben] as const))

  describe.each(pairings)('Ana with %s, Ben with %s', (ana, ben) => {
    test.each(CONVERSATIONS)('$file', async ({ file }) => {
      const { vectors, states } = readVectors(`conversations/${file}`)
      const replay = new Replay({ ana: await castOf(ana), ben: await castOf(ben) })
      await replay.run(vectors)
      const reached = Array.from(replay.sessions, ([name, session]) => stateOf(name, session))
      expect(reached).toEqual(states)
    })
  })
})

function signedBytes(vector: Vector, identityId: Uint8Array): Uint8Array {
  const { serverName, registrationId, at, method, path } = vector
  switch (vector.purpose) {
    case 'registration': {
      const challenge = fromHex(vector.challenge)
      return registrationSignedBytes({ serverName, registrationId, challenge, identityId })
    }
    case 'login':
      return loginSignedBytes({ serverName, challenge: fromHex(vector.challenge), identityId })
    default: {
      const bodyHash = fromHex(vector.bodyHash)
      return requestSignedBytes({ serverName, identityId, at, method, path, bodyHash })
    }
  }
}

/** The steps as session.md has them, by the wrappers; whole messages are in `conversations`. */
const RATCHET: Readonly<Record<string, (primitives: Primitives, vector: Vector) => void>> = {
  root(primitives, { rootKey, secret, remoteKey, kemSecret, step }) {
    const dh = primitives.x25519(fromHex(secret), fromHex(remoteKey))!
    expect(toHex(dh)).toBe(step.dh)
    const okm = primitives.hkdfSha256({
      salt: fromHex(rootKey),
      ikm: fromHex(step.dh + (kemSecret ?? '')),
      info: labels.LABEL_RATCHET,
      length: 160,
    })
    expect(toHex(okm)).toBe(step.rootKey + step.chainKey + step.nextHeaderKey + step.resetKey)
  },
  kem(primitives, { seed, offer, ciphertext, sharedSecret }) {
    expect(toHex(primitives.kemPublicKey(fromHex(seed)))).toBe(offer)
    expect(toHex(primitives.kemDecapsulate(fromHex(seed), fromHex(ciphertext)))).toBe(sharedSecret)
  },
  chain(primitives, vector) {
    let key = fromHex(vector.chainKey)
    for (let i = 0; i < vector.steps; i++) key = primitives.hmacSha256(key, Uint8Array.of(2))
    const messageKey = primitives.hmacSha256(key, Uint8Array.of(1))
    const okm = primitives.hkdfSha256({
      salt: new Uint8Array(32),
      ikm: messageKey,
      info: labels.LABEL_MESSAGE,
      length: 96,
    })
    expect(toHex(messageKey)).toBe(vector.messageKey)
    expect(toHex(okm)).toBe(vector.encryptionKey + vector.macKey + vector.receiptKey)
    expect(toHex(primitives.hmacSha256(key, Uint8Array.of(2)))).toBe(vector.nextChainKey)
  },
  header(primitives, vector) {
    const { sid, sender, recipient, headerKeys, headerIv, header, encryptedHeader } = vector
    const parts = [labels.LABEL_ASSOCIATED_DATA, fromHex(sid), fromHex(sender), fromHex(recipient)]
    const sealed = etmSeal(primitives, {
      keys: fromHex(headerKeys),
      iv: fromHex(headerIv),
      plaintext: fromHex(header),
      associatedData: parts,
    })
    expect(toHex(sealed)).toBe(encryptedHeader)
  },
  preamble(_primitives, { prekeyId, headerLength, withHandshake, bytes }) {
    const handshake = withHandshake
      ? {
          prekeyId,
          ephemeralKey: new Uint8Array(32),
          wrappedSecret: new Uint8Array(384),
          encapsulatedKey: new Uint8Array(1088),
          identityBlock: new Uint8Array(656),
        }
      : undefined
    const draft = draftEnvelope(handshake, { header: headerLength, message: 0 })
    expect(toHex(draft.subarray(0, 16))).toBe(bytes)
  },
}
